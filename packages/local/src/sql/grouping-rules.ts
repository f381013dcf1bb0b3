import type { AnalysisSession } from './analysis-session.ts'
import { analyzeExpression, type ExpressionContext } from './expression-analyzer.ts'
import { QueryError } from './query-engine.ts'
import { failure, notSupported } from './query-failure.ts'
import { refuseDistinct } from './row-rules.ts'
import { Scope } from './scope.ts'
import type {
  Expression,
  GroupingElement,
  Identifier,
  Position,
  SelectSpecification,
  SortItem,
} from './syntax-tree.ts'
import { containsAggregate, containsAggregateOrWindow } from './syntax-walk.ts'
import { integerType } from './trino-type.ts'
import type { TypedExpression } from './typed-expression.ts'

/** The scope of a query with groups, and of the queries within it: only keys are columns. */
class GroupedScope extends Scope {
  readonly #source: Scope
  readonly #grouping: Grouping

  constructor(source: Scope, grouping: Grouping) {
    super([], source.namedQueries, source.parent)
    this.#source = source
    this.#grouping = grouping
  }

  override own(parts: readonly Identifier[], position: Position): TypedExpression | undefined {
    const column = this.#source.own(parts, position)
    const key = column && this.#grouping.key(column.sql)
    if (column === undefined || key !== undefined) return key
    const name = parts.map((part) => part.value).join('.')
    throw failure(
      'EXPRESSION_NOT_AGGREGATE',
      `'${name}' must be an aggregate expression or appear in GROUP BY clause`,
      position,
    )
  }
}

/** Keys and aggregates computed in an inner query, so that the outer one sees nothing else. */
class Grouping {
  readonly #alias: string
  readonly #keys: readonly TypedExpression[]
  /** Places of the keys in each grouping set; undefined for a plain GROUP BY. */
  readonly #sets: readonly (readonly number[])[] | undefined
  readonly #aggregates = new Map<string, string>()

  constructor(session: AnalysisSession, sets: readonly (readonly TypedExpression[])[]) {
    this.#alias = session.alias('g')
    const all = sets.flat()
    this.#keys = all.filter((key, i) => all.findIndex((other) => other.sql === key.sql) === i)
    const places = sets.map((set) => set.map((key) => this.#place(key.sql)))
    this.#sets = sets.length === 1 ? undefined : places
  }

  #place(sql: string): number {
    return this.#keys.findIndex((key) => key.sql === sql)
  }

  key(sql: string): TypedExpression | undefined {
    const place = this.#place(sql)
    return place < 0 ? undefined : { type: this.#keys[place]!.type, sql: `"${this.#alias}"."k${place}"` }
  }

  aggregate(typed: TypedExpression): TypedExpression {
    const name = this.#aggregates.get(typed.sql) ?? `a${this.#aggregates.size}`
    this.#aggregates.set(typed.sql, name)
    return { type: typed.type, sql: `"${this.#alias}"."${name}"` }
  }

  grouping(keys: readonly TypedExpression[]): TypedExpression | undefined {
    if (keys.some((key) => this.#place(key.sql) < 0) || keys.length > 31) return undefined
    const bits = this.#sets === undefined ? '0' : `GROUPING(${keys.map((key) => key.sql).join(', ')})`
    return this.aggregate({ type: integerType, sql: `CAST(${bits} AS INTEGER)` })
  }

  sql(from: string): string {
    const keys = this.#keys.map((key, i) => `${key.sql} AS "k${i}"`)
    const aggregates = [...this.#aggregates].map(([sql, name]) => `${sql} AS "${name}"`)
    const items = [...keys, ...aggregates]
    const select = `SELECT ${items.length === 0 ? 'count(*)' : items.join(', ')}${from}${this.#groupBy()}`
    return ` FROM (${select}) AS "${this.#alias}"`
  }

  #groupBy(): string {
    if (this.#sets === undefined) {
      return this.#keys.length === 0 ? '' : ` GROUP BY ${this.#keys.map((_, i) => i + 1).join(', ')}`
    }
    const sets = this.#sets.map((set) => `(${set.map((place) => this.#keys[place]!.sql).join(', ')})`)
    return ` GROUP BY GROUPING SETS (${sets.join(', ')})`
  }
}

/** The groups of a SELECT; undefined where it has none. */
export function groupingOf(
  node: SelectSpecification,
  orderBy: readonly SortItem[],
  row: ExpressionContext,
): Grouping | undefined {
  const grouped =
    node.groupBy.length > 0 ||
    node.having !== undefined ||
    containsAggregate(node.items) ||
    containsAggregate(orderBy)
  if (!grouped) return undefined
  const context = { ...row, clause: 'GROUP BY clause' }
  const typed = (key: Expression): TypedExpression => {
    if (containsAggregateOrWindow(key)) {
      throw failure(
        'EXPRESSION_NOT_SCALAR',
        'GROUP BY clause cannot contain aggregations, window functions or grouping operations',
        key.position,
      )
    }
    const typedKey = analyzeExpression(key, context)
    refuseDistinct(typedKey.type, 'GROUP BY', key.position)
    return typedKey
  }
  // Each element gives some sets; GROUP BY a, ROLLUP (b) combines one of each.
  const sets = node.groupBy.reduce<readonly (readonly Expression[])[]>(
    (combined, element) =>
      combined.flatMap((set) => groupingSets(element, node).map((other) => [...set, ...other])),
    [[]],
  )
  return new Grouping(
    row.session,
    sets.map((set) => set.map(typed)),
  )
}

function groupingSets(
  element: GroupingElement,
  node: SelectSpecification,
): readonly (readonly Expression[])[] {
  if (element.kind === 'simple') {
    const { expression } = element
    return [(expression.kind === 'row' ? expression.items : [expression]).map((key) => ordinal(key, node))]
  }
  for (const key of element.sets.flat()) {
    if (key.kind !== 'reference')
      throw failure(
        'INVALID_COLUMN_REFERENCE',
        'GROUP BY expression must be a column reference',
        key.position,
      )
  }
  const parts = element.sets
  if (element.kind === 'sets') return parts
  if (element.kind === 'rollup')
    return [...parts.keys(), parts.length].map((length) => parts.slice(0, length).flat()).reverse()
  if (parts.length > 8) throw notSupported('CUBE of more than 8 columns', element.position)
  const subsets = Array.from({ length: 2 ** parts.length }, (_, bits) =>
    parts.filter((__, i) => (bits >> i) & 1).flat(),
  )
  return subsets
}

/** The expression at a place of the select list, for `GROUP BY 1`. */
function ordinal(expression: Expression, node: SelectSpecification): Expression {
  if (expression.kind !== 'number' || expression.form !== 'integer') return expression
  if (node.items.some((item) => item.kind === 'star')) {
    throw notSupported('GROUP BY with a number beside SELECT *', expression.position)
  }
  const item = node.items[Number(expression.text) - 1]
  if (item?.kind !== 'expression') {
    throw failure(
      'INVALID_COLUMN_REFERENCE',
      `GROUP BY position ${expression.text} is not in select list`,
      expression.position,
    )
  }
  return item.expression
}

/** What expressions over groups see. */
export function groupedContext(
  grouping: Grouping,
  source: ExpressionContext,
  windows: ExpressionContext['windows'],
): ExpressionContext {
  return {
    ...source,
    scope: new GroupedScope(source.scope, grouping),
    windows,
    source,
    aggregate: (typed) => grouping.aggregate(typed),
    grouping: (keys) => grouping.grouping(keys),
    match: (expression) => {
      if (
        expression.kind === 'number' ||
        expression.kind === 'string' ||
        containsAggregateOrWindow(expression)
      ) {
        return undefined
      }
      try {
        return grouping.key(analyzeExpression(expression, source).sql)
      } catch (error) {
        // It fails again, with the right clause, where it is analysed as no key.
        if (error instanceof QueryError) return undefined
        throw error
      }
    },
  }
}

import type { AnalysisSession } from './analysis-session.ts'
import { analyzeExpression, condition, type ExpressionContext, sortItemSql } from './expression-analyzer.ts'
import { type PartitionKeyReference, prunePartitions } from './partition-pruning.ts'
import { QueryError } from './query-engine.ts'
import { failure, notSupported } from './query-failure.ts'
import { analyzeRelation, type Relation, type RelationContext } from './relation-analyzer.ts'
import { refuseDistinct, refuseOrder } from './row-rules.ts'
import { type OutputColumn, type QueryOutput, Scope, useField } from './scope.ts'
import type {
  Expression,
  GroupingElement,
  Identifier,
  Position,
  SelectSpecification,
  SortItem,
} from './syntax-tree.ts'
import { containsAggregate, containsAggregateOrWindow, containsWindow, replaceNodes } from './syntax-walk.ts'
import { integerType, isFloating } from './trino-type.ts'
import type { TypedExpression } from './typed-expression.ts'

/** A column of the answer, before its SQL is fixed. */
interface OutputItem extends TypedExpression {
  readonly name: string | undefined
  /** The expression, for names in ORDER BY; undefined for a column of `*`. */
  readonly expression: Expression | undefined
  /** The partition key it is, and nothing else. */
  readonly partitionKey: PartitionKeyReference | undefined
}

/** What follows a SELECT in its query. */
export interface QueryTail {
  readonly orderBy: readonly SortItem[]
  /** ` LIMIT 10 OFFSET 5`, or nothing. */
  readonly limitSql: string
}

/** The scope of a query with groups: only keys and aggregates are columns. */
class GroupedScope extends Scope {
  readonly #source: Scope

  constructor(source: Scope) {
    super([], source.namedQueries, source.parent)
    this.#source = source
  }

  override resolve(parts: readonly Identifier[], position: Position): TypedExpression {
    if (this.#source.locate(parts) === undefined) return super.resolve(parts, position)
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

export function analyzeSelect(
  node: SelectSpecification,
  tail: QueryTail,
  context: RelationContext,
): QueryOutput {
  const { session } = context
  const relation = node.from && analyzeRelation(node.from, context)
  const scope = new Scope(relation?.fields ?? [], context.namedQueries, context.outer)
  const row: ExpressionContext = {
    session,
    scope,
    clause: 'WHERE clause',
    analyzeQuery: context.analyzeQuery,
  }
  let from = relation === undefined ? '' : ` FROM ${relation.sql}`
  if (node.where !== undefined) {
    prunePartitions(node.where, scope, (part, keys) =>
      condition(part, { ...row, scope: keys }, 'WHERE clause'),
    )
    from += ` WHERE ${condition(node.where, row, 'WHERE clause')}`
  }
  const windows = new Map(node.windows.map(({ name, window }) => [name.value.toLowerCase(), window]))
  const orderBy = withoutAliases(tail.orderBy, node)
  const grouping = groupingOf(node, orderBy, row)
  const output = grouping === undefined ? { ...row, windows } : groupedContext(grouping, row, windows)
  const items = outputItems(node, relation, { ...output, clause: 'SELECT clause' })
  if (node.distinct) for (const { type } of items) refuseDistinct(type, 'SELECT DISTINCT', node.position)
  const having =
    node.having &&
    condition(node.having, { ...output, clause: 'HAVING clause', windows: undefined }, 'HAVING clause')
  const order = orderBy.map((item, i) => {
    const inOrder = { ...output, clause: 'ORDER BY clause' }
    const sql = orderSql(item, tail.orderBy[i]!, items, node.distinct, inOrder)
    const place = /^\d+$/.test(sql) ? items[Number(sql) - 1] : undefined
    const value = place ?? analyzeExpression(item.expression, inOrder)
    if (node.distinct && item.nullsFirst && isFloating(value.type))
      throw notSupported('SELECT DISTINCT with NULLS FIRST of real or double', item.expression.position)
    return sortItemSql(sql, item, value, node.distinct)
  })
  if (grouping !== undefined) from = grouping.sql(from)
  const list = items.map(({ sql }, i) => `${sql} AS "c${i}"`).join(', ')
  const parts = [`SELECT ${node.distinct ? 'DISTINCT ' : ''}${list}${from}`]
  if (having !== undefined) parts.push(`WHERE ${having}`)
  if (order.length > 0) parts.push(`ORDER BY ${order.join(', ')}`)
  const columns = items.map(({ name, type, partitionKey }): OutputColumn => {
    return isPrunable(node, tail) ? { name, type, partitionKey } : { name, type }
  })
  return { sql: parts.join(' ') + tail.limitSql, columns }
}

/** True where rows of other partitions change nothing about those of one: no limit, window or grouping set spans them. */
function isPrunable(node: SelectSpecification, tail: QueryTail): boolean {
  return (
    tail.limitSql === '' && !containsWindow(node.items) && node.groupBy.every(({ kind }) => kind === 'simple')
  )
}

function groupingOf(
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
    return [expression.kind === 'row' ? expression.items : [ordinal(expression, node)]]
  }
  const parts = element.sets.map((set) => set.map((key) => ordinal(key, node)))
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

function groupedContext(
  grouping: Grouping,
  source: ExpressionContext,
  windows: ExpressionContext['windows'],
): ExpressionContext {
  return {
    ...source,
    scope: new GroupedScope(source.scope),
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

function outputItems(
  node: SelectSpecification,
  relation: Relation | undefined,
  context: ExpressionContext,
): readonly OutputItem[] {
  return node.items.flatMap((item): OutputItem[] => {
    if (item.kind === 'expression') {
      const { expression } = item
      const typed = analyzeExpression(expression, context)
      const { scope } = context.source ?? context
      const partitionKey =
        expression.kind === 'reference' ? scope.find(expression.parts)?.partitionKey : undefined
      return [{ ...typed, name: item.alias?.value ?? impliedName(expression), expression, partitionKey }]
    }
    const qualifier = item.qualifier.map((part) => part.value.toLowerCase())
    const fields = (relation?.fields ?? []).filter(
      (field) =>
        field.hidden !== true &&
        qualifier.length <= field.qualifier.length &&
        qualifier.every((part, i) => part === field.qualifier[field.qualifier.length - qualifier.length + i]),
    )
    if (fields.length === 0) {
      const what =
        qualifier.length === 0
          ? 'SELECT * not allowed in queries without FROM clause'
          : `Unable to resolve reference ${qualifier.join('.')}`
      throw failure(qualifier.length === 0 ? 'COLUMN_NOT_FOUND' : 'TABLE_NOT_FOUND', what, item.position)
    }
    return fields.map((field) => {
      const column = useField(field, item.position)
      return {
        ...starColumn(column, field.name, item.position, context),
        name: field.name,
        expression: undefined,
        partitionKey: field.partitionKey,
      }
    })
  })
}

/** A column of `*`: in a query with groups it must be a key. */
function starColumn(
  column: TypedExpression,
  name: string | undefined,
  position: Position,
  context: ExpressionContext,
): TypedExpression {
  if (context.aggregate === undefined) return column
  const parts = [{ value: name ?? '', position }]
  return analyzeExpression({ kind: 'reference', parts, position }, context)
}

function impliedName(expression: Expression): string | undefined {
  return expression.kind === 'reference' ? expression.parts.at(-1)!.value : undefined
}

/** ORDER BY with the names of the select list replaced by what they name. */
function withoutAliases(orderBy: readonly SortItem[], node: SelectSpecification): readonly SortItem[] {
  const named = new Map<string, Expression>()
  for (const item of node.items) {
    if (item.kind === 'expression' && item.alias !== undefined)
      named.set(item.alias.value.toLowerCase(), item.expression)
  }
  if (named.size === 0) return orderBy
  return orderBy.map((item) => ({
    ...item,
    expression: replaceNodes(item.expression, (part) =>
      part.kind === 'reference' && part.parts.length === 1
        ? named.get(part.parts[0]!.value.toLowerCase())
        : undefined,
    ),
  }))
}

function orderSql(
  item: SortItem,
  written: SortItem,
  items: readonly OutputItem[],
  distinct: boolean,
  context: ExpressionContext,
): string {
  const { expression } = written
  if (expression.kind === 'number' && expression.form === 'integer') {
    const place = ordinalSql(expression, items.length)
    refuseOrder(items[Number(place) - 1]!.type, expression.position)
    return place
  }
  if (expression.kind === 'reference' && expression.parts.length === 1) {
    const name = expression.parts[0]!.value.toLowerCase()
    const matches = items.flatMap((output, i) => (output.name?.toLowerCase() === name ? [i] : []))
    if (new Set(matches.map((i) => items[i]!.sql)).size > 1)
      throw failure('AMBIGUOUS_NAME', `Column '${name}' is ambiguous`, expression.position)
    if (matches.length > 0) {
      refuseOrder(items[matches[0]!]!.type, expression.position)
      return String(matches[0]! + 1)
    }
  }
  const typed = analyzeExpression(item.expression, context)
  refuseOrder(typed.type, expression.position)
  const index = items.findIndex((output) => output.sql === typed.sql)
  if (index >= 0) return String(index + 1)
  if (distinct) {
    throw failure(
      'EXPRESSION_NOT_IN_DISTINCT',
      'For SELECT DISTINCT, ORDER BY expressions must appear in select list',
      expression.position,
    )
  }
  return typed.sql
}

/** The place of a column, checked against how many there are. */
export function ordinalSql(expression: Expression & { kind: 'number' }, count: number): string {
  const place = Number(expression.text)
  if (place < 1 || place > count) {
    throw failure(
      'INVALID_COLUMN_REFERENCE',
      `ORDER BY position ${expression.text} is not in select list`,
      expression.position,
    )
  }
  return String(place)
}

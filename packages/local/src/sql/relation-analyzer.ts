import { type AnalysisSession, qualifierOf } from './analysis-session.ts'
import { cast } from './cast-rules.ts'
import { comparable, compare } from './comparison-rules.ts'
import { analyzeExpression, condition, type ExpressionContext } from './expression-analyzer.ts'
import { prunePartitions } from './partition-pruning.ts'
import { failure, notSupported } from './query-failure.ts'
import { rowField } from './row-rules.ts'
import { type Field, isSameName, type NamedQueries, type QueryOutput, Scope, useField } from './scope.ts'
import type { Expression, Identifier, Query, RelationNode, TableReference } from './syntax-tree.ts'
import { TableScan } from './table-scan.ts'
import { bigintType, typeText } from './trino-type.ts'
import { analyzeView } from './view-expansion.ts'

/** A FROM item: its SQL and the columns it offers. */
export interface Relation {
  readonly sql: string
  readonly fields: readonly Field[]
}

export interface RelationContext {
  readonly session: AnalysisSession
  readonly namedQueries: NamedQueries
  readonly outer: Scope | undefined
  readonly analyzeQuery: (query: Query, outer: Scope | undefined) => QueryOutput
  /** Analyses a query that sees no names of the statement around it. */
  readonly analyzeAlone: (query: Query) => QueryOutput
}

/** @param left the columns that an UNNEST on the right of a join sees. */
export function analyzeRelation(
  node: RelationNode,
  context: RelationContext,
  left: readonly Field[] = [],
): Relation {
  switch (node.kind) {
    case 'table':
      return analyzeTable(node, context)
    case 'subquery-relation':
      return derived(context.analyzeQuery(node.query, undefined), context.session)
    case 'aliased':
      return renamed(analyzeRelation(node.relation, context, left), node.alias, node.columnNames)
    case 'join':
      return analyzeJoin(node, context)
    case 'unnest':
      return analyzeUnnest(node, context, left)
  }
}

function derived({ sql, columns }: QueryOutput, session: AnalysisSession): Relation {
  const alias = session.alias('r')
  const fields = columns.map((column, i): Field => ({ ...column, qualifier: [], sql: `"${alias}"."c${i}"` }))
  return { sql: `(${sql}) AS "${alias}"`, fields }
}

/** Arrays side by side as rows, the shorter ones filled with NULL; WITH ORDINALITY numbers them. */
function analyzeUnnest(
  node: RelationNode & { kind: 'unnest' },
  context: RelationContext,
  left: readonly Field[],
): Relation {
  const { session } = context
  const scope = new Scope(left, context.namedQueries, context.outer)
  const expression: ExpressionContext = {
    session,
    scope,
    clause: 'UNNEST',
    analyzeQuery: context.analyzeQuery,
  }
  const arrays = node.expressions.flatMap((operand) => {
    const { type, sql } = analyzeExpression(operand, expression)
    if (type.kind === 'array') return [{ element: type.element, sql, expands: true }]
    if (type.kind !== 'map') throw notSupported(`UNNEST of ${typeText(type)}`, operand.position)
    return [
      { element: type.key, sql: `map_keys(${sql})`, expands: false },
      { element: type.value, sql: `map_values(${sql})`, expands: false },
    ]
  })
  const alias = session.alias('u')
  const items = arrays.map(({ element, sql }) => ({ type: element, sql: `unnest(${sql})` }))
  if (node.withOrdinality) {
    const longest = arrays.map(({ sql }) => `coalesce(len(${sql}), 0)`).join(', ')
    items.push({ type: bigintType, sql: `unnest(range(1, greatest(${longest}) + 1))` })
  }
  const list = items.map(({ sql }, i) => `${sql} AS "c${i}"`).join(', ')
  // A row of an array becomes a column for each of its fields.
  const fields = items.flatMap(({ type }, i): Field[] => {
    const column = { type, sql: `"${alias}"."c${i}"` }
    if (type.kind !== 'row' || arrays[i]?.expands !== true) return [{ qualifier: [], ...column }]
    return type.fields.map(({ name }, place) => ({
      name,
      qualifier: [],
      ...rowField({ type, sql: column.sql }, place),
    }))
  })
  return { sql: `${left.length === 0 ? '' : 'LATERAL '}(SELECT ${list}) AS "${alias}"`, fields }
}

function analyzeTable(node: TableReference, context: RelationContext): Relation {
  const { session, namedQueries } = context
  const alias = session.alias('r')
  const name = node.parts[0]!.value.toLowerCase()
  const named = node.parts.length === 1 ? namedQueries.get(name) : undefined
  if (named !== undefined) {
    const fields = named.columnsForReader().map((column, i): Field => {
      return { ...column, qualifier: [name], sql: `"${alias}"."c${i}"` }
    })
    return { sql: `"${named.sqlName}" AS "${alias}"`, fields }
  }
  const view = session.view(node)
  if (view !== undefined) return analyzeView(view, node, context)
  const scan = new TableScan(session.table(node), session.alias('scan'))
  session.scans.push(scan)
  return { sql: `"${scan.sqlName}" AS "${alias}"`, fields: scan.fields(alias, qualifierOf(node)) }
}

function renamed(
  relation: Relation,
  alias: Identifier,
  columnNames: readonly Identifier[] | undefined,
): Relation {
  const qualifier = [alias.value.toLowerCase()]
  if (columnNames === undefined)
    return { ...relation, fields: relation.fields.map((field) => ({ ...field, qualifier })) }
  const visible = relation.fields.filter((field) => field.hidden !== true)
  if (visible.length !== columnNames.length) {
    throw failure(
      'MISMATCHED_COLUMN_ALIASES',
      `Column alias list has ${columnNames.length} entries but '${alias.value}' has ${visible.length} columns available`,
      alias.position,
    )
  }
  return {
    ...relation,
    fields: visible.map((field, i) => ({ ...field, name: columnNames[i]!.value, qualifier })),
  }
}

function analyzeJoin(node: RelationNode & { kind: 'join' }, context: RelationContext): Relation {
  const left = analyzeRelation(node.left, context)
  const right = analyzeRelation(node.right, context, left.fields)
  const fields = [...left.fields, ...right.fields]
  if (node.type === 'CROSS') return { sql: `${left.sql} CROSS JOIN ${parenthesized(right)}`, fields }
  if (isUnnest(node.right) && node.using === undefined && !isTrue(node.on!)) {
    throw failure(
      'NOT_SUPPORTED',
      `${node.type} JOIN involving UNNEST is only supported with condition ON TRUE`,
      node.on!.position,
    )
  }
  const join = (on: string): string => `${left.sql} ${node.type} JOIN ${parenthesized(right)} ON ${on}`
  if (node.using !== undefined) return joinUsing(node, node.using, left, right, join, context)
  const scope = new Scope(fields, context.namedQueries, context.outer)
  const expression: ExpressionContext = {
    session: context.session,
    scope,
    clause: 'JOIN clause',
    analyzeQuery: context.analyzeQuery,
  }
  if (node.type === 'INNER') {
    const emit = (part: Expression, keys: Scope) =>
      condition(part, { ...expression, scope: keys }, 'JOIN ON clause')
    prunePartitions(node.on!, scope, emit)
  }
  return { sql: join(condition(node.on!, expression, 'JOIN ON clause')), fields }
}

function isUnnest(node: RelationNode): boolean {
  return node.kind === 'unnest' || (node.kind === 'aliased' && isUnnest(node.relation))
}

function isTrue(condition: Expression): boolean {
  return condition.kind === 'boolean' && condition.value
}

/** Joins associate to the left; a join on the right keeps its parentheses. */
function parenthesized(relation: Relation): string {
  return / JOIN /.test(relation.sql) ? `(${relation.sql})` : relation.sql
}

function joinUsing(
  node: RelationNode & { kind: 'join' },
  using: readonly Identifier[],
  left: Relation,
  right: Relation,
  join: (on: string) => string,
  { session, namedQueries }: RelationContext,
): Relation {
  const conditions: string[] = []
  const shared: Field[] = []
  const joined = new Set<Field>()
  for (const [i, name] of using.entries()) {
    if (using.findIndex((other) => isSameName(other, name)) < i)
      throw failure(
        'DUPLICATE_COLUMN_NAME',
        `Column '${name.value}' appears multiple times in USING clause`,
        name.position,
      )
    const [a, b] = [left, right].map((side) => {
      const field = new Scope(side.fields, namedQueries).find([name])
      if (field === undefined)
        throw failure(
          'COLUMN_NOT_FOUND',
          `Column '${name.value}' is missing from one side of the join`,
          name.position,
        )
      joined.add(field)
      return useField(field, name.position)
    })
    conditions.push(compare(session, '=', a!, b!, name.position).sql)
    const both = comparable(session, '=', a!, b!, name.position)
    const [x, y] = [both.left, both.right].map(
      (side) => cast(session, side, both.type, false, name.position).sql,
    )
    const sql = node.type === 'FULL' ? `coalesce(${x}, ${y})` : node.type === 'RIGHT' ? y! : x!
    shared.push({ name: name.value, qualifier: [], type: both.type, sql })
  }
  const rest = [...left.fields, ...right.fields].filter((field) => !joined.has(field))
  return { sql: join(conditions.join(' AND ')), fields: [...shared, ...rest] }
}

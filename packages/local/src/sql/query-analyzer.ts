import type { AnalysisSession } from './analysis-session.ts'
import { cast } from './cast-rules.ts'
import { unify } from './conditional-rules.ts'
import { analyzeExpression, type ExpressionContext, sortItemSql } from './expression-analyzer.ts'
import { ordinalSql } from './output-order.ts'
import { columnsForReaders } from './partition-pruning.ts'
import { failure, notSupported, typeMismatch } from './query-failure.ts'
import type { RelationContext } from './relation-analyzer.ts'
import { type RowType, refuseDistinct, refuseOrder, rowField } from './row-rules.ts'
import { isSameName, type NamedQueries, type QueryOutput, Scope } from './scope.ts'
import { analyzeSelect, type QueryTail } from './select-analyzer.ts'
import type { Expression, Query, QueryBody } from './syntax-tree.ts'
import { duckDbType, isNested, sameType, type TrinoType, typeText } from './trino-type.ts'
import type { TypedExpression } from './typed-expression.ts'

/** Analyses a query into DuckDB SQL whose columns are c0, c1, ... */
export function analyzeQuery(
  query: Query,
  session: AnalysisSession,
  outerNames: NamedQueries = new Map(),
  outer?: Scope,
): QueryOutput {
  const names = new Map(outerNames)
  const definitions: { readonly sqlName: string; readonly sql: string }[] = []
  const repeated = query.with.findIndex(
    ({ name }, i) => query.with.findIndex((other) => isSameName(other.name, name)) < i,
  )
  if (repeated >= 0) {
    const { name } = query.with[repeated]!
    throw failure(
      'DUPLICATE_NAMED_QUERY',
      `WITH query name '${name.value}' specified more than once`,
      name.position,
    )
  }
  for (const { name, columnNames, query: named } of query.with) {
    const output = analyzeQuery(named, session, names)
    const sqlName = session.alias('w')
    if (columnNames !== undefined && columnNames.length !== output.columns.length) {
      throw failure(
        'MISMATCHED_COLUMN_ALIASES',
        `WITH query '${name.value}' has another number of columns than names`,
        name.position,
      )
    }
    const columns = output.columns.map((column, i) => ({
      ...column,
      name: columnNames?.[i]?.value ?? column.name,
    }))
    names.set(name.value.toLowerCase(), { sqlName, columnsForReader: columnsForReaders(columns) })
    definitions.push({ sqlName, sql: output.sql })
  }
  const tail: QueryTail = { orderBy: query.orderBy, limitSql: limitSql(query) }
  const context: RelationContext = {
    session,
    namedQueries: names,
    outer,
    analyzeQuery: (inner, scope) => analyzeQuery(inner, session, names, scope),
    analyzeAlone: (inner) => analyzeQuery(inner, session),
  }
  const output = analyzeBody(query.body, tail, context)
  // Those that nobody reads are not evaluated, nor are their tables read.
  let readers = output.sql
  const read = definitions.toReversed().filter(({ sqlName, sql }) => {
    const isRead = readers.includes(`"${sqlName}"`)
    if (isRead) readers += sql
    return isRead
  })
  if (read.length === 0) return output
  const list = read.toReversed().map(({ sqlName, sql }) => `"${sqlName}" AS (${sql})`)
  return { ...output, sql: `WITH ${list.join(', ')} ${output.sql}` }
}

/** The fields of a row that is no constructor, each a column. */
function fieldsOf({ sql }: TypedExpression, type: RowType): readonly TypedExpression[] {
  return type.fields.map((_, place) => rowField({ type, sql }, place))
}

function limitSql(query: Query): string {
  const count = (expression: Expression, what: string): string => {
    const value = expression.kind === 'parameter' ? expression.value : expression
    if (value.kind !== 'number' || value.form !== 'integer' || !/^\d{1,18}$/.test(value.text)) {
      throw failure(
        'INVALID_LIMIT_CLAUSE',
        `${what} must be a whole number of 0 or more`,
        expression.position,
      )
    }
    return ` ${what} ${value.text}`
  }
  const limit = query.limit === undefined ? '' : count(query.limit, 'LIMIT')
  return limit + (query.offset === undefined ? '' : count(query.offset, 'OFFSET'))
}

const noTail: QueryTail = { orderBy: [], limitSql: '' }

function analyzeBody(body: QueryBody, tail: QueryTail, context: RelationContext): QueryOutput {
  if (body.kind === 'select') return analyzeSelect(body, tail, context)
  const output =
    body.kind === 'query'
      ? context.analyzeQuery(body, context.outer)
      : body.kind === 'values'
        ? analyzeValues(body.rows, context)
        : analyzeSetOperation(body, context)
  return tail.orderBy.length === 0 && tail.limitSql === '' ? output : ordered(output, tail, context)
}

/** ORDER BY of what is no plain SELECT: by its own columns only. */
function ordered({ sql, columns }: QueryOutput, tail: QueryTail, context: RelationContext): QueryOutput {
  const alias = context.session.alias('r')
  const fields = columns.map(({ name, type }, i) => ({
    name,
    type,
    qualifier: [],
    sql: `"${alias}"."c${i}"`,
  }))
  const scope = new Scope(fields, context.namedQueries, context.outer)
  const expressions = expressionContext(scope, context)
  const order = tail.orderBy.map((item) => {
    const { expression } = item
    if (expression.kind === 'number' && expression.form === 'integer') {
      const place = ordinalSql(expression, columns.length)
      refuseOrder(columns[Number(place) - 1]!.type, expression.position)
      return sortItemSql(place, item, fields[Number(place) - 1]!)
    }
    const value = analyzeExpression(expression, expressions)
    refuseOrder(value.type, expression.position)
    return sortItemSql(value.sql, item, value)
  })
  const list = fields.map((field, i) => `${field.sql} AS "c${i}"`).join(', ')
  const orderBy = order.length === 0 ? '' : ` ORDER BY ${order.join(', ')}`
  return {
    sql: `SELECT ${list} FROM (${sql}) AS "${alias}"${orderBy}${tail.limitSql}`,
    columns: columns.map(({ name, type }) => ({ name, type })),
  }
}

function expressionContext(scope: Scope, context: RelationContext): ExpressionContext {
  return { session: context.session, scope, clause: 'ORDER BY clause', analyzeQuery: context.analyzeQuery }
}

function analyzeValues(rows: readonly Expression[], context: RelationContext): QueryOutput {
  const { session } = context
  const expressions = {
    ...expressionContext(new Scope([], context.namedQueries, context.outer), context),
    clause: 'VALUES',
  }
  const typed = rows.map((row) =>
    (row.kind === 'row' ? row.items : [row]).flatMap((value) => {
      const typed = analyzeExpression(value, expressions)
      return value === row && typed.type.kind === 'row' ? fieldsOf(typed, typed.type) : [typed]
    }),
  )
  const width = typed[0]!.length
  const uneven = typed.findIndex((row) => row.length !== width)
  if (uneven >= 0)
    throw typeMismatch(
      `Values rows have mismatched sizes: ${width} vs ${typed[uneven]!.length}`,
      rows[uneven]!.position,
    )
  const types = Array.from({ length: width }, (_, i) =>
    unify(
      typed.map((row) => row[i]!),
      'VALUES rows',
      rows[0]!.position,
    ),
  )
  const rowSql = typed.map(
    (row) => `(${row.map((value, i) => cast(session, value, types[i]!, false).sql).join(', ')})`,
  )
  const alias = session.alias('v')
  const names = types.map((_, i) => `"c${i}"`)
  const list = names.map((name) => `"${alias}".${name} AS ${name}`).join(', ')
  return {
    sql: `SELECT ${list} FROM (VALUES ${rowSql.join(', ')}) AS "${alias}"(${names.join(', ')})`,
    columns: types.map((type) => ({ name: undefined, type })),
  }
}

function analyzeSetOperation(
  node: QueryBody & { kind: 'set-operation' },
  context: RelationContext,
): QueryOutput {
  const { session } = context
  const left = analyzeBody(node.left, noTail, context)
  const right = analyzeBody(node.right, noTail, context)
  if (left.columns.length !== right.columns.length) {
    throw typeMismatch(
      `${node.operator} query has different number of fields: ${left.columns.length}, ${right.columns.length}`,
      node.position,
    )
  }
  const types = left.columns.map(({ type }, i) =>
    unify(
      [typedNull(type), typedNull(right.columns[i]!.type)],
      `columns ${i + 1} of ${node.operator}`,
      node.position,
    ),
  )
  const side = (output: QueryOutput): string => {
    const alias = session.alias('r')
    const list = output.columns.map(({ type }, i) => {
      const column: TypedExpression = { type, sql: `"${alias}"."c${i}"` }
      const value = sameType(type, types[i]!)
        ? column
        : cast(session, column, types[i]!, false, node.position)
      return `CAST(${value.sql} AS ${duckDbType(types[i]!)}) AS "c${i}"`
    })
    return `SELECT ${list.join(', ')} FROM (${output.sql}) AS "${alias}"`
  }
  // Trino counts by comparing, and fails on a NULL within what it compares.
  if (node.all && node.operator !== 'UNION') {
    const nested = types.find(isNested)
    if (nested !== undefined) throw notSupported(`${node.operator} ALL of ${typeText(nested)}`, node.position)
  }
  // Only UNION ALL compares nothing.
  if (!node.all || node.operator !== 'UNION')
    for (const type of types) refuseDistinct(type, node.operator, node.position)
  const operator = `${node.operator}${node.all ? ' ALL' : ''}`
  const columns = types.map((type, i) => ({ name: left.columns[i]!.name, type }))
  return { sql: `(${side(left)}) ${operator} (${side(right)})`, columns }
}

function typedNull(type: TrinoType): TypedExpression {
  return { type, sql: 'NULL' }
}

import { type AggregateCall, aggregateRules, isAggregate } from './aggregate-rules.ts'
import type { AnalysisSession } from './analysis-session.ts'
import { arrayLiteral, subscript } from './array-rules.ts'
import { cast, coerceOrFail } from './cast-rules.ts'
import { comparable, compare, distinctFrom, inList, like } from './comparison-rules.ts'
import { analyzeConditional, conditionalForms } from './conditional-rules.ts'
import { intervalLiteral, isTemporalArithmetic, temporalArithmetic } from './datetime-rules.ts'
import { scalarFunction } from './function-registry.ts'
import { atTimeZone, zoneName } from './functions-datetime.ts'
import { concatenate } from './functions-text.ts'
import { lambdaFunctions } from './lambda-rules.ts'
import { numberLiteral, typedLiteral } from './literal-rules.ts'
import { logical } from './logical-rules.ts'
import { negate, numericArithmetic } from './numeric-rules.ts'
import { failure, notSupported } from './query-failure.ts'
import { dereference, refuseDistinct, refuseOrder, rowConstructor } from './row-rules.ts'
import { type QueryOutput, Scope } from './scope.ts'
import type { Expression, FunctionCall, Query, SortItem, WindowSpecification } from './syntax-tree.ts'
import {
  booleanType,
  boundedVarchar,
  duckDbType,
  isFloating,
  sameType,
  unknownType,
  varbinaryType,
} from './trino-type.ts'
import { literal, nullOf, type TypedExpression } from './typed-expression.ts'
import { analyzeWindowCall } from './window-rules.ts'

/** Where an expression stands and what it may contain there. */
export interface ExpressionContext {
  readonly session: AnalysisSession
  readonly scope: Scope
  /** Named for errors: `WHERE clause`. */
  readonly clause: string
  readonly analyzeQuery: (query: Query, outer: Scope) => QueryOutput
  /** Takes an aggregate of the query; undefined where none may stand. */
  readonly aggregate?: ((sql: TypedExpression) => TypedExpression) | undefined
  /** Named windows; undefined where no window function may stand. */
  readonly windows?: ReadonlyMap<string, WindowSpecification> | undefined
  /** A group's key that is this expression. */
  readonly match?: ((expression: Expression) => TypedExpression | undefined) | undefined
  /** grouping() of keys; undefined where none may stand. */
  readonly grouping?: ((keys: readonly TypedExpression[]) => TypedExpression | undefined) | undefined
  /** The context of an aggregate's arguments. */
  readonly source?: ExpressionContext | undefined
  /** How many lambdas are around it. */
  readonly lambdaDepth?: number
}

/** A sort key's SQL, which may be a place in the select list; `value` is what it sorts by. */
export function sortItemSql(sql: string, item: SortItem, value: TypedExpression, isDistinct = false): string {
  const key = (by: string): string =>
    `${by} ${item.descending ? 'DESC' : 'ASC'} NULLS ${item.nullsFirst ? 'FIRST' : 'LAST'}`
  if (!isFloating(value.type) || isDistinct) return key(sql)
  // DuckDB reads sorted numbers back from their keys, in which -0 is 0.
  const number = key(`(${value.sql} + CAST(0 AS ${duckDbType(value.type)}))`)
  if (!item.nullsFirst) return number
  // With NULLS FIRST, NaN is the smallest number to Trino; else the largest, as to DuckDB.
  return `isnan(${value.sql}) ${item.descending ? 'ASC' : 'DESC'} NULLS FIRST, ${number}`
}

/** Some rules repeat an operand in SQL: nested often enough, they would not end. */
export const maximumSqlLength = 8_000_000

/** Gives an expression its Trino type and its DuckDB SQL, or throws what Trino would, or NOT_SUPPORTED. */
export function analyzeExpression(node: Expression, context: ExpressionContext): TypedExpression {
  const typed = context.match?.(node) ?? analyzeNode(node, context)
  if (typed.sql.length > maximumSqlLength)
    throw notSupported('statements as large as this one', node.position)
  return typed
}

function analyzeNode(node: Expression, context: ExpressionContext): TypedExpression {
  const { session } = context
  const { position } = node
  const analyze = (operand: Expression): TypedExpression => analyzeExpression(operand, context)
  switch (node.kind) {
    case 'null':
      return nullOf(unknownType)
    case 'boolean':
      return { type: booleanType, sql: node.value ? 'TRUE' : 'FALSE', constant: String(node.value) }
    case 'number':
      return numberLiteral(node)
    case 'string':
      return literal(node.value, boundedVarchar([...node.value].length))
    case 'binary-literal':
      if (!/^(?:[0-9a-fA-F]{2})*$/.test(node.hex))
        throw failure('SYNTAX_ERROR', 'Binary literal must contain an even number of hex digits', position)
      return { type: varbinaryType, sql: `from_hex('${node.hex}')` }
    case 'typed-literal':
      return typedLiteral(session, node)
    case 'interval':
      return intervalLiteral(node)
    case 'parameter':
      return analyzeExpression(node.value, {
        session,
        scope: new Scope([], new Map()),
        clause: 'A parameter',
        analyzeQuery: context.analyzeQuery,
      })
    case 'reference':
      return context.scope.resolve(node.parts, position)
    case 'negate':
      return negate(analyze(node.operand), position)
    case 'arithmetic': {
      const left = analyze(node.left)
      const right = analyze(node.right)
      return isTemporalArithmetic(left.type, right.type)
        ? temporalArithmetic(session, node.operator, left, right, position)
        : numericArithmetic(session, node.operator, left, right, position)
    }
    case 'concatenation':
      return concatenate({
        session,
        name: 'concat',
        arguments: [analyze(node.left), analyze(node.right)],
        position,
      })
    case 'comparison':
      return compare(session, node.operator, analyze(node.left), analyze(node.right), position)
    case 'logical': {
      const operands = node.operands.map((operand) => condition(operand, context, node.operator))
      return { type: booleanType, sql: logical(node.operator, operands) }
    }
    case 'not':
      return { type: booleanType, sql: `(NOT ${condition(node.operand, context, 'NOT')})` }
    case 'between': {
      const operand = analyze(node.operand)
      const low = compare(session, '>=', operand, analyze(node.low), position)
      const high = compare(session, '<=', operand, analyze(node.high), position)
      return { type: booleanType, sql: `(${low.sql} AND ${high.sql})` }
    }
    case 'in-list':
      return inList(session, analyze(node.operand), node.list.map(analyze), position)
    case 'in-query':
      return inQuery(node, context)
    case 'like':
      return like(analyze(node.operand), analyze(node.pattern), node.escape && analyze(node.escape), position)
    case 'is-null':
      return { type: booleanType, sql: `(${analyze(node.operand).sql} IS NULL)` }
    case 'distinct-from':
      return distinctFrom(session, analyze(node.left), analyze(node.right), position)
    case 'case':
      return analyzeConditional(node, context)
    case 'cast':
      if (node.type.kind === 'unsupported') throw notSupported(`the type ${node.type.text}`, position)
      return cast(session, analyze(node.operand), node.type, node.safe, position)
    case 'exists':
      return { type: booleanType, sql: `EXISTS (${context.analyzeQuery(node.query, context.scope).sql})` }
    case 'subquery': {
      const { sql, columns } = context.analyzeQuery(node.query, context.scope)
      if (columns.length !== 1) throw notSupported('subqueries with several columns as a value', position)
      return { type: columns[0]!.type, sql: `(${sql})` }
    }
    case 'at-time-zone': {
      const zone = analyze(node.zone)
      if (zone.constant === undefined)
        throw notSupported('AT TIME ZONE with a zone that is not a literal', position)
      return atTimeZone(analyze(node.operand), zoneName(zone.constant, position), position)
    }
    case 'call':
      return analyzeCall(node, context)
    case 'array':
      return arrayLiteral(session, node.items.map(analyze), position)
    case 'subscript':
      return subscript(session, analyze(node.operand), analyze(node.index), position)
    case 'dereference':
      return dereference(analyze(node.operand), node.field, position)
    case 'row':
      return rowConstructor(node.items.map(analyze))
    case 'lambda':
      throw notSupported('lambdas here', position)
  }
}

/** A boolean operand's SQL. */
export function condition(node: Expression, context: ExpressionContext, what: string): string {
  return coerceOrFail(context.session, analyzeExpression(node, context), booleanType, what, node.position).sql
}

function inQuery(node: Expression & { kind: 'in-query' }, context: ExpressionContext): TypedExpression {
  const { session } = context
  const operand = analyzeExpression(node.operand, context)
  const { sql, columns } = context.analyzeQuery(node.query, context.scope)
  if (operand.type.kind === 'row') throw notSupported('IN (SELECT ...) of rows', node.position)
  if (columns.length !== 1)
    throw failure(
      'TYPE_MISMATCH',
      'Multiple columns returned by subquery are not yet supported',
      node.position,
    )
  const alias = session.alias('q')
  const column: TypedExpression = { type: columns[0]!.type, sql: `"${alias}"."c0"` }
  const { type, left, right } = comparable(session, 'IN', operand, column, node.position)
  if (isFloating(type)) throw notSupported('IN (SELECT ...) of real or double', node.position)
  const query = sameType(type, column.type) ? sql : `SELECT ${right.sql} FROM (${sql}) AS "${alias}"`
  return { type: booleanType, sql: `(${left.sql} IN (${query}))` }
}

function analyzeCall(call: FunctionCall, context: ExpressionContext): TypedExpression {
  if (call.over !== undefined) return analyzeWindowCall(call, context)
  if (call.name === 'grouping') return analyzeGrouping(call, context)
  if (isAggregate(call.name)) return analyzeAggregate(call, context)
  if (
    call.distinct ||
    call.filter !== undefined ||
    call.orderBy.length > 0 ||
    call.star ||
    call.ignoreNulls
  ) {
    throw notSupported(`the aggregation ${call.name}`, call.position)
  }
  if (conditionalForms.has(call.name)) return analyzeConditional(call, context)
  if (Object.hasOwn(lambdaFunctions, call.name)) return lambdaFunctions[call.name]!(call, context)
  const rule = scalarFunction(call)
  const args = call.arguments.map((argument) => analyzeExpression(argument, context))
  return rule({ session: context.session, name: call.name, arguments: args, position: call.position })
}

/** grouping(a, b): a bit for each key that the row's set leaves out. */
function analyzeGrouping(call: FunctionCall, context: ExpressionContext): TypedExpression {
  const { source } = context
  const keys = source && call.arguments.map((argument) => analyzeExpression(argument, source))
  const typed = keys && context.grouping?.(keys)
  if (typed === undefined) {
    throw failure(
      'INVALID_ARGUMENTS',
      'The arguments to GROUPING() must be expressions referenced by the GROUP BY at the associated query level',
      call.position,
    )
  }
  return typed
}

function analyzeAggregate(call: FunctionCall, context: ExpressionContext): TypedExpression {
  const { source, aggregate } = context
  if (aggregate === undefined || source === undefined) {
    throw failure(
      'EXPRESSION_NOT_SCALAR',
      `${context.clause} cannot contain aggregations, window functions or grouping operations`,
      call.position,
    )
  }
  const args = call.arguments.map((argument) => analyzeExpression(argument, source))
  if (call.distinct || call.name === 'approx_distinct')
    for (const { type } of args) refuseDistinct(type, `${call.name} of distinct values`, call.position)
  const orderBy = call.orderBy.map((item) => {
    const { type, sql } = analyzeExpression(item.expression, source)
    refuseOrder(type, item.expression.position)
    return sortItemSql(sql, item, { type, sql })
  })
  const filter = call.filter && condition(call.filter, source, 'FILTER')
  const { name, star, distinct, position } = call
  const typed: AggregateCall = {
    session: context.session,
    name,
    arguments: args,
    star,
    distinct,
    filter,
    orderBy,
    position,
  }
  return aggregate(aggregateRules[call.name]!(typed))
}

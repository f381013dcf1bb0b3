import type { AnalysisSession } from './analysis-session.ts'
import { cast, coerce } from './cast-rules.ts'
import { collectionAggregates, firstByOrder } from './collection-aggregates.ts'
import { decimalAverage } from './native-numeric.ts'
import { guardDecimal } from './numeric-rules.ts'
import { failure, notSupported } from './query-failure.ts'
import { type RowType, rowField } from './row-rules.ts'
import { statisticsRules } from './statistics-rules.ts'
import type { Position } from './syntax-tree.ts'
import {
  arrayType,
  bigintType,
  booleanType,
  decimalType,
  doubleType,
  isFloating,
  isInteger,
  isNested,
  type TrinoType,
  typeText,
} from './trino-type.ts'
import { failing, type TypedExpression } from './typed-expression.ts'
import { isOrdered } from './value-comparison.ts'

/** An aggregate call with analysed arguments, over a group or over a window's frame. */
export interface AggregateCall {
  readonly session: AnalysisSession
  readonly name: string
  readonly arguments: readonly TypedExpression[]
  readonly star: boolean
  readonly distinct: boolean
  /** Conditions of FILTER (WHERE ...). */
  readonly filter?: string | undefined
  /** SQL of the window, with its parentheses. */
  readonly over?: string | undefined
  /** SQL of the sort keys in the call's parentheses. */
  readonly orderBy: readonly string[]
  readonly position: Position
}

export type AggregateRule = (call: AggregateCall) => TypedExpression

/** SQL of one DuckDB aggregate with the call's DISTINCT, FILTER and OVER. */
export function apply(call: AggregateCall, name: string, args: readonly string[], only?: string): string {
  const conditions = [call.filter, only].filter((condition) => condition !== undefined)
  const filter = conditions.length === 0 ? '' : ` FILTER (WHERE ${conditions.join(' AND ')})`
  const over = call.over === undefined ? '' : ` OVER ${call.over}`
  const orderBy = call.orderBy.length === 0 ? '' : ` ORDER BY ${call.orderBy.join(', ')}`
  return `${name}(${call.distinct ? 'DISTINCT ' : ''}${args.join(', ')}${orderBy})${filter}${over}`
}

export function refuse(call: AggregateCall): Error {
  const types = call.arguments.map((argument) => typeText(argument.type)).join(', ')
  return notSupported(
    `the aggregation ${call.name}(${call.distinct ? 'DISTINCT ' : ''}${types})`,
    call.position,
  )
}

function only(call: AggregateCall): TypedExpression {
  if (call.star || call.arguments.length !== 1) throw refuse(call)
  return call.arguments[0]!
}

const count: AggregateRule = (call) => {
  if (call.star || call.arguments.length === 0) {
    if (call.distinct) throw failure('SYNTAX_ERROR', 'DISTINCT needs an argument', call.position)
    return { type: bigintType, sql: apply(call, 'count', ['*']) }
  }
  return { type: bigintType, sql: apply(call, 'count', [only(call).sql]) }
}

const sum: AggregateRule = (call) => {
  const { type, sql } = only(call)
  if (isInteger(type)) return { type: bigintType, sql: `CAST(${apply(call, 'sum', [sql])} AS BIGINT)` }
  if (type.kind === 'double') return { type, sql: apply(call, 'sum', [sql]) }
  if (type.kind === 'real')
    return { type, sql: `CAST(${apply(call, 'sum', [`CAST(${sql} AS DOUBLE)`])} AS FLOAT)` }
  if (type.kind !== 'decimal') throw refuse(call)
  const result = decimalType(38, type.scale)
  return { type: result, sql: guardDecimal(call.session, apply(call, 'sum', [sql]), result) }
}

const avg: AggregateRule = (call) => {
  const argument = only(call)
  const { type, sql } = argument
  if (type.kind === 'decimal') {
    const parts = [apply(call, 'sum', [sql]), apply(call, 'count', [sql])]
    return { type, sql: call.session.native(decimalAverage(type), parts) }
  }
  if (type.kind === 'real')
    return { type, sql: `CAST(${apply(call, 'avg', [`CAST(${sql} AS DOUBLE)`])} AS FLOAT)` }
  const double = coerce(call.session, argument, doubleType)
  if (double === undefined || type.kind === 'unknown') throw refuse(call)
  return { type: doubleType, sql: apply(call, 'avg', [double.sql]) }
}

function extreme(name: 'max' | 'min'): AggregateRule {
  return (call) => {
    const [value, howMany] = call.arguments
    if (howMany !== undefined && call.arguments.length === 2)
      return firstByOrder(call, value!, value!, howMany, name === 'max')
    const { type, sql } = only(call)
    if (type.kind === 'unknown' || type.kind === 'json' || isNested(type)) throw refuse(call)
    if (!isFloating(type)) return { type, sql: apply(call, name, [sql]) }
    // NaN counts only where there is nothing else.
    return {
      type,
      sql: `coalesce(${apply(call, name, [sql], `NOT isnan(${sql})`)}, ${apply(call, name, [sql])})`,
    }
  }
}

function extremeBy(name: 'arg_max_null' | 'arg_min_null'): AggregateRule {
  return (call) => {
    const [value, key, howMany] = call.arguments
    if (howMany !== undefined && call.arguments.length === 3)
      return firstByOrder(call, value!, key!, howMany, name === 'arg_max_null')
    if (
      call.arguments.length !== 2 ||
      call.distinct ||
      value!.type.kind === 'unknown' ||
      !(isOrdered(key!.type) || isOrderedRow(key!.type))
    )
      throw refuse(call)
    const args = [value!.sql, key!.type.kind === 'row' ? comparableRow(call, key!) : key!.sql]
    if (!isFloating(key!.type)) return { type: value!.type, sql: apply(call, name, args) }
    const isNumber = `NOT isnan(${key!.sql})`
    const numbers = apply(call, 'count', [key!.sql], isNumber)
    return {
      type: value!.type,
      sql: `CASE WHEN ${numbers} > 0 THEN ${apply(call, name, args, isNumber)} ELSE ${apply(call, name, args)} END`,
    }
  }
}

/** A row whose fields are ordered one after the other, as those of DuckDB are. */
function isOrderedRow(type: TrinoType): boolean {
  return type.kind === 'row' && type.fields.every((field) => isOrdered(field.type))
}

/** A row as a key: in Trino none with a NULL within can be compared; with a NaN, none is here. */
function comparableRow(call: AggregateCall, key: TypedExpression): string {
  const { type, sql } = key as TypedExpression & { readonly type: RowType }
  const fields = type.fields.map((_, place) => rowField({ type, sql }, place))
  const holes = fields.map((field) => `${field.sql} IS NULL`)
  const unordered = fields.filter((field) => isFloating(field.type)).map((field) => `isnan(${field.sql})`)
  const failed = (message: string) => failing(call.session, 'NOT_SUPPORTED', message, type)
  // DuckDB looks at the keys of rows that FILTER leaves out, too.
  const counts = call.filter === undefined ? '' : `(${call.filter}) AND `
  const when = (conditions: readonly string[], message: string) =>
    conditions.length === 0
      ? ''
      : `WHEN ${counts}${sql} IS NOT NULL AND (${conditions.join(' OR ')}) THEN ${failed(message)} `
  return `CASE ${when(holes, 'ROW comparison not supported for fields with null elements')}${when(
    unordered,
    'The embedded Athena does not compare a row that holds NaN',
  )}ELSE ${sql} END`
}

function ofBoolean(name: 'bool_and' | 'bool_or'): AggregateRule {
  return (call) => {
    const argument = coerce(call.session, only(call), booleanType)
    if (argument === undefined) throw refuse(call)
    return { type: booleanType, sql: apply(call, name, [argument.sql]) }
  }
}

const countIf: AggregateRule = (call) => {
  const argument = coerce(call.session, only(call), booleanType)
  if (argument === undefined || call.distinct) throw refuse(call)
  return { type: bigintType, sql: apply(call, 'count', ['*'], argument.sql) }
}

const anyValue: AggregateRule = (call) => {
  const { type, sql } = only(call)
  if (type.kind === 'unknown') throw refuse(call)
  return { type, sql: apply(call, 'any_value', [sql]) }
}

const arrayAgg: AggregateRule = (call) => {
  const { type, sql } = only(call)
  if (type.kind === 'unknown') throw refuse(call)
  return { type: arrayType(type), sql: apply(call, 'list', [sql]) }
}

/** The exact count is within the error of every sketch. */
const approxDistinct: AggregateRule = (call) => {
  const [argument, standardError] = call.arguments
  if (argument === undefined || call.arguments.length > 2 || call.distinct) throw refuse(call)
  if (standardError !== undefined) cast(call.session, standardError, doubleType, false, call.position)
  return { type: bigintType, sql: apply({ ...call, distinct: true }, 'count', [argument.sql]) }
}

export const aggregateRules: Readonly<Record<string, AggregateRule>> = {
  count,
  sum,
  avg,
  max: extreme('max'),
  min: extreme('min'),
  max_by: extremeBy('arg_max_null'),
  min_by: extremeBy('arg_min_null'),
  count_if: countIf,
  bool_and: ofBoolean('bool_and'),
  every: ofBoolean('bool_and'),
  bool_or: ofBoolean('bool_or'),
  arbitrary: anyValue,
  any_value: anyValue,
  approx_distinct: approxDistinct,
  array_agg: arrayAgg,
  ...collectionAggregates,
  ...statisticsRules,
}

export function isAggregate(name: string): boolean {
  return Object.hasOwn(aggregateRules, name)
}

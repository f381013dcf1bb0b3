import { type AggregateCall, type AggregateRule, apply, refuse } from './aggregate-rules.ts'
import { coerce } from './cast-rules.ts'
import { FunctionFailure } from './decimal-arithmetic.ts'
import { nativeCall } from './native-call.ts'
import type { NativeFunction } from './native-function.ts'
import {
  arrayType,
  bigintType,
  doubleType,
  duckDbType,
  isInteger,
  realType,
  type TrinoType,
} from './trino-type.ts'
import type { TypedExpression } from './typed-expression.ts'

/** Mean and sum of squared differences, updated value by value in Trino's order of operations. */
function moments(values: readonly number[]): { count: number; m2: number } {
  let mean = 0
  let m2 = 0
  values.forEach((value, i) => {
    const delta = value - mean
    mean += delta / (i + 1)
    m2 += delta * (value - mean)
  })
  return { count: values.length, m2 }
}

function variance(values: readonly number[]): number | null {
  const { count, m2 } = moments(values)
  return count < 2 ? null : m2 / (count - 1)
}

function variancePopulation(values: readonly number[]): number {
  const { count, m2 } = moments(values)
  return m2 / count
}

function root(value: number | null): number | null {
  return value === null ? null : Math.sqrt(value)
}

function geometricMean(values: readonly number[]): number {
  return Math.exp(values.reduce((sum, value) => sum + Math.log(value), 0) / values.length)
}

/** A statistic over the collected values of a group: DuckDB's own differ where numbers are equal or large. */
function ofList(name: string, evaluate: (values: readonly number[]) => number | null): AggregateRule {
  const native: NativeFunction = {
    name: `statistic_${name}`,
    parameters: ['DOUBLE[]'],
    returns: 'DOUBLE',
    evaluate,
  }
  return (call: AggregateCall) => {
    const [argument] = call.arguments
    const double =
      argument && argument.type.kind !== 'unknown' && call.arguments.length === 1
        ? coerce(call.session, argument, doubleType)
        : undefined
    if (double === undefined || call.distinct || call.orderBy.length > 0) throw refuse(call)
    const values = apply(call, 'list', [double.sql], `${double.sql} IS NOT NULL`)
    return { type: doubleType, sql: call.session.native(native, [values]) }
  }
}

/** A statistic over pairs, of which neither is NULL. Where neither is a double, Trino takes both for real. */
function ofPairs(
  name: string,
  evaluate: (y: readonly number[], x: readonly number[]) => number | null,
): AggregateRule {
  const native: NativeFunction = {
    name: `statistic_${name}`,
    parameters: ['DOUBLE[]', 'DOUBLE[]'],
    returns: 'DOUBLE',
    evaluate,
  }
  return (call) => {
    const type = call.arguments.some((argument) => argument.type.kind === 'double') ? doubleType : realType
    const sides = call.arguments.map((argument) => {
      const value = argument.type.kind === 'unknown' ? undefined : coerce(call.session, argument, type)
      return value && (type === realType ? `CAST(${value.sql} AS DOUBLE)` : value.sql)
    })
    const [y, x] = sides
    if (y === undefined || x === undefined || sides.length !== 2 || call.distinct || call.orderBy.length > 0)
      throw refuse(call)
    const both = `${y} IS NOT NULL AND ${x} IS NOT NULL`
    const lists = [apply(call, 'list', [y], both), apply(call, 'list', [x], both)]
    return { type, sql: `CAST(${call.session.native(native, lists)} AS ${duckDbType(type)})` }
  }
}

interface PairMoments {
  readonly count: number
  readonly meanY: number
  readonly meanX: number
  readonly m2y: number
  readonly m2x: number
  readonly c2: number
}

function pairMoments(ys: readonly number[], xs: readonly number[]): PairMoments {
  let meanY = 0
  let meanX = 0
  let m2y = 0
  let m2x = 0
  let c2 = 0
  ys.forEach((y, i) => {
    const x = xs[i]!
    const deltaY = y - meanY
    const deltaX = x - meanX
    meanY += deltaY / (i + 1)
    meanX += deltaX / (i + 1)
    c2 += deltaX * (y - meanY)
    m2y += deltaY * (y - meanY)
    m2x += deltaX * (x - meanX)
  })
  return { count: ys.length, meanY, meanX, m2y, m2x, c2 }
}

function correlation(ys: readonly number[], xs: readonly number[]): number | null {
  const { m2y, m2x, c2 } = pairMoments(ys, xs)
  const result = c2 / Math.sqrt(m2x) / Math.sqrt(m2y)
  return Number.isFinite(result) ? result : null
}

function covariancePopulation(ys: readonly number[], xs: readonly number[]): number {
  const { c2, count } = pairMoments(ys, xs)
  return c2 / count
}

function covarianceSample(ys: readonly number[], xs: readonly number[]): number | null {
  const { c2, count } = pairMoments(ys, xs)
  return count < 2 ? null : c2 / (count - 1)
}

function slope(ys: readonly number[], xs: readonly number[]): number | null {
  const { c2, m2x } = pairMoments(ys, xs)
  const result = c2 / m2x
  return Number.isFinite(result) ? result : null
}

function intercept(ys: readonly number[], xs: readonly number[]): number | null {
  const { c2, m2x, meanY, meanX } = pairMoments(ys, xs)
  const result = meanY - (c2 / m2x) * meanX
  return Number.isFinite(result) ? result : null
}

function valueAtRank(values: readonly (bigint | number)[], fraction: number): bigint | number {
  if (!(fraction >= 0 && fraction <= 1))
    throw new FunctionFailure('INVALID_FUNCTION_ARGUMENT', 'Percentile must be between 0 and 1')
  if (values.some((item) => Number.isNaN(item)))
    throw new FunctionFailure('INVALID_FUNCTION_ARGUMENT', 'value is NaN')
  return values[Math.min(values.length - 1, Math.floor(fraction * values.length))]!
}

function percentileOf(
  call: AggregateCall,
  value: TypedExpression,
  type: TrinoType,
): TypedExpression | undefined {
  if (value.type.kind !== 'decimal') return coerce(call.session, value, type)
  return { type, sql: `CAST(${coerce(call.session, value, doubleType)!.sql} AS FLOAT)` }
}

/** The value at a rank, or at several: exact, which is within the error of Trino's digests. */
const approxPercentile: AggregateRule = (call) => {
  const [value, percentage] = call.arguments
  if (call.arguments.length !== 2 || call.distinct || call.over !== undefined) throw refuse(call)
  // Of a decimal Trino makes a real.
  const type = isInteger(value!.type) ? bigintType : value!.type.kind === 'double' ? doubleType : realType
  const converted = value!.type.kind === 'unknown' ? undefined : percentileOf(call, value!, type)
  const isMany = percentage!.type.kind === 'array'
  const fractions = coerce(call.session, percentage!, isMany ? arrayType(doubleType) : doubleType)
  // One for all rows of a group: a literal, or an array of them.
  const isFixed = isMany ? !/"[a-z]\w*"\."/.test(percentage!.sql) : percentage!.constant !== undefined
  if (converted === undefined || fractions === undefined || percentage!.type.kind === 'unknown' || !isFixed)
    throw refuse(call)
  const sorted = { ...call, orderBy: [converted.sql] }
  const values = {
    type: arrayType(type),
    sql: apply(sorted, 'list', [converted.sql], `${converted.sql} IS NOT NULL`),
  }
  const result = isMany ? arrayType(type) : type
  return nativeCall(
    call.session,
    call.name,
    [values, fractions],
    result,
    (items: readonly (bigint | number)[], at: number | readonly (number | null)[]) => {
      if (typeof at === 'number') return valueAtRank(items, at)
      return at.map((fraction) => valueAtRank(items, fraction ?? Number.NaN))
    },
  )
}

export const statisticsRules: Readonly<Record<string, AggregateRule>> = {
  variance: ofList('variance', variance),
  var_samp: ofList('variance', variance),
  var_pop: ofList('var_pop', variancePopulation),
  stddev: ofList('stddev', (values) => root(variance(values))),
  stddev_samp: ofList('stddev', (values) => root(variance(values))),
  stddev_pop: ofList('stddev_pop', (values) => root(variancePopulation(values))),
  geometric_mean: (call) => {
    // Trino's are real.
    if (['decimal', 'real'].includes(call.arguments[0]?.type.kind ?? '')) throw refuse(call)
    return ofList('geometric_mean', geometricMean)(call)
  },
  corr: ofPairs('corr', correlation),
  covar_pop: ofPairs('covar_pop', covariancePopulation),
  covar_samp: ofPairs('covar_samp', covarianceSample),
  regr_slope: ofPairs('regr_slope', slope),
  regr_intercept: ofPairs('regr_intercept', intercept),
  approx_percentile: approxPercentile,
}

import { type AggregateCall, type AggregateRule, apply, refuse } from './aggregate-rules.ts'
import { coerce } from './cast-rules.ts'
import { FunctionFailure } from './decimal-arithmetic.ts'
import type { NativeFunction } from './native-function.ts'
import { bigintType, doubleType, duckDbType, isInteger, isNumeric } from './trino-type.ts'

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

/** A statistic over pairs, of which neither is NULL. */
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
    const sides = call.arguments.map((argument) =>
      argument.type.kind === 'unknown' ? undefined : coerce(call.session, argument, doubleType)?.sql,
    )
    const [y, x] = sides
    if (y === undefined || x === undefined || sides.length !== 2 || call.distinct || call.orderBy.length > 0)
      throw refuse(call)
    const both = `${y} IS NOT NULL AND ${x} IS NOT NULL`
    return {
      type: doubleType,
      sql: call.session.native(native, [apply(call, 'list', [y], both), apply(call, 'list', [x], both)]),
    }
  }
}

interface PairMoments {
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
  return { m2y, m2x, c2 }
}

function correlation(ys: readonly number[], xs: readonly number[]): number | null {
  const { m2y, m2x, c2 } = pairMoments(ys, xs)
  const result = c2 / Math.sqrt(m2x) / Math.sqrt(m2y)
  return Number.isFinite(result) ? result : null
}

/** The value at a rank: exact, which is within the error of Trino's digests. */
const approxPercentile: AggregateRule = (call) => {
  const [value, percentage] = call.arguments
  const fraction = Number(percentage?.constant)
  const type =
    value && isInteger(value.type) ? bigintType : value?.type.kind === 'decimal' ? doubleType : value?.type
  const known =
    percentage?.constant !== undefined && isNumeric(percentage.type) && fraction >= 0 && fraction <= 1
  const converted = type && coerce(call.session, value!, type)
  if (
    call.arguments.length !== 2 ||
    !known ||
    converted === undefined ||
    call.distinct ||
    call.over !== undefined
  )
    throw refuse(call)
  if (type!.kind !== 'bigint' && type!.kind !== 'double') throw refuse(call)
  const native: NativeFunction = {
    name: `percentile_${fraction}_${type!.kind}`,
    parameters: [`${duckDbType(type!)}[]`],
    returns: duckDbType(type!),
    evaluate: (values: readonly (bigint | number)[]) => {
      if (values.some((item) => Number.isNaN(item))) {
        throw new FunctionFailure('INVALID_FUNCTION_ARGUMENT', 'value is NaN')
      }
      return values[Math.min(values.length - 1, Math.floor(fraction * values.length))]!
    },
  }
  const sorted = { ...call, orderBy: [converted.sql] }
  const values = apply(sorted, 'list', [converted.sql], `${converted.sql} IS NOT NULL`)
  return { type: type!, sql: call.session.native(native, [values]) }
}

export const statisticsRules: Readonly<Record<string, AggregateRule>> = {
  variance: ofList('variance', variance),
  var_samp: ofList('variance', variance),
  var_pop: ofList('var_pop', variancePopulation),
  stddev: ofList('stddev', (values) => root(variance(values))),
  stddev_samp: ofList('stddev', (values) => root(variance(values))),
  stddev_pop: ofList('stddev_pop', (values) => root(variancePopulation(values))),
  geometric_mean: ofList('geometric_mean', geometricMean),
  corr: ofPairs('corr', correlation),
  approx_percentile: approxPercentile,
}

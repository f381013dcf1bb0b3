import { comparable } from './comparison-rules.ts'
import { type AnalyzedCall, type FunctionRule, noSuchOverload, takeArguments } from './function-call.ts'
import { nativeCall } from './native-call.ts'
import type { NativeFunction } from './native-function.ts'
import { roundDouble } from './native-numeric.ts'
import { numericArithmetic } from './numeric-rules.ts'
import { notSupported } from './query-failure.ts'
import { transcendentalFunctions } from './transcendental-functions.ts'
import {
  bigintType,
  booleanType,
  decimalType,
  doubleType,
  duckDbType,
  integerType,
  isFloating,
  isInteger,
  type TrinoType,
} from './trino-type.ts'
import { literal, nullOf, type TypedExpression } from './typed-expression.ts'
import { isOrdered, refuseBothZeros } from './value-comparison.ts'

/** A function of doubles as Java's Math has it. */
function ofDoubles(name: string, arity: number, compute: (...values: number[]) => number): FunctionRule {
  const native: NativeFunction = {
    name: `math_${name}`,
    parameters: Array.from({ length: arity }, () => 'DOUBLE'),
    returns: 'DOUBLE',
    evaluate: compute as (...values: readonly never[]) => number,
  }
  return (call) => {
    const args = takeArguments(
      call,
      Array.from({ length: arity }, () => doubleType),
    )
    return {
      type: doubleType,
      sql: call.session.native(
        native,
        args.map((argument) => argument.sql),
      ),
    }
  }
}

function constant(text: string): FunctionRule {
  return (call) => {
    takeArguments(call, [])
    return literal(text, doubleType)
  }
}

function one(call: AnalyzedCall): TypedExpression {
  return takeArguments(call, ['number'])[0]!
}

const abs: FunctionRule = (call) => {
  const { type, sql } = one(call)
  return { type, sql: type.kind === 'decimal' ? `CAST(abs(${sql}) AS ${duckDbType(type)})` : `abs(${sql})` }
}

const sign: FunctionRule = (call) => {
  const { type, sql } = one(call)
  if (type.kind === 'decimal') return { type: decimalType(1, 0), sql: `CAST(sign(${sql}) AS DECIMAL(1,0))` }
  if (isInteger(type)) return { type, sql: `CAST(sign(${sql}) AS ${duckDbType(type)})` }
  return ofDoubles('sign', 1, (value) => Math.sign(value))(call)
}

function whole(name: 'ceil' | 'floor'): FunctionRule {
  return (call) => {
    const { type, sql } = one(call)
    if (isInteger(type)) return { type, sql }
    if (isFloating(type)) return { type, sql: `${name}(${sql})` }
    const { precision, scale } = type as TrinoType & { kind: 'decimal' }
    const result = decimalType(precision - scale + Math.min(scale, 1), 0)
    return { type: result, sql: `CAST(${name}(${sql}) AS ${duckDbType(result)})` }
  }
}

const round: FunctionRule = (call) => {
  const { session } = call
  const [value, digits] = takeArguments(call, ['number', integerType], 1)
  const { type, sql } = value!
  if (isInteger(type)) {
    if (digits === undefined) return { type, sql }
    throw noSuchOverload(call)
  }
  if (type.kind === 'double') {
    return { type, sql: session.native(roundDouble, [sql, `CAST(${digits?.sql ?? '0'} AS BIGINT)`]) }
  }
  if (type.kind !== 'decimal') throw noSuchOverload(call)
  if (digits === undefined) {
    const result = decimalType(type.precision - type.scale + Math.min(1, type.scale), 0)
    return { type: result, sql: `CAST(${sql} AS ${duckDbType(result)})` }
  }
  const result = decimalType(Math.min(38, type.precision + 1), type.scale)
  const count = Number(digits.constant)
  if (digits.constant === undefined || count < 0)
    throw notSupported('round of a decimal to digits that are not a literal of 0 or more', call.position)
  if (count >= type.scale) return { type: result, sql: `CAST(${sql} AS ${duckDbType(result)})` }
  const rounded = decimalType(Math.min(38, type.precision - type.scale + count + 1), count)
  return { type: result, sql: `CAST(CAST(${sql} AS ${duckDbType(rounded)}) AS ${duckDbType(result)})` }
}

const truncate: FunctionRule = (call) => {
  const { type, sql } = one(call)
  if (isFloating(type)) return { type, sql: `trunc(${sql})` }
  if (type.kind !== 'decimal') throw noSuchOverload(call)
  const result = decimalType(Math.max(1, type.precision - type.scale), 0)
  return { type: result, sql: `CAST(trunc(${sql}) AS ${duckDbType(result)})` }
}

function extremeNumber(name: 'greatest' | 'least', values: readonly number[]): number {
  const numbers = values.filter((value) => !Number.isNaN(value))
  if (numbers.length === 0) return Number.NaN
  refuseBothZeros(numbers, name)
  return name === 'greatest' ? Math.max(...numbers) : Math.min(...numbers)
}

function extreme(name: 'greatest' | 'least'): FunctionRule {
  return (call) => {
    const [first, ...others] = call.arguments
    if (first === undefined) throw noSuchOverload(call)
    let type = first.type
    for (const other of others)
      type = comparable(call.session, name, { ...first, type }, other, call.position).type
    if (type.kind === 'unknown') return nullOf(type)
    if (!isOrdered(type)) throw noSuchOverload(call)
    const args = takeArguments(
      call,
      call.arguments.map(() => type),
    )
    // NaN counts only where there is nothing else.
    if (isFloating(type)) {
      return nativeCall(call.session, name, args, type, (...values: number[]) => extremeNumber(name, values))
    }
    const values = args.map((argument) => argument.sql)
    const anyNull = values.map((sql) => `${sql} IS NULL`).join(' OR ')
    return { type, sql: `CASE WHEN ${anyNull} THEN NULL ELSE ${name}(${values.join(', ')}) END` }
  }
}

function test(sql: (value: string) => string): FunctionRule {
  return (call) => ({ type: booleanType, sql: sql(takeArguments(call, [doubleType])[0]!.sql) })
}

const mod: FunctionRule = (call) => {
  const [left, right] = takeArguments(call, ['number', 'number'])
  return numericArithmetic(call.session, '%', left!, right!, call.position)
}

function bitwise(operator: string): FunctionRule {
  return (call) => {
    const [left, right] = takeArguments(call, [bigintType, bigintType])
    const sql =
      operator === 'xor' ? `xor(${left!.sql}, ${right!.sql})` : `(${left!.sql} ${operator} ${right!.sql})`
    return { type: bigintType, sql }
  }
}

export const mathFunctions: Readonly<Record<string, FunctionRule>> = {
  abs,
  sign,
  ceil: whole('ceil'),
  ceiling: whole('ceil'),
  floor: whole('floor'),
  round,
  truncate,
  mod,
  greatest: extreme('greatest'),
  least: extreme('least'),
  ...transcendentalFunctions,
  sqrt: ofDoubles('sqrt', 1, Math.sqrt),
  cbrt: ofDoubles('cbrt', 1, Math.cbrt),
  log10: ofDoubles('log10', 1, Math.log10),
  asin: ofDoubles('asin', 1, Math.asin),
  acos: ofDoubles('acos', 1, Math.acos),
  atan: ofDoubles('atan', 1, Math.atan),
  atan2: ofDoubles('atan2', 2, Math.atan2),
  degrees: ofDoubles('degrees', 1, (x) => x * 57.29577951308232),
  radians: ofDoubles('radians', 1, (x) => x * 0.017453292519943295),
  pi: constant(String(Math.PI)),
  e: constant(String(Math.E)),
  nan: constant('NaN'),
  infinity: constant('Infinity'),
  is_nan: test((value) => `isnan(${value})`),
  is_finite: test((value) => `isfinite(${value})`),
  is_infinite: test((value) => `isinf(${value})`),
  bitwise_and: bitwise('&'),
  bitwise_or: bitwise('|'),
  bitwise_xor: bitwise('xor'),
}

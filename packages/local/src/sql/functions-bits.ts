import { coerce } from './cast-rules.ts'
import { FunctionFailure } from './decimal-arithmetic.ts'
import { type FunctionRule, noSuchOverload, takeArguments } from './function-call.ts'
import { nativeCall } from './native-call.ts'
import { arrayType, bigintType, doubleType, isInteger, type TrinoType } from './trino-type.ts'
import type { PlainValue } from './value-text.ts'

function invalid(message: string): FunctionFailure {
  return new FunctionFailure('INVALID_FUNCTION_ARGUMENT', message)
}

const bitsOf: Readonly<Record<string, number>> = { tinyint: 8, smallint: 16, integer: 32, bigint: 64 }

/** A value of an integer type as DuckDB has it: bigint as BigInt, others as number. */
function sized(value: bigint, type: TrinoType): PlainValue {
  const wrapped = BigInt.asIntN(bitsOf[type.kind]!, value)
  return type.kind === 'bigint' ? wrapped : Number(wrapped)
}

/** Shifts keep the type of what is shifted. */
function shift(compute: (value: bigint, places: bigint, bits: number) => bigint): FunctionRule {
  return (call) => {
    const [value] = call.arguments
    const places = call.arguments[1] && coerce(call.session, call.arguments[1], bigintType)
    if (call.arguments.length !== 2 || !isInteger(value!.type) || places === undefined)
      throw noSuchOverload(call)
    const { type } = value!
    return nativeCall(
      call.session,
      call.name,
      [value!, places],
      type,
      (item: number | bigint, by: bigint) => {
        if (by < 0n)
          throw new FunctionFailure('NOT_SUPPORTED', 'The embedded Athena does not shift by negative places')
        return sized(compute(BigInt(item), by > 64n ? 64n : by, bitsOf[type.kind]!), type)
      },
    )
  }
}

const bitCount: FunctionRule = (call) => {
  const args = takeArguments(call, [bigintType, bigintType])
  return nativeCall(call.session, call.name, args, bigintType, (value: bigint, bits: bigint) => {
    if (bits <= 1n || bits > 64n)
      throw invalid(`Bits specified in bit_count must be between 2 and 64, got ${bits}`)
    if (BigInt.asIntN(Number(bits), value) !== value)
      throw invalid(
        `Number must be representable with the bits specified. ${value} cannot be represented with ${bits} bits`,
      )
    const text = BigInt.asUintN(Number(bits), value).toString(2)
    return BigInt(text.replaceAll('0', '').length)
  })
}

/** width_bucket(x, first, last, count): 0 and count + 1 stand for what is outside. */
function bucket(operand: number, first: number, last: number, count: bigint): bigint {
  if (count <= 0n) throw invalid('bucketCount must be greater than 0')
  if (Number.isNaN(operand)) throw invalid('operand must not be NaN')
  if (!Number.isFinite(first)) throw invalid('first bound must be finite')
  if (!Number.isFinite(last)) throw invalid('second bound must be finite')
  if (first === last) throw invalid('bounds cannot equal each other')
  const [lower, upper] = [Math.min(first, last), Math.max(first, last)]
  const result =
    operand < lower
      ? 0n
      : operand >= upper
        ? count + 1n
        : BigInt(Math.trunc((Number(count) * (operand - lower)) / (upper - lower) + 1))
  return first > last ? count - result + 1n : result
}

/** width_bucket(x, bins): how many of the bins, which are in order, are not above. */
function bin(operand: number, bins: readonly (number | null)[]): bigint {
  if (bins.length === 0) throw invalid('Bins cannot be an empty array')
  if (Number.isNaN(operand)) throw invalid('Operand cannot be NaN')
  for (const [i, value] of bins.entries()) {
    if (value !== null && !Number.isFinite(value)) throw invalid(`Bin value must be finite, got ${value}`)
    if (value === null || (i > 0 && value <= bins[i - 1]!))
      throw new FunctionFailure(
        'NOT_SUPPORTED',
        'The embedded Athena does not support bins that are not in order',
      )
  }
  return BigInt(bins.filter((value) => value! <= operand).length)
}

const widthBucket: FunctionRule = (call) => {
  if (call.arguments.length === 2) {
    const args = takeArguments(call, [doubleType, arrayType(doubleType)])
    return nativeCall(call.session, call.name, args, bigintType, bin)
  }
  return nativeCall(
    call.session,
    call.name,
    takeArguments(call, [doubleType, doubleType, doubleType, bigintType]),
    bigintType,
    bucket,
  )
}

export const bitFunctions: Readonly<Record<string, FunctionRule>> = {
  bit_count: bitCount,
  bitwise_not: (call) => {
    const [value] = takeArguments(call, [bigintType])
    return { type: bigintType, sql: `(~${value!.sql})` }
  },
  bitwise_left_shift: shift((value, places) => value << places),
  bitwise_right_shift: shift((value, places, bits) => BigInt.asUintN(bits, value) >> places),
  bitwise_right_shift_arithmetic: shift((value, places) => value >> places),
  width_bucket: widthBucket,
}

import { divideHalfUp, FunctionFailure, powerOfTen, rescale, withinPrecision } from './decimal-arithmetic.ts'
import type { NativeFunction } from './native-function.ts'
import { duckDbType, type TrinoType } from './trino-type.ts'

type Decimal = TrinoType & { kind: 'decimal' }

function decimalFunction(
  name: string,
  a: Decimal,
  b: Decimal,
  result: Decimal,
  evaluate: (x: bigint, y: bigint) => bigint,
): NativeFunction {
  return {
    name: `decimal_${name}_${a.precision}_${a.scale}_${b.precision}_${b.scale}`,
    parameters: [duckDbType(a), duckDbType(b)],
    returns: duckDbType(result),
    evaluate: (x: bigint, y: bigint) => withinPrecision(evaluate(x, y), result.precision),
  }
}

function notZero(divisor: bigint): bigint {
  if (divisor === 0n) throw new FunctionFailure('DIVISION_BY_ZERO', 'Division by zero')
  return divisor
}

export function decimalDivide(a: Decimal, b: Decimal, result: Decimal): NativeFunction {
  const factor = powerOfTen(result.scale + b.scale - a.scale)
  return decimalFunction('divide', a, b, result, (x, y) => divideHalfUp(x * factor, notZero(y)))
}

export function decimalRemainder(a: Decimal, b: Decimal, result: Decimal): NativeFunction {
  return decimalFunction(
    'remainder',
    a,
    b,
    result,
    (x, y) => rescale(x, a.scale, result.scale) % notZero(rescale(y, b.scale, result.scale)),
  )
}

export function decimalMultiply(a: Decimal, b: Decimal, result: Decimal): NativeFunction {
  return decimalFunction('multiply', a, b, result, (x, y) => x * y)
}

export function decimalGuard(type: Decimal): NativeFunction {
  return {
    name: `decimal_guard_${type.precision}_${type.scale}`,
    parameters: [duckDbType(type)],
    returns: duckDbType(type),
    evaluate: (value: bigint) => withinPrecision(value, type.precision),
  }
}

/** Integer / and %: truncating, with Trino's errors. */
export function integerDivide(operator: '/' | '%', type: TrinoType): NativeFunction {
  const bits = { tinyint: 8, smallint: 16, integer: 32 }[type.kind as string]
  const compute = (x: bigint, y: bigint): bigint => {
    if (y === 0n) throw new FunctionFailure('DIVISION_BY_ZERO', 'Division by zero')
    const result = operator === '/' ? x / y : x % y
    if (BigInt.asIntN(bits ?? 64, result) !== result) {
      throw new FunctionFailure('NUMERIC_VALUE_OUT_OF_RANGE', `${type.kind} division overflow: ${x} / ${y}`)
    }
    return result
  }
  return {
    name: `integer_${operator === '/' ? 'divide' : 'remainder'}_${type.kind}`,
    parameters: [duckDbType(type), duckDbType(type)],
    returns: duckDbType(type),
    evaluate: bits === undefined ? compute : (x: number, y: number) => Number(compute(BigInt(x), BigInt(y))),
  }
}

/** avg(decimal): the sum by the count, in the decimal's own type, rounded half up. */
export function decimalAverage(type: Decimal): NativeFunction {
  const sum: Decimal = { ...type, precision: 38 }
  return {
    name: `decimal_average_${type.precision}_${type.scale}`,
    parameters: [duckDbType(sum), 'BIGINT'],
    returns: duckDbType(type),
    evaluate: (total: bigint, count: bigint) =>
      count === 0n ? null : withinPrecision(divideHalfUp(total, count), type.precision),
  }
}

/** x % y of doubles, of x's sign. */
export const doubleRemainder: NativeFunction = {
  name: 'double_remainder',
  parameters: ['DOUBLE', 'DOUBLE'],
  returns: 'DOUBLE',
  evaluate: (x: number, y: number) => x % y,
}

/** round(double, digits): Trino scales, rounds half up by magnitude, and scales back; below zero to -0. */
export const roundDouble: NativeFunction = {
  name: 'round_double',
  parameters: ['DOUBLE', 'BIGINT'],
  returns: 'DOUBLE',
  evaluate: (value: number, digits: bigint) => {
    if (!Number.isFinite(value)) return value
    const factor = 10 ** Number(digits)
    const rounded = roundAwayFromZero(value * factor)
    const result = rounded / factor
    if (!Number.isFinite(result)) return value
    return value < 0 ? result : result + 0
  },
}

function roundAwayFromZero(value: number): number {
  const absolute = Math.abs(value)
  const floor = Math.floor(absolute)
  return Math.sign(value) * (absolute - floor >= 0.5 ? floor + 1 : floor)
}

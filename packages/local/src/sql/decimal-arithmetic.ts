/** What a native function throws to fail the statement with an error of Trino's. */
export class FunctionFailure extends Error {
  readonly errorName: string
  constructor(errorName: string, message: string) {
    super(message)
    this.errorName = errorName
  }
}

/** 10 to the power of `exponent`. */
export function powerOfTen(exponent: number): bigint {
  return 10n ** BigInt(exponent)
}

/** Integer division rounding half away from zero. */
export function divideHalfUp(dividend: bigint, divisor: bigint): bigint {
  const quotient = dividend / divisor
  const remainder = dividend % divisor
  const absolute = (value: bigint): bigint => (value < 0n ? -value : value)
  if (absolute(remainder) * 2n < absolute(divisor)) return quotient
  return dividend < 0n === divisor < 0n ? quotient + 1n : quotient - 1n
}

/** Brings an unscaled value to another scale, rounding half up. */
export function rescale(unscaled: bigint, from: number, to: number): bigint {
  return to >= from ? unscaled * powerOfTen(to - from) : divideHalfUp(unscaled, powerOfTen(from - to))
}

/** Fails where a value has more digits than its type. */
export function withinPrecision(unscaled: bigint, precision: number): bigint {
  const limit = powerOfTen(precision)
  if (unscaled >= limit || unscaled <= -limit)
    throw new FunctionFailure('NUMERIC_VALUE_OUT_OF_RANGE', 'Decimal overflow')
  return unscaled
}

/** The unscaled value of decimal text such as `-1.25e3`, rounded half up to `scale`. */
export function parseDecimal(text: string, scale: number): bigint | undefined {
  const match = /^([+-]?)(\d*)(?:\.(\d*))?(?:[eE]([+-]?\d+))?$/.exec(text)
  if (match === null || `${match[2]}${match[3] ?? ''}` === '') return undefined
  const fraction = match[3] ?? ''
  const exponent = Number(match[4] ?? 0)
  if (Math.abs(exponent) > 400) return undefined
  const digits = BigInt(`${match[2]}${fraction}`)
  const unscaled =
    exponent >= fraction.length
      ? rescale(digits * powerOfTen(exponent - fraction.length), 0, scale)
      : rescale(digits, fraction.length - exponent, scale)
  return match[1] === '-' ? -unscaled : unscaled
}

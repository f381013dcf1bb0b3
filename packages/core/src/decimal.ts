import { SchemaMismatchError } from './errors.ts'

/** How `rescale`, `divide` and `round` choose between two neighbours. */
export type DecimalRounding = 'halfUp' | 'floor' | 'down' | 'exact'

const pattern = /^([+-]?)(\d+)(?:\.(\d*))?(?:[eE]([+-]?\d+))?$|^([+-]?)\.(\d+)(?:[eE]([+-]?\d+))?$/

const powersOfTen = Array.from({ length: 40 }, (_, exponent) => 10n ** BigInt(exponent))

/** 10 to the power of `exponent`, for exponents of 0 and more. */
export const powerOfTen = (exponent: number): bigint => powersOfTen[exponent] ?? 10n ** BigInt(exponent)

/**
 * An exact decimal number: `unscaled / 10 ** scale`. Immutable.
 *
 * `valueOf` throws, so that `<` and `+` cannot mislead: use `compare` and `add`. `toNumber()` is lossy.
 */
export class Decimal {
  readonly unscaled: bigint
  readonly scale: number

  private constructor(unscaled: bigint, scale: number) {
    this.unscaled = unscaled
    this.scale = scale
    Object.freeze(this)
  }

  /** @param scale digits after the point, 0 to 1,000 */
  static of(unscaled: bigint, scale: number): Decimal {
    if (!Number.isInteger(scale) || scale < 0 || scale > 1000) {
      throw new SchemaMismatchError({
        code: 'DECIMAL_SCALE',
        message: `A decimal's scale is a whole number from 0 to 1000, not ${scale}.`,
      })
    }
    return new Decimal(unscaled, scale)
  }

  /** Reads `12`, `-0.50`, `1e-7`; keeps trailing zeros as scale. Throws on anything else. */
  static parse(text: string): Decimal {
    const parsed = Decimal.tryParse(text)
    if (parsed) return parsed
    throw new SchemaMismatchError({
      code: 'DECIMAL_SYNTAX',
      message: `"${text.slice(0, 60)}" is not a decimal number; write digits with at most one point, such as "12.50".`,
    })
  }

  /** As `parse`, but undefined where that throws. */
  static tryParse(text: string): Decimal | undefined {
    if (text.length > 1000) return undefined
    const match = pattern.exec(text)
    if (!match) return undefined
    const sign = match[1] ?? match[5] ?? ''
    const whole = match[2] ?? ''
    const fraction = match[3] ?? match[6] ?? ''
    const exponent = Number(match[4] ?? match[7] ?? 0)
    if (Math.abs(exponent) > 1000) return undefined
    const digits = BigInt(`${whole}${fraction}`)
    const unscaled = sign === '-' ? -digits : digits
    const scale = fraction.length - exponent
    if (scale > 1000) return undefined
    return scale < 0 ? new Decimal(unscaled * powerOfTen(-scale), 0) : new Decimal(unscaled, scale)
  }

  static isDecimal(value: unknown): value is Decimal {
    return value instanceof Decimal
  }

  /**
   * The same number at another scale. With `exact` (the default) a number that needs more digits throws;
   * `halfUp` rounds half away from zero as Trino does, `down` cuts towards zero, `floor` goes down.
   */
  rescale(scale: number, rounding: DecimalRounding = 'exact'): Decimal {
    if (scale === this.scale) return this
    if (scale > this.scale) return Decimal.of(this.unscaled * powerOfTen(scale - this.scale), scale)
    const quotient = divideRounded(this.unscaled, powerOfTen(this.scale - scale), rounding)
    if (quotient === undefined) {
      throw new SchemaMismatchError({
        code: 'DECIMAL_INEXACT',
        message: `${this} has more than ${scale} digits after the point; name a rounding to drop them.`,
      })
    }
    return Decimal.of(quotient, scale)
  }

  add(other: Decimal): Decimal {
    const scale = Math.max(this.scale, other.scale)
    return new Decimal(this.rescale(scale).unscaled + other.rescale(scale).unscaled, scale)
  }

  subtract(other: Decimal): Decimal {
    return this.add(other.negate())
  }

  multiply(other: Decimal): Decimal {
    return Decimal.of(this.unscaled * other.unscaled, this.scale + other.scale)
  }

  /** The quotient at `scale` digits, half away from zero unless told otherwise. Throws on division by zero. */
  divide(other: Decimal, scale: number, rounding: Exclude<DecimalRounding, 'exact'> = 'halfUp'): Decimal {
    if (other.unscaled === 0n) {
      throw new SchemaMismatchError({
        code: 'DIVISION_BY_ZERO',
        message: `${this} cannot be divided by zero.`,
      })
    }
    const shift = scale + other.scale - this.scale
    const numerator = shift >= 0 ? this.unscaled * powerOfTen(shift) : this.unscaled
    const denominator = shift >= 0 ? other.unscaled : other.unscaled * powerOfTen(-shift)
    return Decimal.of(divideRounded(numerator, denominator, rounding)!, scale)
  }

  negate(): Decimal {
    return new Decimal(-this.unscaled, this.scale)
  }

  /** Below 0, 0 or above 0, as the number is less than, equal to or greater than the other; 1.50 equals 1.5. */
  compare(other: Decimal): number {
    const scale = Math.max(this.scale, other.scale)
    const left = this.rescale(scale).unscaled
    const right = other.rescale(scale).unscaled
    return left < right ? -1 : left > right ? 1 : 0
  }

  equals(other: Decimal): boolean {
    return this.compare(other) === 0
  }

  /** Plain digits with exactly `scale` of them after the point. */
  toString(): string {
    const negative = this.unscaled < 0n
    const digits = (negative ? -this.unscaled : this.unscaled).toString().padStart(this.scale + 1, '0')
    const point = digits.length - this.scale
    const text = this.scale === 0 ? digits : `${digits.slice(0, point)}.${digits.slice(point)}`
    return negative ? `-${text}` : text
  }

  /** The nearest double: lossy. */
  toNumber(): number {
    return Number(this.toString())
  }

  toJSON(): string {
    return this.toString()
  }

  /** Always throws: arithmetic and `<` on decimals would silently go through doubles or text. */
  valueOf(): never {
    throw new TypeError(
      'A Decimal has no primitive value: use compare(), add(), toString() or the lossy toNumber().',
    )
  }

  [Symbol.for('nodejs.util.inspect.custom')](): string {
    return `Decimal(${this.toString()})`
  }
}

const divideRounded = (
  numerator: bigint,
  denominator: bigint,
  rounding: DecimalRounding,
): bigint | undefined => {
  const quotient = numerator / denominator
  const remainder = numerator % denominator
  if (remainder === 0n) return quotient
  const away = numerator < 0n === denominator < 0n ? 1n : -1n
  switch (rounding) {
    case 'exact':
      return undefined
    case 'down':
      return quotient
    case 'floor':
      return away < 0n ? quotient - 1n : quotient
    case 'halfUp': {
      const twice = (remainder < 0n ? -remainder : remainder) * 2n
      return twice >= (denominator < 0n ? -denominator : denominator) ? quotient + away : quotient
    }
  }
}

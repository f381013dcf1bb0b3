import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { digits, scanDigits, writeDigits, writeProduct, writeWideDigits } from '../src/decimal-digits.ts'

const bytesOf = (text: string) => Uint8Array.from([...Buffer.from(text), 0])
const wordsOf = (value: bigint, count: number) =>
  Int32Array.from({ length: count }, (_, index) => Number(BigInt.asIntN(32, value >> (32n * BigInt(index)))))
const whole = fc.oneof(
  fc.bigInt({ min: 0n, max: 10n ** 19n - 1n }),
  fc.integer({ min: 0, max: 19 }).chain((length) => fc.bigInt({ min: 0n, max: 10n ** BigInt(length) })),
)
const number = fc
  .tuple(fc.boolean(), whole, fc.nat(19))
  .filter(([, value]) => value < 10n ** 19n)
  .map(([negative, value, fraction]) => {
    const text = value.toString().padStart(fraction + 1, '0')
    const point = text.length - fraction
    return {
      text: `${negative ? '-' : ''}${text.slice(0, point)}${fraction === 0 ? '' : `.${text.slice(point)}`}`,
      unscaled: negative ? -value : value,
      fraction,
    }
  })

describe('digits read from bytes', () => {
  it('are written as two words exactly, or not at all', () => {
    let written = 0
    fc.assert(
      fc.property(number, fc.integer({ min: -6, max: 19 }), ({ text, unscaled, fraction }, shift) => {
        expect(scanDigits(bytesOf(`${text},`), 0)).toBe(text.length)
        expect(digits.fraction).toBe(fraction)
        const words = new Int32Array(2)
        if (!writeDigits(words, 0, shift)) return
        written += 1
        if (shift < 0) expect(unscaled % 10n ** BigInt(-shift)).toBe(0n)
        const value = shift < 0 ? unscaled / 10n ** BigInt(-shift) : unscaled * 10n ** BigInt(shift)
        expect(words).toEqual(wordsOf(value, 2))
        expect(BigInt.asIntN(64, value)).toBe(value)
      }),
      { numRuns: 3000 },
    )
    expect(written).toBeGreaterThan(500)
  })

  it('are written as four words exactly', () => {
    fc.assert(
      fc.property(number, fc.nat(19), ({ text, unscaled }, shift) => {
        scanDigits(bytesOf(text), 0)
        const words = new Int32Array(4)
        expect(writeWideDigits(words, 0, shift)).toBe(true)
        expect(words).toEqual(wordsOf(unscaled * 10n ** BigInt(shift), 4))
      }),
      { numRuns: 3000 },
    )
  })

  it.each(['', '-', '.5', '5.', '01', '-00', '1e3', '1E3', '1.5e3', '+1', '12345678901234567890'])(
    'are none in %j',
    (text) => {
      expect(scanDigits(bytesOf(text), 0)).toBe(-1)
    },
  )
})

describe('a product', () => {
  it('is written as two words exactly, or does not fit', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: -(10 ** 10), max: 10 ** 10 }),
        fc.nat(10).map((exponent) => 10 ** exponent),
        fc.double({ min: 0, max: 1, noNaN: true, maxExcluded: true }),
        (head, multiplier, part) => {
          const addend = Math.floor(part * multiplier)
          const value = BigInt(head) * BigInt(multiplier) + BigInt(addend)
          const words = new Int32Array(2)
          expect(writeProduct(words, 0, head, multiplier, addend)).toBe(BigInt.asIntN(64, value) === value)
          if (BigInt.asIntN(64, value) === value) expect(words).toEqual(wordsOf(value, 2))
        },
      ),
      { numRuns: 3000 },
    )
  })
})

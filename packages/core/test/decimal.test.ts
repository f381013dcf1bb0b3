import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { Decimal } from '../src/index.ts'

const decimals = fc
  .tuple(fc.bigInt({ min: -(10n ** 30n), max: 10n ** 30n }), fc.nat(12))
  .map(([u, s]) => Decimal.of(u, s))

describe('Decimal', () => {
  it.each([
    ['12.50', '12.50', 2],
    ['-0.05', '-0.05', 2],
    ['.5', '0.5', 1],
    ['5.', '5', 0],
    ['1e-7', '0.0000001', 7],
    ['1.5E3', '1500', 0],
    ['+7', '7', 0],
    ['000.10', '0.10', 2],
  ])('reads %s as %s', (text, shown, scale) => {
    const decimal = Decimal.parse(text)
    expect([decimal.toString(), decimal.scale]).toEqual([shown, scale])
  })

  it.each(['', '.', '-', '1e', 'NaN', '1,5', ' 1', '0x10', '1e9999999', '--1'])('refuses %j', (text) => {
    expect(() => Decimal.parse(text)).toThrow(/is not a decimal number/)
  })

  it('reads back what it writes', () => {
    fc.assert(
      fc.property(decimals, (decimal) => {
        expect(Decimal.parse(decimal.toString()).equals(decimal)).toBe(true)
        expect(Decimal.parse(decimal.toString()).scale).toBe(decimal.scale)
      }),
    )
  })

  it('adds, subtracts and multiplies without loss', () => {
    fc.assert(
      fc.property(decimals, decimals, (a, b) => {
        expect(a.add(b).subtract(b).equals(a)).toBe(true)
        const product = a.multiply(b)
        expect(product.unscaled).toBe(a.unscaled * b.unscaled)
        expect(product.scale).toBe(a.scale + b.scale)
      }),
    )
  })

  it.each([
    ['2.5', 0, 'halfUp', '3'],
    ['-2.5', 0, 'halfUp', '-3'],
    ['2.4', 0, 'halfUp', '2'],
    ['-2.5', 0, 'down', '-2'],
    ['-2.1', 0, 'floor', '-3'],
    ['2.9', 0, 'floor', '2'],
    ['1.005', 2, 'halfUp', '1.01'],
  ] as const)('rounds %s to %i digits by %s: %s', (text, scale, rounding, expected) => {
    expect(Decimal.parse(text).rescale(scale, rounding).toString()).toBe(expected)
  })

  it('refuses to drop digits unless a rounding is named', () => {
    expect(() => Decimal.parse('1.25').rescale(1)).toThrow(/more than 1 digits/)
    expect(Decimal.parse('1.20').rescale(1).toString()).toBe('1.2')
  })

  it('divides half up at the scale asked for, with either sign', () => {
    const divide = (a: string, b: string, scale: number) =>
      Decimal.parse(a).divide(Decimal.parse(b), scale).toString()
    expect(divide('10', '3', 4)).toBe('3.3333')
    expect(divide('-1', '8', 2)).toBe('-0.13')
    expect(divide('1', '-8', 2)).toBe('-0.13')
    expect(divide('1.000', '4', 1)).toBe('0.3')
    expect(() => divide('1', '0.00', 2)).toThrow(/divided by zero/)
  })

  it('compares by value and never by primitive', () => {
    expect(Decimal.parse('1.50').compare(Decimal.parse('1.5'))).toBe(0)
    expect(Decimal.parse('-1').compare(Decimal.parse('1'))).toBe(-1)
    expect(() => +(Decimal.parse('1') as unknown as number)).toThrow(/no primitive value/)
  })

  it('prints as its digits in JSON', () => {
    expect(JSON.stringify({ price: Decimal.parse('1.50') })).toBe('{"price":"1.50"}')
  })
})

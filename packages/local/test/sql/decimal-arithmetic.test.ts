import { afterAll, describe, expect, test } from 'vitest'
import { TestLake } from './market-lake.ts'

const lake = new TestLake()
afterAll(() => lake[Symbol.asyncDispose]())

const seed = Number(process.env['SEED'] ?? Date.now() % 1_000_000)
let state = seed
function random(below: number): number {
  state = (Math.imul(state, 1664525) + 1013904223) >>> 0
  return Math.floor((state / 2 ** 32) * below)
}

interface Decimal {
  readonly unscaled: bigint
  readonly precision: number
  readonly scale: number
}

function randomDecimal(): Decimal {
  const precision = 1 + random(38)
  const scale = random(Math.min(precision, 20) + 1)
  let digits = ''
  // Full length often: overflows of narrower integers show there.
  for (let i = random(2) === 0 ? precision : random(precision) + 1; i > 0; i--) digits += random(10)
  const unscaled = BigInt(digits) * (random(2) === 0 ? 1n : -1n)
  return { unscaled, precision, scale }
}

function text({ unscaled, scale }: Decimal): string {
  const digits = String(unscaled < 0n ? -unscaled : unscaled).padStart(scale + 1, '0')
  const point = digits.length - scale
  return `${unscaled < 0n ? '-' : ''}${digits.slice(0, point)}${scale > 0 ? '.' : ''}${digits.slice(point)}`
}

/** The rules as Trino documents them, over exact fractions. */
function reference(
  operator: string,
  a: Decimal,
  b: Decimal,
): Decimal | 'DIVISION_BY_ZERO' | 'NUMERIC_VALUE_OUT_OF_RANGE' {
  const scale = operator === '*' ? a.scale + b.scale : Math.max(a.scale, b.scale)
  const integral = (side: Decimal): number => side.precision - side.scale
  const digits = {
    '+': Math.max(integral(a), integral(b)) + scale + 1,
    '-': Math.max(integral(a), integral(b)) + scale + 1,
    '*': a.precision + b.precision,
    '/': a.precision + b.scale + Math.max(b.scale - a.scale, 0),
    '%': Math.min(integral(a), integral(b)) + scale,
  }[operator]!
  const precision = Math.min(38, digits)
  const x = a.unscaled * 10n ** BigInt(scale - (operator === '*' ? scale : a.scale))
  const y = b.unscaled * 10n ** BigInt(scale - (operator === '*' ? scale : b.scale))
  if ((operator === '/' || operator === '%') && y === 0n) return 'DIVISION_BY_ZERO'
  let unscaled: bigint
  if (operator === '+') unscaled = x + y
  else if (operator === '-') unscaled = x - y
  else if (operator === '*') unscaled = a.unscaled * b.unscaled
  else if (operator === '%') unscaled = x % y
  else {
    const numerator = (x < 0n ? -x : x) * 10n ** BigInt(scale) * 2n
    const denominator = y < 0n ? -y : y
    const rounded = (numerator / denominator + 1n) / 2n
    unscaled = x < 0n === y < 0n ? rounded : -rounded
  }
  if (unscaled >= 10n ** BigInt(precision) || unscaled <= -(10n ** BigInt(precision)))
    return 'NUMERIC_VALUE_OUT_OF_RANGE'
  return { unscaled, precision, scale }
}

describe(`decimal arithmetic (SEED=${seed})`, () => {
  test('600 random operations have the type and the value of the rules, or their error', async () => {
    let answered = 0
    for (let i = 0; i < 600; i++) {
      const a = randomDecimal()
      const b = randomDecimal()
      const operator = '+-*/%'[random(5)]!
      if (operator === '*' && a.scale + b.scale > 38) continue
      const side = (value: Decimal): string =>
        `CAST('${text(value)}' AS decimal(${value.precision},${value.scale}))`
      const sql = `SELECT ${side(a)} ${operator} ${side(b)}`
      const expected = reference(operator, a, b)
      const outcome = await lake.query(sql).then(
        ({ columns, rows }) => `${columns[0]!.type} ${rows[0]![0]}`,
        (error: { errorName: string }) => error.errorName,
      )
      // An operand that does not fit the common type of 38 digits fails before it is added.
      const overflows =
        typeof expected !== 'string' && outcome === 'NUMERIC_VALUE_OUT_OF_RANGE' && expected.precision === 38
      if (overflows) continue
      answered += 1
      expect(outcome, sql).toBe(
        typeof expected === 'string'
          ? expected
          : `decimal(${expected.precision},${expected.scale}) ${text(expected)}`,
      )
    }
    expect(answered).toBeGreaterThan(500)
  }, 60_000)

  test.each([
    ['SELECT 7 / 2.0', 'decimal(12,1) 3.5'],
    [
      'SELECT CAST(99999999999999.9999 AS decimal(18,4)) * CAST(99999999999999.9999 AS decimal(18,4))',
      'decimal(36,8) 9999999999999999980000000000.00000001',
    ],
    [`SELECT avg(x) FROM (VALUES 0.5, 0.6, 0.6) t(x)`, 'decimal(1,1) 0.6'],
    [`SELECT avg(x) FROM (VALUES -0.5, -0.6) t(x)`, 'decimal(1,1) -0.6'],
    [
      `SELECT sum(x * y) / sum(y) FROM (VALUES (CAST(1.0001 AS decimal(18,4)), CAST(3 AS bigint)), (2, 4)) t(x, y)`,
      'decimal(38,4) 1.5715',
    ],
    ['SELECT CAST(0.05 AS varchar)', 'varchar 0.05'],
    ['SELECT CAST(1.005e0 AS decimal(5,2))', 'decimal(5,2) 1.01'],
    ['SELECT CAST(CAST(12345678901234.5678 AS decimal(18,4)) AS double)', 'double 1.23456789012345678E13'],
  ])('%s', async (sql, expected) => {
    const { columns, rows } = await lake.query(sql)
    const value =
      columns[0]!.type === 'double' ? `double ${Number(rows[0]![0])}` : `${columns[0]!.type} ${rows[0]![0]}`
    expect(value).toBe(expected.startsWith('double') ? `double ${Number(expected.slice(7))}` : expected)
  })
})

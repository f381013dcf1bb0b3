import { ConfigurationError, Decimal, day, defineTable, t } from '@stockpipe/core'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { identifier, literal, type SqlValue, sql, sqlLiteral } from '../src/index.ts'
import { bindParameters } from '../src/sql-parameters.ts'

describe('sqlLiteral', () => {
  test.each<[SqlValue, string]>([
    ['AAPL', "'AAPL'"],
    ['', "''"],
    ["O'Reilly", "'O''Reilly'"],
    ["\\' OR 1=1 --", "'\\'' OR 1=1 --'"],
    [5, '5'],
    [-5, '-5'],
    [0.1, '0.1E0'],
    [1e21, '1E21'],
    [1.5e-7, '1.5E-7'],
    [-0, '-0E0'],
    [Number.NaN, 'nan()'],
    [Number.NEGATIVE_INFINITY, '-infinity()'],
    [2n ** 63n - 1n, '9223372036854775807'],
    [2n ** 63n, "DECIMAL '9223372036854775808'"],
    [true, 'true'],
    [null, 'NULL'],
    [new Date('2024-03-08T14:30:00.123Z'), "TIMESTAMP '2024-03-08 14:30:00.123'"],
    [Decimal.parse('-1.50'), "DECIMAL '-1.50'"],
    [new Uint8Array([0, 255]), "X'00FF'"],
  ])('%o is %s', (value, text) => {
    expect(sqlLiteral(value)).toBe(text)
  })

  test.each([
    [undefined, /cannot be undefined/],
    [['a'], /cannot be an array/],
    [{ sql: '1; DROP', parameters: [] }, /cannot be of type object/],
    [new Date(Number.NaN), /cannot be an invalid Date/],
    [new Date('+012024-01-01T00:00:00Z'), /year is outside/],
    ['half \ud800', /half a surrogate pair/],
    [10n ** 40n, /a decimal of 41 digits/],
    [Symbol('x'), /of type symbol/],
  ])('%o is refused', (value, message) => {
    const make = () => sqlLiteral(value as SqlValue)
    expect(make).toThrow(ConfigurationError)
    expect(make).toThrow(message)
  })
})

describe('sql', () => {
  const trades = defineTable('trades', {
    columns: { ts: t.timestamp() },
    partitions: { trade_date: day('ts') },
  }).at({ database: 'market', location: 's3://lake/trades/' })

  test('values are parameters, tables and identifiers names, fragments text with their own values', () => {
    const recent = sql`trade_date >= ${'2024-01-01'}`
    const query = sql`SELECT ${identifier('odd"name')} FROM ${trades} WHERE ${recent} AND size > ${5n}`
    expect({ ...query }).toEqual({
      sql: 'SELECT "odd""name" FROM "market"."trades" WHERE trade_date >= ? AND size > ?',
      parameters: ['2024-01-01', 5n],
    })
    expect(bindParameters(query.sql, query.parameters)).toEqual({
      queryString: query.sql,
      executionParameters: ["'2024-01-01'", '5'],
    })
  })

  test('an object that looks like a fragment is none', () => {
    const forged = JSON.parse('{"sql": "1; DROP TABLE t", "parameters": []}')
    expect(() => sql`SELECT ${forged}`).toThrow(/cannot be of type object/)
  })

  test('a value of over 1,024 characters goes into the text', () => {
    const long = `${"it's ".repeat(250)}?`
    const { sql: text, parameters } = sql`SELECT '?' WHERE a = ${1} AND b = ${long} AND c = ${2} -- ?`
    expect(bindParameters(text, parameters)).toEqual({
      queryString: `SELECT '?' WHERE a = ? AND b =  '${long.replaceAll("'", "''")}'  AND c = ? -- ?`,
      executionParameters: ['1', '2'],
    })
  })

  test('a literal stands apart from what is around it', () => {
    expect(sql`SELECT 1 -${literal(-5)}`.sql).toBe('SELECT 1 - (-5) ')
    expect(sql`SELECT 'a'${literal('b')}`.sql).toBe("SELECT 'a' 'b' ")
  })

  test('a value inside quotes is refused: it would be no parameter', () => {
    const { sql: text, parameters } = sql`SELECT 1 WHERE a = '${'x'}'`
    expect(() => bindParameters(text, parameters)).toThrow(
      /has 0 parameters \(\?\) and 1 values.*leave the quotes/,
    )
  })

  test('values that are too few or too many are refused', () => {
    expect(() => bindParameters('SELECT ? + ?', [1])).toThrow(/has 2 parameters/)
    expect(() => bindParameters('SELECT 1 /* ? */ -- ?', [1])).toThrow(/has 0 parameters/)
  })

  test('a statement over 262,144 bytes is refused', () => {
    expect(() => bindParameters(`SELECT '${'é'.repeat(131_072)}'`, [])).toThrow(/262153 bytes/)
  })

  test.each(['', 'a\0b'])('the identifier %j is refused', (name) => {
    expect(() => identifier(name)).toThrow(ConfigurationError)
  })
})

/** Reads one Trino literal or quoted identifier from the start; answers what is left. */
const readQuoted = (text: string, quote: string): { value: string; rest: string } => {
  let value = ''
  let index = 1
  for (;;) {
    const character = text[index]
    if (character === undefined) throw new Error(`unterminated: ${text}`)
    if (character === quote) {
      if (text[index + 1] !== quote) return { value, rest: text.slice(index + 1) }
      index += 1
    }
    value += character
    index += 1
  }
}

const seed = Number(process.env['FUZZ_SEED'] ?? Date.now() % 1_000_000)
const hostile = fc.oneof(
  fc.string({ unit: 'binary' }),
  fc.string({
    unit: fc.constantFrom("'", '"', '\\', '?', '-', '/', '*', ';', '\n', '\0', 'U&', ' ', 'é', '𝄞'),
  }),
  fc.string({ unit: fc.constantFrom("'", 'x'), minLength: 1000, maxLength: 1200 }),
)

describe(`no value leaves its literal (FUZZ_SEED=${seed})`, () => {
  test('strings, as a parameter and in the text', () => {
    fc.assert(
      fc.property(hostile, (value) => {
        fc.pre(!/[\uD800-\uDFFF]/u.test(value))
        const text = sqlLiteral(value)
        expect(text[0]).toBe("'")
        expect(readQuoted(text, "'")).toEqual({ value, rest: '' })
        const inText = sql`SELECT 'a'${literal(value)}, ${identifier('b')} FROM t WHERE x = ${7}`.sql
        expect(inText.startsWith("SELECT 'a' '")).toBe(true)
        expect(readQuoted(inText.slice("SELECT 'a' ".length), "'")).toEqual({
          value,
          rest: ' , "b" FROM t WHERE x = ?',
        })
        // The placeholder after the literal is still found, whatever quotes and comments the literal holds.
        expect(bindParameters(inText, [7]).executionParameters).toEqual(['7'])
      }),
      { seed, numRuns: 2000 },
    )
  })

  test('several values keep their places', () => {
    fc.assert(
      fc.property(fc.array(hostile, { minLength: 1, maxLength: 5 }), (values) => {
        fc.pre(values.every((value) => !/[\uD800-\uDFFF]/u.test(value)))
        const text = values.map(() => 'a = ?').join(' AND ')
        const { queryString, executionParameters } = bindParameters(text, values)
        const parameters = [...executionParameters]
        const found: string[] = []
        let rest = queryString
        for (const _ of values) {
          expect(rest.startsWith('a = ')).toBe(true)
          rest = rest.slice(4)
          if (rest.startsWith('?')) {
            found.push(readQuoted(parameters.shift()!, "'").value)
            rest = rest.slice(1)
          } else {
            const read = readQuoted(rest.slice(1), "'")
            found.push(read.value)
            rest = read.rest.slice(1)
          }
          rest = rest.replace(/^ AND /, '')
        }
        expect(found).toEqual(values)
        expect([rest, parameters]).toEqual(['', []])
      }),
      { seed, numRuns: 1000 },
    )
  })

  test('identifiers', () => {
    fc.assert(
      fc.property(hostile, (name) => {
        fc.pre(name !== '' && !name.includes('\0') && !/[\uD800-\uDFFF]/u.test(name))
        expect(readQuoted(identifier(name).sql, '"')).toEqual({ value: name, rest: '' })
      }),
      { seed, numRuns: 1000 },
    )
  })

  test('numbers, decimals and dates hold no character that could begin anything', () => {
    const values = fc.oneof(
      fc.double(),
      fc.bigInt({ min: -(10n ** 38n) + 1n, max: 10n ** 38n - 1n }),
      fc.date({ noInvalidDate: true, min: new Date(-62135596800000), max: new Date(253402300799999) }),
      fc
        .tuple(fc.bigInt({ min: -(10n ** 38n) + 1n, max: 10n ** 38n - 1n }), fc.nat(38))
        .map(([unscaled, scale]) => Decimal.of(unscaled, scale)),
    )
    const shape =
      /^(?:-?\d+|-?\d+(?:\.\d+)?E-?\d+|nan\(\)|-?infinity\(\)|DECIMAL '-?\d+(?:\.\d+)?'|TIMESTAMP '\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d{3}')$/
    fc.assert(
      fc.property(values, (value) => {
        expect(sqlLiteral(value)).toMatch(shape)
        if (typeof value === 'number' && Number.isFinite(value)) expect(Number(sqlLiteral(value))).toBe(value)
      }),
      { seed, numRuns: 3000 },
    )
  })
})

import { afterAll, describe, expect, test } from 'vitest'
import { TestLake } from './market-lake.ts'

const lake = new TestLake()
const value = lake.value.bind(lake)
const failureOf = lake.failureOf.bind(lake)
afterAll(() => lake[Symbol.asyncDispose]())

describe('format', () => {
  test.each([
    [`format('%s %s %s', 1, true, 'x')`, '1 true x'],
    [`format('%05d|%-5d|%5d', 42, 42, -42)`, '00042|42   |  -42'],
    [`format('%,d %+d', 1234567, 5)`, '1,234,567 +5'],
    [`format('%.2f %.0f %f', 2.675e0, 2.5e0, 1e0)`, '2.68 3 1.000000'],
    [`format('%,.2f', DECIMAL '1234567.895')`, '1,234,567.90'],
    [`format('%08.3f', -3.14159e0)`, '-003.142'],
    [`format('%.2f', -0.001e0)`, '-0.00'],
    [`format('%s', 1e7)`, '1.0E7'],
    [`format('%s %s', DATE '2024-03-08', 1.50)`, '2024-03-08 1.50'],
    [`format('%2$s %1$s %%', 'a', 'b')`, 'b a %'],
    [`format('%x', 255)`, 'ff'],
    [`format('%-6s|%6s', 'ab', 'cd')`, 'ab    |    cd'],
    [`format('%.2f|%5d', CAST(NULL AS double), CAST(NULL AS bigint))`, 'nu| null'],
    [`format('%s %d', CAST(NULL AS varchar), CAST(NULL AS bigint))`, 'null null'],
    [`format_number(123456789)`, '123M'],
    [`format_number(1000)`, '1K'],
    [`format_number(-1234)`, '-1.23K'],
    [`format_number(12345)`, '12.3K'],
    [`format_number(7)`, '7'],
    [`format_number(1050e0)`, '1.05K'],
  ])('%s is %s', async (expression, expected) => {
    expect(await value(expression)).toBe(expected)
  })

  test.each([
    `format('%e', 1e0)`,
    `format('%s', ARRAY[1])`,
    `format('%d', 1e0)`,
    `format('%s %s', 1)`,
    `format('%tY', now())`,
  ])('%s is refused by name', async (expression) => {
    expect(await failureOf(`SELECT ${expression}`)).toMatch(/NOT_SUPPORTED: .*format/)
  })
})

test.each([
  [`concat_ws(',', 'a', CAST(NULL AS varchar), 'b')`, 'a,b'],
  [`concat_ws(',', ARRAY['a', NULL, ''])`, 'a,'],
  [`concat_ws(CAST(NULL AS varchar), 'a')`, null],
])('%s is %s', async (expression, expected) => {
  expect(await value(expression)).toBe(expected)
})

test.each(['json_value', 'json_query', 'json_exists'])('%s is refused by name', async (name) => {
  expect(await failureOf(`SELECT ${name}('{}', 'lax $.a')`)).toContain(
    `does not support the function ${name}`,
  )
})

describe('encodings', () => {
  test.each([
    [`from_utf8(from_hex('C3A9'))`, 'é'],
    [`to_hex(md5(to_utf8('abc')))`, '900150983CD24FB0D6963F7D28E17F72'],
    [`to_hex(sha256(to_utf8('abc')))`, 'BA7816BF8F01CFEA414140DE5DAE2223B00361A396177A9CB410FF61F20015AD'],
    [`from_utf8(from_base64('YWJj'))`, 'abc'],
    [`url_extract_host('http://example.com:80/a?b=1')`, 'example.com'],
    [`url_extract_port('http://example.com:80/a?b=1')`, '80'],
    [`url_extract_port('https://example.com')`, null],
    [`url_extract_path('http://example.com/a/b?c')`, '/a/b'],
    [`url_extract_protocol('https://example.com')`, 'https'],
    [`url_extract_query('http://example.com/?a=1&b=2#f')`, 'a=1&b=2'],
    [`url_extract_fragment('http://example.com/?a=1#f')`, 'f'],
    [`url_extract_parameter('http://example.com/?a=x%20y+z&b=2&c', 'a')`, 'x y z'],
    [`url_extract_parameter('http://example.com/?a=1&c', 'c')`, ''],
    [`url_extract_parameter('http://example.com/?a=1', 'd')`, null],
    [`url_encode('a b&é~*')`, 'a+b%26%C3%A9%7E*'],
    [`url_decode('a+b%26%C3%A9')`, 'a b&é'],
  ])('%s is %s', async (expression, expected) => {
    expect(await value(expression)).toBe(expected)
  })

  test.each([
    [`from_hex('0')`, 'INVALID_FUNCTION_ARGUMENT'],
    [`from_utf8(from_hex('FF'))`, 'NOT_SUPPORTED'],
    [`url_extract_host('http://exa_mple.com')`, 'NOT_SUPPORTED'],
  ])('%s fails with %s', async (expression, name) => {
    expect(await failureOf(`SELECT ${expression}`)).toContain(name)
  })
})

describe('numbers', () => {
  test.each([
    ['greatest(1e0, nan())', '1.0'],
    ['greatest(nan(), nan())', 'NaN'],
    ['least(nan(), 2e0, 1e0)', '1.0'],
    ['greatest(1e0, CAST(NULL AS double))', null],
    ['greatest(1, 2.5, 2)', '2.5'],
    ['bitwise_not(5)', '-6'],
    ['bitwise_left_shift(1, 31)', '-2147483648'],
    ["bitwise_left_shift(BIGINT '1', 40)", '1099511627776'],
    ['bitwise_right_shift(-8, 1)', '2147483644'],
    ['bitwise_right_shift_arithmetic(-8, 1)', '-4'],
    ['bit_count(7, 64)', '3'],
    ['bit_count(-1, 8)', '8'],
    ['width_bucket(5.35, 0.024, 10.06, 5)', '3'],
    ['width_bucket(10.06e0, 0e0, 10.06e0, 5)', '6'],
    ['width_bucket(-1e0, 0e0, 10e0, 5)', '0'],
    ['width_bucket(9e0, 10e0, 0e0, 5)', '1'],
    ['width_bucket(2e0, ARRAY[1e0, 2e0, 3e0])', '2'],
    [`split('a,b,c', ',', 2)`, '[a, b,c]'],
    [`array_join(ARRAY[1e0, NULL], '-', 'x')`, '1.0E0-x'],
    [`regexp_extract_all('1a 2b', '(\\d)([a-z])', 2)`, '[a, b]'],
  ])('%s is %s', async (expression, expected) => {
    expect(await value(expression)).toBe(expected)
  })

  test('0 and -0 have no greater one', async () => {
    expect(await failureOf('SELECT greatest(0e0, -0e0)')).toContain('NOT_SUPPORTED')
  })
})

describe('window frames', () => {
  const trades = `(VALUES (TIMESTAMP '2024-03-08 09:30:00', 1), (TIMESTAMP '2024-03-08 09:31:00', 2),
    (TIMESTAMP '2024-03-08 09:35:00', 4), (TIMESTAMP '2024-03-08 09:35:00', 8), (NULL, 16), (NULL, 32)) t(ts, n)`
  const column = async (expression: string): Promise<unknown[]> =>
    (await lake.query(`SELECT n, ${expression} FROM ${trades} ORDER BY n`)).rows.map((row) => row[1])

  test('of a time range before each row; rows without a time see each other', async () => {
    expect(
      await column(`sum(n) OVER (ORDER BY ts RANGE BETWEEN INTERVAL '5' MINUTE PRECEDING AND CURRENT ROW)`),
    ).toEqual(['1', '3', '15', '15', '48', '48'])
    expect(
      await column(`sum(n) OVER (ORDER BY ts RANGE BETWEEN INTERVAL '4' MINUTE PRECEDING AND CURRENT ROW)`),
    ).toEqual(['1', '3', '14', '14', '48', '48'])
    expect(
      await column(
        `sum(n) OVER (ORDER BY ts DESC RANGE BETWEEN CURRENT ROW AND INTERVAL '4' MINUTE FOLLOWING)`,
      ),
    ).toEqual(['1', '3', '14', '14', '48', '48'])
  })

  test('of days over dates', async () => {
    const { rows } = await lake.query(
      `SELECT sum(n) OVER (ORDER BY d RANGE BETWEEN INTERVAL '2' DAY PRECEDING AND INTERVAL '1' DAY FOLLOWING)
       FROM (VALUES (DATE '2024-03-08', 1), (DATE '2024-03-09', 2), (DATE '2024-03-12', 4)) t(d, n) ORDER BY d`,
    )
    expect(rows).toEqual([['3'], ['3'], ['4']])
  })

  test('of groups of peers', async () => {
    expect(await column('sum(n) OVER (ORDER BY ts GROUPS BETWEEN 1 PRECEDING AND CURRENT ROW)')).toEqual([
      '1',
      '3',
      '14',
      '14',
      '60',
      '60',
    ])
    expect(await column('last_value(n) OVER (ORDER BY ts, n GROUPS 1 PRECEDING)')).toEqual([
      '1',
      '2',
      '4',
      '8',
      '16',
      '32',
    ])
  })

  test('maps and arrays are gathered over a window', async () => {
    expect(await column(`cardinality(map_agg(n, ts) OVER (ORDER BY n))`)).toEqual([
      '1',
      '2',
      '3',
      '4',
      '5',
      '6',
    ])
  })

  test.each([
    [`SELECT sum(n) OVER (ORDER BY ts RANGE INTERVAL '1' MONTH PRECEDING) FROM ${trades}`, 'NOT_SUPPORTED'],
    [
      `SELECT sum(n) OVER (ORDER BY current_date RANGE INTERVAL '1' HOUR PRECEDING) FROM ${trades}`,
      'NOT_SUPPORTED',
    ],
    [`SELECT lag(n) OVER () FROM ${trades}`, 'MISSING_ORDER_BY'],
    [`SELECT lag(n) OVER (ORDER BY n ROWS 1 PRECEDING) FROM ${trades}`, 'INVALID_WINDOW_FRAME'],
    [`SELECT sum(n) FILTER (WHERE n > 1) OVER () FROM ${trades}`, 'NOT_SUPPORTED: line 1:8: FILTER'],
    [`SELECT count(*) OVER (PARTITION BY ARRAY[n]) FROM ${trades}`, 'NOT_SUPPORTED'],
    [`SELECT ARRAY[1] INTERSECT ALL SELECT ARRAY[1]`, 'NOT_SUPPORTED'],
    [`SELECT * FROM UNNEST(ARRAY[1]) t(x) JOIN UNNEST(ARRAY[1]) u(y) ON x = y`, 'NOT_SUPPORTED'],
    [`SELECT sum(n) OVER (GROUPS 1 PRECEDING) FROM ${trades}`, 'MISSING_ORDER_BY'],
    [`SELECT * FROM ${trades} TABLESAMPLE BERNOULLI (10)`, 'NOT_SUPPORTED'],
  ])('%s fails with %s', async (sql, name) => {
    expect(await failureOf(sql)).toContain(name)
  })
})

test('INTERSECT ALL and EXCEPT ALL keep as many as both have, or the left has more', async () => {
  const sides = (operator: string): string =>
    `SELECT * FROM (VALUES 1, 1, 1, NULL, NULL) ${operator} SELECT * FROM (VALUES 1, 1, NULL) ORDER BY 1`
  expect((await lake.query(sides('INTERSECT ALL'))).rows).toEqual([['1'], ['1'], [null]])
  expect((await lake.query(sides('EXCEPT ALL'))).rows).toEqual([['1'], [null]])
})

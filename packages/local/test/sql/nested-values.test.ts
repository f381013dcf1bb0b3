import { afterAll, describe, expect, test } from 'vitest'
import { TestLake } from './market-lake.ts'

const lake = new TestLake()
const failureOf = lake.failureOf.bind(lake)
afterAll(() => lake[Symbol.asyncDispose]())

/** The one value of `SELECT expression`. */
async function value(expression: string): Promise<string | null> {
  const { rows } = await lake.query(`SELECT ${expression}`)
  expect(rows).toHaveLength(1)
  return rows[0]![0]!
}

async function typeOf(expression: string): Promise<string> {
  return (await lake.query(`SELECT ${expression}`)).columns[0]!.type
}

describe('rows', () => {
  test.each([
    [`ROW(1, 'a', NULL IS NULL)`, '{field0=1, field1=a, field2=true}'],
    [`CAST(ROW(1, NULL) AS ROW(x integer, y varchar))`, '{x=1, y=null}'],
    [`CAST(ROW(1, 'a') AS ROW(x bigint, y varchar))`, '{x=1, y=a}'],
    [`CAST(ROW(1, 2) AS ROW(x double, x2 decimal(9,2))).x2`, '2.00'],
    [`CAST(CAST(NULL AS ROW(x integer)) AS ROW(y bigint))`, null],
    [`CAST(NULL AS ROW(x integer)).x`, null],
    [
      `CAST(ROW(ROW(1), ARRAY[ROW('a', 1.5)]) AS ROW(p ROW(q bigint), r ARRAY(ROW(s varchar, t double))))`,
      '{p={q=1}, r=[{s=a, t=1.5}]}',
    ],
    [`CAST(ROW(1, 2) AS ROW("1" integer, "0" integer))`, '{1=1, 0=2}'],
    [`ROW(5, 'x')[2]`, 'x'],
    [`CAST(ROW(1) AS ROW(x integer)) IS NULL`, 'false'],
    [`TRY_CAST(ROW('a') AS ROW(x integer))`, null],
    [`typeof(CAST(ROW(1, 'a') AS ROW(x bigint, timestamp(3) with time zone)))`, undefined],
  ])('%s is %s', async (expression, expected) => {
    if (expected === undefined) {
      expect(await failureOf(`SELECT ${expression}`)).toMatch(/NOT_SUPPORTED: .* CAST from row/)
      return
    }
    expect(await value(expression)).toBe(expected)
  })

  test.each([
    ['ROW(1, 2) = ROW(1, 2)', 'true'],
    ['ROW(1, 2) = ROW(1, 3)', 'false'],
    ['ROW(1, CAST(NULL AS integer)) = ROW(1, 3)', null],
    ['ROW(2, CAST(NULL AS integer)) = ROW(1, 3)', 'false'],
    ['ROW(2, CAST(NULL AS integer)) <> ROW(1, 3)', 'true'],
    ['ROW(nan()) = ROW(nan())', 'false'],
    ['ROW(nan()) IS DISTINCT FROM ROW(nan())', 'false'],
    ['ROW(1, CAST(NULL AS integer)) IS DISTINCT FROM ROW(1, CAST(NULL AS integer))', 'false'],
    ['ROW(1) IS DISTINCT FROM CAST(NULL AS ROW(integer))', 'true'],
    ['(1, 2) IN ((1, 3), (1, 2))', 'true'],
    ['ROW(1, 2) IN (ROW(1.5, 2), ROW(1.0, 2))', 'true'],
    [`CASE ROW(1, 'a') WHEN ROW(1, 'b') THEN 'no' WHEN ROW(1, 'a') THEN 'yes' END`, 'yes'],
    ['ARRAY[1, NULL] = ARRAY[1, NULL]', null],
    ['ARRAY[1, NULL] = ARRAY[2, NULL]', 'false'],
    ['ARRAY[1, NULL] = ARRAY[1]', 'false'],
    ['ARRAY[1, 2] <> ARRAY[1, 3]', 'true'],
    ['ARRAY[1] IN (ARRAY[2], ARRAY[1])', 'true'],
    [`MAP(ARRAY['a', 'b'], ARRAY[1, 2]) = MAP(ARRAY['b', 'a'], ARRAY[2, 1])`, 'true'],
    [`MAP(ARRAY['a'], ARRAY[1]) = MAP(ARRAY['b'], ARRAY[1])`, 'false'],
  ])('%s is %s', async (expression, expected) => {
    expect(await value(expression)).toBe(expected)
  })

  test('are grouped and counted once, NULL and NaN within like any value', async () => {
    const typed = `(VALUES ROW(ROW(1, nan())), ROW(ROW(1, nan())), ROW(ROW(1, NULL)), ROW(ROW(1, NULL))) t(r)`
    expect((await lake.query(`SELECT r, count(*) FROM ${typed} GROUP BY r ORDER BY 2, r[1]`)).rows).toEqual(
      expect.arrayContaining([
        ['{field0=1, field1=NaN}', '2'],
        ['{field0=1, field1=null}', '2'],
      ]),
    )
    expect(await value(`count(DISTINCT r) FROM ${typed}`)).toBe('2')
  })
})

describe('JSON', () => {
  test.each([
    [`JSON '{"b": 1, "a": [true, null, 1.50]}'`, '{"a":[true,null,1.5],"b":1}'],
    [`json_extract('{"b": {"z": 1.10, "y": "é"}}', '$.b')`, '{"z":1.1,"y":"é"}'],
    [`json_extract('{"a": null}', '$.a')`, 'null'],
    [`json_extract('{"a": 1}', '$.b')`, null],
    [`json_extract(JSON '[[1, 2]]', '$[0][1]')`, '2'],
    [`json_extract_scalar(JSON '{"a": "x"}', '$.a')`, 'x'],
    [`json_format(JSON '{ "a" : 1 }')`, '{"a":1}'],
    [`json_array_get('["a", [3, 1], null, 1.10]', 0)`, 'a'],
    [`json_array_get('["a", [3, 1], null, 1.10]', 1)`, '[3,1]'],
    [`json_array_get('["a", [3, 1], null, 1.10]', 2)`, null],
    [`json_array_get('["a", [3, 1], null, 1.10]', -1)`, '1.10'],
    [`json_array_get('["a"]', 1)`, null],
    [`json_array_contains('[1, "a", 2.5, true]', 1)`, 'true'],
    [`json_array_contains('[1, "a", 2.5, true]', 'b')`, 'false'],
    [`json_array_contains('[1, "a", 2.5, true]', 2.5e0)`, 'true'],
    [`json_array_contains('{}', true)`, null],
    [`json_size(JSON '{"x": {"a": 1}}', '$.x')`, '1'],
    [`json_array_length(JSON '[1, 2]')`, '2'],
    [`JSON '{"a":1}' = JSON '{ "a": 1 }'`, 'true'],
  ])('%s is %s', async (expression, expected) => {
    expect(await value(expression)).toBe(expected)
  })

  test.each([
    [`CAST(JSON '12' AS bigint)`, '12'],
    [`CAST(JSON '"12"' AS integer)`, '12'],
    [`CAST(JSON '2.5' AS integer)`, '3'],
    [`CAST(JSON '-2.5' AS integer)`, '-3'],
    [`CAST(JSON 'true' AS bigint)`, '1'],
    [`CAST(JSON 'null' AS bigint)`, null],
    [`CAST(JSON '1.5' AS varchar)`, '1.5E0'],
    [`CAST(JSON '15' AS varchar)`, '15'],
    [`CAST(JSON '"x"' AS varchar)`, 'x'],
    [`CAST(JSON '1' AS boolean)`, 'true'],
    [`CAST(JSON '1.005' AS decimal(9,2))`, '1.01'],
    [`CAST(JSON '"0.1"' AS double)`, '0.1'],
    [`CAST(JSON '[1, null, 3]' AS ARRAY(bigint))`, '[1, null, 3]'],
    [`CAST(JSON '{"a": [1], "b": null}' AS MAP(varchar, ARRAY(integer)))['a']`, '[1]'],
    [`CAST(JSON '{"7": "x"}' AS MAP(bigint, varchar))[7]`, 'x'],
    [`CAST(JSON '{"Px": 1.5, "other": 1}' AS ROW(px double, size bigint))`, '{px=1.5, size=null}'],
    [`CAST(JSON '[1.5, 2]' AS ROW(px double, size bigint)).size`, '2'],
    [`CAST(JSON '[1, null, {"b":1,"a":2}]' AS ARRAY(JSON))`, '[1, null, {"a":2,"b":1}]'],
    [`TRY_CAST(JSON '"x"' AS bigint)`, null],
    [`TRY(CAST(JSON '{}' AS bigint))`, null],
    [`CAST('x"y' AS JSON)`, '"x\\"y"'],
    [`CAST(1.50 AS JSON)`, '1.50'],
    [`CAST(CAST(0 AS decimal(18,8)) AS JSON)`, '0E-8'],
    [`CAST(1e7 AS JSON)`, '1.0E7'],
    [`CAST(DATE '2024-03-08' AS JSON)`, '"2024-03-08"'],
    [`CAST(TIMESTAMP '2024-03-08 01:02:03.004' AS JSON)`, '"2024-03-08 01:02:03.004"'],
    [`CAST(MAP(ARRAY['b', 'a'], ARRAY[1, NULL]) AS JSON)`, '{"a":null,"b":1}'],
    [`CAST(ARRAY[JSON '{"a":1}', NULL] AS JSON)`, '[{"a":1},null]'],
    [`CAST(CAST(ROW(1, 'a') AS ROW(x bigint, y varchar)) AS JSON)`, '{"x":1,"y":"a"}'],
    [`CAST(CAST(NULL AS varchar) AS JSON)`, null],
    [`CAST(CAST(ARRAY[1, 2] AS JSON) AS ARRAY(double))`, '[1.0, 2.0]'],
  ])('%s is %s', async (expression, expected) => {
    expect(await value(expression)).toBe(expected)
  })

  test.each([
    [`json_parse('{a}')`, "INVALID_FUNCTION_ARGUMENT: Cannot convert value to JSON: '{a}'"],
    [`CAST(JSON '"x"' AS bigint)`, "INVALID_CAST_ARGUMENT: Cannot cast 'x' to BIGINT"],
    [`CAST(JSON '[1]' AS bigint)`, 'INVALID_CAST_ARGUMENT'],
    [`CAST(JSON '300' AS tinyint)`, 'INVALID_CAST_ARGUMENT'],
    [`CAST(JSON '{"a":1}' AS ARRAY(bigint))`, 'INVALID_CAST_ARGUMENT'],
    [`CAST(JSON '[1]' AS ROW(a bigint, b bigint))`, 'INVALID_CAST_ARGUMENT'],
    [`CAST(JSON '{"a":1}' AS ROW(bigint))`, 'INVALID_CAST_ARGUMENT'],
    [`CAST(JSON '"2024-03-08"' AS date)`, 'NOT_SUPPORTED'],
    [`CAST(JSON '1' AS varchar(3))`, 'NOT_SUPPORTED'],
    [`json_extract('{"a":1}', '$..a')`, 'NOT_SUPPORTED'],
    [`json_extract('{"a":1} x', '$.a')`, 'NOT_SUPPORTED'],
    [`JSON '1' < JSON '2'`, 'TYPE_MISMATCH'],
    [`x FROM (VALUES JSON '1') t(x) ORDER BY x`, 'TYPE_MISMATCH'],
    [`max(x) FROM (VALUES JSON '1') t(x)`, 'NOT_SUPPORTED'],
    [`greatest(JSON '1', JSON '2')`, 'NOT_SUPPORTED'],
  ])('%s fails with %s', async (expression, message) => {
    expect(await failureOf(`SELECT ${expression}`)).toContain(message)
  })

  test('is grouped by its text', async () => {
    const { rows } = await lake.query(
      `SELECT j, count(*) FROM (VALUES json_parse('{"b":1,"a":2}'), json_parse('{"a":2,"b":1}'), JSON '1') t(j) GROUP BY j ORDER BY 2`,
    )
    expect(rows).toEqual([
      ['1', '1'],
      ['{"a":2,"b":1}', '2'],
    ])
  })
})

describe('arrays', () => {
  test.each([
    ['array_distinct(ARRAY[1, NULL, 1, NULL, 2])', '[1, null, 2]'],
    ['array_distinct(ARRAY[nan(), nan(), 0e0])', '[NaN, 0.0]'],
    [`array_union(ARRAY['a', NULL], ARRAY['bb', 'a', NULL])`, '[a, null, bb]'],
    ['array_except(ARRAY[1, 2, 2, NULL, 3], ARRAY[2])', '[1, null, 3]'],
    ['array_intersect(ARRAY[3, 1, 2, NULL], ARRAY[NULL, 2, 3])', '[3, 2, null]'],
    ['arrays_overlap(ARRAY[1, 2], ARRAY[2])', 'true'],
    ['arrays_overlap(ARRAY[1, NULL], ARRAY[2])', null],
    ['arrays_overlap(ARRAY[1], ARRAY[2])', 'false'],
    ['array_max(ARRAY[1, 5, 3])', '5'],
    ['array_max(ARRAY[1, NULL])', null],
    ['array_max(ARRAY[1e0, nan()])', '1.0'],
    ['array_min(ARRAY[nan(), nan()])', 'NaN'],
    ['reverse(ARRAY[1, NULL])', '[null, 1]'],
    ['ARRAY[1] || 2.5', '[1.0, 2.5]'],
    [`ARRAY['a'] || 'bcd'`, '[a, bcd]'],
    ['ARRAY[1] || CAST(NULL AS integer)', null],
    ['ARRAY[ARRAY[1]] || ARRAY[2]', '[[1], [2]]'],
    ['contains(ARRAY[1], NULL)', null],
    ['array_position(ARRAY[ARRAY[1]], ARRAY[1])', '1'],
    [`array_join(ARRAY[NULL], ',', 'x')`, 'x'],
    [`array_min(ARRAY['b', 'a'])`, 'a'],
    ['array_max(CAST(ARRAY[] AS ARRAY(integer)))', null],
    ['coalesce(CAST(NULL AS ARRAY(varchar)), ARRAY[])', '[]'],
    ['ARRAY[NULL, ARRAY[1.5], ARRAY[]]', '[null, [1.5], []]'],
    [`array_sort(ARRAY['b', NULL, 'a', 'B'])`, '[B, a, b, null]'],
    ['array_sort(ARRAY[2e0, nan(), -1e0])', '[-1.0, 2.0, NaN]'],
    ['array_position(ARRAY[1, NULL, 3], 3)', '3'],
    ['array_position(ARRAY[1, NULL, 3], 4)', '0'],
    ['array_position(ARRAY[1, NULL, 3], CAST(NULL AS integer))', null],
    ['array_position(ARRAY[1.5, 2], 2)', '2'],
    ['array_remove(ARRAY[1, NULL, 2, 1], 1)', '[null, 2]'],
    ['contains(ARRAY[1, NULL], 1)', 'true'],
    ['contains(ARRAY[1, NULL], 2)', null],
    ['contains(ARRAY[nan()], nan())', 'false'],
    ['contains(ARRAY[ARRAY[1, NULL]], ARRAY[2, 1])', 'false'],
    ['slice(ARRAY[1, 2, 3, 4], 2, 2)', '[2, 3]'],
    ['slice(ARRAY[1, 2, 3, 4], -2, 5)', '[3, 4]'],
    ['slice(ARRAY[1, 2], -3, 2)', '[]'],
    ['slice(ARRAY[1, 2], 3, 2)', '[]'],
    ['trim_array(ARRAY[1, 2, 3], 2)', '[1]'],
    [`repeat('a', 3)`, '[a, a, a]'],
    ['repeat(CAST(NULL AS integer), 2)', '[null, null]'],
    [`zip(ARRAY[1, 2], ARRAY['a'])`, '[{field0=1, field1=a}, {field0=2, field1=null}]'],
    ['ARRAY[1] || ARRAY[2, NULL]', '[1, 2, null]'],
    ['ARRAY[1] || 2', '[1, 2]'],
    [`'a' || ARRAY['bc']`, '[a, bc]'],
    ['concat(ARRAY[1], ARRAY[2], ARRAY[3.5])', '[1.0, 2.0, 3.5]'],
    ['ARRAY[1] || CAST(NULL AS ARRAY(integer))', null],
    ['CAST(ARRAY[1, NULL] AS ARRAY(varchar))', '[1, null]'],
    [`TRY_CAST(ARRAY['1', 'x'] AS ARRAY(integer))`, null],
    [`CAST(ARRAY['abc'] AS ARRAY(varchar(2)))`, '[ab]'],
    ['CAST(ARRAY[ARRAY[1], NULL] AS ARRAY(ARRAY(double)))', '[[1.0], null]'],
    ['sequence(1, 7, 3)', '[1, 4, 7]'],
    ['sequence(3, 1)', '[3, 2, 1]'],
    [
      `sequence(DATE '2024-01-31', DATE '2024-04-30', INTERVAL '1' MONTH)`,
      '[2024-01-31, 2024-02-29, 2024-03-31, 2024-04-30]',
    ],
    [`sequence(DATE '2024-03-08', DATE '2024-03-10')`, '[2024-03-08, 2024-03-09, 2024-03-10]'],
    [
      `sequence(TIMESTAMP '2024-03-08 09:30:00', TIMESTAMP '2024-03-08 10:00:00', INTERVAL '15' MINUTE)`,
      '[2024-03-08 09:30:00, 2024-03-08 09:45:00, 2024-03-08 10:00:00]',
    ],
    [`'a' || NULL`, null],
  ])('%s is %s', async (expression, expected) => {
    expect(await value(expression)).toBe(expected)
  })

  test.each([
    ['slice(ARRAY[1], 0, 1)', 'INVALID_FUNCTION_ARGUMENT: SQL array indices start at 1'],
    ['slice(ARRAY[1], 1, -1)', 'INVALID_FUNCTION_ARGUMENT: length must be greater than or equal to 0'],
    ['array_max(ARRAY[0e0, -0e0])', 'NOT_SUPPORTED'],
    ['ARRAY[1] || ARRAY[NULL]', 'NOT_SUPPORTED'],
    ['contains(ARRAY[ROW(1, NULL)], ROW(1, 2))', 'NOT_SUPPORTED'],
    ['array_sort(ARRAY[ARRAY[1]])', 'NOT_SUPPORTED'],
    ['array_sort(ARRAY[1, 2], (x, y) -> 1)', 'NOT_SUPPORTED'],
    ['ARRAY[1] < ARRAY[2]', 'NOT_SUPPORTED'],
    ['ARRAY[1] || NULL', 'NOT_SUPPORTED'],
    ["ARRAY[1] = ARRAY['a']", 'TYPE_MISMATCH'],
    ['TRY_CAST(ARRAY[1 / (1 - 1)] AS ARRAY(bigint))', 'DIVISION_BY_ZERO'],
    ['ROW(1, 2)[3]', 'INVALID_FUNCTION_ARGUMENT'],
  ])('%s fails with %s', async (expression, message) => {
    expect(await failureOf(`SELECT ${expression}`)).toContain(message)
  })

  test('types follow the elements', async () => {
    expect(await typeOf(`zip(ARRAY[1, 2], ARRAY['a'])`)).toBe('array(row(integer, varchar(1)))')
    expect(await typeOf(`'a' || NULL`)).toBe('array(varchar(1))')
    expect(await typeOf('concat(ARRAY[1], ARRAY[3.5])')).toBe('array(decimal(11,1))')
    expect(await typeOf(`map_entries(MAP(ARRAY['a'], ARRAY[1]))`)).toBe('array(row(varchar(1), integer))')
  })
})

describe('maps', () => {
  const map = `MAP(ARRAY['a', 'b'], ARRAY[1, 2])`
  test.each([
    [map, '{a=1, b=2}'],
    [`${map}['b']`, '2'],
    [`element_at(${map}, 'abc')`, null],
    [`cardinality(${map})`, '2'],
    [`map_values(${map})`, '[1, 2]'],
    [`map_entries(${map})`, '[{field0=a, field1=1}, {field0=b, field1=2}]'],
    [`map_from_entries(ARRAY[ROW('x', 1), ROW('y', 2)])`, '{x=1, y=2}'],
    [`multimap_from_entries(ARRAY[ROW('x', 1), ROW('y', 2), ROW('x', 3)])`, '{x=[1, 3], y=[2]}'],
    [`map_concat(${map}, MAP(ARRAY['b', 'c'], ARRAY[7, 8]))`, '{b=7, c=8, a=1}'],
    [`split_to_map('a=1;b=2;', ';', '=')`, '{a=1, b=2}'],
    [`map_filter(${map}, (k, v) -> v > 1)`, '{b=2}'],
    [`map_filter(${map}, (k, v) -> false)`, '{}'],
    [`map_filter(CAST(NULL AS MAP(varchar, integer)), (k, v) -> true)`, null],
    [`transform_values(${map}, (k, v) -> k || CAST(v * 10 AS varchar))`, '{a=a10, b=b20}'],
    [`transform_values(CAST(NULL AS MAP(varchar, integer)), (k, v) -> v)`, null],
    [`transform_keys(${map}, (k, v) -> v)`, '{1=1, 2=2}'],
    [`CAST(${map} AS MAP(varchar, double))`, '{a=1.0, b=2.0}'],
    [`MAP(ARRAY[1, 2], ARRAY[NULL, 'x'])`, '{1=null, 2=x}'],
    [`MAP(CAST(NULL AS ARRAY(integer)), ARRAY[1])`, null],
  ])('%s is %s', async (expression, expected) => {
    expect(await value(expression)).toBe(expected)
  })

  test.each([
    [
      `MAP(ARRAY['a', 'a'], ARRAY[1, 2])`,
      'INVALID_FUNCTION_ARGUMENT: Duplicate map keys (a) are not allowed',
    ],
    [`MAP(ARRAY['a', NULL], ARRAY[1, 2])`, 'INVALID_FUNCTION_ARGUMENT: map key cannot be null'],
    [
      `MAP(ARRAY['a'], ARRAY[1, 2])`,
      'INVALID_FUNCTION_ARGUMENT: Key and value arrays must be the same length',
    ],
    [
      `map_from_entries(ARRAY[ROW('a', 1), ROW('a', 2)])`,
      'INVALID_FUNCTION_ARGUMENT: Duplicate keys (a) are not allowed',
    ],
    [
      `transform_keys(${map}, (k, v) -> 'x')`,
      'INVALID_FUNCTION_ARGUMENT: Duplicate keys (x) are not allowed',
    ],
    [`${map}['z']`, 'INVALID_FUNCTION_ARGUMENT: Key not present in map: z'],
    [`CAST(${map} AS MAP(integer, integer))`, 'NOT_SUPPORTED'],
  ])('%s fails with %s', async (expression, message) => {
    expect(await failureOf(`SELECT ${expression}`)).toContain(message)
  })
})

describe('lambdas', () => {
  test.each([
    ['transform(ARRAY[1, NULL, 3], x -> x * 10)', '[10, null, 30]'],
    [`transform(ARRAY[7, 2], x -> x / 2)`, '[3, 1]'],
    [`transform(ARRAY['a', 'İ'], x -> lower(x) || '!')`, '[a!, i!]'],
    ['transform(ARRAY[ARRAY[1, 2], ARRAY[3]], x -> transform(x, y -> y + cardinality(x)))', '[[3, 4], [4]]'],
    ['transform(ARRAY[1, 2], x -> ROW(x, x + 1))', '[{field0=1, field1=2}, {field0=2, field1=3}]'],
    [`transform(ARRAY[CAST(ROW(1, 'a') AS ROW(p integer, q varchar))], x -> x.q)`, '[a]'],
    ['filter(ARRAY[1, NULL, 3], x -> x > 1)', '[3]'],
    ['filter(ARRAY[1e0, nan()], x -> x > 0)', '[1.0]'],
    ['filter(CAST(NULL AS ARRAY(integer)), x -> true)', null],
    ['any_match(ARRAY[1, NULL], x -> x > 1)', null],
    ['any_match(ARRAY[2, NULL], x -> x > 1)', 'true'],
    ['any_match(ARRAY[1], x -> x > 1)', 'false'],
    ['all_match(ARRAY[2, NULL], x -> x > 1)', null],
    ['all_match(ARRAY[1, NULL], x -> x > 1)', 'false'],
    ['none_match(ARRAY[1], x -> x > 1)', 'true'],
    ['reduce(ARRAY[5, 20, 50], 0, (s, x) -> s + x, s -> s)', '75'],
    ['reduce(ARRAY[5, NULL, 50], 0, (s, x) -> s + coalesce(x, 0), s -> s * 2)', '110'],
    ['reduce(ARRAY[5, NULL], 0, (s, x) -> s + x, s -> s)', null],
    ['reduce(CAST(NULL AS ARRAY(integer)), 0, (s, x) -> s + x, s -> s)', null],
    [`reduce(ARRAY[1, 2], 'a', (s, x) -> s || CAST(x AS varchar), s -> s)`, 'a12'],
    ['reduce(ARRAY[1e0, 2e0], 0, (s, x) -> s + x, s -> s)', '3.0'],
    ['transform(ARRAY[1, 2], x -> NULL)', '[null, null]'],
    [`reduce(ARRAY[1, 2], CAST('a' AS varchar), (s, x) -> s || CAST(x AS varchar), s -> length(s))`, '3'],
    [
      'reduce(ARRAY[2e0, 4e0], CAST(ROW(0e0, 0) AS ROW(sum double, count integer)), (s, x) -> CAST(ROW(x + s.sum, s.count + 1) AS ROW(sum double, count integer)), s -> s.sum / s.count)',
      '3.0',
    ],
    ['zip_with(ARRAY[1, 2], ARRAY[10, 20, 30], (x, y) -> coalesce(x, 0) + y)', '[11, 22, 30]'],
    ['TRY(transform(ARRAY[1, 0], x -> 1 / x))', null],
    ['transform(ARRAY[1, 0], x -> TRY(1 / x))', '[1, null]'],
  ])('%s is %s', async (expression, expected) => {
    expect(await value(expression)).toBe(expected)
  })

  test('see the columns around them, and hide those of their parameters names', async () => {
    const { rows } = await lake.query(
      `SELECT transform(a, x -> x + n), filter(a, n -> n > 1), any_match(a, y -> y = t.n)
       FROM (VALUES (ARRAY[1, 2], 10), (ARRAY[3], 3)) t(a, n) WHERE cardinality(filter(a, x -> x < n + 1)) > 0 ORDER BY t.n`,
    )
    expect(rows).toEqual([
      ['[6]', '[3]', 'true'],
      ['[11, 12]', '[2]', 'false'],
    ])
  })

  test('stand in GROUP BY, HAVING and ORDER BY as any expression', async () => {
    const { rows } = await lake.query(
      `SELECT transform(a, x -> x + 1) AS b, n, count(*), transform(ARRAY[1], k -> k + n)
       FROM (VALUES (ARRAY[1], 5), (ARRAY[1], 5), (ARRAY[2], 6)) t(a, n)
       GROUP BY transform(a, x -> x + 1), n HAVING all_match(transform(a, x -> x + 1), n -> n < 9)
       ORDER BY reduce(transform(a, x -> x + 1), 0, (s, n) -> s - n, s -> s)`,
    )
    expect(rows).toEqual([
      ['[3]', '6', '1', '[7]'],
      ['[2]', '5', '2', '[6]'],
    ])
    expect(
      (
        await lake.query(
          'SELECT n AS x, transform(a, x -> x * 2) FROM (VALUES (ARRAY[1, 2], 5)) t(a, n) ORDER BY transform(a, x -> x)[1]',
        )
      ).rows,
    ).toEqual([['5', '[2, 4]']])
  })

  test.each([
    ['SELECT transform(ARRAY[1], x -> (SELECT max(y) FROM (VALUES 1) t(y)))', 'NOT_SUPPORTED'],
    ['SELECT transform(ARRAY[1], x -> sum(x))', 'EXPRESSION_NOT_SCALAR'],
    ['SELECT transform(ARRAY[1], x -> row_number() OVER ())', 'EXPRESSION_NOT_SCALAR'],
    ['SELECT transform(ARRAY[1], x -> z)', 'COLUMN_NOT_FOUND'],
    [
      'SELECT transform(ARRAY[1], x -> x + y) FROM (VALUES (1, 2)) t(y, n) GROUP BY n',
      'EXPRESSION_NOT_AGGREGATE',
    ],
    ['SELECT reduce(ARRAY[1.5], 0, (s, x) -> s + x, s -> s)', 'NOT_SUPPORTED'],
    ['SELECT reduce(ARRAY[1], 0e0, (s, x) -> x, s -> s)', 'NOT_SUPPORTED'],
    ['SELECT transform(ARRAY[1], (x, y) -> x)', 'INVALID_PARAMETER_USAGE'],
    ['SELECT filter(ARRAY[1], x -> x)', 'FUNCTION_NOT_FOUND'],
    ['SELECT filter(ARRAY[1], x -> NULL)', 'FUNCTION_NOT_FOUND'],
    ['SELECT x -> x', 'NOT_SUPPORTED'],
    ['SELECT transform(ARRAY[1, 0], x -> 1 / x)', 'DIVISION_BY_ZERO'],
  ])('%s fails with %s', async (sql, name) => {
    expect(await failureOf(sql)).toContain(name)
  })
})

describe('UNNEST', () => {
  test('of an array without elements keeps the row of a LEFT JOIN', async () => {
    const { rows } = await lake.query(
      `SELECT n, x FROM (VALUES (1, ARRAY[5, 6]), (2, ARRAY[]), (3, NULL)) t(n, a) LEFT JOIN UNNEST(a) AS u(x) ON true ORDER BY n, x`,
    )
    expect(rows).toEqual([
      ['1', '5'],
      ['1', '6'],
      ['2', null],
      ['3', null],
    ])
  })

  test('of several arrays, rows and maps, numbered', async () => {
    const { rows } = await lake.query(
      `SELECT * FROM UNNEST(ARRAY[1, 2], ARRAY[ROW('a', 1.5), ROW('b', NULL)], MAP(ARRAY['k'], ARRAY[true]))
       WITH ORDINALITY t(a, b, c, k, v, n)`,
    )
    expect(
      (await lake.query(`SELECT * FROM UNNEST(MAP(ARRAY['k'], ARRAY[ROW(1, 2)])) t(k, v)`)).rows,
    ).toEqual([['k', '{field0=1, field1=2}']])
    expect(rows).toEqual([
      ['1', 'a', '1.5', 'k', 'true', '1'],
      ['2', 'b', null, null, null, '2'],
    ])
  })
})

test('rows of a JSON array become rows of the answer', async () => {
  const { rows } = await lake.query(
    `SELECT n, p, s FROM (VALUES (1, '[{"p":1.5,"s":"a"},{"p":2}]'), (2, '[]'), (3, NULL)) t(n, j)
     CROSS JOIN UNNEST(CAST(json_parse(j) AS ARRAY(ROW(p double, s varchar)))) AS u(p, s) ORDER BY p`,
  )
  expect(rows).toEqual([
    ['1', '1.5', 'a'],
    ['1', '2.0', null],
  ])
})

describe('aggregates that gather', () => {
  const trades = `(VALUES ('A', 1, 10e0), ('B', 2, 20e0), ('A', 3, 30e0), (NULL, 4, 40e0), ('C', NULL, 50e0)) t(s, n, p)`
  test.each([
    ['map_agg(s, n)', '{A=1, B=2, C=null}'],
    ['map_agg(s, n) FILTER (WHERE n > 1)', '{B=2, A=3}'],
    ['map_agg(s, n) FILTER (WHERE n > 100)', null],
    ['multimap_agg(s, n)', '{A=[1, 3], B=[2], C=[null]}'],
    ['histogram(s)', '{A=2, B=1, C=1}'],
    [`listagg(s, ',') WITHIN GROUP (ORDER BY s DESC)`, 'C,B,A,A'],
    [`listagg(DISTINCT s, ',') WITHIN GROUP (ORDER BY s)`, 'A,B,C'],
    ['listagg(s) WITHIN GROUP (ORDER BY n)', 'ABAC'],
    [`listagg(s, ',') WITHIN GROUP (ORDER BY s) FILTER (WHERE n > 100)`, null],
    ['max(n, 2)', '[4, 3]'],
    ['max(if(n = 1, nan(), p), 2)', '[50.0, 40.0]'],
    ['min(if(n = 1, nan(), p), 9)', '[20.0, 30.0, 40.0, 50.0, NaN]'],
    ['min(n, 2)', '[1, 2]'],
    ['max_by(s, n, 2)', '[null, A]'],
    ['min_by(s, n, 3)', '[A, B, A]'],
    ['bitwise_and_agg(n)', '0'],
    ['bitwise_or_agg(n)', '7'],
    ['approx_percentile(n, ARRAY[0.0, 1.0])', '[1, 4]'],
    ['covar_pop(n, p)', '12.5'],
    ['regr_slope(p, n)', '10.0'],
    ['regr_intercept(p, n)', '0.0'],
    ['array_agg(DISTINCT s ORDER BY s)', '[A, B, C, null]'],
    ['cardinality(array_agg(n))', '5'],
    ['transform(array_agg(n ORDER BY n), x -> x + 1)', '[2, 3, 4, 5, null]'],
    ['array_agg(ROW(s, n) ORDER BY p)[1]', '{field0=A, field1=1}'],
  ])('%s is %s', async (expression, expected) => {
    expect(await value(`${expression} FROM ${trades}`)).toBe(expected)
  })

  test.each([
    ['max(n, 0)', 'NOT_SUPPORTED'],
    [`listagg(n, ',') WITHIN GROUP (ORDER BY s)`, 'NOT_SUPPORTED'],
    [`listagg(s, ',')`, 'SYNTAX_ERROR'],
    [`listagg(s, ',' ON OVERFLOW TRUNCATE WITH COUNT) WITHIN GROUP (ORDER BY s)`, 'NOT_SUPPORTED'],
    ['map_agg(map(array[s], array[n]), n)', 'NOT_SUPPORTED'],
    ['approx_percentile(n, ARRAY[n * 1e0])', 'NOT_SUPPORTED'],
  ])('%s fails with %s', async (expression, name) => {
    expect(await failureOf(`SELECT ${expression} FROM ${trades}`)).toContain(name)
  })
})

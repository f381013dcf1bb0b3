import { afterAll, describe, expect, test } from 'vitest'
import { TestLake } from './market-lake.ts'

const lake = new TestLake()
const value = lake.value.bind(lake)
const typeOf = lake.typeOf.bind(lake)
const failureOf = lake.failureOf.bind(lake)
afterAll(() => lake[Symbol.asyncDispose]())

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

import { afterAll, describe, expect, test } from 'vitest'
import { TestLake } from './market-lake.ts'

const lake = new TestLake()
const value = lake.value.bind(lake)
const failureOf = lake.failureOf.bind(lake)
afterAll(() => lake[Symbol.asyncDispose]())

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

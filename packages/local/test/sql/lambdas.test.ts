import { afterAll, describe, expect, test } from 'vitest'
import { TestLake } from './market-lake.ts'

const lake = new TestLake()
const value = lake.value.bind(lake)
const failureOf = lake.failureOf.bind(lake)
afterAll(() => lake[Symbol.asyncDispose]())

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

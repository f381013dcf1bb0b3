import { afterAll, describe, expect, test } from 'vitest'
import { TestLake } from './market-lake.ts'

const lake = new TestLake()
const value = lake.value.bind(lake)
const failureOf = lake.failureOf.bind(lake)
afterAll(() => lake[Symbol.asyncDispose]())

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
    ['min_by(n, ROW(s, n)) FILTER (WHERE n < 4)', '1'],
    ['max_by(n, ROW(s, n)) FILTER (WHERE n < 4)', '2'],
    ['max_by(s, IF(n < 4, ROW(-n, s)))', 'A'],
    ['max_by(s, ROW(p))', 'C'],
    ['min_by(n, ROW(s IS NULL, -p))', null],
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
    ['min_by(n, ROW(s, n))', 'ROW comparison not supported for fields with null elements'],
    ['min_by(n, ROW(if(n = 1, nan(), p)))', 'does not compare a row that holds NaN'],
    ['min_by(n, ROW(ARRAY[n]))', 'min_by(integer, row(array(integer)))'],
    [`listagg(n, ',') WITHIN GROUP (ORDER BY s)`, 'NOT_SUPPORTED'],
    [`listagg(s, ',')`, 'SYNTAX_ERROR'],
    [`listagg(s, ',' ON OVERFLOW TRUNCATE WITH COUNT) WITHIN GROUP (ORDER BY s)`, 'NOT_SUPPORTED'],
    ['map_agg(map(array[s], array[n]), n)', 'NOT_SUPPORTED'],
    ['approx_percentile(n, ARRAY[n * 1e0])', 'NOT_SUPPORTED'],
  ])('%s fails with %s', async (expression, name) => {
    expect(await failureOf(`SELECT ${expression} FROM ${trades}`)).toContain(name)
  })
})

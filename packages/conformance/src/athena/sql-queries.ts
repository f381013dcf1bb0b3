import { expect } from 'vitest'
import type { CaseAthena, Cells } from './case-athena.ts'

const nan = 'nan()'
const queries: Readonly<Record<string, readonly [sql: string, rows: readonly Cells[]]>> = {
  'put NULL last, up and down': [
    'SELECT x FROM (VALUES 3, null, 1) t(x) ORDER BY x DESC',
    [['3'], ['1'], [null]],
  ],
  'put NaN above Infinity': [
    `SELECT x FROM (VALUES 1e0, ${nan}, null, infinity()) t(x) ORDER BY x DESC`,
    [['NaN'], ['Infinity'], ['1.0'], [null]],
  ],
  'skip NaN in the greatest and the least': [
    `SELECT max(x), min(x), max(y) FROM (VALUES (1e0, ${nan}), (${nan}, ${nan})) t(x, y)`,
    [['1.0', '1.0', 'NaN']],
  ],
  'sum integers as bigint and average decimals as decimals': [
    'SELECT sum(x), typeof(sum(x)), avg(y), typeof(avg(y)), avg(x) FROM (VALUES (1, 1.50), (2147483647, 2.25)) t(x, y)',
    [['2147483648', 'bigint', '1.88', 'decimal(3,2)', '1.073741824E9']],
  ],
  'aggregate no rows to NULL, but count them': [
    'SELECT sum(x), avg(x), max(x), count(x), count(*) FROM (VALUES 1) t(x) WHERE x > 1',
    [[null, null, null, '0', '0']],
  ],
  'filter and order what they aggregate': [
    `SELECT count(*) FILTER (WHERE x > 1), array_agg(x ORDER BY x DESC), listagg(y, ',') WITHIN GROUP (ORDER BY y)
     FROM (VALUES (1, 'b'), (null, 'c'), (3, 'a')) t(x, y)`,
    [['1', '[3, 1, null]', 'a,b,c']],
  ],
  'take the value at the greatest key': [
    "SELECT max_by(x, y), min_by(x, y) FROM (VALUES ('a', 2), ('b', 1), (null, 3)) t(x, y)",
    [[null, 'b']],
  ],
  'group by rollup and tell of what': [
    `SELECT x, grouping(x), count(*) FROM (VALUES 'a', 'b') t(x) GROUP BY ROLLUP (x) ORDER BY 2, 1`,
    [
      ['a', '0', '1'],
      ['b', '0', '1'],
      [null, '1', '2'],
    ],
  ],
  'frame windows by rows and by ranges': [
    `SELECT x, sum(x) OVER (ORDER BY x RANGE BETWEEN 1 PRECEDING AND CURRENT ROW),
       sum(x) OVER (ORDER BY x ROWS BETWEEN 1 PRECEDING AND CURRENT ROW) FROM (VALUES 1, 2, 4) t(x) ORDER BY x`,
    [
      ['1', '1', '1'],
      ['2', '3', '3'],
      ['4', '4', '6'],
    ],
  ],
  'rank ties': [
    `SELECT x, rank() OVER (ORDER BY x), dense_rank() OVER (ORDER BY x), lag(x, 1, 0) OVER (ORDER BY x), cume_dist() OVER (ORDER BY x)
     FROM (VALUES 1, 2, 2, 3) t(x) ORDER BY 1, 4`,
    [
      ['1', '1', '1', '0', '0.25'],
      ['2', '2', '2', '1', '0.75'],
      ['2', '2', '2', '2', '0.75'],
      ['3', '4', '3', '2', '1.0'],
    ],
  ],
  'join on all sides': [
    `SELECT a.x, b.x FROM (VALUES 1, 2) a(x) FULL JOIN (VALUES 2, 3) b(x) ON a.x = b.x ORDER BY coalesce(a.x, b.x)`,
    [
      ['1', null],
      ['2', '2'],
      [null, '3'],
    ],
  ],
  'unnest arrays with their positions, and maps': [
    `SELECT t.x, n, k, v FROM (VALUES (array['a', 'b'], map(array['k'], array[1]))) s(xs, m)
       CROSS JOIN UNNEST(xs) WITH ORDINALITY AS t(x, n) CROSS JOIN UNNEST(m) AS u(k, v) ORDER BY n`,
    [
      ['a', '1', 'k', '1'],
      ['b', '2', 'k', '1'],
    ],
  ],
  'unite, intersect and subtract without doubles': [
    `(SELECT x FROM (VALUES 1, 1, 2) t(x) UNION SELECT 3) EXCEPT SELECT 2 ORDER BY 1`,
    [['1'], ['3']],
  ],
  'keep what a subquery has, and what it has not': [
    `WITH t AS (SELECT * FROM (VALUES 1, 2, 3) t(x)) SELECT x, x IN (SELECT x FROM t WHERE x > 1), EXISTS (SELECT 1 FROM t u WHERE u.x > t.x)
     FROM t ORDER BY x`,
    [
      ['1', 'false', 'true'],
      ['2', 'true', 'true'],
      ['3', 'true', 'false'],
    ],
  ],
  'skip rows before they count the rest': [
    'SELECT x FROM UNNEST(sequence(1, 10)) t(x) ORDER BY x OFFSET 5 LIMIT 3',
    [['6'], ['7'], ['8']],
  ],
  'count what is distinct, nearly': [
    "SELECT approx_distinct(x), count(DISTINCT x) FROM (VALUES 'a', 'b', 'a', null) t(x)",
    [['2', '2']],
  ],
}

/** What clauses mean where engines differ: every table is within the query. */
export const describeSqlQueries = (athena: CaseAthena): void => {
  athena.concept('SQL queries', (it) => {
    for (const [title, [sql, rows]] of Object.entries(queries)) {
      it(title, async () => {
        expect(await athena.rows(sql)).toEqual(rows)
      })
    }

    it('name columns that have no name by their places', async () => {
      const { ResultSet } = await athena.answer('SELECT 1, 2 AS "Two", 3 AS three, count(*)')
      const names = ['_col0', 'Two', 'three', '_col3']
      const infos = ResultSet?.ResultSetMetadata?.ColumnInfo ?? []
      expect(infos.map((info) => info.Name?.toLowerCase())).toEqual(names.map((name) => name.toLowerCase()))
      expect(ResultSet?.Rows?.[0]?.Data?.map((cell) => cell.VarCharValue)).toEqual(
        infos.map((info) => info.Name),
      )
    })
  })
}

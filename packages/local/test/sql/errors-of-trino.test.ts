import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, test } from 'vitest'
import { createQueryEngine } from '../../src/sql/duckdb-query-engine.ts'
import { goldenDirectory, goldenResolver } from './golden-tables.ts'

const directory = mkdtempSync(join(tmpdir(), 'errors-'))
const engine = createQueryEngine({
  dataDirectory: directory,
  allowedDirectories: [join(goldenDirectory, 'data')],
  answerLimitBytes: 1_000_000,
})
afterAll(async () => {
  await engine.close()
  rmSync(directory, { recursive: true })
})

const run = (sql: string) => engine.run({ sql, database: 'golden', resolver: goldenResolver })

/** Statements that were once answered, or failed by another name, with what Trino 476 says. */
describe('what Trino refuses is refused', () => {
  test.each([
    ['WITH t AS (SELECT 1 x), T AS (SELECT 2 x) SELECT * FROM t', 'DUPLICATE_NAMED_QUERY'],
    ['SELECT * FROM (VALUES 1) l(k) JOIN (VALUES 1) r(k) USING (k, K)', 'DUPLICATE_COLUMN_NAME'],
    ['SELECT golden.trades.size FROM trades', 'COLUMN_NOT_FOUND'],
    ['SELECT 1 IN ((SELECT * FROM (VALUES 1, 2) t(x)))', 'SUBQUERY_MULTIPLE_ROWS'],
    ['SELECT side, count(*) FROM trades GROUP BY ROLLUP (1)', 'INVALID_COLUMN_REFERENCE'],
    ['SELECT lower(side) FROM trades GROUP BY GROUPING SETS ((lower(side)))', 'INVALID_COLUMN_REFERENCE'],
    ["SELECT date_add('millisecond', size + 2147483648, ts) FROM trades", 'INVALID_FUNCTION_ARGUMENT'],
    ['SELECT bid FROM quotes ORDER BY bid FETCH FIRST 0 ROWS ONLY', 'NUMERIC_VALUE_OUT_OF_RANGE'],
    ['SELECT bid, bid FROM quotes ORDER BY bid', 'AMBIGUOUS_NAME'],
    ['SELECT *, bid FROM quotes ORDER BY bid + 1', 'AMBIGUOUS_NAME'],
    ['SELECT bid AS x, ask AS x FROM quotes ORDER BY -x', 'AMBIGUOUS_NAME'],
    ['SELECT side FROM trades GROUP BY side ORDER BY max(side)', 'COLUMN_NOT_FOUND'],
    ['SELECT 1 AS size FROM trades GROUP BY side ORDER BY max(size)', 'COLUMN_NOT_FOUND'],
    ['SELECT sum(size) OVER (w ORDER BY id) FROM trades WINDOW w AS (ORDER BY ts)', 'INVALID_ORDER_BY'],
    ['SELECT sum(size) OVER (w PARTITION BY side) FROM trades WINDOW w AS ()', 'INVALID_PARTITION_BY'],
    [
      'SELECT sum(size) OVER (w) FROM trades WINDOW w AS (ORDER BY id ROWS 2 PRECEDING)',
      'INVALID_WINDOW_REFERENCE',
    ],
    ['SELECT sum(size) OVER w FROM trades WINDOW w AS (v), v AS ()', 'INVALID_WINDOW_REFERENCE'],
    ['SELECT 1 FROM trades WINDOW w AS (), W AS ()', 'DUPLICATE_WINDOW_NAME'],
    ...[
      'BETWEEN UNBOUNDED FOLLOWING AND CURRENT ROW',
      'BETWEEN CURRENT ROW AND UNBOUNDED PRECEDING',
      'BETWEEN CURRENT ROW AND 1 PRECEDING',
      'BETWEEN 1 FOLLOWING AND 1 PRECEDING',
      '1 FOLLOWING',
    ].map((frame) => [
      `SELECT sum(size) OVER (ORDER BY id ROWS ${frame}) FROM trades`,
      'INVALID_WINDOW_FRAME',
    ]),
    ["SELECT timestamp '2024-03-10 02:30:00 America/New_York'", 'INVALID_LITERAL'],
    ["SELECT timestamp '2024-03-10 03:00:00' AT TIME ZONE '+14:30'", 'INVALID_FUNCTION_ARGUMENT'],
    ["SELECT timestamp '2024-03-10 03:00:00' AT TIME ZONE '+05:60'", 'INVALID_FUNCTION_ARGUMENT'],
    ["SELECT date '2024-02-30'", 'INVALID_LITERAL'],
    ["SELECT integer 'abc'", 'INVALID_LITERAL'],
    ['SELECT t.foo FROM (VALUES 1) t(t)', 'TYPE_MISMATCH'],
  ])('%s: %s', async (sql, errorName) => {
    await expect(run(sql!)).rejects.toMatchObject({ errorName })
  })

  test('hours that come twice and the ends of the zones are answered', async () => {
    const { rows } = await run(
      `SELECT timestamp '2024-11-03 01:30:00 America/New_York', timestamp '2024-03-10 03:00:00 America/New_York',
        timestamp '2024-03-10 00:00:00' AT TIME ZONE '-14:00'`,
    )
    expect(rows).toEqual([
      [
        '2024-11-03 01:30:00 America/New_York',
        '2024-03-10 03:00:00 America/New_York',
        '2024-03-09 10:00:00 -14:00',
      ],
    ])
  })

  test('columns have the names that the statement gives them, in its case', async () => {
    const { columns } = await run('SELECT T.Bid, ASK AS Ask, 1 AS "a B", q.* FROM (SELECT 1 X) q, Quotes T')
    expect(columns.map(({ name }) => name)).toEqual(['Bid', 'Ask', 'a B', 'X'])
  })
})

describe('statements and answers without end', () => {
  const nested = (open: string, close: string, depth: number): string =>
    `SELECT ${open.repeat(depth)}1${close.repeat(depth)}`

  test.each([
    ['parentheses', nested('(', ')', 50_000)],
    ['queries', nested('(SELECT ', ')', 5_000)],
    ['signs', nested('- ', '', 30_000)],
    ['sums', nested('', ' + 1', 30_000)],
    ['unions', nested('', ' UNION ALL SELECT 1', 30_000)],
    ['types', `SELECT CAST(NULL AS ${'array('.repeat(30_000)}integer${')'.repeat(30_000)})`],
  ])('%s nested too deep are an error that says so', async (_, sql) => {
    await expect(run(sql)).rejects.toMatchObject({ errorName: 'STACK_OVERFLOW', category: 2 })
  })

  test('what would multiply by nesting is refused', async () => {
    const sql = `SELECT ${'('.repeat(60)}true${' BETWEEN false AND true)'.repeat(60)}`
    await expect(run(sql)).rejects.toMatchObject({
      errorName: 'NOT_SUPPORTED',
      message: expect.stringContaining('as large as this one'),
    })
  })

  test('queries in parentheses, level by level, are read once', async () => {
    const depth = 40
    const sql = `SELECT * FROM ${'((SELECT 1 AS a FROM '.repeat(depth)}(SELECT 1 AS b)${') x)'.repeat(depth)}`
    expect((await run(sql)).rows).toEqual([['1']])
    await expect(run(sql.replace('AS b', 'AS'))).rejects.toMatchObject({ errorName: 'SYNTAX_ERROR' })
  })

  test('a pattern that never ends is refused', async () => {
    const sql = `SELECT regexp_like('${'a'.repeat(60)}b', '(a+)+$')`
    await expect(run(sql)).rejects.toMatchObject({
      errorName: 'NOT_SUPPORTED',
      message: expect.stringContaining('does not match a pattern for longer than'),
    })
    expect((await run(`SELECT regexp_like('aaa', '(a+)+$')`)).rows).toEqual([['true']])
  })

  test('texts and answers that would not fit in memory are refused', async () => {
    const texts = `SELECT max(rpad('a', 1000000, 'b')) FROM UNNEST(sequence(1, 1000)) AS t(x)`
    await expect(run(texts)).rejects.toMatchObject({ message: expect.stringContaining('texts this long') })
    const rows = `SELECT a.x FROM UNNEST(sequence(1, 10000)) AS a(x) CROSS JOIN UNNEST(sequence(1, 10000)) AS b(x)`
    await expect(run(rows)).rejects.toMatchObject({
      message: expect.stringContaining('answers of more than 1000000 bytes'),
    })
  }, 60_000)

  test('U+0000 in a statement is refused', async () => {
    await expect(run(`SELECT 'a\0b'`)).rejects.toMatchObject({ errorName: 'NOT_SUPPORTED' })
  })
})

import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { QueryError } from '../../src/sql/query-engine.ts'
import { TestLake } from './market-lake.ts'

const lake = new TestLake()

beforeAll(async () => {
  const days = ['2024-03-08', '2024-03-09', '2024-03-10']
  const select = (day: string, ticker: string): string =>
    `SELECT * FROM (VALUES
      (CAST(1 AS BIGINT), CAST(10.5 AS DECIMAL(18,4)), CAST(1.5 AS DOUBLE), '${ticker}', TIMESTAMP '${day} 10:00:00.123'),
      (CAST(2 AS BIGINT), CAST(20.25 AS DECIMAL(18,4)), CAST('NaN' AS DOUBLE), NULL, TIMESTAMP '${day} 11:00:00'),
      (CAST(3 AS BIGINT), NULL, NULL, 'ß', NULL)) t(ID, price, ratio, symbol, ts)`
  const files = await lake.files(
    days.flatMap((day) =>
      ['AAPL', 'BRK.B'].map((ticker) => ({
        path: `trades/dt=${day}/ticker=${ticker}/part.parquet`,
        select: select(day, ticker),
        partitionValues: [day, ticker],
      })),
    ),
  )
  const columns = { id: 'bigint', price: 'decimal(18,4)', ratio: 'double', symbol: 'string', ts: 'timestamp' }
  lake.table('trades', columns, { dt: 'string', ticker: 'string' }, files)
  lake.table('empty', columns, { dt: 'string' }, [])

  lake.table('evolved', { a: 'bigint', b: 'double', c: 'string', d: 'date' }, { p: 'int' }, [
    await lake.file('evolved/p=1/old.parquet', `SELECT CAST(7 AS INTEGER) AS A, CAST(0.5 AS FLOAT) AS b`, [
      '1',
    ]),
    await lake.file(
      'evolved/p=2/new.parquet',
      `SELECT 'x' AS c, CAST(9000000000 AS BIGINT) AS a, 1.5::DOUBLE AS b, DATE '2024-02-29' AS d, 1 AS unknown`,
      ['2'],
    ),
    await lake.file('evolved/p=null/rest.parquet', `SELECT 'y' AS c`, [null]),
  ])
  lake.table('wrong', { a: 'int', b: 'bigint' }, {}, [
    await lake.file('wrong/good.parquet', `SELECT 1::INTEGER AS a, 1::BIGINT AS b`),
    await lake.file('wrong/bad.parquet', `SELECT 'text' AS a, 2::BIGINT AS b`),
  ])
  lake.table('narrow', { a: 'tinyint' }, {}, [await lake.file('narrow/a.parquet', 'SELECT 300::BIGINT AS a')])
  lake.table('fine', { ts: 'timestamp' }, {}, [
    await lake.file(
      'fine/micros.parquet',
      `SELECT unnest([TIMESTAMP '2024-01-01 00:00:00.999500', TIMESTAMP '1969-12-31 23:59:59.999999',
        TIMESTAMP '2024-01-01 00:00:00.000499']) AS ts`,
    ),
    await lake.file(
      'fine/utc.parquet',
      `SELECT CAST(TIMESTAMPTZ '2024-06-01 12:00:00.5+02' AS TIMESTAMPTZ) AS ts`,
    ),
  ])
  lake.table('finer', { ts: 'timestamp' }, {}, [
    await lake.file(
      'finer/nanos.parquet',
      `SELECT make_timestamp_ns(unnest([499999, 500000, -1, -500000, -500001, -500300, -1500000, 1700000000123499999,
        1700000000123500000]::BIGINT[])) AS ts UNION ALL SELECT NULL`,
    ),
  ])
  // The same, written by pyarrow as Spark and awswrangler write timestamps.
  const int96 = fileURLToPath(new URL('fixtures/int96.parquet', import.meta.url))
  lake.table('finest', { ts: 'timestamp' }, {}, [lake.copy('finest/int96.parquet', int96)])
  lake.table('odd names', { value: 'int' }, { key: 'string' }, [
    await lake.file('odd/key=[a]*?/x y.parquet', 'SELECT 1::INTEGER AS value', ["[a]*? 'é"]),
    await lake.file('odd/key=a/x y.parquet', 'SELECT 2::INTEGER AS value', ['a']),
  ])
}, 60_000)

afterAll(() => lake[Symbol.asyncDispose]())
const failureOf = lake.failureOf.bind(lake)

async function rows(
  sql: string,
  parameters?: readonly string[],
): Promise<readonly (readonly (string | null)[])[]> {
  return (await lake.query(sql, { ...(parameters && { parameters }) })).rows
}

describe('tables', () => {
  test('a table is found by name, by database and by catalog, in any case', async () => {
    for (const name of ['trades', 'TRADES', '"Trades"', 'market.trades', 'AwsDataCatalog.Market.trades']) {
      expect(await rows(`SELECT count(*) FROM ${name}`)).toEqual([['18']])
    }
  })

  test('columns are found in any case and by their table, as far as the statement names it', async () => {
    const sql = 'SELECT trades.ID, Market.trades.Price, "ticker" FROM market.trades WHERE id = 1 LIMIT 1'
    expect(await rows(sql)).toEqual([['1', '10.5000', 'AAPL']])
    expect(await failureOf('SELECT market.trades.id FROM trades')).toContain('COLUMN_NOT_FOUND')
  })

  test('a table without files has its columns and no rows', async () => {
    const { columns, rows: none, scannedBytes } = await lake.query('SELECT * FROM empty')
    expect(columns.map(({ name, type }) => `${name} ${type}`)).toEqual([
      'id bigint',
      'price decimal(18,4)',
      'ratio double',
      'symbol varchar',
      'ts timestamp(3)',
      'dt varchar',
    ])
    expect([none, scannedBytes]).toEqual([[], 0])
    expect(await rows('SELECT count(*), sum(price), max(ratio) FROM empty')).toEqual([['0', null, null]])
  })

  test('"$path" answers the object, and * leaves it out', async () => {
    expect(
      await rows(`SELECT "$path" FROM trades WHERE dt = '2024-03-09' AND ticker = 'BRK.B' AND id = 1`),
    ).toEqual([['s3://lake/trades/dt=2024-03-09/ticker=BRK.B/part.parquet']])
  })

  test('missing columns are NULL, widened ones read, names matched without case, partitions without value NULL', async () => {
    expect(await rows('SELECT a, b, c, d, p FROM evolved ORDER BY p')).toEqual([
      ['7', '0.5', null, null, '1'],
      ['9000000000', '1.5', 'x', '2024-02-29', '2'],
      [null, null, 'y', null, null],
    ])
  })

  test('a file whose column has another type is an error, unless the column is not asked for', async () => {
    expect(await failureOf('SELECT a FROM wrong')).toMatch(
      /^HIVE_BAD_DATA: Unsupported Trino column type \(integer\) for Parquet column \(\[a\].*wrong\/bad\.parquet/,
    )
    expect(await rows('SELECT sum(b) FROM wrong')).toEqual([['3']])
    expect(await failureOf('SELECT a FROM narrow')).toMatch(/^NUMERIC_VALUE_OUT_OF_RANGE/)
  })

  test('timestamps finer than milliseconds round half up; UTC times show their wall clock', async () => {
    expect(await rows('SELECT ts FROM fine ORDER BY ts')).toEqual([
      ['1970-01-01 00:00:00.000'],
      ['2024-01-01 00:00:00.000'],
      ['2024-01-01 00:00:01.000'],
      ['2024-06-01 10:00:00.500'],
    ])
  })

  test.each(['finer', 'finest'])('nanoseconds round half up once, also before 1970: %s', async (table) => {
    expect(await rows(`SELECT ts FROM ${table} ORDER BY ts NULLS FIRST`)).toEqual([
      [null],
      ['1969-12-31 23:59:59.999'],
      ['1969-12-31 23:59:59.999'],
      ['1969-12-31 23:59:59.999'],
      ['1970-01-01 00:00:00.000'],
      ['1970-01-01 00:00:00.000'],
      ['1970-01-01 00:00:00.000'],
      ['1970-01-01 00:00:00.001'],
      ['2023-11-14 22:13:20.123'],
      ['2023-11-14 22:13:20.124'],
    ])
    expect(await rows(`SELECT count(*) FROM ${table} WHERE ts < TIMESTAMP '1970-01-01'`)).toEqual([['3']])
  })

  test('paths with pattern characters are read literally', async () => {
    expect(await rows('SELECT key, value FROM "odd names" ORDER BY value')).toEqual([
      ["[a]*? 'é", '1'],
      ['a', '2'],
    ])
  })
})

describe('partition pruning', () => {
  test.each([
    [`dt = '2024-03-09'`, 2],
    [`'2024-03-09' = dt AND ticker = 'AAPL'`, 1],
    [`dt IN ('2024-03-08', '2024-03-10') AND ticker <> 'AAPL'`, 2],
    [`dt BETWEEN '2024-03-09' AND '2024-03-11'`, 4],
    [`dt > '2024-03-08' AND dt < '2024-03-10' AND id > 1`, 2],
    [`dt = '2030-01-01'`, 0],
    [`dt = '2024-03-08' OR id = 1`, 6],
  ])('WHERE %s reads %i files', async (where, files) => {
    const { rows: answer, scannedBytes } = await lake.query(
      `SELECT dt, ticker, id FROM trades WHERE ${where}`,
    )
    expect(lake.listed).toHaveLength(files)
    expect(scannedBytes).toBe(lake.listed.reduce((sum, { size }) => sum + size, 0))
    const { rows: unpruned } = await lake.query(
      `SELECT * FROM (SELECT dt, ticker, id FROM trades) WHERE ${where}`,
    )
    expect(answer.toSorted()).toEqual(unpruned.toSorted())
  })

  test.each([
    [`substr(dt, 9) = '09'`, 2],
    [`NOT dt = '2024-03-08'`, 4],
    [`dt LIKE '%-08' OR dt = '2024-03-10' AND ticker = 'AAPL'`, 3],
    [`cast(dt AS date) - interval '1' day = date '2024-03-08' AND id > 0`, 2],
    [`coalesce(dt, ticker) = '2024-03-09'`, 2],
    // It holds for NULLs, which an outer join may make.
    [`dt IS NULL OR dt = '2024-03-09'`, 6],
    // It fails for a partition: the query may never come to it.
    [`cast(ticker AS integer) = 1 AND false`, 6],
    [`dt = (SELECT '2024-03-09')`, 6],
  ])('WHERE %s is evaluated over the keys and reads %i files', async (where, count) => {
    const select = `SELECT dt, ticker, id, "$path" FROM trades`
    const { rows: answer, scannedBytes } = await lake.query(`${select} WHERE ${where}`)
    const { rows: all } = await lake.query(select)
    const sizes = new Map(lake.listed.map(({ uri, size }) => [uri, size]))
    const days = new Set(answer.map((row) => row[3]!))
    if (count < 6) {
      expect(days.size).toBe(count)
      expect(scannedBytes).toBe([...days].reduce((sum, uri) => sum + sizes.get(uri)!, 0))
    } else expect(scannedBytes).toBe([...sizes.values()].reduce((sum, size) => sum + size, 0))
    const { rows: unpruned } = await lake.query(`SELECT * FROM (${select} OFFSET 0) WHERE ${where}`)
    expect(answer.toSorted()).toEqual(unpruned.toSorted())
    expect(all.length).toBeGreaterThan(0)
  })

  test('what an outer join fills with NULLs is not made by pruning', async () => {
    const join = `(VALUES '2024-03-08', '2024-03-09', 'none') d(day) LEFT JOIN trades t ON d.day = t.dt`
    const sql = (where: string) => `SELECT DISTINCT day FROM ${join} WHERE ${where} ORDER BY 1`
    expect(await rows(sql(`coalesce(t.dt, '2024-03-09') = '2024-03-09'`))).toEqual([['2024-03-09'], ['none']])
    expect(await rows(sql(`substr(t.dt, 9) = '09'`))).toEqual([['2024-03-09']])
  })

  const daily = 'w AS (SELECT dt, count(*) n FROM trades GROUP BY dt)'
  test.each([
    [daily, `SELECT dt, n FROM w WHERE dt = '2024-03-09'`, 2],
    [daily, `SELECT dt, n FROM w WHERE substr(dt, 9) = '09'`, 2],
    [
      daily,
      `SELECT a.n FROM w a JOIN w b ON a.dt >= b.dt AND b.dt = '2024-03-08' WHERE a.dt < '2024-03-10'`,
      4,
    ],
    [daily, `SELECT a.n FROM w a, w b WHERE a.dt LIKE '%-08' AND b.dt LIKE '%-10'`, 4],
    [daily, `SELECT a.n FROM w a, w b WHERE a.dt = '2024-03-08'`, 6],
    [daily, `SELECT (SELECT sum(n) FROM w WHERE dt = '2024-03-09') FROM w WHERE dt = '2024-03-08'`, 4],
    [`${daily}, v AS (SELECT * FROM w WHERE n > 0)`, `SELECT n FROM v WHERE dt = '2024-03-09'`, 2],
    [
      `${daily}, v AS (SELECT * FROM w WHERE n > 0)`,
      `SELECT v.n FROM v, w WHERE v.dt = '2024-03-09' AND w.dt = '2024-03-10'`,
      4,
    ],
    [
      'w AS (SELECT dt, id n FROM trades ORDER BY id LIMIT 100)',
      `SELECT n FROM w WHERE dt = '2024-03-09'`,
      6,
    ],
    [
      'w AS (SELECT dt, rank() OVER (ORDER BY dt) n FROM trades)',
      `SELECT n FROM w WHERE dt = '2024-03-09'`,
      6,
    ],
    ['w AS (SELECT dt FROM trades), v AS (SELECT * FROM w)', `SELECT 1`, 0],
  ])(
    'of named queries what their readers need is read: WITH %s %s reads %i files',
    async (named, query, files) => {
      const { rows: answer, scannedBytes } = await lake.query(`WITH ${named} ${query}`)
      const all = (await lake.query('SELECT id FROM trades')).scannedBytes
      expect(Math.round((scannedBytes / all) * 6)).toBe(files)
      const { rows: unpruned } = await lake.query(
        `WITH ${named.replace(/GROUP BY dt/, 'GROUP BY dt LIMIT 9')} ${query}`,
      )
      expect(answer.toSorted()).toEqual(unpruned.toSorted())
    },
  )

  test('what is analysed twice is read once', async () => {
    const { scannedBytes: once } = await lake.query('SELECT id FROM trades')
    const sql = 'SELECT dt, (SELECT max(id) FROM trades b WHERE b.dt = a.dt) FROM trades a GROUP BY dt'
    expect((await lake.query(sql)).scannedBytes).toBe(2 * once)
  })

  test('a parameter prunes, and each reference to a table by itself', async () => {
    await lake.query('SELECT 1 FROM trades WHERE dt = ?', { parameters: [`'2024-03-09'`] })
    expect(lake.listed).toHaveLength(2)
    await lake.query(
      `SELECT 1 FROM trades a JOIN trades b ON a.dt = b.dt AND b.dt = '2024-03-09' WHERE a.ticker = 'AAPL'`,
    )
    expect(lake.listed).toHaveLength(3 + 2)
  })

  test('an integer key compares as a number', async () => {
    expect(await rows('SELECT p FROM evolved WHERE p >= 2')).toEqual([['2']])
    expect(lake.listed).toHaveLength(1)
  })
})

describe('parameters', () => {
  test('each ? takes one expression', async () => {
    expect(
      await rows('SELECT id FROM trades WHERE dt = ? AND price > ? AND ticker IN (?, ?)', [
        `'2024-03-08'`,
        '10.50',
        `'AAPL'`,
        `'it''s'`,
      ]),
    ).toEqual([['2']])
    expect(
      await rows('SELECT id FROM trades WHERE dt = ? ORDER BY id LIMIT ?', [`'2024-03-08'`, '1']),
    ).toEqual([['1']])
    expect(await rows('SELECT (SELECT 1) + ?, ((?))', ['2', '3'])).toEqual([['3', '3']])
  })

  test('another count, columns and statements are refused', async () => {
    expect(await failureOf('SELECT ?')).toMatch(
      /^INVALID_PARAMETER_USAGE: Incorrect number of parameters: expected 1 but found 0/,
    )
    expect(await failureOf('SELECT ?', ['1', '2'])).toMatch(/expected 1 but found 2/)
    expect(await failureOf('SELECT ? FROM trades', ['id'])).toMatch(/^COLUMN_NOT_FOUND/)
    expect(await failureOf('SELECT ?', ['1; SELECT 2'])).toMatch(/^SYNTAX_ERROR/)
    expect(await failureOf('SELECT ?', ['1) UNION (SELECT 2'])).toMatch(/^SYNTAX_ERROR/)
  })
})

describe('a condition on a partition key of a subquery', () => {
  const day = "'2024-03-09'"
  const days = async (sql: string): Promise<readonly string[]> => {
    await lake.query(sql)
    return [...new Set(lake.listed.map(({ partitionValues }) => partitionValues[0]!))].sort()
  }

  test.each([
    `SELECT count(*) FROM (SELECT id, dt FROM trades) WHERE dt = ${day}`,
    `SELECT count(*) FROM (SELECT * FROM trades WHERE id > 0) AS t (a, b, c, d, e, f, g) WHERE f = ${day}`,
    `SELECT n FROM (SELECT dt AS day, count(*) AS n FROM trades GROUP BY dt) WHERE day = ${day}`,
    `SELECT n FROM (SELECT dt, ticker, count(*) AS n FROM trades GROUP BY 1, 2) WHERE dt = ${day} AND n > 0`,
    `SELECT 1 FROM (SELECT dt FROM (SELECT DISTINCT dt FROM trades)) WHERE dt IN (${day})`,
    `SELECT 1 FROM (SELECT a.dt FROM trades a JOIN (VALUES 1) AS b (id) ON a.id = b.id) WHERE dt = ${day}`,
  ])('%s reads that day only', async (sql) => {
    expect(await days(sql)).toEqual(['2024-03-09'])
  })

  test.each([
    `SELECT n FROM (SELECT dt, count(*) OVER () AS n FROM trades) WHERE dt = ${day}`,
    `SELECT dt FROM (SELECT dt FROM trades ORDER BY dt LIMIT 3) WHERE dt = ${day}`,
    `SELECT dt FROM ((SELECT dt FROM trades) ORDER BY dt LIMIT 3) WHERE dt = ${day}`,
    `SELECT n FROM (SELECT dt, count(*) AS n FROM trades GROUP BY ROLLUP (dt)) WHERE dt = ${day}`,
    `WITH t AS (SELECT dt FROM trades) SELECT a.dt FROM t AS a, t AS b WHERE a.dt = ${day}`,
    `SELECT 1 FROM (SELECT concat(dt, '') AS dt FROM trades) WHERE dt = ${day}`,
  ])('%s reads all days', async (sql) => {
    expect(await days(sql)).toEqual(['2024-03-08', '2024-03-09', '2024-03-10'])
  })

  test('changes no answer', async () => {
    expect(
      await rows(
        `SELECT dt, n FROM (SELECT dt, count(*) AS n FROM trades GROUP BY dt) WHERE dt BETWEEN '2024-03-09' AND '2024-03-10' ORDER BY dt`,
      ),
    ).toEqual([
      ['2024-03-09', '6'],
      ['2024-03-10', '6'],
    ])
    expect(
      await rows(
        `SELECT count(*) FROM (SELECT b.dt FROM trades a LEFT JOIN trades b ON a.id = b.id AND a.dt = b.dt AND a.ticker = b.ticker) WHERE dt = ${day}`,
      ),
    ).toEqual([['6']])
  })
})

describe('errors have Trino names', () => {
  test.each([
    ['SELEC 1', /^NOT_SUPPORTED: line 1:1: .*SELEC/],
    ['SELECT FROM trades', /^SYNTAX_ERROR: line 1:8: mismatched input 'FROM'/],
    ['SELECT 1 +', /^SYNTAX_ERROR: line 1:11: mismatched input '<EOF>'/],
    [`SELECT 'open`, /^SYNTAX_ERROR: line 1:8/],
    ['SELECT\n  nothing FROM trades', /^COLUMN_NOT_FOUND: line 2:3: Column 'nothing' cannot be resolved/],
    [
      'SELECT 1 FROM missing',
      /^TABLE_NOT_FOUND: line 1:15: Table 'awsdatacatalog.market.missing' does not exist/,
    ],
    ['SELECT 1 FROM hive.market.trades', /^CATALOG_NOT_FOUND/],
    ['SELECT nosuch(1)', /^FUNCTION_NOT_FOUND: line 1:8: Function 'nosuch' not registered/],
    ['SELECT soundex(symbol) FROM trades', /^NOT_SUPPORTED: line 1:8: .*the function soundex/],
    [`SELECT 1 = 'a'`, /^TYPE_MISMATCH: line 1:10: Cannot apply operator: integer = varchar\(1\)/],
    [`SELECT 1 + 'a'`, /^TYPE_MISMATCH/],
    ['SELECT 1 / 0', /^DIVISION_BY_ZERO: Division by zero/],
    ['SELECT 1.0 / 0', /^DIVISION_BY_ZERO/],
    ['SELECT id / (id - id) FROM trades', /^DIVISION_BY_ZERO/],
    ['SELECT 9223372036854775807 + 1', /^NUMERIC_VALUE_OUT_OF_RANGE: bigint addition overflow/],
    ['SELECT count(*) FROM trades WHERE id + 9223372036854775807 <= 1', /^NUMERIC_VALUE_OUT_OF_RANGE/],
    ['SELECT CAST(1000 AS decimal(3,1))', /^NUMERIC_VALUE_OUT_OF_RANGE/],
    [`SELECT CAST('x' AS bigint)`, /^INVALID_CAST_ARGUMENT: Cannot cast 'x' to BIGINT/],
    [
      'SELECT id, count(*) FROM trades',
      /^EXPRESSION_NOT_AGGREGATE: line 1:8: 'id' must be an aggregate expression/,
    ],
    ['SELECT id n FROM trades GROUP BY n', /^COLUMN_NOT_FOUND/],
    ['SELECT id FROM trades WHERE count(*) > 1', /^EXPRESSION_NOT_SCALAR/],
    ['SELECT (SELECT id FROM trades)', /^SUBQUERY_MULTIPLE_ROWS/],
    ['SELECT symbol FROM trades a JOIN trades b ON a.id = b.id', /^AMBIGUOUS_NAME/],
    ['SELECT 1 UNION SELECT 1, 2', /^TYPE_MISMATCH/],
    ['CREATE TABLE x (a int)', /^NOT_SUPPORTED: line 1:1: .*CREATE/],
    ['SELECT DISTINCT id FROM trades ORDER BY price', /^EXPRESSION_NOT_IN_DISTINCT/],
  ])('%s', async (sql, message) => {
    expect(await failureOf(sql)).toMatch(message)
  })
})

describe('the sandbox', () => {
  test.each([
    `SELECT * FROM read_csv('/etc/passwd')`,
    `SELECT * FROM '/etc/passwd'`,
    `SELECT * FROM "/etc/passwd"`,
    `SELECT read_text('/etc/passwd')`,
    `SELECT getenv('HOME')`,
    `SELECT * FROM duckdb_settings`,
    `ATTACH '/tmp/x.db'`,
    `COPY trades TO '/tmp/x'`,
    'INSTALL httpfs',
    'PRAGMA database_list',
    `SELECT 1; DROP TABLE trades`,
    `SELECT symbol FROM trades WHERE symbol = '' OR read_blob('/etc/passwd') IS NULL`,
  ])('%s is refused', async (sql) => {
    expect(await failureOf(sql)).toMatch(/^(NOT_SUPPORTED|SYNTAX_ERROR|TABLE_NOT_FOUND|FUNCTION_NOT_FOUND): /)
  })

  test('a table whose files lie outside the allowed directories is not read', async () => {
    lake.table('outside', { a: 'int' }, {}, [
      { filePath: '/etc/hostname', uri: 's3://lake/x', size: 1, partitionValues: [] },
    ])
    expect(await failureOf('SELECT a FROM outside')).toMatch(/disabled by configuration|Cannot access/)
  })
})

describe('running', () => {
  test('an aborted query ends at once with the reason', async () => {
    const reason = new Error('stopped')
    const endless =
      'SELECT count(*) FROM trades a, trades b, trades c, trades d, trades e, trades f, trades g, trades h WHERE a.id + b.id + c.id + d.id + e.id + f.id + g.id + h.id < 0'
    const abort = new AbortController()
    const running = lake.query(endless, { signal: abort.signal })
    setTimeout(() => abort.abort(reason), 200)
    const start = performance.now()
    await expect(running).rejects.toBe(reason)
    expect(performance.now() - start).toBeLessThan(1500)
    await expect(lake.query('SELECT 1', { signal: abort.signal })).rejects.toBe(reason)
  })

  test('queries run beside each other', async () => {
    const answers = await Promise.all(
      Array.from({ length: 64 }, (_, i) =>
        lake.query(`SELECT count(*) + ${i}, sum(price / 3) FROM trades WHERE dt = '2024-03-09'`),
      ),
    )
    expect(answers.map(({ rows: [row] }) => row![0])).toEqual(
      Array.from({ length: 64 }, (_, i) => String(6 + i)),
    )
  })

  test('a query beyond the memory limit fails, and the next one answers', async () => {
    await using small = new TestLake('20MB')
    small.table('numbers', { n: 'bigint', t: 'string' }, {}, [
      await small.file(
        'n/a.parquet',
        `SELECT i AS n, repeat(md5(i::VARCHAR), 8) AS t FROM range(300000) r(i)`,
      ),
    ])
    const heavy = small.query('SELECT max_by(t, n), count(DISTINCT t) FROM numbers a')
    const outcome = await heavy.then(
      ({ rows: [row] }) => row![1],
      (error: QueryError) => error.errorName,
    )
    expect(['300000', 'EXCEEDED_GLOBAL_MEMORY_LIMIT']).toContain(outcome)
    expect((await small.query('SELECT count(*) FROM numbers')).rows).toEqual([['300000']])
  })

  test('a closed engine refuses', async () => {
    const closed = new TestLake()
    await closed.query('SELECT 1')
    await closed[Symbol.asyncDispose]()
    await expect(closed.query('SELECT 1')).rejects.toThrow('closed')
  })
})

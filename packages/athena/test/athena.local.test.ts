import { AthenaClient, BatchGetQueryExecutionCommand } from '@aws-sdk/client-athena'
import { type ColumnRecord, Decimal, day, defineTable, identity, t } from '@stockpipe/core'
import { type LocalStack, startLocalStack } from '@stockpipe/local'
import { afterAll, beforeAll, expect, test } from 'vitest'
import {
  type Athena,
  bestAndWorstDay,
  createAthena,
  dailyBars,
  type MarketQuery,
  movingAverage,
  QueryFailedError,
  rowsPer,
  sql,
  volumeWeightedAveragePrice,
} from '../src/index.ts'

let stack: LocalStack
const newClient = () => {
  const { endpoint, region, accessKeyId, secretAccessKey } = stack.aws
  return new AthenaClient({ endpoint, region, credentials: { accessKeyId, secretAccessKey } })
}
let client: AthenaClient
let athena: Athena

/** This package has no S3 client: the signer of a Athena client of its own signs the one request. */
const createBucket = async (bucket: string) => {
  const signer = await newClient().config.signer({
    name: 'sigv4',
    signingName: 's3',
    signingRegion: stack.aws.region,
    properties: {},
  })
  const { hostname, port, host } = new URL(stack.aws.endpoint)
  const request = {
    method: 'PUT',
    protocol: 'http:',
    hostname,
    port: Number(port),
    path: `/${bucket}`,
    query: {},
    headers: { host },
  }
  const { headers } = await signer.sign(request as never, { signingService: 's3' } as never)
  const { host: _, ...sent } = headers
  const response = await fetch(`${stack.aws.endpoint}/${bucket}`, { method: 'PUT', headers: sent })
  expect(response.status, await response.text()).toBe(200)
}

beforeAll(async () => {
  stack = await startLocalStack({ httpPort: 0, kafkaPort: 0 })
  client = newClient()
  await createBucket('results')
  athena = createAthena({
    client,
    database: 'default',
    outputLocation: 's3://results/athena/',
    poll: { initialMillis: 10, maximumMillis: 50 },
  })
})
afterAll(async () => {
  client?.destroy()
  await stack?.close()
})

test('every type is decoded as stated', async () => {
  const { rows, queryExecutionId } = await athena.query({
    sql: `SELECT true AS flag, CAST(7 AS tinyint) AS tiny, 2147483647 AS whole, 9223372036854775807 AS big,
      CAST('NaN' AS double) AS nan, DECIMAL '12345678901234567890.1234' AS price, 'it''s' AS name, '' AS empty,
      CAST(NULL AS varchar) AS nothing, DATE '2024-02-29' AS on_day, TIMESTAMP '2024-03-08 14:30:00.123' AS at`,
    columns: {
      flag: t.boolean(),
      tiny: t.int8(),
      whole: t.int32(),
      big: t.int64(),
      nan: t.double(),
      price: t.decimal(24, 4),
      name: t.string(),
      empty: t.string(),
      nothing: t.string().nullable(),
      on_day: t.date(),
      at: t.timestamp(),
    },
  })
  expect(queryExecutionId).not.toBe('')
  expect(rows).toEqual([
    {
      flag: true,
      tiny: 7,
      whole: 2147483647,
      big: 9223372036854775807n,
      nan: Number.NaN,
      price: Decimal.parse('12345678901234567890.1234'),
      name: "it's",
      empty: '',
      nothing: null,
      on_day: '2024-02-29',
      at: new Date('2024-03-08T14:30:00.123Z'),
    },
  ])
})

test('parameters arrive as what they are, also when long and hostile', async () => {
  const hostile = `' OR 1=1 -- \\' "?" ${'x'.repeat(1100)}`
  const { rows } = await athena.query({
    ...sql`SELECT count(*) AS n, max(v) AS v FROM (VALUES ${hostile}, 'other') AS x(v)
      WHERE v = ${hostile} AND 5 = ${5n} AND TIMESTAMP '2024-03-08 14:30:00' = ${new Date('2024-03-08T14:30:00Z')}
      AND DECIMAL '1.50' = ${Decimal.parse('1.5')} AND 0.1E0 = ${0.1} AND true = ${true}`,
    columns: { n: t.int64(), v: t.string().nullable() },
  })
  expect(rows).toEqual([{ n: 1n, v: hostile }])
})

const fifty = Array.from({ length: 50 }, (_, index) => index).join(', ')

test('2,500 rows come in three pages, and the header is no row', async () => {
  const { rows } = await athena.query({
    sql: `SELECT a.n * 50 + b.n AS n FROM (VALUES ${fifty}) AS a(n) CROSS JOIN (VALUES ${fifty}) AS b(n) ORDER BY 1`,
    columns: { n: t.int32() },
  })
  expect(rows.map((row) => row.n)).toEqual(Array.from({ length: 2500 }, (_, index) => index))
})

test('the types of every market query are those the engine derives', async () => {
  const trades = defineTable('trades', {
    columns: {
      symbol: t.string(),
      price: t.decimal(18, 4),
      size: t.int64(),
      ts: t.timestamp(),
      fee: t.decimal(10, 6).nullable(),
      weight: t.double(),
      lots: t.int32(),
    },
    partitions: { trade_date: day('ts'), ticker: identity('symbol') },
  }).at({ database: 'market', location: 's3://results/trades/' })
  await athena.queryText({ sql: 'CREATE DATABASE market' })
  await athena.queryText({
    sql: `CREATE EXTERNAL TABLE market.trades (symbol string, price decimal(18,4), size bigint, ts timestamp,
      fee decimal(10,6), weight double, lots int) PARTITIONED BY (trade_date string, ticker string)
      STORED AS PARQUET LOCATION 's3://results/trades/'`,
  })
  expect((await athena.query({ ...sql`SELECT * FROM ${trades}`, columns: trades })).rows).toEqual([])
  const names = { symbol: 'ticker', day: 'trade_date' } as const
  const where = sql`trade_date >= ${'2024-01-01'}`
  const ask = async (query: MarketQuery<ColumnRecord>) =>
    expect((await athena.query(query)).rows, query.sql).toEqual([])
  await ask(dailyBars(trades, { ...names, price: 'price', size: 'size', time: 'ts', where }))
  await ask(dailyBars(trades, { ...names, price: 'weight', size: 'fee', time: 'ts' }))
  for (const value of ['price', 'size', 'weight', 'lots', 'fee'] as const) {
    await ask(movingAverage(trades, { ...names, value, rows: 20, where }))
    await ask(bestAndWorstDay(trades, { ...names, close: value, where }))
    for (const size of ['size', 'lots', 'fee', 'weight'] as const) {
      await ask(volumeWeightedAveragePrice(trades, { per: ['ticker', 'trade_date'], price: value, size }))
    }
  }
  await ask(rowsPer(trades, ['ticker', 'ts'], { where }))
  expect((await athena.query(rowsPer(trades, []))).rows).toEqual([{ rows: 0n }])
})

test('a failing query rejects with Athena’s own words', async () => {
  const error = await athena
    .query({ sql: 'SELECT * FROM no_such_table', columns: {} })
    .catch((thrown: unknown) => thrown)
  expect(error).toBeInstanceOf(QueryFailedError)
  expect((error as Error).message).toMatch(/TABLE_NOT_FOUND|TABLE|no_such_table/)
  expect((error as QueryFailedError).category).toBe('user')
})

test('fifty queries that are aborted have ended on the server when their callers are told', async () => {
  const abort = new AbortController()
  const reason = new Error('enough')
  const ids: string[] = []
  const run = (number: number) =>
    athena.query({
      sql: `SELECT count(*) AS n FROM UNNEST(sequence(1, 9999)) a(x), UNNEST(sequence(1, 9999)) b(y),
        UNNEST(sequence(1, 9999)) c(z) WHERE x + y + z < ${-number}`,
      columns: { n: t.int64() },
      signal: abort.signal,
      onStart: (id) => {
        ids.push(id)
        if (ids.length === 50) abort.abort(reason)
      },
    })
  const ends = await Promise.allSettled(Array.from({ length: 50 }, (_, number) => run(number)))
  expect(ends).toEqual(Array(50).fill({ status: 'rejected', reason }))
  const { QueryExecutions: executions } = await client.send(
    new BatchGetQueryExecutionCommand({ QueryExecutionIds: ids }),
  )
  expect(executions?.map(({ Status: status }) => status?.State)).toEqual(Array(50).fill('CANCELLED'))
}, 60_000)

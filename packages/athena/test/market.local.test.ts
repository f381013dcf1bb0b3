import type { AthenaClient } from '@aws-sdk/client-athena'
import { type Column, type ColumnRecord, day, defineTable, t } from '@stockpipe/core'
import { type LocalStack, startLocalStack } from '@stockpipe/local'
import { afterAll, beforeAll, expect, test } from 'vitest'
import {
  type Athena,
  barColumns,
  bars,
  coarserBars,
  createAthena,
  dailyBars,
  literal,
  type MarketQuery,
  movingAverage,
  returns,
  rowsWhere,
  sql,
} from '../src/index.ts'
import { athenaClient, createBucket } from './create-bucket.ts'
import { marketHelperTests } from './market/helpers-suite.ts'

let stack: LocalStack
let client: AthenaClient
let athena: Athena

beforeAll(async () => {
  stack = await startLocalStack({ httpPort: 0, kafkaPort: 0 })
  client = athenaClient(stack.aws)
  await createBucket(stack.aws, 'results')
  athena = createAthena({
    client,
    database: 'default',
    outputLocation: 's3://results/',
    poll: { initialMillis: 5, maximumMillis: 50 },
  })
})
afterAll(async () => {
  client?.destroy()
  await stack?.close()
})

marketHelperTests(() => athena, 4, 120_000)

test('a predicate on partitions goes to the innermost scan, so that no other partition is read', async () => {
  const trades = defineTable('trades', {
    columns: { symbol: t.string(), price: t.decimal(18, 4), size: t.int64(), ts: t.timestamp() },
    partitions: { trade_date: day('ts', { timeZone: 'America/New_York' }) },
  }).at({ database: 'market', location: 's3://results/trades/' })
  await athena.queryText({ sql: 'CREATE DATABASE market' })
  await athena.queryText({
    sql: `CREATE EXTERNAL TABLE market.trades (symbol string, price decimal(18,4), size bigint, ts timestamp)
      PARTITIONED BY (trade_date string) STORED AS PARQUET LOCATION 's3://results/trades/'`,
  })
  const insert = (days: readonly string[]) =>
    athena.queryText({
      sql: sql`INSERT INTO ${trades} SELECT * FROM (VALUES ${days
        .map((date) => literal(date))
        .map(
          (date) =>
            sql`('BRK.B', DECIMAL '410.5000', BIGINT '100', TIMESTAMP '2024-03-08 15:00:00.000', ${date})`,
        )
        .reduce((list, row) => sql`${list}, ${row}`)}) AS given`,
    })
  await insert(['2024-03-07', '2024-03-08', '2024-03-11'])
  const names = { symbol: 'symbol', price: 'price', size: 'size', time: 'ts' } as const
  const all = bars(trades, { ...names, interval: { hours: 1 } })
  const one = bars(trades, {
    ...names,
    interval: { hours: 1 },
    where: sql`trade_date = ${'2024-03-08'} AND price > ${0}`,
  })
  const scannedBytes = async (query: MarketQuery<ColumnRecord>) => (await athena.query(query)).scannedBytes
  const { rows, scannedBytes: whole } = await athena.query(all)
  expect(rows.map((row) => [row.symbol, row.trades, row.turnover.toString()])).toEqual([
    ['BRK.B', 3n, '123150.0000'],
  ])
  const third = await scannedBytes(one)
  expect(third).toBeGreaterThan(0)
  expect(third * 2).toBeLessThan(whole)
  const coarser = coarserBars(one, { ...barColumns, interval: { days: 1 } })
  expect(await scannedBytes(returns(coarser, { symbol: 'symbol', time: 'start', close: 'close' }))).toBe(
    third,
  )
  // Figures of one day that need the day before read the two, and not the third.
  const averages = movingAverage(trades, {
    ...{ symbol: 'symbol', day: 'trade_date', value: 'size', rows: 2 },
    where: sql`trade_date BETWEEN ${'2024-03-07'} AND ${'2024-03-08'}`,
  })
  const kept = await athena.query(rowsWhere(averages, sql`day = ${'2024-03-08'}`))
  expect(kept.rows.map((row) => [row.day, row.average, row.rows])).toEqual([['2024-03-08', 100, 2n]])
  const { scannedBytes: sizes } = await athena.query(
    movingAverage(trades, { symbol: 'symbol', day: 'trade_date', value: 'size', rows: 2 }),
  )
  expect(kept.scannedBytes * 3).toBe(sizes * 2)
})

const overflowing = <Figure extends Column>(figure: Figure) => ({
  symbol: t.string(),
  figure,
  day: t.string(),
})
const volumes = (source: MarketQuery<ReturnType<typeof overflowing<Column<'int64' | 'decimal'>>>>) =>
  dailyBars(source, { symbol: 'symbol', day: 'symbol', time: 'day', price: 'figure', size: 'figure' })

test('a sum that no longer fits is an error, and no wrong figure', async () => {
  const of = (type: string, value: string) => ({
    sql: `SELECT 'A' AS symbol, CAST('${value}' AS ${type}) AS figure, day FROM (VALUES 'a', 'b') AS days(day)`,
    parameters: [],
  })
  const whole = { ...of('bigint', '9223372036854775807'), columns: overflowing(t.int64()) }
  await expect(athena.query(volumes(whole))).rejects.toThrow(/overflow|out of range/i)
  const exact = { ...of('decimal(38,0)', '9'.repeat(38)), columns: overflowing(t.decimal(38, 0)) }
  await expect(athena.query(volumes(exact))).rejects.toThrow(/overflow|out of range/i)
})

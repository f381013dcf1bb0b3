import { AthenaClient } from '@aws-sdk/client-athena'
import { GlueClient } from '@aws-sdk/client-glue'
import { CreateBucketCommand, S3Client } from '@aws-sdk/client-s3'
import { type Athena, createAthena, bars as marketBars } from '@stockpipe/athena'
import {
  Decimal,
  day,
  defineTable,
  type InferSelect,
  identity,
  type ObjectStore,
  systemRuntime,
  t,
} from '@stockpipe/core'
import {
  athenaBarsWriter,
  buildBars,
  defineBars,
  ensureDatabase,
  ensureTable,
  type GlueSender,
  listPartitions,
  removeReplacedBars,
} from '@stockpipe/glue'
import { type LocalStack, startLocalStack } from '@stockpipe/local'
import { createS3ObjectStore } from '@stockpipe/s3-sink'
import { afterAll, beforeAll, expect, test } from 'vitest'

const newYork = 'America/New_York'
const trades = defineTable('trades', {
  columns: {
    symbol: t.string(),
    price: t.decimal(18, 4).nullable(),
    size: t.int64().nullable(),
    ts: t.timestamp(),
    sequence: t.int64().nullable(),
  },
  partitions: { trade_date: day('ts', { timeZone: newYork }), ticker: identity('symbol') },
}).at({ database: 'market', location: 's3://lake/trades/' })
const names = {
  symbol: 'symbol',
  price: 'price',
  size: 'size',
  time: 'ts',
  tieBreak: 'sequence',
  timeZone: newYork,
} as const
const minutes = defineBars(trades, {
  ...names,
  name: 'minute_bars',
  location: 's3://lake/minute/',
  interval: 'minute',
})
const daily = defineBars(trades, {
  ...names,
  name: 'daily_bars',
  location: 's3://lake/daily/',
  interval: 'day',
})

interface Trade {
  readonly symbol: string
  readonly price: string | null
  readonly size: bigint | null
  readonly ts: Date
  readonly sequence: bigint | null
}

let stack: LocalStack
let glue: GlueClient
let athenaClient: AthenaClient
let s3: S3Client
let athena: Athena
let store: ObjectStore
const kept: Trade[] = []

beforeAll(async () => {
  stack = await startLocalStack({ httpPort: 0, kafkaPort: 0 })
  const { endpoint, region, accessKeyId, secretAccessKey } = stack.aws
  const settings = { endpoint, region, credentials: { accessKeyId, secretAccessKey } }
  glue = new GlueClient(settings)
  athenaClient = new AthenaClient(settings)
  s3 = new S3Client({ ...settings, forcePathStyle: true })
  await s3.send(new CreateBucketCommand({ Bucket: 'lake' }))
  const poll = { initialMillis: 10, maximumMillis: 50 }
  athena = createAthena({
    client: athenaClient,
    database: 'market',
    outputLocation: 's3://lake/results/',
    poll,
  })
  store = createS3ObjectStore({ client: s3, bucket: 'lake' })
  await ensureDatabase({ client: glue, database: 'market' })
  await ensureTable({ client: glue, table: trades })
  await ensureTable({ client: glue, table: minutes.table })
  await ensureTable({ client: glue, table: daily.table })
  await insert(someTrades(1, 400))
}, 60_000)
afterAll(async () => {
  for (const client of [glue, athenaClient, s3]) client?.destroy()
  await stack?.close()
})

const symbols = ['IBM', 'BRK.B', "O'Neil", 'a b+c%']
/** The days around the end of daylight saving time in New York; trades go over its midnights. */
const days = ['2024-11-01', '2024-11-02', '2024-11-03', '2024-11-04']

/** Trades of few minutes and milliseconds, so that many are equal in time; the same for the same seed. */
const someTrades = (seed: number, count: number): Trade[] => {
  let state = seed
  const below = (limit: number) => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0
    return Math.floor((state / 2 ** 32) * limit)
  }
  // 00:00 and 23:58 in New York, in summer and in winter time, and the hour that comes twice.
  const begins = [
    '2024-11-01T04:00:00Z',
    '2024-11-02T03:58:00Z',
    '2024-11-03T03:59:00Z',
    '2024-11-03T05:59:00Z',
    '2024-11-03T06:00:00Z',
    '2024-11-04T04:59:00Z',
    '2024-11-05T04:58:00Z',
  ]
  return Array.from({ length: count }, () => ({
    symbol: symbols[below(symbols.length)]!,
    price: below(25) === 0 ? null : `${below(1000)}.${String(below(10000)).padStart(4, '0')}`,
    size: below(25) === 0 ? null : BigInt(below(1_000_000)) * 10n ** BigInt(below(6)),
    ts: new Date(Date.parse(begins[below(begins.length)]!) + below(240) * 500),
    sequence: below(10) === 0 ? null : BigInt(below(5)),
  }))
}

const dateOf = (at: Date) =>
  new Intl.DateTimeFormat('en-CA', {
    timeZone: newYork,
    year: 'numeric',
    month: '2-digit',
    day: '2-digit',
  }).format(at)

const insert = async (rows: readonly Trade[]) => {
  const literal = (value: string | null) => (value === null ? 'NULL' : `'${value.replaceAll("'", "''")}'`)
  const values = rows.map(({ symbol, price, size, ts, sequence }) => {
    const time = ts.toISOString().replace('T', ' ').slice(0, 23)
    const exact =
      price === null ? 'CAST(NULL AS decimal(18, 4))' : `CAST(${literal(price)} AS decimal(18, 4))`
    return `(${literal(symbol)}, ${exact}, CAST(${size ?? 'NULL'} AS bigint), TIMESTAMP '${time}', CAST(${sequence ?? 'NULL'} AS bigint), ${literal(dateOf(ts))}, ${literal(symbol)})`
  })
  await athena.queryText({ sql: `INSERT INTO trades VALUES ${values.join(', ')}` })
  kept.push(...rows)
}

/** The bars of the trades as a person would make them. */
const referenceBars = (interval: 'minute' | 'day') => {
  const groups = new Map<string, Trade[]>()
  for (const trade of kept) {
    if (trade.price === null || trade.size === null) continue
    const begin = interval === 'day' ? dateOf(trade.ts) : Math.floor(trade.ts.getTime() / 60_000)
    const key = `${trade.symbol}|${begin}`
    groups.set(key, [...(groups.get(key) ?? []), trade])
  }
  const price = (trade: Trade) => Decimal.parse(trade.price!)
  const order = (one: Trade, other: Trade) =>
    one.ts.getTime() - other.ts.getTime() ||
    Number((one.sequence ?? -1n) - (other.sequence ?? -1n)) ||
    price(one).compare(price(other))
  return [...groups.values()]
    .map((group) => {
      const sorted = group.sort(order)
      const prices = sorted.map(price).sort((one, other) => one.compare(other))
      const [first, last] = [sorted[0]!, sorted[sorted.length - 1]!]
      const begin =
        interval === 'day'
          ? dateOf(first.ts)
          : new Date(Math.floor(first.ts.getTime() / 60_000) * 60_000).toISOString()
      return [
        first.symbol,
        begin,
        ...[price(first), prices[prices.length - 1]!, prices[0]!, price(last)].map((one) => one.toString()),
        sorted.reduce((sum, { size }) => sum + size!, 0n),
        BigInt(sorted.length),
        dateOf(first.ts),
      ].join(' ')
    })
    .sort()
}

type DailyBar = InferSelect<typeof daily.table>
type MinuteBar = InferSelect<typeof minutes.table>
const barText = (begin: string, bar: DailyBar | MinuteBar) =>
  [
    bar.symbol,
    begin,
    ...[bar.open, bar.high, bar.low, bar.close].map((one) => one.toString()),
    bar.volume,
    bar.trades,
    bar.bar_date,
  ].join(' ')
const dailyBars = async () => {
  const { rows } = await athena.query({ sql: 'SELECT * FROM daily_bars', columns: daily.table })
  return rows.map((bar) => barText(bar.day, bar)).sort()
}
const minuteBars = async () => {
  const { rows } = await athena.query({ sql: 'SELECT * FROM minute_bars', columns: minutes.table })
  return rows.map((bar) => barText(bar.start.toISOString(), bar)).sort()
}
const build = (bars: typeof daily | typeof minutes, more: Partial<Parameters<typeof buildBars>[0]> = {}) =>
  buildBars({ client: glue, bars, days, write: athenaBarsWriter(athena), store, ...more })
const keys = async (prefix: string) => {
  const listed: string[] = []
  for await (const { key } of store.list(prefix)) listed.push(key)
  return listed
}

test('minute and daily bars are those of the trades, in days of New York, and again after more trades', async () => {
  expect(await build(daily)).toMatchObject({ created: days, replaced: [], empty: [], superseded: [] })
  await build(minutes)
  expect(await dailyBars()).toEqual(referenceBars('day'))
  expect(await minuteBars()).toEqual(referenceBars('minute'))
  expect(referenceBars('day').length).toBe(16)

  await insert(someTrades(2, 200))
  expect(await build(daily)).toMatchObject({ created: [], replaced: days })
  await build(minutes)
  expect(await dailyBars()).toEqual(referenceBars('day'))
  expect(await minuteBars()).toEqual(referenceBars('minute'))
})

test('bars of several minutes begin where those of the market queries do, in zones of odd hours too', async () => {
  const timeZone = 'Asia/Kathmandu'
  const hours = defineBars(trades, {
    ...names,
    timeZone,
    name: 'hour_bars',
    location: 's3://lake/hours/',
    interval: { minutes: 60 },
  })
  await ensureTable({ client: glue, table: hours.table })
  const all = [...days, '2024-11-05']
  await buildBars({
    client: glue,
    bars: hours,
    days: all,
    write: athenaBarsWriter(athena, { statement: 'UNLOAD' }),
    store,
  })
  const shared = (bar: { symbol: string; start: Date; volume: bigint; trades: bigint }) =>
    `${bar.symbol} ${bar.start.toISOString()} ${bar.volume} ${bar.trades}`
  const built = await athena.query({ sql: 'SELECT * FROM hour_bars', columns: hours.table })
  const asked = await athena.query(
    marketBars(trades, {
      symbol: 'symbol',
      price: 'price',
      size: 'size',
      time: 'ts',
      interval: { minutes: 60 },
      timeZone,
    }),
  )
  expect(built.rows.length).toBeGreaterThan(20)
  expect(built.rows.map(shared).sort()).toEqual(asked.rows.map(shared).sort())
  // 05:45 before UTC, so an hour there begins at a quarter past.
  expect(new Set(built.rows.map(({ start }) => start.getUTCMinutes()))).toEqual(new Set([15]))
})

test('days without trades get no partition, or lose their bars', async () => {
  const holiday = ['2024-12-25']
  expect(await build(daily, { days: holiday })).toMatchObject({ created: [], replaced: [], empty: holiday })
  const write = athenaBarsWriter(athena)
  // As if the trades of a day were gone.
  const writeNothing: typeof write = async () => {}
  expect(await build(daily, { days: ['2024-11-04'], write: writeNothing })).toMatchObject({
    empty: ['2024-11-04'],
  })
  expect((await dailyBars()).some((bar) => bar.endsWith('2024-11-04'))).toBe(false)
  await build(daily)
  expect(await dailyBars()).toEqual(referenceBars('day'))
})

test('queries while bars are made anew see each day’s former or new bars, never both or none', async () => {
  const before = new Set(referenceBars('day'))
  await insert(someTrades(3, 300))
  const after = new Set(referenceBars('day'))
  let building = true
  const answers: string[][] = []
  const asking = Array.from({ length: 3 }, async () => {
    while (building) answers.push(await dailyBars())
  })
  await build(daily)
  await build(daily)
  building = false
  await Promise.all(asking)
  expect(answers.length).toBeGreaterThan(3)
  for (const answer of answers) {
    expect(answer).toHaveLength(16)
    for (const date of days) {
      const ofDay = answer.filter((bar) => bar.endsWith(date))
      expect(ofDay.every((bar) => before.has(bar)) || ofDay.every((bar) => after.has(bar))).toBe(true)
    }
  }
  expect(await dailyBars()).toEqual(referenceBars('day'))
})

test('a build that fails at any point leaves the former bars whole, and is safe to run again', async () => {
  const failing = (operation: string): GlueSender => ({
    send: ((command: { constructor: { name: string } }, ...rest: []) =>
      command.constructor.name.startsWith(operation)
        ? Promise.reject(Object.assign(new Error('no'), { name: 'AccessDeniedException' }))
        : glue.send(command as never, ...rest)) as GlueSender['send'],
  })
  await insert(someTrades(4, 50))
  const former = await dailyBars()
  const write = athenaBarsWriter(athena)
  const half: typeof write = async (work) => {
    await write(work)
    throw new Error('lost after writing')
  }
  await expect(build(daily, { write: half })).rejects.toThrow('lost after writing')
  expect(await dailyBars()).toEqual(former)
  await expect(build(daily, { client: failing('BatchUpdatePartition') })).rejects.toMatchObject({
    code: 'GLUE_REQUEST_FAILED',
  })
  expect(await dailyBars()).toEqual(former)
  await build(daily)
  expect(await dailyBars()).toEqual(referenceBars('day'))
})

test('a build that began earlier does not replace the bars of a later one', async () => {
  const earlier = { ...systemRuntime, now: () => Date.now() - 3_600_000 }
  expect(await build(daily, { runtime: earlier })).toMatchObject({ replaced: [], superseded: days })
  expect(await dailyBars()).toEqual(referenceBars('day'))
})

test('replaced files go after the grace time, those of failed builds after a day, and no others', async () => {
  const all = await keys('daily/run=')
  expect(await removeReplacedBars({ client: glue, bars: daily, store })).toEqual({ removedObjects: 0 })
  expect(await keys('daily/run=')).toEqual(all)
  const tomorrow = { ...systemRuntime, now: () => Date.now() + 2 * 86_400_000 }
  await removeReplacedBars({ client: glue, bars: daily, store, runtime: tomorrow })
  const locations: string[] = []
  for await (const { location } of listPartitions({ client: glue, table: daily.table }))
    locations.push(location)
  const left = await keys('daily/')
  expect(left.length).toBeLessThan(all.length)
  expect(new Set(left.map((key) => `s3://lake/${key.slice(0, key.lastIndexOf('/') + 1)}`))).toEqual(
    new Set(locations),
  )
  expect(await dailyBars()).toEqual(referenceBars('day'))
})

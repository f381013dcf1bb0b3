import { type Decimal, day, defineTable, hour, type InferSelect, identity, month, t } from '@stockpipe/core'
import { expect, expectTypeOf, test } from 'vitest'
import {
  type BarsWriter,
  barsQuery,
  barsUnload,
  buildBars,
  defineBars,
  removeReplacedBars,
} from '../src/index.ts'
import { fakeGlue } from './fake-glue.ts'
import { virtualRuntime } from './virtual-runtime.ts'

const columns = {
  ticker: t.string(),
  price: t.double(),
  size: t.decimal(20, 6),
  ts: t.timestamp(),
  note: t.json(),
}
const at = { database: 'market', location: 's3://lake/trades/' }
const names = { symbol: 'ticker', price: 'price', size: 'size', time: 'ts', interval: 'day' } as const
const bars = (partitions: object, timeZone?: string) =>
  defineBars(defineTable('trades', { columns, partitions: partitions as Record<never, never> }).at(at), {
    ...names,
    name: 'bars',
    location: 's3://lake/bars/',
    ...(timeZone ? { timeZone } : {}),
  })
const newYork = 'America/New_York'
const condition = (partitions: object, timeZone?: string) =>
  /"part" ([^\n]*)/.exec(barsQuery(bars(partitions, timeZone), ['2024-01-31', '2024-01-30']))?.[1]

test('only partitions that can hold trades of the days are read', () => {
  expect(condition({ part: day('ts', { timeZone: newYork }) }, newYork)).toBe(
    "IN ('2024-01-30', '2024-01-31')",
  )
  expect(condition({ part: day('ts') })).toBe("IN ('2024-01-30', '2024-01-31')")
  expect(condition({ part: day('ts') }, newYork)).toBe("BETWEEN '2024-01-29' AND '2024-02-01~'")
  expect(condition({ part: hour('ts') })).toBe("BETWEEN '2024-01-30' AND '2024-01-31~'")
  expect(condition({ part: month('ts') }, newYork)).toBe("BETWEEN '2024-01' AND '2024-02~'")
  expect(condition({ part: identity('ticker') })).toBeUndefined()
  const statement = barsUnload(bars({}), ['2024-01-30'], "s3://lake/it's/")
  expect(statement).toContain(`"ts" >= TIMESTAMP '2024-01-29 00:00:00.000'`)
  expect(statement).toContain(`"ts" < TIMESTAMP '2024-02-01 00:00:00.000'`)
  expect(statement).toContain('NOT is_nan("price")')
  expect(statement).toContain("TO 's3://lake/it''s/'")
})

test('the table of bars has the types of the trades', () => {
  const { table } = bars({})
  expect(table.table.columns.map(({ name, type }) => `${name} ${JSON.stringify(type)}`)).toEqual([
    'symbol {"kind":"string"}',
    'day {"kind":"date"}',
    ...['open', 'high', 'low', 'close'].map((name) => `${name} {"kind":"double"}`),
    'volume {"kind":"decimal","precision":38,"scale":6}',
    'trades {"kind":"int64"}',
  ])
})

test('columns that cannot be bars of, and a place within the trades, are refused', () => {
  const trades = defineTable('trades', { columns }).at(at)
  const define = (more: object) => () =>
    defineBars(trades, { ...names, name: 'b', location: 's3://lake/b/', ...more })
  expect(define({ size: 'price' })).toThrow(/cannot take 'price' as their size: it is a double/)
  expect(define({ time: 'ticker' })).toThrow(/as their time: it is a string/)
  expect(define({ price: 'nothing' })).toThrow(/has no column 'nothing'/)
  expect(define({ location: 's3://lake/trades/bars/' })).toThrow(/lie in each other/)
  const place = { name: 'b', location: 's3://lake/b/' }
  // @ts-expect-error Type 'string' is not assignable
  expect(() => defineBars(trades, { ...names, ...place, symbol: 'note' })).toThrow(/it is a json/)
  const { table } = defineBars(trades, { ...names, ...place })
  expectTypeOf<InferSelect<typeof table>>().toEqualTypeOf<{
    symbol: string
    day: string
    open: number
    high: number
    low: number
    close: number
    volume: Decimal
    trades: bigint
    bar_date: string
  }>()
})

test('bars of minutes that do not divide an hour, and of a zone that is none, are refused', () => {
  const trades = defineTable('trades', { columns }).at(at)
  const place = { name: 'b', location: 's3://lake/b/' }
  const { table, minutes } = defineBars(trades, { ...names, ...place, interval: { minutes: 5 } })
  expect(minutes).toBe(5)
  expectTypeOf<InferSelect<typeof table>>().toMatchTypeOf<{ symbol: string; start: Date; bar_date: string }>()
  // @ts-expect-error 7 is not one of those minutes
  expect(() => defineBars(trades, { ...names, ...place, interval: { minutes: 7 } })).toThrow(
    /have the interval {"minutes":7}; it is 'minute', 'day', or/,
  )
  expect(() => defineBars(trades, { ...names, ...place, timeZone: 'New York' })).toThrow(
    /not an IANA time zone/,
  )
})

test('times in nanoseconds are compared as such, and order trades within a millisecond', () => {
  const trades = defineTable('trades', { columns: { ...columns, ns: t.epochNanos() } }).at(at)
  const place = { name: 'b', location: 's3://lake/b/' }
  const statement = barsQuery(defineBars(trades, { ...names, ...place, time: 'ns' }), ['1970-01-02'])
  expect(statement).toContain('"ns" >= 0')
  expect(statement).toContain('"ns" < 259200000000000')
  expect(statement).toContain('ORDER BY nanos ASC, price ASC')
})

test('days that are none and projected tables are refused before anything is written', async () => {
  const { client } = fakeGlue(() => ({ Table: { Parameters: { 'projection.enabled': 'true' } } }))
  const written: string[] = []
  const write: BarsWriter = async ({ folder }) => {
    written.push(folder)
  }
  const store = { async *list() {}, async delete() {} }
  const build = (days: string[]) => buildBars({ client, bars: bars({}), days, write, store })
  await expect(build(['2024-02-30'])).rejects.toMatchObject({ code: 'BARS_DAYS_INVALID' })
  await expect(build([])).rejects.toMatchObject({ code: 'BARS_DAYS_INVALID' })
  await expect(build(['2024-02-29'])).rejects.toMatchObject({ code: 'PARTITIONS_PROJECTED' })
  expect(written).toEqual([])
})

test('nothing that a partition is read from is removed, and nothing outside of the table', async () => {
  const old = '2020-01-01T00:00:00.000Z'
  const replaced = (locations: readonly string[], when = old) => ({
    'stockpipe.bars-replaced': JSON.stringify(locations.map((location) => ({ location, at: when }))),
  })
  const now = virtualRuntime().now()
  const partition = (date: string, Location: string, Parameters: object = {}) => ({
    Values: [date],
    StorageDescriptor: { Location },
    Parameters,
  })
  const { client } = fakeGlue(() => ({
    Partitions: [
      partition('2024-01-01', 's3://lake/bars/run=20200101T000000000Z-a/bar_date=2024-01-01'),
      // Its former folders hold another partition's, the whole table, and trades.
      partition(
        '2024-01-02',
        's3://lake/bars/run=20200102T000000000Z-b/bar_date=2024-01-02/',
        replaced([
          's3://lake/bars/bar_date=2024-01-02/',
          's3://lake/bars/',
          's3://lake/trades/',
          's3://lake/bars/run=2/',
        ]),
      ),
      partition('2024-01-03', 's3://lake/bars/bar_date=2024-01-02/deeper/'),
      partition(
        '2024-01-04',
        's3://lake/bars/x/',
        replaced(['s3://lake/bars/bar_date=2024-01-04/'], new Date(now).toISOString()),
      ),
      partition('2024-01-05', 's3://lake/bars/y/', { 'stockpipe.bars-replaced': 'no JSON' }),
    ],
  }))
  const keys = [
    'bars/bar_date=2024-01-02/gone',
    'bars/bar_date=2024-01-02/deeper/kept',
    'bars/bar_date=2024-01-04/kept',
    'bars/run=20200101T000000000Z-a/bar_date=2024-01-01/kept',
    'bars/run=20200101T000000000Z-a/bar_date=2024-01-02/gone',
    'bars/run=2/gone',
    'bars/run=mine/kept',
    `bars/run=${new Date(now).toISOString().replace(/[-:.]/g, '')}-new/kept`,
    'bars/y/kept',
    'trades/kept',
  ]
  const deleted: string[] = []
  const store = {
    async *list(prefix: string) {
      for (const key of keys) if (key.startsWith(prefix)) yield { key, size: 1, etag: '' }
    },
    async delete(key: string) {
      deleted.push(key)
    },
  }
  const runtime = virtualRuntime()
  expect(await removeReplacedBars({ client, bars: bars({}), store, runtime })).toEqual({ removedObjects: 3 })
  expect(deleted.sort()).toEqual(keys.filter((key) => key.endsWith('gone')).sort())
})

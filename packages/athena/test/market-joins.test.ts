import { type Decimal, day, defineTable, t } from '@stockpipe/core'
import { describe, expect, expectTypeOf, test } from 'vitest'
import {
  asOfJoin,
  bars,
  drawdown,
  duringSession,
  exponentialMovingAverage,
  maxDrawdown,
  missingBars,
  movingVolatility,
  type QueryRow,
  returns,
  type Session,
  silentIntervals,
  sql,
  topMovers,
  volatility,
} from '../src/index.ts'

const location = { database: 'market', location: 's3://lake/x/' }
const trades = defineTable('trades', {
  columns: {
    symbol: t.string(),
    price: t.decimal(18, 4),
    size: t.int64(),
    ts: t.timestamp(),
    nanos: t.epochNanos(),
    id: t.int64(),
  },
  partitions: { trade_date: day('ts') },
}).at(location)
const quotes = defineTable('quotes', {
  columns: {
    symbol: t.string(),
    bid: t.decimal(12, 2),
    ask: t.double().nullable(),
    ts: t.timestamp().nullable(),
    nanos: t.epochNanos(),
    sequence: t.int64(),
  },
}).at(location)
const tradeSide = { symbol: 'symbol', time: 'ts', columns: { id: 'id', day: 'trade_date' } } as const
const quoteSide = { symbol: 'symbol', time: 'ts', columns: { bid: 'bid', ask: 'ask' } } as const
const names = { symbol: 'symbol', price: 'price', size: 'size', time: 'ts' } as const
const series = { symbol: 'symbol', time: 'ts', value: 'price' } as const
const session: Session = { timeZone: 'America/New_York', open: '09:30', close: '16:00' }

describe('asOfJoin', () => {
  test('reads both once, and its types tell what may be NULL', () => {
    const query = asOfJoin(trades, quotes, {
      trades: { ...tradeSide, where: sql`trade_date = ${'2024-03-08'}` },
      quotes: { ...quoteSide, order: 'sequence', where: sql`bid > ${0}` },
      toleranceMillis: 1000,
    })
    expect(
      query.sql,
    ).toBe(`SELECT "trade 1" AS "id", "trade 2" AS "day", CASE WHEN date_diff('millisecond', quote[1], moment) <= 1000 THEN quote[2] END AS "bid", CASE WHEN date_diff('millisecond', quote[1], moment) <= 1000 THEN quote[3] END AS "ask"
FROM (
SELECT symbol, moment, is_trade, "trade 1", "trade 2",
  last_value(quote) IGNORE NULLS OVER (PARTITION BY symbol ORDER BY moment, is_trade, "order 1" NULLS FIRST
    ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW) AS quote
FROM (
SELECT "symbol" AS symbol, "ts" AS moment, 1 AS is_trade, NULL AS "order 1", "id" AS "trade 1", "trade_date" AS "trade 2", NULL AS quote
FROM "market"."trades"
WHERE (trade_date = ?)
UNION ALL
SELECT "symbol", "ts", 0, "sequence" AS "order 1", NULL AS "trade 1", NULL AS "trade 2", ROW("ts", "bid", "ask")
FROM "market"."quotes"
WHERE (bid > ?) AND "ts" IS NOT NULL
) AS moments
) AS quoted
WHERE is_trade = 1`)
    expect(query.parameters).toEqual(['2024-03-08', 0])
    expectTypeOf<QueryRow<typeof query.columns>>().toEqualTypeOf<{
      id: bigint
      day: string
      bid: Decimal | null
      ask: number | null
    }>()
    expect(query.columns.bid.type).toEqual({ kind: 'decimal', precision: 12, scale: 2 })
  })

  test('refuses times of two kinds, names given twice, and tolerances that are none', () => {
    expect(() =>
      // @ts-expect-error a timestamp is not compared with nanoseconds
      asOfJoin(trades, quotes, { trades: tradeSide, quotes: { ...quoteSide, time: 'nanos' } }),
    ).toThrow(/'ts' is a timestamp.*'nanos' is a epochNanos/)
    expect(() =>
      asOfJoin(trades, quotes, { trades: tradeSide, quotes: { ...quoteSide, columns: { ID: 'bid' } } }),
    ).toThrow(/would hold 'ID' twice/)
    for (const toleranceMillis of [-1, 0.5, Number.NaN, Number.POSITIVE_INFINITY]) {
      expect(() =>
        asOfJoin(trades, quotes, { trades: tradeSide, quotes: quoteSide, toleranceMillis }),
      ).toThrow(/whole number of milliseconds/)
    }
    const wrong = { p: 'price' } as const
    expect(() =>
      // @ts-expect-error quotes have no column 'price'
      asOfJoin(trades, quotes, { trades: tradeSide, quotes: { ...quoteSide, columns: wrong } }),
    ).toThrow(/has no column 'price'/)
  })
})

describe('sessions', () => {
  test.each([
    [{ open: '9:30' }, /no time of a day/],
    [{ open: '09:60' }, /no time of a day/],
    [{ close: '24:01' }, /no time of a day/],
    [{ open: '16:00' }, /closes before it has opened/],
    [{ earlyCloses: { '2024-11-29': '09:00' } }, /closes before it has opened/],
    [{ earlyCloses: { '2024-11-31': '13:00' } }, /is no day/],
    [{ holidays: ["2024-01-01' OR 1=1 --"] }, /is no day/],
    [{ weekdays: [] }, /Monday/],
    [{ weekdays: [0] }, /Monday/],
    [{ timeZone: 'New York' }, /IANA/],
  ])('that are like %o are refused', (wrong, message) => {
    expect(() => duringSession(trades, { time: 'ts', session: { ...session, ...wrong } })).toThrow(message)
  })

  test('filter rows, and keep the columns of the source', () => {
    const query = duringSession(trades, { time: 'nanos', session })
    expectTypeOf<keyof typeof query.columns>().toEqualTypeOf<
      'symbol' | 'price' | 'size' | 'ts' | 'nanos' | 'id' | 'trade_date'
    >()
    const minutes = bars(query, { ...names, interval: { minutes: 1 } })
    expectTypeOf<QueryRow<typeof minutes.columns>['open']>().toEqualTypeOf<Decimal>()
    // @ts-expect-error the day is text
    expect(() => duringSession(trades, { time: 'trade_date', session })).toThrow(/tells no moment/)
  })

  test('tell silence and missing bars', () => {
    const silent = silentIntervals(trades, {
      symbol: 'symbol',
      time: 'nanos',
      thresholdMillis: 60_000,
      session,
    })
    expectTypeOf<QueryRow<typeof silent.columns>>().toEqualTypeOf<{
      symbol: string
      silentFrom: Date
      silentUntil: Date
      millis: bigint
    }>()
    expect(() => silentIntervals(trades, { symbol: 'symbol', time: 'ts', thresholdMillis: -1 })).toThrow(
      /threshold is a whole number/,
    )
    const minutes = bars(trades, { ...names, interval: { minutes: 1 } })
    const missing = missingBars(minutes, {
      symbol: 'symbol',
      time: 'start',
      interval: { minutes: 1 },
      session,
    })
    expectTypeOf<QueryRow<typeof missing.columns>>().toEqualTypeOf<{
      symbol: string
      firstMissing: Date
      lastMissing: Date
      bars: bigint
    }>()
    const options = { symbol: 'symbol', time: 'start', session } as const
    expect(() => missingBars(minutes, { ...options, interval: { minutes: 1 }, timeZone: 'UTC' })).toThrow(
      /leave `timeZone` out/,
    )
    // @ts-expect-error days are no part of a day
    expect(() => missingBars(minutes, { ...options, interval: { days: 1 } })).toThrow(/within a day/)
  })
})

describe('figures of a series', () => {
  test('have the types of their columns', () => {
    const down = drawdown(trades, series)
    expectTypeOf<QueryRow<typeof down.columns>>().toEqualTypeOf<{
      symbol: string
      time: Date
      value: Decimal
      peak: Decimal
      peakTime: Date
      drawdown: number | null
    }>()
    const worst = maxDrawdown(trades, series)
    expectTypeOf<QueryRow<typeof worst.columns>>().toEqualTypeOf<{
      symbol: string
      maxDrawdown: number
      peak: Decimal
      peakTime: Date
      trough: Decimal
      troughTime: Date
    }>()
    const movers = topMovers(trades, { symbol: 'symbol', time: 'ts', close: 'price', open: 'size', limit: 3 })
    expectTypeOf<QueryRow<typeof movers.columns>>().toEqualTypeOf<{
      rank: bigint
      symbol: string
      first: bigint
      last: Decimal
      change: number
    }>()
    const ofReturns = returns(trades, { symbol: 'symbol', time: 'ts', close: 'price' })
    const spread = volatility(ofReturns, { per: ['symbol'], value: 'logReturn', periodsPerYear: 252 })
    expectTypeOf<QueryRow<typeof spread.columns>>().toEqualTypeOf<{
      symbol: string
      volatility: number | null
      returns: bigint
    }>()
    expect(spread.sql).toContain('* 15.874507866387544E0  AS volatility')
  })

  test('are refused where they cannot be', () => {
    expect(() => topMovers(trades, { symbol: 'symbol', time: 'ts', close: 'price', limit: 0 })).toThrow(
      /from 1 to 10,000/,
    )
    expect(() => volatility(trades, { per: [], value: 'price', periodsPerYear: 0 })).toThrow(/above 0/)
    const moving = { symbol: 'symbol', time: 'ts', value: 'price' } as const
    expect(() => movingVolatility(trades, { ...moving, rows: 0 })).toThrow(/whole number of rows/)
    for (const smoothing of [0, 1.1, Number.NaN]) {
      expect(() => exponentialMovingAverage(trades, { ...moving, rows: 3, smoothing })).toThrow(/smoothing/)
    }
    // @ts-expect-error text has no drawdown
    drawdown(trades, { ...series, value: 'trade_date' })
  })
})

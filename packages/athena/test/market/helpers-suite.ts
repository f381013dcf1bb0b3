import { type ColumnRecord, Decimal, t } from '@stockpipe/core'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import {
  type Athena,
  asOfJoin,
  barColumns,
  bars,
  bestAndWorstDay,
  coarserBars,
  dailyBars,
  drawdown,
  duringSession,
  exponentialMovingAverage,
  type Interval,
  type IntradayInterval,
  latestPerSymbol,
  type MarketQuery,
  maxDrawdown,
  missingBars,
  movingAverage,
  movingVolatility,
  returns,
  rowsWhere,
  type Session,
  silentIntervals,
  sql,
  topMovers,
  volatility,
} from '../../src/index.ts'
import {
  generatedTrades,
  nanosOf,
  plain,
  plainRow,
  type Trade,
  tradeSource,
  tradesOf2024,
} from './generated-trades.ts'
import * as reference from './reference.ts'
import * as sessionReference from './reference-sessions.ts'
import { isDuring } from './reference-sessions.ts'

const zones = [
  undefined,
  'America/New_York',
  'America/Sao_Paulo',
  'Asia/Kolkata',
  'Australia/Lord_Howe',
] as const
const intraday: readonly Interval[] = [
  { seconds: 1 },
  { seconds: 7 },
  { minutes: 1 },
  { minutes: 30 },
  { minutes: 90 },
  { hours: 1 },
  { hours: 7 },
  { hours: 24 },
]
const calendar: readonly Interval[] = [
  { days: 1 },
  { days: 3 },
  { weeks: 1 },
  { weeks: 2 },
  { months: 1 },
  { months: 3 },
  { months: 12 },
]
const nameOf = { symbol: 'symbol', size: 'size', order: 'id' } as const

/** Rows by the sort order the answer does not state. */
const sorted = (rows: readonly object[]) => rows.map((row) => JSON.stringify(row)).sort()

/** The answer with the expected double in the place of one that differs in its last digits only: of logarithms and sums. */
const settled = (
  rows: readonly Record<string, unknown>[],
  expected: readonly Record<string, unknown>[],
): Record<string, unknown>[] =>
  rows.map((row, index) =>
    Object.fromEntries(
      Object.entries(row).map(([name, value]) => {
        const other = expected[index]?.[name]
        if (typeof value !== 'number' || typeof other !== 'number') return [name, value]
        return [name, Math.abs(value - other) <= 1e-12 + 1e-9 * Math.abs(other) ? other : value]
      }),
    ),
  )

const regularHours: Session = {
  timeZone: 'America/New_York',
  open: '09:30',
  close: '16:00',
  holidays: ['2024-12-25'],
  earlyCloses: { '2024-11-29': '13:00' },
}
const sessions: readonly Session[] = [
  regularHours,
  { ...regularHours, close: '15:59:30', holidays: ['2024-03-08'] },
  { timeZone: 'America/Sao_Paulo', open: '00:00', close: '24:00', weekdays: [1, 2, 3, 4, 5, 6, 7] },
  { timeZone: 'Asia/Kolkata', open: '09:15', close: '15:30', weekdays: [5, 1, 7] },
  { timeZone: 'UTC', open: '10:00:30', close: '24:00' },
]

const tradeAt = (millis: number, id: bigint): Trade => ({
  ...{ symbol: 'BRK.B', price: Decimal.parse('410.5000'), quote: 410.5, size: 100n },
  millis,
  id,
})

/** Every helper over generated trades, beside a plain computation. `askedOf` is the engine, once it runs. */
export const marketHelperTests = (askedOf: () => Athena, runs: number, timeoutMillis: number): void => {
  const rowsOf = async <Columns extends ColumnRecord>(query: MarketQuery<Columns>) =>
    (await askedOf().query<ColumnRecord>(query)).rows.map((row) => plainRow(row as object))
  const check = (name: string, property: fc.IRawProperty<unknown>) =>
    test(name, { timeout: timeoutMillis }, () =>
      fc.assert(property as fc.IAsyncProperty<unknown>, { numRuns: runs }),
    )

  check(
    'bars within a day begin at the exchange’s midnight, whatever its clocks do',
    fc.asyncProperty(
      generatedTrades,
      fc.constantFrom(...intraday),
      fc.constantFrom(...zones),
      fc.constantFrom('price', 'quote'),
      fc.constantFrom('ts', 'nanos'),
      fc.boolean(),
      async (trades, interval, timeZone, price, time, isNumbered) => {
        const { order, ...unordered } = nameOf
        const names = { ...unordered, ...(isNumbered && { order }) }
        const options = { ...names, price, time, interval, ...(timeZone && { timeZone }) } as const
        const momentOf = time === 'nanos' ? (trade: Trade) => nanosOf(trade)! : undefined
        expect(await rowsOf(bars(tradeSource(trades), options))).toEqual(
          reference.bars(trades, price, interval, timeZone, isNumbered, momentOf).map(plainRow),
        )
      },
    ),
  )

  check(
    'bars of days, weeks and months are those of the exchange’s calendar',
    fc.asyncProperty(
      generatedTrades,
      fc.constantFrom(...calendar),
      fc.constantFrom(...zones),
      async (trades, interval, timeZone) => {
        const options = {
          ...nameOf,
          price: 'price',
          time: 'ts',
          interval,
          ...(timeZone && { timeZone }),
        } as const
        expect(await rowsOf(bars(tradeSource(trades), options))).toEqual(
          reference.bars(trades, 'price', interval, timeZone).map(plainRow),
        )
      },
    ),
  )

  check(
    'coarser bars are the bars of the trades',
    fc.asyncProperty(
      generatedTrades,
      fc.constantFrom<[Interval, Interval]>(
        [{ seconds: 1 }, { minutes: 30 }],
        [{ minutes: 30 }, { hours: 1 }],
        [{ minutes: 30 }, { days: 1 }],
        [{ days: 1 }, { weeks: 1 }],
        [{ days: 1 }, { months: 3 }],
        [{ months: 1 }, { months: 12 }],
      ),
      fc.constantFrom(...zones),
      async (trades, [finer, coarser], timeZone) => {
        const zone = timeZone && { timeZone }
        const source = bars(tradeSource(trades), {
          ...nameOf,
          price: 'price',
          time: 'ts',
          interval: finer,
          ...zone,
        })
        expect(await rowsOf(coarserBars(source, { ...barColumns, interval: coarser, ...zone }))).toEqual(
          reference.bars(trades, 'price', coarser, timeZone).map(plainRow),
        )
      },
    ),
  )

  check(
    'the latest row of each symbol is the one with the last time and number',
    fc.asyncProperty(generatedTrades, async (trades) => {
      const columns = ['symbol', 'price', 'quote', 'size', 'ts', 'id'] as const
      const query = latestPerSymbol(tradeSource(trades), {
        symbol: 'symbol',
        time: 'ts',
        order: 'id',
        columns,
      })
      const expected = reference
        .latestPerSymbol(trades)
        .map(({ symbol, price, quote, size, millis, id }) => ({
          symbol,
          price: plain(price),
          quote,
          size: plain(size),
          ts: plain(new Date(millis!)),
          id: plain(id),
        }))
      expect(sorted(await rowsOf(query))).toEqual(sorted(expected))
    }),
  )

  const halfHours = (trades: readonly Trade[]) =>
    bars(tradeSource(trades), { ...nameOf, price: 'price', time: 'ts', interval: { minutes: 30 } })
  const pointsOf = (trades: readonly Trade[]) =>
    reference.bars(trades, 'price', { minutes: 30 }).map((bar) => ({
      symbol: bar['symbol'] as string | null,
      time: bar['start'],
      value: bar['close'] as Decimal,
      open: bar['open'] as Decimal,
    }))
  const series = { symbol: 'symbol', time: 'start', value: 'close' } as const
  const checkSeries = <Variant>(
    name: string,
    variants: readonly Variant[],
    queryOf: (trades: readonly Trade[], variant: Variant) => MarketQuery<ColumnRecord>,
    expectedOf: (points: ReturnType<typeof pointsOf>, variant: Variant) => readonly object[],
  ) =>
    check(
      name,
      fc.asyncProperty(generatedTrades, fc.constantFrom(...variants), async (trades, variant) => {
        const expected = expectedOf(pointsOf(trades), variant).map(plainRow)
        expect(settled(await rowsOf(queryOf(trades, variant)), expected)).toEqual(expected)
      }),
    )
  const one = [undefined]

  check(
    'bars of a day are those of the day that a column holds',
    fc.asyncProperty(generatedTrades, fc.boolean(), async (trades, isNumbered) => {
      const { order, ...unordered } = nameOf
      const { sql: text, columns } = tradeSource(trades)
      const source = {
        sql: `SELECT *, date_format(ts, '%Y-%m-%d') AS day FROM (${text}) AS given`,
        parameters: [],
        columns: { ...columns, day: t.string().nullable() },
      }
      const query = dailyBars(source, {
        ...{ ...unordered, price: 'price', time: 'ts', day: 'day' },
        ...(isNumbered && { order }),
      })
      const expected = reference
        .bars(trades, 'price', { days: 1 }, undefined, isNumbered)
        .map(({ start, turnover: _, vwap: __, ...bar }) => ({ ...bar, day: start }))
      expect(await rowsOf(query)).toEqual(expected.map(plainRow))
    }),
  )

  checkSeries(
    'the best and the worst day are those of the largest and the smallest return, the first of equal ones',
    one,
    (trades) => bestAndWorstDay(halfHours(trades), { symbol: 'symbol', day: 'start', close: 'close' }),
    (points) =>
      [...reference.groupedBy(reference.returns(points), ({ symbol }) => symbol)].flatMap(
        ([symbol, rows]) => {
          const known = rows.filter((row) => row['simpleReturn'] !== null)
          const changeOf = (row: Record<string, unknown>) => row['simpleReturn'] as number
          const worst = reference.sortedBy(known, changeOf, ({ time }) => time)[0]
          const best = reference.sortedBy(
            known,
            (row) => -changeOf(row),
            ({ time }) => time,
          )[0]
          if (worst === undefined || best === undefined) return []
          return {
            symbol,
            bestDay: best['time'],
            bestChange: changeOf(best),
            worstDay: worst['time'],
            worstChange: changeOf(worst),
          }
        },
      ),
  )
  checkSeries(
    'rows of an answer are those that its figures were computed for, and then kept',
    [3],
    (trades, rows) =>
      rowsWhere(movingAverage(halfHours(trades), { ...series, rows }), sql`rows = ${3}`, {
        orderBy: ['symbol', 'time'],
      }),
    (points, rows) => reference.movingAverage(points, rows).filter((row) => row['rows'] === 3n),
  )

  test('rows without a time have no place in a series', async () => {
    const moment = Date.parse('2024-03-08T15:00:00Z')
    const trades = [tradeAt(moment, 1n), { ...tradeAt(moment + 1, 2n), millis: null }]
    const names = { symbol: 'symbol', time: 'ts', value: 'price' } as const
    const source = tradeSource(trades)
    for (const query of [
      movingAverage(source, { ...names, rows: 2 }),
      movingAverage(source, { symbol: 'symbol', day: 'ts', value: 'price', rows: 2 }),
      exponentialMovingAverage(source, { ...names, rows: 2, smoothing: 0.5 }),
      movingVolatility(source, { ...names, rows: 2 }),
      drawdown(source, names),
      returns(source, { symbol: 'symbol', time: 'ts', close: 'price' }),
    ] as readonly MarketQuery<ColumnRecord>[]) {
      expect(await rowsOf(query)).toHaveLength(1)
    }
  })

  checkSeries(
    'returns are those of the bar before',
    one,
    (trades) => returns(halfHours(trades), { symbol: 'symbol', time: 'start', close: 'close' }),
    reference.returns,
  )
  checkSeries(
    'moving averages are exact in decimals',
    [1, 3],
    (trades, rows) => movingAverage(halfHours(trades), { ...series, rows }),
    (points, rows) => reference.movingAverage(points, rows),
  )
  checkSeries(
    'exponential moving averages weigh rows by their age',
    [
      [0.4, 3],
      [1, 5],
      [0.1, 350],
    ],
    (trades, [smoothing, rows]) =>
      exponentialMovingAverage(halfHours(trades), { ...series, smoothing: smoothing!, rows: rows! }),
    (points, [smoothing, rows]) => reference.exponentialMovingAverage(points, smoothing!, rows!),
  )
  checkSeries(
    'drawdowns are measured from the highest value so far',
    one,
    (trades) => drawdown(halfHours(trades), series),
    reference.drawdown,
  )
  checkSeries(
    'the largest drawdown is the first of its size',
    one,
    (trades) => maxDrawdown(halfHours(trades), series),
    reference.maxDrawdown,
  )
  checkSeries(
    'top movers are ranked by their change, then by symbol',
    ['up', 'down', 'either'] as const,
    (trades, direction) =>
      topMovers(halfHours(trades), {
        ...{ symbol: 'symbol', time: 'start', open: 'open', close: 'close' },
        limit: 2,
        direction,
      }),
    (points, direction) => reference.topMovers(points, 2, direction),
  )

  const returnNames = { symbol: 'symbol', time: 'start', close: 'close' } as const
  checkSeries(
    'volatility is the sample standard deviation of returns over the root of a period',
    one,
    (trades) =>
      volatility(returns(halfHours(trades), returnNames), {
        ...{ per: ['symbol'], value: 'simpleReturn', periodsPerYear: 252 },
      }),
    (points) =>
      [...reference.groupedBy(reference.returns(points), ({ symbol }) => symbol)].map(([symbol, rows]) => {
        const known = rows.flatMap((row) =>
          row['simpleReturn'] === null ? [] : [row['simpleReturn'] as number],
        )
        const deviation = reference.standardDeviation(known)
        return {
          symbol,
          volatility: deviation === null ? null : deviation * Math.sqrt(252),
          returns: BigInt(known.length),
        }
      }),
  )
  checkSeries(
    'moving volatility is that of the last rows',
    one,
    (trades) =>
      movingVolatility(returns(halfHours(trades), returnNames), {
        ...{ symbol: 'symbol', time: 'time', value: 'simpleReturn', rows: 3 },
      }),
    (points) =>
      [...reference.groupedBy(reference.returns(points), ({ symbol }) => symbol)].flatMap(
        ([symbol, rows]) => {
          const known = rows.filter((row) => row['simpleReturn'] !== null)
          return known.map(({ time }, index) => {
            const last = known
              .slice(Math.max(0, index - 2), index + 1)
              .map((row) => row['simpleReturn'] as number)
            return {
              symbol,
              time,
              volatility: reference.standardDeviation(last),
              returns: BigInt(last.length),
            }
          })
        },
      ),
  )

  check(
    'each trade has the last quote at or before it, within the tolerance',
    fc.asyncProperty(
      generatedTrades,
      fc.constantFrom('ts', 'nanos'),
      fc.constantFrom(undefined, 0, 500, 3_600_000, Number.MAX_SAFE_INTEGER),
      fc.boolean(),
      async (rows, time, toleranceMillis, isOrderedByAsk) => {
        const trades = rows.filter((_, index) => index % 2 === 0)
        const quotes = rows.filter((_, index) => index % 2 === 1)
        const query = asOfJoin(tradeSource(trades), tradeSource(quotes), {
          trades: { symbol: 'symbol', time, columns: { id: 'id', ticker: 'symbol', price: 'price' } },
          quotes: {
            ...{ symbol: 'symbol', time, order: isOrderedByAsk ? ['quote', 'id'] : 'id' },
            columns: { quoteId: 'id', bid: 'price', ask: 'quote' },
          },
          ...(toleranceMillis !== undefined && { toleranceMillis }),
        })
        const momentOf = (row: Trade) =>
          time === 'nanos' ? nanosOf(row) : row.millis === null ? null : BigInt(row.millis)
        const tolerance =
          toleranceMillis === undefined
            ? undefined
            : BigInt(toleranceMillis) * (time === 'nanos' ? 1_000_000n : 1n)
        const expected = reference.asOfJoin(trades, quotes, momentOf, tolerance, isOrderedByAsk).map(plainRow)
        expect(sorted(await rowsOf(query))).toEqual(sorted(expected))
      },
    ),
  )

  check(
    'the rows of sessions are those that the clocks of the exchange show within them',
    fc.asyncProperty(
      generatedTrades,
      fc.constantFrom(...sessions),
      fc.constantFrom('ts', 'nanos'),
      async (trades, session, time) => {
        const query = duringSession(tradeSource(trades), { time, session, columns: ['id'] })
        const expected = trades.filter(({ millis }) => millis !== null && isDuring(millis, session))
        expect(sorted(await rowsOf(query))).toEqual(sorted(expected.map(({ id }) => ({ id: plain(id) }))))
      },
    ),
  )

  test('a half day closes early, a holiday has no session, and clocks that change are followed', async () => {
    const within = [
      '2024-03-08T14:30:00.000Z', // 09:30 by winter time
      '2024-03-08T20:59:59.999Z',
      '2024-03-11T13:30:00.000Z', // 09:30 by summer time
      '2024-03-11T19:59:59.999Z',
      '2024-11-29T17:59:59.999Z',
    ]
    const without = [
      '2024-03-08T14:29:59.999Z',
      '2024-03-08T21:00:00.000Z',
      '2024-03-09T15:00:00.000Z', // a Saturday
      '2024-03-11T20:00:00.000Z',
      '2024-11-29T18:00:00.000Z', // the half day
      '2024-11-29T20:30:00.000Z',
      '2024-12-25T15:00:00.000Z',
    ]
    const source = tradeSource(
      [...within, ...without].map((moment, id) => tradeAt(Date.parse(moment), BigInt(id))),
    )
    const query = duringSession(source, { time: 'ts', session: regularHours, columns: ['ts'] })
    expect(sorted(await rowsOf(query))).toEqual(sorted(within.map((ts) => ({ ts }))))
  })

  test('nanoseconds are cut down, before 1970 too', async () => {
    const before = Date.parse('1969-12-28T10:00:00.000Z') - 1
    const source = tradeSource([tradeAt(before, 3n), tradeAt(before + 1, 5n)])
    const query = bars(source, { ...nameOf, price: 'price', time: 'nanos', interval: { hours: 1 } })
    expect((await rowsOf(query)).map((row) => row['start'])).toEqual([
      '1969-12-28T09:00:00.000Z',
      '1969-12-28T10:00:00.000Z',
    ])
  })

  check(
    'silence is told between rows, and within sessions from the open to the close',
    fc.asyncProperty(
      tradesOf2024,
      fc.constantFrom(undefined, ...sessions),
      fc.constantFrom(0, 499, 500, 3_600_000, 8 * 3_600_000),
      async (trades, session, thresholdMillis) => {
        const query = silentIntervals(tradeSource(trades), {
          ...{ symbol: 'symbol', time: 'ts', thresholdMillis },
          ...(session && { session }),
        })
        expect(await rowsOf(query)).toEqual(
          sessionReference
            .silentIntervals(sessionReference.timed(trades), thresholdMillis, session)
            .map(plainRow),
        )
      },
    ),
  )
  check(
    'missing bars are those that `bars` would have begun',
    fc.asyncProperty(
      tradesOf2024,
      fc.constantFrom<IntradayInterval[]>({ minutes: 30 }, { minutes: 90 }, { hours: 7 }, { hours: 24 }),
      fc.constantFrom(undefined, ...sessions),
      fc.constantFrom('UTC', 'Australia/Lord_Howe', 'America/New_York'),
      async (trades, interval, session, zone) => {
        const timeZone = session?.timeZone ?? zone
        const held = bars(tradeSource(trades), { ...nameOf, price: 'price', time: 'ts', interval, timeZone })
        const query = missingBars(held, {
          ...{ symbol: 'symbol', time: 'start', interval, timeZone },
          ...(session && { session }),
        })
        const starts = reference.bars(trades, 'price', interval, timeZone).map((bar) => ({
          symbol: bar['symbol'] as string | null,
          millis: Date.parse(bar['start'] as string),
        }))
        expect(await rowsOf(query)).toEqual(
          sessionReference.missingBars(starts, interval, timeZone, session).map(plainRow),
        )
      },
    ),
  )
}

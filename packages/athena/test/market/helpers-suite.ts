import type { ColumnRecord } from '@stockpipe/core'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import {
  type Athena,
  barColumns,
  bars,
  coarserBars,
  type Interval,
  latestPerSymbol,
  type MarketQuery,
  returns,
} from '../../src/index.ts'
import { generatedTrades, plain, plainRow, tradeSource } from './generated-trades.ts'
import * as reference from './reference.ts'

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

/** Doubles that come from a logarithm or a root: the last digit may differ between engines. */
const close = (rows: readonly Record<string, unknown>[], names: readonly string[]) =>
  rows.map((row) =>
    Object.fromEntries(
      Object.entries(row).map(([name, value]) => [
        name,
        names.includes(name) && typeof value === 'number' ? Number(value.toPrecision(12)) : value,
      ]),
    ),
  )

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
      async (trades, interval, timeZone, price, time) => {
        const options = { ...nameOf, price, time, interval, ...(timeZone && { timeZone }) } as const
        expect(await rowsOf(bars(tradeSource(trades), options))).toEqual(
          reference.bars(trades, price, interval, timeZone).map(plainRow),
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

  check(
    'returns are those of the bar before',
    fc.asyncProperty(generatedTrades, async (trades) => {
      const source = bars(tradeSource(trades), {
        ...nameOf,
        price: 'price',
        time: 'ts',
        interval: { minutes: 30 },
      })
      const points = reference
        .bars(trades, 'price', { minutes: 30 })
        .map((bar) => ({ symbol: bar['symbol'], time: bar['start'], value: bar['close'] }) as reference.Point)
      const query = returns(source, { symbol: 'symbol', time: 'start', close: 'close' })
      expect(close(await rowsOf(query), ['logReturn'])).toEqual(
        close(reference.returns(points).map(plainRow), ['logReturn']),
      )
    }),
  )
}

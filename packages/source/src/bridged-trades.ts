import { setImmediate as nextTurn } from 'node:timers/promises'
import { Decimal, parseDate, type RecordSource, zoneOffset } from '@stockpipe/core'
import { type BarTrade, barTrades } from './bar-trades.ts'
import { type BarInTicks, barsByDay, type DailyBar } from './daily-bar.ts'
import { type SeededRandom, seededRandom } from './seeded-random.ts'
import { tradesPerBar } from './trades-per-bar.ts'

/** A made trade. */
export interface BridgedTrade {
  readonly symbol: string
  readonly price: Decimal
  /** Shares. */
  readonly size: bigint
  readonly ts: Date
  /** 1, 2, 3 ... over the whole source. */
  readonly trade_id: bigint
}

export interface BridgeDailyBarsOptions {
  readonly bars: Iterable<DailyBar>
  /** Trades in all; each bar gets the fewest that show it and a share of the rest by its volume. */
  readonly trades: number
  /** The same seed gives the same trades. Default 1. */
  readonly seed?: number | string
  /** Digits after the point of the prices. Default 4; a bar's trades move in the bar's own tick all the same. */
  readonly priceScale?: number
  /** Trades a batch. Default 1,000. */
  readonly batchRows?: number
}

const sessionZone = 'America/New_York'
const sessionOpenMillis = 9.5 * 3_600_000

/**
 * Trades that bridge real daily bars. They are made, not recorded: only open, high, low, close and volume are real.
 *
 * Each ticker's day starts at the open, touches high and low and ends at the close; the sizes add up to the volume;
 * so daily bars computed back from the trades equal the bars exactly. The times of a ticker are distinct milliseconds
 * of the regular session (09:30 to 16:00 in New York, also on days that really closed early); the trades of all tickers come in order of time.
 * Trades are made as they are read and never kept. Whole days before `from` are skipped without being made.
 *
 * Throws a `SchemaMismatchError` `BAR_UNFIT` that names ticker and date (a price outside [low, high], no volume, a day
 * given twice) and a `ConfigurationError` `TRADES_UNFIT` when `trades` is too few or too many for the bars.
 */
export const bridgeDailyBars = (options: BridgeDailyBarsOptions): RecordSource<BridgedTrade> => {
  const { trades, seed = 1, priceScale = 4, batchRows = 1000 } = options
  const days = barsByDay(options.bars, priceScale)
  const counts = tradesPerBar(days.flat(), trades)
  return {
    async *read({ from = 0, signal, onProgress } = {}) {
      let position = 0
      let barIndex = 0
      let rows: BridgedTrade[] = []
      for (const day of days) {
        const dayCounts = counts.slice(barIndex, barIndex + day.length)
        barIndex += day.length
        const dayTrades = dayCounts.reduce((sum, count) => sum + count, 0)
        if (position + dayTrades <= from) {
          position += dayTrades
          continue
        }
        for (const trade of tradesOfDay(day, dayCounts, seed, priceScale)) {
          position += 1
          if (position <= from) continue
          rows.push({ ...trade, trade_id: BigInt(position) })
          if (rows.length < batchRows && position < trades) continue
          // Without a turn of the event loop a fast reader would never see its signal abort.
          await nextTurn()
          signal?.throwIfAborted()
          onProgress?.({ records: position, totalRecords: trades })
          yield { rows, position }
          rows = []
        }
      }
      signal?.throwIfAborted()
    },
  }
}

interface Cursor {
  readonly bar: BarInTicks
  readonly trades: Iterator<BarTrade>
  readonly tickUnscaled: bigint
  trade: BarTrade
}

/** The trades of all bars of one day in order of time; those of one millisecond in order of ticker. */
function* tradesOfDay(
  bars: readonly BarInTicks[],
  counts: readonly number[],
  seed: number | string,
  priceScale: number,
): Generator<Omit<BridgedTrade, 'trade_id'>> {
  const openMillis = sessionOpen(bars[0]!.date)
  const cursors = bars.map((bar, index): Cursor => {
    const random: SeededRandom = seededRandom(JSON.stringify([seed, bar.ticker, bar.date]))
    const trades = barTrades(bar, counts[index]!, random)
    return {
      bar,
      trades,
      tickUnscaled: 10n ** BigInt(priceScale - bar.scale),
      trade: trades.next().value as BarTrade,
    }
  })
  while (cursors.length > 0) {
    let earliest = 0
    for (let index = 1; index < cursors.length; index++) {
      if (cursors[index]!.trade.millis < cursors[earliest]!.trade.millis) earliest = index
    }
    const cursor = cursors[earliest]!
    const { millis, ticks, size } = cursor.trade
    yield {
      symbol: cursor.bar.ticker,
      price: Decimal.of(BigInt(ticks) * cursor.tickUnscaled, priceScale),
      size,
      ts: new Date(openMillis + millis),
    }
    const next = cursor.trades.next()
    if (next.done) cursors.splice(earliest, 1)
    else cursor.trade = next.value
  }
}

/** The instant of 09:30 in New York, milliseconds since the epoch; clocks change at 02:00, never during a session. */
const sessionOpen = (date: string): number => {
  const local = parseDate(date)! * 86_400_000 + sessionOpenMillis
  return local - zoneOffset(sessionZone)(local)
}

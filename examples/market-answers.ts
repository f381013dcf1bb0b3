import {
  type Athena,
  bestAndWorstDay,
  dailyBars,
  movingAverage,
  rowsPer,
  volumeWeightedAveragePrice,
} from '@stockpipe/athena'
import type { bars, trades } from './market-tables.ts'

type Bars = ReturnType<typeof bars.at>
type Trades = ReturnType<typeof trades.at>

/** The five questions, asked through typed helpers; each row's type comes from the table definitions. */
export const askMarketQuestions = async (athena: Athena, bars: Bars, trades: Trades, signal: AbortSignal) => {
  const bySymbolAndDay = { symbol: 'ticker', day: 'date' } as const
  const [rebuilt, averages, extremes, vwap, counts] = await Promise.all([
    athena.query({
      ...dailyBars(trades, { symbol: 'ticker', price: 'price', size: 'size', time: 'ts', day: 'trade_date' }),
      signal,
    }),
    athena.query({ ...movingAverage(bars, { ...bySymbolAndDay, value: 'close', rows: 20 }), signal }),
    athena.query({ ...bestAndWorstDay(bars, { ...bySymbolAndDay, close: 'close' }), signal }),
    athena.query({
      ...volumeWeightedAveragePrice(trades, { per: ['ticker'], price: 'price', size: 'size' }),
      signal,
    }),
    athena.query({ ...rowsPer(bars, ['ticker', 'year']), signal }),
  ])
  return {
    rebuilt: rebuilt.rows,
    averages: averages.rows,
    extremes: extremes.rows,
    vwap: vwap.rows,
    counts: counts.rows,
  }
}

export type MarketAnswers = Awaited<ReturnType<typeof askMarketQuestions>>

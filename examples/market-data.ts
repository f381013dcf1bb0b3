import { type InferInput, type RecordSource, StockpipeError } from '@stockpipe/core'
import { type BridgedTrade, bridgeDailyBars, type DailyBar, replayCsv } from '@stockpipe/source'
import type { bars } from './market-tables.ts'

/** Real daily bars of five US stocks, 2000 to 2013; see data/README.md for the credit. */
export const barsFile = new URL('../data/us-stocks-daily.csv', import.meta.url)

/** The real trading day whose bars the trades bridge. */
export const tradedDay = '2013-02-15'
export const tradeCount = 200_000

export type BarRow = InferInput<typeof bars> & { readonly date: string; readonly close: string }

/** The file's daily bars, in its order, prices as their text. */
export const barsSource = (file: URL = barsFile): RecordSource<BarRow> =>
  replayCsv(file, {
    columns: ['Ticker', 'Date', 'Open', 'High', 'Low', 'Close', 'Volume', 'Adj Close'],
    countRecords: true,
    row: (record) => ({
      symbol: record.Ticker,
      date: record.Date,
      open: record.Open,
      high: record.High,
      low: record.Low,
      close: record.Close,
      volume: BigInt(record.Volume),
      adj_close: record['Adj Close'],
    }),
  })

/** All rows of the file at once: 12,154 of them. */
export const readBars = async (): Promise<readonly BarRow[]> => {
  const rows: BarRow[] = []
  for await (const batch of barsSource().read()) rows.push(...batch.rows)
  return rows
}

/** Made trades that bridge one real day: computed back to bars they give that day's bars exactly. */
export const tradesSource = (rows: readonly BarRow[]): RecordSource<BridgedTrade> => {
  const day = rows.filter(({ date }) => date === tradedDay)
  if (day.length === 0) {
    throw new StockpipeError({ code: 'DAY_MISSING', message: `The file of daily bars has no ${tradedDay}.` })
  }
  const dailyBars = day.map(
    (row): DailyBar => ({
      ticker: row.symbol,
      date: row.date,
      open: row.open,
      high: row.high,
      low: row.low,
      close: row.close,
      volume: BigInt(row.volume),
    }),
  )
  return bridgeDailyBars({ bars: dailyBars, trades: tradeCount, seed: tradedDay })
}

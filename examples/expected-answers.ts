import { Decimal, type RecordSource } from '@stockpipe/core'
import type { BridgedTrade } from '@stockpipe/source'
import type { MarketAnswers } from './market-answers.ts'
import { type BarRow, tradedDay } from './market-data.ts'

const byTicker = <Row extends { readonly symbol: string }>(rows: readonly Row[]): [string, Row[]][] => {
  const groups = new Map<string, Row[]>()
  for (const row of rows) groups.set(row.symbol, [...(groups.get(row.symbol) ?? []), row])
  return [...groups].sort(([left], [right]) => (left < right ? -1 : 1))
}

const inPriceScale = (text: string) => Decimal.parse(text).rescale(4)

const byDate = (left: BarRow, right: BarRow) => (left.date < right.date ? -1 : 1)

/**
 * The five answers again by plain loops over the CSV (and over the trades, for what only they know): nothing here has
 * been through Kafka, Parquet or SQL.
 */
export const expectedAnswers = async (
  rows: readonly BarRow[],
  trades: RecordSource<BridgedTrade>,
): Promise<MarketAnswers> => {
  const tradesOf = new Map<string, { count: bigint; value: Decimal; volume: bigint }>()
  for await (const batch of trades.read()) {
    for (const { symbol, price, size } of batch.rows) {
      const sums = tradesOf.get(symbol) ?? { count: 0n, value: Decimal.of(0n, 4), volume: 0n }
      sums.count += 1n
      sums.value = sums.value.add(price.multiply(Decimal.of(size, 0)))
      sums.volume += size
      tradesOf.set(symbol, sums)
    }
  }
  const tickers = byTicker(rows)
  const onTradedDay = rows.filter(({ date }) => date === tradedDay)
  return {
    rebuilt: byTicker(onTradedDay).map(([symbol, [bar]]) => ({
      symbol,
      day: tradedDay,
      open: inPriceScale(String(bar!.open)),
      high: inPriceScale(String(bar!.high)),
      low: inPriceScale(String(bar!.low)),
      close: inPriceScale(bar!.close),
      volume: BigInt(bar!.volume),
      trades: tradesOf.get(symbol)!.count,
    })),
    averages: tickers.flatMap(([symbol, group]) => {
      const days = group.toSorted(byDate)
      return days.map((bar, index) => {
        const window = days.slice(Math.max(0, index - 19), index + 1)
        let sum = Decimal.of(0n, 4)
        for (const { close } of window) sum = sum.add(inPriceScale(close))
        return {
          symbol,
          day: bar.date,
          value: inPriceScale(bar.close),
          average: sum.divide(Decimal.of(BigInt(window.length), 0), 4),
          rows: BigInt(window.length),
        }
      })
    }),
    extremes: tickers.map(([symbol, group]) => {
      const days = group.toSorted(byDate)
      let best = { day: '', change: Number.NEGATIVE_INFINITY }
      let worst = { day: '', change: Number.POSITIVE_INFINITY }
      for (let index = 1; index < days.length; index++) {
        const day = days[index]!.date
        const change = Number(days[index]!.close) / Number(days[index - 1]!.close) - 1
        if (change > best.change) best = { day, change }
        if (change < worst.change) worst = { day, change }
      }
      return {
        symbol,
        bestDay: best.day,
        bestChange: best.change,
        worstDay: worst.day,
        worstChange: worst.change,
      }
    }),
    vwap: [...tradesOf]
      .sort(([left], [right]) => (left < right ? -1 : 1))
      .map(([ticker, { value, volume }]) => ({
        ticker,
        vwap: value.divide(Decimal.of(volume, 0), 4),
        volume,
      })),
    counts: tickers.flatMap(([ticker, group]) => {
      const years = new Map<string, bigint>()
      for (const { date } of group) years.set(date.slice(0, 4), (years.get(date.slice(0, 4)) ?? 0n) + 1n)
      return [...years]
        .sort(([left], [right]) => (left < right ? -1 : 1))
        .map(([year, count]) => ({ ticker, year, rows: count }))
    }),
  }
}

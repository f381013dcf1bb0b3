import { ConfigurationError, Decimal, parseDate, SchemaMismatchError } from '@stockpipe/core'

/** One day of one ticker. Prices are exact: text or `Decimal`, never a number. */
export interface DailyBar {
  readonly ticker: string
  /** `YYYY-MM-DD`, the day of the session. */
  readonly date: string
  readonly open: Decimal | string
  readonly high: Decimal | string
  readonly low: Decimal | string
  readonly close: Decimal | string
  /** Shares traded. */
  readonly volume: bigint
}

/** A daily bar that holds together, its prices as whole numbers of its own tick. */
export interface BarInTicks {
  readonly ticker: string
  readonly date: string
  readonly open: number
  readonly high: number
  readonly low: number
  readonly close: number
  /** Ticks are 10 to the power of -`scale`: the finest of the bar's four prices. */
  readonly scale: number
  readonly volume: bigint
  /** Fewest trades that can show the bar: open, close, and its extremes where they are neither. */
  readonly fewestTrades: number
}

const unfit = (bar: DailyBar, reason: string): SchemaMismatchError =>
  new SchemaMismatchError({
    code: 'BAR_UNFIT',
    message: `The daily bar of ${bar.ticker} on ${bar.date} cannot be bridged: ${reason}.`,
    facts: { ticker: bar.ticker, date: bar.date },
  })

/** Checks a bar and measures it in ticks. Throws a `SchemaMismatchError` that names ticker and date. */
export const barInTicks = (bar: DailyBar, priceScale: number): BarInTicks => {
  if (parseDate(bar.date) === undefined) throw unfit(bar, "its date is not 'YYYY-MM-DD'")
  const named = { open: bar.open, high: bar.high, low: bar.low, close: bar.close }
  const prices = Object.entries(named).map(([name, price]) => {
    const decimal = typeof price === 'string' ? Decimal.tryParse(price) : price
    if (!Decimal.isDecimal(decimal))
      throw unfit(bar, `its ${name} "${String(price)}" is not a decimal number`)
    return decimal
  })
  const scale = Math.max(...prices.map((price) => price.scale))
  if (scale > priceScale) {
    throw unfit(
      bar,
      `its prices have ${scale} digits after the point and the trades ${priceScale}; raise priceScale`,
    )
  }
  const [open, high, low, close] = prices.map((price) => {
    const ticks = Number(price.rescale(scale).unscaled)
    if (!Number.isSafeInteger(ticks)) throw unfit(bar, `its price ${price} is beyond 2^53 ticks`)
    return ticks
  }) as [number, number, number, number]
  if (Math.min(open, close) < low || Math.max(open, close) > high) {
    throw unfit(bar, `open and close must lie within low and high: ${prices.join(', ')}`)
  }
  const fewestTrades = 2 + (high === open || high === close ? 0 : 1) + (low === open || low === close ? 0 : 1)
  if (bar.volume <= 0n) throw unfit(bar, `nothing was traded that day (volume ${bar.volume}); leave it out`)
  if (bar.volume < BigInt(fewestTrades)) {
    throw unfit(
      bar,
      `its volume ${bar.volume} is too small for the ${fewestTrades} trades it takes to show it`,
    )
  }
  const { ticker, date, volume } = bar
  return { ticker, date, open, high, low, close, scale, volume, fewestTrades }
}

/** Bars by day, days in order, tickers of a day in order. Throws when a ticker has a day twice. */
export const barsByDay = (
  bars: Iterable<DailyBar>,
  priceScale: number,
): readonly (readonly BarInTicks[])[] => {
  const days = new Map<string, Map<string, BarInTicks>>()
  for (const bar of bars) {
    const day = days.get(bar.date) ?? new Map<string, BarInTicks>()
    days.set(bar.date, day)
    if (day.has(bar.ticker)) throw unfit(bar, 'the ticker has that day twice')
    day.set(bar.ticker, barInTicks(bar, priceScale))
  }
  if (days.size === 0) {
    throw new ConfigurationError({ code: 'BARS_MISSING', message: 'There are no daily bars to bridge.' })
  }
  const ordered = <T>(entries: Map<string, T>): T[] =>
    [...entries].sort(([left], [right]) => (left < right ? -1 : 1)).map(([, value]) => value)
  return ordered(days).map((day) => ordered(day))
}

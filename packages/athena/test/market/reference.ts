import { Decimal } from '@stockpipe/core'
import type { Interval } from '../../src/index.ts'
import type { Trade } from './generated-trades.ts'

/** What the helpers answer, computed here in plain TypeScript: exact, and as slow as it likes. */

const formats = new Map<string, Intl.DateTimeFormat>()

/** What the clocks of a zone show: `2024-03-08` and `09:30:00`. */
export const wallClock = (millis: number, timeZone = 'UTC'): { day: string; time: string } => {
  let format = formats.get(timeZone)
  if (format === undefined) {
    format = new Intl.DateTimeFormat('en-CA', {
      timeZone,
      hourCycle: 'h23',
      year: 'numeric',
      month: '2-digit',
      day: '2-digit',
      hour: '2-digit',
      minute: '2-digit',
      second: '2-digit',
    })
    formats.set(timeZone, format)
  }
  const parts = Object.fromEntries(format.formatToParts(millis).map(({ type, value }) => [type, value]))
  return {
    day: `${parts['year']}-${parts['month']}-${parts['day']}`,
    time: `${parts['hour']}:${parts['minute']}:${parts['second']}`,
  }
}

/** The first moment of the day that a moment is in. */
export const startOfDay = (millis: number, timeZone?: string): number => {
  const { day } = wallClock(millis, timeZone)
  let before = millis - 27 * 3_600_000
  let within = millis
  while (within - before > 1) {
    const middle = Math.floor((before + within) / 2)
    if (wallClock(middle, timeZone).day === day) within = middle
    else before = middle
  }
  return within
}

const addDays = (day: string, days: number): string =>
  new Date(Date.parse(`${day}T00:00:00Z`) + days * 86_400_000).toISOString().slice(0, 10)
const daysSince = (first: string, day: string): number =>
  (Date.parse(`${day}T00:00:00Z`) - Date.parse(`${first}T00:00:00Z`)) / 86_400_000

export const calendarStart = (day: string, interval: Interval): string => {
  const [unit, count] = Object.entries(interval)[0] as [string, number]
  if (unit === 'months') {
    const months = Number(day.slice(0, 4)) * 12 + Number(day.slice(5, 7)) - 1
    const first = months - (months % count)
    return `${String(Math.floor(first / 12)).padStart(4, '0')}-${String((first % 12) + 1).padStart(2, '0')}-01`
  }
  const [first, length] = unit === 'weeks' ? ['1969-12-29', 7 * count] : ['1970-01-01', count]
  const since = daysSince(first, day)
  return addDays(day, -(((since % length) + length) % length))
}

export const startOfInterval = (millis: number, interval: Interval, timeZone?: string): string => {
  const [unit, count] = Object.entries(interval)[0] as [string, number]
  const length = count * ({ seconds: 1000, minutes: 60_000, hours: 3_600_000 }[unit] ?? 0)
  if (length === 0) return calendarStart(wallClock(millis, timeZone).day, interval)
  const midnight = startOfDay(millis, timeZone)
  return new Date(millis - ((millis - midnight) % length)).toISOString()
}

/** The order of ORDER BY: NULL last. */
export const compare = (a: unknown, b: unknown): number => {
  if (a === null || b === null) return a === b ? 0 : a === null ? 1 : -1
  if (Decimal.isDecimal(a)) return a.compare(b as Decimal)
  if (typeof a === 'string') return Buffer.compare(Buffer.from(a), Buffer.from(b as string))
  return (a as number) < (b as number) ? -1 : (a as number) > (b as number) ? 1 : 0
}

export const sortedBy = <T>(items: readonly T[], ...keys: ((item: T) => unknown)[]): T[] =>
  [...items].sort((a, b) => keys.reduce((order, key) => order || compare(key(a), key(b)), 0))

export const groupedBy = <T, Key>(items: readonly T[], key: (item: T) => Key): Map<Key, T[]> => {
  const groups = new Map<Key, T[]>()
  for (const item of items) {
    const group = groups.get(key(item))
    if (group) group.push(item)
    else groups.set(key(item), [item])
  }
  return groups
}

type Price = 'price' | 'quote'

const add = (a: Decimal | number, b: Decimal | number): Decimal | number =>
  Decimal.isDecimal(a) ? a.add(b as Decimal) : a + (b as number)

export const bars = (
  trades: readonly Trade[],
  priceName: Price,
  interval: Interval,
  timeZone?: string,
  isNumbered = true,
  momentOf: (trade: Trade) => unknown = ({ millis }) => millis,
): Record<string, unknown>[] => {
  const counted = trades.filter(
    (trade) => trade[priceName] !== null && trade.size !== null && trade.millis !== null,
  )
  const groups = groupedBy(counted, ({ symbol, millis }) =>
    JSON.stringify([symbol, startOfInterval(millis!, interval, timeZone)]),
  )
  const answer = [...groups].map(([key, group]) => {
    const [symbol, start] = JSON.parse(key) as [string | null, string]
    // Of trades that nothing tells apart the one with the lowest price counts, at the open and at the close.
    const inOrder = sortedBy(group, momentOf, ({ id, [priceName]: price }) => (isNumbered ? id : price))
    const last = inOrder.at(-1)!
    const close = isNumbered ? last : inOrder.find((trade) => compare(momentOf(trade), momentOf(last)) === 0)!
    const prices = inOrder.map((trade) => trade[priceName]!)
    const byPrice = sortedBy(prices, (price) => price)
    const volume = group.reduce((sum, { size }) => sum + size!, 0n)
    const products = inOrder.map(({ size }, index) => {
      const price = prices[index]!
      return Decimal.isDecimal(price) ? price.multiply(Decimal.of(size!, 0)) : price * Number(size)
    })
    const turnover = products.reduce(add)
    return {
      symbol,
      start,
      open: prices[0]!,
      high: byPrice.at(-1)!,
      low: byPrice[0]!,
      close: close[priceName]!,
      volume,
      turnover,
      vwap:
        volume === 0n
          ? null
          : Decimal.isDecimal(turnover)
            ? turnover.divide(Decimal.of(volume, 0), 4)
            : turnover / Number(volume),
      trades: BigInt(group.length),
    }
  })
  return sortedBy(
    answer,
    ({ symbol }) => symbol,
    ({ start }) => start,
  )
}

export const latestPerSymbol = (trades: readonly Trade[]): Trade[] => {
  const timed = trades.filter(({ millis }) => millis !== null)
  return [...groupedBy(timed, ({ symbol }) => symbol).values()].map(
    (group) =>
      sortedBy(
        group,
        ({ millis }) => millis,
        ({ id }) => id,
      ).at(-1)!,
  )
}

/** Values of a symbol in order. */
export interface Point {
  readonly symbol: string | null
  readonly time: unknown
  readonly value: Decimal
}

export const numberOf = (value: Decimal | number): number =>
  Decimal.isDecimal(value) ? value.toNumber() : value

export const returns = (points: readonly Point[]): Record<string, unknown>[] => {
  const answer: Record<string, unknown>[] = []
  for (const [symbol, group] of groupedBy(points, (point) => point.symbol)) {
    const inOrder = sortedBy(group, ({ time }) => time)
    for (const [index, { time, value }] of inOrder.entries()) {
      const previous = index === 0 ? undefined : numberOf(inOrder[index - 1]!.value)
      const figure = numberOf(value)
      const known = previous !== undefined && previous > 0
      answer.push({
        symbol,
        time,
        close: value,
        simpleReturn: known ? figure / previous - 1 : null,
        logReturn: known && figure > 0 ? Math.log(figure / previous) : null,
      })
    }
  }
  return sortedBy(
    answer,
    ({ symbol }) => symbol,
    ({ time }) => time,
  )
}

/** Points of a symbol in order, with the index of each. */
const series = <T extends Point>(points: readonly T[]): [string | null, T[]][] =>
  [...groupedBy(points, ({ symbol }) => symbol)].map(([symbol, group]) => [
    symbol,
    sortedBy(group, ({ time }) => time),
  ])

const bySymbolAndTime = (rows: readonly Record<string, unknown>[]) =>
  sortedBy(
    rows,
    ({ symbol }) => symbol,
    ({ time }) => time,
  )

export const movingAverage = (points: readonly Point[], rows: number): Record<string, unknown>[] =>
  bySymbolAndTime(
    series(points).flatMap(([symbol, inOrder]) =>
      inOrder.map(({ time, value }, index) => {
        const latest = inOrder.slice(Math.max(0, index - rows + 1), index + 1)
        const sum = latest.map((point) => point.value).reduce((a, b) => a.add(b))
        const average = sum.divide(Decimal.of(BigInt(latest.length), 0), value.scale)
        return { symbol, time, value, average, rows: BigInt(latest.length) }
      }),
    ),
  )

export const exponentialMovingAverage = (
  points: readonly Point[],
  smoothing: number,
  rows: number,
): Record<string, unknown>[] =>
  bySymbolAndTime(
    series(points).flatMap(([symbol, inOrder]) =>
      inOrder.map(({ time, value }, index) => {
        const latest = inOrder.slice(Math.max(0, index - rows + 1), index + 1)
        const weights = latest.map((_, place) => (1 - smoothing) ** (latest.length - 1 - place))
        const total = latest.reduce((sum, point, place) => sum + numberOf(point.value) * weights[place]!, 0)
        const average = total / weights.reduce((sum, weight) => sum + weight, 0)
        return { symbol, time, value, average, rows: BigInt(latest.length) }
      }),
    ),
  )

export const drawdown = (points: readonly Point[]): Record<string, unknown>[] =>
  bySymbolAndTime(
    series(points).flatMap(([symbol, inOrder]) => {
      let peak = inOrder[0]!
      return inOrder.map((point) => {
        if (point.value.compare(peak.value) >= 0) peak = point
        const isAboveZero = peak.value.unscaled > 0n
        return {
          symbol,
          time: point.time,
          value: point.value,
          peak: peak.value,
          peakTime: peak.time,
          drawdown: isAboveZero ? numberOf(point.value) / numberOf(peak.value) - 1 : null,
        }
      })
    }),
  )

export const maxDrawdown = (points: readonly Point[]): Record<string, unknown>[] => {
  const known = drawdown(points).filter((row) => row['drawdown'] !== null)
  const worst = [...groupedBy(known, ({ symbol }) => symbol)].map(([symbol, rows]) => {
    const row = sortedBy(
      rows,
      (one) => one['drawdown'],
      ({ time }) => time,
    )[0]!
    return {
      symbol,
      maxDrawdown: row['drawdown'],
      peak: row['peak'],
      peakTime: row['peakTime'],
      trough: row['value'],
      troughTime: row['time'],
    }
  })
  return sortedBy(worst, ({ symbol }) => symbol)
}

/** Of samples; null for fewer than two. */
export const standardDeviation = (values: readonly number[]): number | null => {
  if (values.length < 2) return null
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length
  return Math.sqrt(values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / (values.length - 1))
}

export const topMovers = (
  ends: readonly (Point & { readonly open: Decimal })[],
  limit: number,
  direction: 'up' | 'down' | 'either',
): Record<string, unknown>[] => {
  const moves = series(ends).flatMap(([symbol, inOrder]) => {
    const [first, last] = [inOrder[0]!.open, inOrder.at(-1)!.value]
    return first.unscaled > 0n ? [{ symbol, first, last, change: numberOf(last) / numberOf(first) - 1 }] : []
  })
  const size = { up: 1, down: -1, either: 0 }[direction]
  return sortedBy(
    moves,
    ({ change }) => -(size === 0 ? Math.abs(change) : change * size),
    ({ symbol }) => symbol,
  )
    .slice(0, limit)
    .map((move, index) => ({ rank: BigInt(index + 1), ...move }))
}

export const asOfJoin = (
  trades: readonly Trade[],
  quotes: readonly Trade[],
  momentOf: (row: Trade) => bigint | null,
  tolerance: bigint | undefined,
  isOrderedByAsk: boolean,
): Record<string, unknown>[] =>
  trades.map((trade) => {
    const moment = momentOf(trade)
    const before = quotes.filter((quote) => {
      const quoted = momentOf(quote)
      return (
        quote.symbol !== null &&
        quote.symbol === trade.symbol &&
        moment !== null &&
        quoted !== null &&
        quoted <= moment
      )
    })
    const last = sortedBy(
      before,
      (quote) => momentOf(quote),
      ({ quote }) => (isOrderedByAsk ? (quote ?? Number.NEGATIVE_INFINITY) : 0),
      ({ id }) => id,
    ).at(-1)
    const isNear = last && (tolerance === undefined || moment! - momentOf(last)! <= tolerance)
    return {
      id: trade.id,
      ticker: trade.symbol,
      price: trade.price,
      quoteId: isNear ? last.id : null,
      bid: isNear ? last.price : null,
      ask: isNear ? last.quote : null,
    }
  })

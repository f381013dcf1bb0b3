import { ConfigurationError } from '@stockpipe/core'
import type { BarInTicks } from './daily-bar.ts'

/** Milliseconds of a session: the most trades of one ticker a day, each at its own millisecond. */
export const sessionMillis = 6.5 * 3_600_000

const most = (bar: BarInTicks): bigint =>
  bar.volume < BigInt(sessionMillis) ? bar.volume : BigInt(sessionMillis)

/**
 * How many trades each bar gets: the fewest that show it, and of the rest a share by its volume; they add up to `trades`.
 * Throws a `ConfigurationError` when the bars cannot take so few or so many.
 */
export const tradesPerBar = (bars: readonly BarInTicks[], trades: number): readonly number[] => {
  let fewest = 0n
  let room = 0n
  for (const bar of bars) {
    fewest += BigInt(bar.fewestTrades)
    room += most(bar) - BigInt(bar.fewestTrades)
  }
  const rest = BigInt(Number.isSafeInteger(trades) ? trades : -1) - fewest
  if (rest < 0n || rest > room) {
    throw new ConfigurationError({
      code: 'TRADES_UNFIT',
      message:
        `${bars.length} daily bars cannot be bridged with ${trades} trades: they need at least ${fewest} to show open, ` +
        `high, low and close, and can take at most ${fewest + room} (one a share, one a millisecond of the session).`,
      facts: { bars: bars.length, trades, fewest, most: fewest + room },
    })
  }
  const shares = bars.map((bar, index) => {
    const share = rest * (most(bar) - BigInt(bar.fewestTrades))
    return { index, whole: room === 0n ? 0n : share / room, left: room === 0n ? 0n : share % room }
  })
  let given = 0n
  for (const share of shares) given += share.whole
  const counts = shares.map((share) => bars[share.index]!.fewestTrades + Number(share.whole))
  shares.sort((a, b) => (a.left > b.left ? -1 : a.left < b.left ? 1 : a.index - b.index))
  for (const share of shares.slice(0, Number(rest - given))) counts[share.index]! += 1
  return counts
}

import type { BarInTicks } from './daily-bar.ts'
import type { SeededRandom } from './seeded-random.ts'
import { sessionMillis } from './trades-per-bar.ts'

/** A trade of a bar: milliseconds after the open, price in the bar's ticks. */
export interface BarTrade {
  readonly millis: number
  readonly ticks: number
  readonly size: bigint
}

/** The trades that show a bar, in order of time, one at a time. */
export function* barTrades(bar: BarInTicks, count: number, random: SeededRandom): Generator<BarTrade> {
  const waypoints = waypointsOf(bar, count, random)
  const noise = ((bar.high - bar.low) * Math.sqrt(3)) / Math.sqrt(count)
  let next = 1
  let ticks = bar.open
  let sharesLeft = bar.volume
  for (let index = 0; index < count; index++) {
    if (index > 0) {
      if (index > waypoints[next]!.index) next += 1
      const steps = waypoints[next]!.index - index + 1
      const target = waypoints[next]!.ticks
      ticks = steps === 1 ? target : stepTowards(target, ticks, steps, noise, bar, random)
    }
    const slot = Math.floor((index * sessionMillis) / count)
    const slotEnd = Math.floor(((index + 1) * sessionMillis) / count)
    const size = sizeOf(sharesLeft, count - index, random)
    sharesLeft -= size
    yield { millis: slot + random.below(slotEnd - slot), ticks, size }
  }
}

interface Waypoint {
  readonly index: number
  readonly ticks: number
}

/** Open first, close last, high and low at chance places between unless open or close touch them. */
const waypointsOf = (bar: BarInTicks, count: number, random: SeededRandom): readonly Waypoint[] => {
  const ends = [bar.open, bar.close]
  const between: Waypoint[] = []
  for (const ticks of [bar.high, bar.low]) {
    if (ends.includes(ticks)) continue
    const taken = between[0]?.index
    let index = 1 + random.below(count - 2 - between.length)
    if (taken !== undefined && index >= taken) index += 1
    between.push({ index, ticks })
  }
  between.sort((left, right) => left.index - right.index)
  return [{ index: 0, ticks: bar.open }, ...between, { index: count - 1, ticks: bar.close }]
}

/** One step of a random walk that is bound for `target` in `steps` steps and never leaves the bar. */
const stepTowards = (
  target: number,
  ticks: number,
  steps: number,
  noise: number,
  bar: BarInTicks,
  random: SeededRandom,
): number => {
  // Four uniforms stand in for a normal: Math.log and Math.cos may differ between engines, sums do not.
  const chance = random.next() + random.next() + random.next() + random.next() - 2
  const step = (target - ticks) / steps + chance * noise * Math.sqrt((steps - 1) / steps)
  return Math.min(bar.high, Math.max(bar.low, Math.round(ticks + step)))
}

/** Up to twice the average of what is left, at least one share, and one for each trade to come; the last takes the rest. */
const sizeOf = (sharesLeft: bigint, tradesLeft: number, random: SeededRandom): bigint => {
  if (tradesLeft === 1) return sharesLeft
  const spare = sharesLeft - BigInt(tradesLeft)
  const drawn = (spare * 2n * BigInt(random.below(2 ** 31))) / (BigInt(tradesLeft) << 31n)
  return 1n + (drawn < spare ? drawn : spare)
}

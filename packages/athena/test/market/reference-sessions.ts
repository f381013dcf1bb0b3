import type { Interval, Session } from '../../src/index.ts'
import type { Trade } from './generated-trades.ts'
import { groupedBy, sortedBy, startOfDay, wallClock } from './reference.ts'

/** Sessions, silence and missing bars, computed in plain TypeScript. */

const wholeTime = (time: string): string => (time.length === 5 ? `${time}:00` : time)
const closeOf = (day: string, session: Session): string => session.earlyCloses?.[day] ?? session.close

const isSessionDay = (day: string, { weekdays = [1, 2, 3, 4, 5], holidays = [] }: Session): boolean =>
  weekdays.includes(new Date(`${day}T00:00:00Z`).getUTCDay() || 7) && !holidays.includes(day)

export const isDuring = (millis: number, session: Session): boolean => {
  const { day, time } = wallClock(millis, session.timeZone)
  return (
    isSessionDay(day, session) && time >= wholeTime(session.open) && time < wholeTime(closeOf(day, session))
  )
}

const nextDay = (day: string): string =>
  new Date(Date.parse(`${day}T00:00:00Z`) + 86_400_000).toISOString().slice(0, 10)

const midnightOf = (day: string, timeZone: string): number => {
  // Noon is on the same day in every zone this is asked for, whatever the offset at midnight.
  const noon = momentAt(day, '12:00:00', timeZone)
  return startOfDay(noon, timeZone)
}

/** The moment at which the clocks show a time of a day; the times asked for are on the clocks once. */
export const momentAt = (day: string, time: string, timeZone: string): number => {
  if (time.startsWith('24:00')) return midnightOf(nextDay(day), timeZone)
  if (time.startsWith('00:00')) return midnightOf(day, timeZone)
  const wanted = Date.parse(`${day}T${wholeTime(time)}Z`)
  let moment = wanted
  for (let tries = 0; tries < 3; tries++) {
    const shown = wallClock(moment, timeZone)
    moment += wanted - Date.parse(`${shown.day}T${shown.time}Z`)
  }
  return moment
}

interface Row {
  readonly symbol: string | null
  readonly millis: number
}

const text = (millis: number): string => new Date(millis).toISOString()

const daysBetween = (first: string, last: string): string[] => {
  const days: string[] = []
  for (let day = first; day <= last; day = nextDay(day)) days.push(day)
  return days
}

export const silentIntervals = (
  rows: readonly Row[],
  thresholdMillis: number,
  session?: Session,
): Record<string, unknown>[] => {
  const answer: Record<string, unknown>[] = []
  for (const [symbol, group] of groupedBy(rows, (row) => row.symbol)) {
    const moments = sortedBy(group, ({ millis }) => millis).map(({ millis }) => millis)
    const stretches: number[][] = []
    if (session === undefined) stretches.push(moments)
    else {
      const during = moments.filter((millis) => isDuring(millis, session))
      const byDay = groupedBy(during, (millis) => wallClock(millis, session.timeZone).day)
      const known = [...byDay.keys()].sort()
      for (const day of known.length === 0 ? [] : daysBetween(known[0]!, known.at(-1)!)) {
        if (!isSessionDay(day, session)) continue
        const open = momentAt(day, session.open, session.timeZone)
        const close = momentAt(day, closeOf(day, session), session.timeZone)
        stretches.push([open, ...(byDay.get(day) ?? []), close])
      }
    }
    for (const stretch of stretches) {
      for (const [index, from] of stretch.entries()) {
        const until = stretch[index + 1]
        if (until === undefined || until - from <= thresholdMillis) continue
        answer.push({
          symbol,
          silentFrom: text(from),
          silentUntil: text(until),
          millis: BigInt(until - from),
        })
      }
    }
  }
  return sortedBy(
    answer,
    ({ symbol }) => symbol,
    ({ silentFrom }) => silentFrom,
    ({ silentUntil }) => silentUntil,
  )
}

export const missingBars = (
  bars: readonly Row[],
  interval: Interval,
  timeZone: string,
  session?: Session,
): Record<string, unknown>[] => {
  const [unit, count] = Object.entries(interval)[0] as [string, number]
  const length = count * ({ seconds: 1000, minutes: 60_000, hours: 3_600_000 }[unit] ?? Number.NaN)
  const counted: Session = session ?? {
    timeZone,
    open: '00:00',
    close: '24:00',
    weekdays: [1, 2, 3, 4, 5, 6, 7],
  }
  const gridOf = (day: string): number[] => {
    if (!isSessionDay(day, counted)) return []
    const midnight = midnightOf(day, timeZone)
    const open = momentAt(day, counted.open, timeZone)
    const close = momentAt(day, closeOf(day, counted), timeZone)
    const starts: number[] = []
    for (let start = midnight; start < close; start += length) if (start + length > open) starts.push(start)
    return starts
  }
  const answer: Record<string, unknown>[] = []
  for (const [symbol, group] of groupedBy(bars, (row) => row.symbol)) {
    const grids = new Map<string, number[]>()
    const gridAt = (day: string) => grids.get(day) ?? grids.set(day, gridOf(day)).get(day)!
    const held = new Set(
      group
        .map(({ millis }) => millis)
        .filter((millis) => gridAt(wallClock(millis, timeZone).day).includes(millis)),
    )
    if (held.size === 0) continue
    const [first, last] = [Math.min(...held), Math.max(...held)]
    for (const day of daysBetween(wallClock(first, timeZone).day, wallClock(last, timeZone).day)) {
      let run: number[] = []
      const endRun = () => {
        if (run.length > 0)
          answer.push({
            symbol,
            firstMissing: text(run[0]!),
            lastMissing: text(run.at(-1)!),
            bars: BigInt(run.length),
          })
        run = []
      }
      for (const start of gridAt(day)) {
        if (session === undefined && (start < first || start > last)) continue
        if (held.has(start)) endRun()
        else run.push(start)
      }
      endRun()
    }
  }
  return sortedBy(
    answer,
    ({ symbol }) => symbol,
    ({ firstMissing }) => firstMissing,
  )
}

export const timed = (trades: readonly Trade[]): Row[] =>
  trades.flatMap(({ symbol, millis }) => (millis === null ? [] : [{ symbol, millis }]))

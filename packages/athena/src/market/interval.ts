import { ConfigurationError } from '@stockpipe/core'
import { identifier, literal, type SqlFragment, sql } from '../sql-template.ts'
import { type Answer, type MarketSource, sourceText, tableColumn, wholeNumber } from './table-column.ts'

/**
 * A length within a day, 24 hours at most. Counted from midnight, in time that passes: a day of 25 hours has 25 hours,
 * and one that the length does not divide ends with a shorter one. Not defined on a day of which midnight comes twice (as in
 * Havana on 2024-11-03).
 */
export type IntradayInterval =
  | { readonly seconds: number }
  | { readonly minutes: number }
  | { readonly hours: number }

/**
 * Whole days of a calendar. Several days are counted from 1970-01-01, weeks begin on Monday (several are counted from
 * 1969-12-29), and months from January of the year 0, so that 3 are a quarter and 12 a year.
 */
export type CalendarInterval =
  | { readonly days: number }
  | { readonly weeks: number }
  | { readonly months: number }

/** A whole number of one unit: `{ minutes: 5 }`. */
export type Interval = IntradayInterval | CalendarInterval

/** When an interval begins: a moment (UTC), or the date in the stated time zone for whole days. */
export type IntervalStart<I extends Interval> = [I] extends [CalendarInterval]
  ? Answer<'date', string>
  : Answer<'timestamp', Date>

const millisPerUnit = { seconds: 1000, minutes: 60_000, hours: 3_600_000 } as const
const dayMillis = 86_400_000
const maximumCount = 100_000

export type CheckedInterval =
  | { readonly kind: 'intraday'; readonly millis: number }
  | { readonly kind: 'calendar'; readonly unit: 'days' | 'weeks' | 'months'; readonly count: number }

/** Throws a `ConfigurationError` for what is no interval. */
export const checkedInterval = (interval: Interval): CheckedInterval => {
  const entries = Object.entries(interval)
  const [unit, count] = entries[0] ?? ['', 0]
  const whole = Number.isInteger(count) && count >= 1 && count <= maximumCount
  if (entries.length === 1 && whole) {
    if (unit === 'days' || unit === 'weeks' || unit === 'months') return { kind: 'calendar', unit, count }
    const millis = Object.hasOwn(millisPerUnit, unit)
      ? count * millisPerUnit[unit as keyof typeof millisPerUnit]
      : Number.NaN
    if (millis <= dayMillis) return { kind: 'intraday', millis }
  }
  throw new ConfigurationError({
    code: 'INTERVAL_INVALID',
    message: `${JSON.stringify(interval)} is no interval: write one of seconds, minutes, hours (24 hours at most), days, weeks or months with a whole number from 1, such as { minutes: 5 }.`,
  })
}

/** The name of a time zone as SQL; undefined for UTC. Throws a `ConfigurationError` where there is no such zone. */
export const zoneLiteral = (timeZone: string | undefined): SqlFragment | undefined => {
  if (timeZone === undefined || timeZone === 'UTC') return undefined
  try {
    new Intl.DateTimeFormat('en-US', { timeZone })
  } catch (cause) {
    throw new ConfigurationError({
      code: 'TIME_ZONE_UNKNOWN',
      message: `"${timeZone}" is not an IANA time zone; write one such as "America/New_York".`,
      cause,
    })
  }
  return literal(timeZone)
}

/** A column as a timestamp(3) of UTC; nanoseconds are cut down to the millisecond. */
export const instantOf = (source: MarketSource, name: string): SqlFragment => {
  const column = identifier(name)
  const { kind } = tableColumn(source, name).type
  if (kind === 'timestamp') return column
  if (kind === 'epochNanos') {
    // In days and the rest: date_add takes no number beyond 32 bits.
    const millis = sql`${column} % 86400000000000 / 1000000 - IF(${column} % 1000000 < 0, 1, 0)`
    const midnight = sql`date_add('day', ${column} / 86400000000000, TIMESTAMP '1970-01-01 00:00:00.000')`
    return sql`date_add('millisecond', ${millis}, ${midnight})`
  }
  throw new ConfigurationError({
    code: 'TIME_INVALID',
    message: `${sourceText(source)}: column '${name}' is a ${kind} and tells no moment; name a timestamp or nanoseconds since the epoch.`,
  })
}

/** A timestamp of UTC as the clocks of a time zone show it: with that zone, or as it is for UTC. */
export const localTime = (instant: SqlFragment, timeZone: string | undefined): SqlFragment => {
  const zone = zoneLiteral(timeZone)
  return zone === undefined ? instant : sql`at_timezone(with_timezone(${instant}, 'UTC'),${zone})`
}

/** The start of the interval that a column's value is in, as `IntervalStart` says. */
export const intervalStart = (
  source: MarketSource,
  name: string,
  interval: Interval,
  timeZone: string | undefined,
): SqlFragment => {
  const checked = checkedInterval(interval)
  const isDate = tableColumn(source, name).type.kind === 'date'
  if (checked.kind === 'calendar') {
    const day = isDate ? identifier(name) : sql`CAST(${localTime(instantOf(source, name), timeZone)} AS date)`
    return calendarStart(day, checked)
  }
  if (isDate) {
    throw new ConfigurationError({
      code: 'INTERVAL_INVALID',
      message: `${sourceText(source)}: column '${name}' is a date, from which no part of a day can be told; ask for days, weeks or months.`,
    })
  }
  const instant = instantOf(source, name)
  const local = localTime(instant, timeZone)
  const sinceMidnight = sql`date_diff('millisecond', date_trunc('day', ${local}), ${local})`
  return sql`date_add('millisecond', -(${sinceMidnight} % ${wholeNumber(checked.millis)}), ${instant})`
}

const calendarStart = (
  day: SqlFragment,
  { unit, count }: Extract<CheckedInterval, { kind: 'calendar' }>,
): SqlFragment => {
  const length = wholeNumber(unit === 'weeks' ? 7 * count : count)
  if (unit === 'months') {
    const month = sql`date_trunc('month', ${day})`
    return count === 1
      ? month
      : sql`date_add('month', -((year(${day}) * 12 + month(${day}) - 1) % ${length}), ${month})`
  }
  if (count === 1) return unit === 'days' ? day : sql`date_trunc('week', ${day})`
  const first = unit === 'weeks' ? sql`DATE '1969-12-29'` : sql`DATE '1970-01-01'`
  // Twice, so that days before the first one count down as well.
  const sinceStart = sql`(date_diff('day', ${first}, ${day}) % ${length} + ${length}) % ${length}`
  return sql`date_add('day', -(${sinceStart}), ${day})`
}

import { ConfigurationError, parseDate } from '@stockpipe/core'
import { SqlFragment, sql } from '../sql-template.ts'
import { localTime, zoneLiteral } from './interval.ts'
import { commaList, wholeNumber } from './table-column.ts'

/** When an exchange trades, by its own clocks. */
export interface Session {
  /** An IANA time zone such as `America/New_York`. */
  readonly timeZone: string
  /** `'09:30'` or `'09:30:00'`; what is traded at that moment belongs to the session. */
  readonly open: string
  /** `'16:00'`, up to `'24:00'`; what is traded at that moment does not belong to the session. */
  readonly close: string
  /** Days of the week, 1 Monday to 7 Sunday. Default 1 to 5. */
  readonly weekdays?: readonly number[]
  /** Days without a session: `'2024-12-25'`. */
  readonly holidays?: readonly string[]
  /** Days that close early: `{ '2024-11-29': '13:00' }`. */
  readonly earlyCloses?: Readonly<Record<string, string>>
}

/** A session whose days and times have been checked. */
export interface CheckedSession {
  readonly timeZone: string
  readonly openSeconds: number
  readonly closeSeconds: number
  readonly weekdays: readonly number[]
  readonly holidays: readonly string[]
  readonly earlyCloses: readonly (readonly [string, number])[]
}

const refuse = (what: string): never => {
  throw new ConfigurationError({ code: 'SESSION_INVALID', message: `A session cannot be: ${what}.` })
}

const secondsOf = (time: string): number => {
  const [, hours, minutes, seconds = '0'] = /^(\d\d):(\d\d)(?::(\d\d))?$/.exec(time) ?? []
  const total = Number(hours) * 3600 + Number(minutes) * 60 + Number(seconds)
  if (!(total <= 86_400) || Number(minutes) > 59 || Number(seconds) > 59)
    refuse(`"${time}" is no time of a day; write "09:30" or "09:30:00"`)
  return total
}

const checkedDay = (day: string): string =>
  /^\d{4}-\d\d-\d\d$/.test(day) && parseDate(day) !== undefined
    ? day
    : refuse(`"${day}" is no day; write "2024-12-25"`)

/** Throws a `ConfigurationError` for times and days that are none, and for a session that ends before it begins. */
export const checkedSession = (session: Session): CheckedSession => {
  const { timeZone, weekdays = [1, 2, 3, 4, 5], holidays = [], earlyCloses = {} } = session
  zoneLiteral(timeZone)
  const openSeconds = secondsOf(session.open)
  const closeSeconds = secondsOf(session.close)
  const early = Object.entries(earlyCloses).map(([day, time]) => [checkedDay(day), secondsOf(time)] as const)
  for (const seconds of [closeSeconds, ...early.map(([, time]) => time)]) {
    if (seconds <= openSeconds) refuse('it closes before it has opened; one over midnight is two sessions')
  }
  if (weekdays.length === 0 || weekdays.some((day) => !Number.isInteger(day) || day < 1 || day > 7))
    refuse('weekdays are numbers from 1 (Monday) to 7 (Sunday)')
  return {
    timeZone,
    openSeconds,
    closeSeconds,
    weekdays: [...new Set(weekdays)],
    holidays: holidays.map(checkedDay),
    earlyCloses: early,
  }
}

const dateLiteral = (day: string): SqlFragment => new SqlFragment(`DATE '${day}'`, [])

/** Whether a date has a session. */
export const isSessionDay = (day: SqlFragment, { weekdays, holidays }: CheckedSession): SqlFragment => {
  const onWeekday = sql`day_of_week(${day}) IN (${commaList(weekdays.map(wholeNumber))})`
  return holidays.length === 0
    ? onWeekday
    : sql`${onWeekday} AND ${day} NOT IN (${commaList(holidays.map(dateLiteral))})`
}

/** The second of the day, by the clocks of the exchange, at which the session of a date closes. */
export const closeSecond = (day: SqlFragment, session: CheckedSession): SqlFragment => {
  const regular = wholeNumber(session.closeSeconds)
  if (session.earlyCloses.length === 0) return regular
  const early = session.earlyCloses
    .map(([date, seconds]) => sql`WHEN ${dateLiteral(date)} THEN ${wholeNumber(seconds)}`)
    .reduce((list, one) => sql`${list} ${one}`)
  return sql`CASE ${day} ${early} ELSE ${regular} END`
}

/** The date and the second of the day that the clocks of the exchange show at a moment. */
export const sessionClock = (
  instant: SqlFragment,
  { timeZone }: CheckedSession,
): { day: SqlFragment; second: SqlFragment } => {
  const local = localTime(instant, timeZone)
  return {
    day: sql`CAST(${local} AS date)`,
    second: sql`hour(${local}) * 3600 + minute(${local}) * 60 + second(${local})`,
  }
}

/** The moment (UTC) at which the clocks of the exchange show a second of a date. */
export const momentOfDay = (
  day: SqlFragment,
  second: SqlFragment,
  timeZone: string | undefined,
): SqlFragment => {
  const local = sql`date_add('second', ${second}, CAST(${day} AS timestamp(3)))`
  const zone = zoneLiteral(timeZone)
  return zone === undefined
    ? local
    : sql`CAST(at_timezone(with_timezone(${local},${zone}), 'UTC') AS timestamp(3))`
}

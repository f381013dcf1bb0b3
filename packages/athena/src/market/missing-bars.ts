import { ConfigurationError, t } from '@stockpipe/core'
import { identifier, sql } from '../sql-template.ts'
import { checkedInterval, type IntradayInterval, instantOf } from './interval.ts'
import {
  type CheckedSession,
  checkedSession,
  closeSecond,
  isSessionDay,
  momentOfDay,
  type Session,
  sessionClock,
} from './session.ts'
import { sessionSpans } from './session-spans.ts'
import {
  type Answer,
  type ColumnName,
  fromClause,
  type InstantKind,
  type MarketQuery,
  type MarketSource,
  marketQuery,
  type RowFilter,
  type SelectedColumn,
  selected,
  whereClause,
  wholeNumber,
} from './table-column.ts'

/**
 * Bars of an interval that a symbol has not got, as runs within a day: the first and the last that are missing, and how many.
 * Bars are expected where `bars` of that interval and time zone begins them. Without a session they are, between a symbol's
 * first bar and its last, all; with one, those that have a part of a session, from the open on the day of a symbol's first bar
 * to the close on that of its last. Bars outside of the sessions, and rows without a time, count for nothing.
 *
 * @param options `time`: when the bars start. `timeZone`: as it was for `bars`, where there is no session; default UTC.
 *
 * Throws a `ConfigurationError` for an interval, a time zone or a session that is none, and where both are given.
 */
export const missingBars = <Source extends MarketSource, const Symbol extends ColumnName<Source, 'string'>>(
  source: Source,
  options: RowFilter & {
    readonly symbol: Symbol
    readonly time: ColumnName<Source, InstantKind>
    readonly interval: IntradayInterval
    readonly timeZone?: string
    readonly session?: Session
  },
): MarketQuery<{
  symbol: SelectedColumn<Source, Symbol>
  firstMissing: Answer<'timestamp', Date>
  lastMissing: Answer<'timestamp', Date>
  bars: Answer<'int64', bigint>
}> => {
  const interval = checkedInterval(options.interval)
  if (interval.kind === 'calendar') {
    throw new ConfigurationError({
      code: 'INTERVAL_INVALID',
      message:
        'Missing bars are told of intervals within a day; days that are missing tell rowsPer and a calendar.',
    })
  }
  const session = sessionOf(options)
  const millis = wholeNumber(interval.millis)
  const day = sql`day`
  const at = (second: number) => momentOfDay(day, wholeNumber(second), session.timeZone)
  const midnight = at(0)
  const sinceMidnight = (moment: ReturnType<typeof at>) =>
    sql`date_diff('millisecond', ${midnight}, ${moment})`
  // A bar that begins before the open and holds it belongs to the session.
  const openMillis = sinceMidnight(at(session.openSeconds))
  const firstMillis = sql`(${openMillis} - ${openMillis} % ${millis})`
  const firstBar = sql`date_add('millisecond', ${firstMillis}, ${midnight})`
  const close = momentOfDay(day, closeSecond(day, session), session.timeZone)
  const rows = sql`SELECT symbol, moment, day
FROM (
SELECT symbol, moment, ${sessionClock(sql`moment`, session).day} AS day
FROM (
SELECT ${identifier(options.symbol)} AS symbol, ${instantOf(source, options.time)} AS moment
${fromClause(source)}
${whereClause(source, options, [options.time])}
) AS moments
) AS dated
WHERE moment >= ${firstBar} AND moment < ${close} AND ${isSessionDay(day, session)}`
  const clauses = [
    sql`SELECT symbol, firstMissing,
  date_add('millisecond', (date_diff('millisecond', firstMissing, ends) - 1) / ${millis} * ${millis}, firstMissing) AS lastMissing,
  (date_diff('millisecond', firstMissing, ends) - 1) / ${millis} + 1 AS bars
FROM (
SELECT symbol, IF(from_row, date_add('millisecond', ${millis}, starts), starts) AS firstMissing, ends
FROM (
${sessionSpans(rows, session, firstBar, options.session !== undefined)}
) AS spans
) AS expected
WHERE firstMissing < ends
ORDER BY 1, 2`,
  ]
  return marketQuery(clauses, {
    symbol: selected(source, options.symbol),
    firstMissing: t.timestamp(),
    lastMissing: t.timestamp(),
    bars: t.int64(),
  })
}

/** The session that counts; whole days of the time zone where there is none. */
const sessionOf = (options: { readonly timeZone?: string; readonly session?: Session }): CheckedSession => {
  const { session, timeZone = 'UTC' } = options
  if (session === undefined) {
    return checkedSession({ timeZone, open: '00:00', close: '24:00', weekdays: [1, 2, 3, 4, 5, 6, 7] })
  }
  if (options.timeZone === undefined || options.timeZone === session.timeZone) return checkedSession(session)
  throw new ConfigurationError({
    code: 'TIME_ZONE_TWICE',
    message: `The session is in ${session.timeZone} and the bars in ${options.timeZone}; bars of a session begin by its clocks, so leave \`timeZone\` out.`,
  })
}

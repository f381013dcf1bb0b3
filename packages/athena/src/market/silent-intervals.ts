import { ConfigurationError, t } from '@stockpipe/core'
import { identifier, SqlFragment, sql } from '../sql-template.ts'
import { instantOf } from './interval.ts'
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
 * When a symbol had no row for longer than `thresholdMillis`: `silentFrom` the row before `silentUntil` the next one. With a
 * session, only the time within sessions counts, from the open on the day of a symbol's first row to the close on that of
 * its last: the open and the close stand for rows, and a day without a row is silent from the one to the other.
 * Rows outside of the sessions, and without a time, count for nothing.
 *
 * Throws a `ConfigurationError` for a threshold that is no whole number of milliseconds, and for a session that is none.
 */
export const silentIntervals = <
  Source extends MarketSource,
  const Symbol extends ColumnName<Source, 'string'>,
>(
  source: Source,
  options: RowFilter & {
    readonly symbol: Symbol
    readonly time: ColumnName<Source, InstantKind>
    readonly thresholdMillis: number
    readonly session?: Session
  },
): MarketQuery<{
  symbol: SelectedColumn<Source, Symbol>
  silentFrom: Answer<'timestamp', Date>
  silentUntil: Answer<'timestamp', Date>
  millis: Answer<'int64', bigint>
}> => {
  const { thresholdMillis, session } = options
  if (!Number.isSafeInteger(thresholdMillis) || thresholdMillis < 0) {
    throw new ConfigurationError({
      code: 'THRESHOLD_INVALID',
      message: `A threshold is a whole number of milliseconds from 0, not ${thresholdMillis}.`,
    })
  }
  const rows = sql`SELECT ${identifier(options.symbol)} AS symbol, ${instantOf(source, options.time)} AS moment
${fromClause(source)}
${whereClause(source, options, [options.time])}`
  const spans =
    session === undefined
      ? sql`SELECT symbol, moment AS starts, lead(moment) OVER (PARTITION BY symbol ORDER BY moment) AS ends
FROM (
${rows}
) AS moments`
      : spansOfSession(rows, checkedSession(session))
  const clauses = [
    sql`SELECT symbol, starts AS silentFrom, ends AS silentUntil, date_diff('millisecond', starts, ends) AS millis
FROM (
${spans}
) AS spans
WHERE date_diff('millisecond', starts, ends) > ${new SqlFragment(String(thresholdMillis), [])}
ORDER BY 1, 2, 3`,
  ]
  return marketQuery(clauses, {
    symbol: selected(source, options.symbol),
    silentFrom: t.timestamp(),
    silentUntil: t.timestamp(),
    millis: t.int64(),
  })
}

const spansOfSession = (rows: SqlFragment, session: CheckedSession): SqlFragment => {
  const clock = sessionClock(sql`moment`, session)
  const openSecond = wholeNumber(session.openSeconds)
  const within = sql`SELECT symbol, moment, day
FROM (
SELECT symbol, moment, ${clock.day} AS day, ${clock.second} AS second_of_day
FROM (
${rows}
) AS moments
) AS timed
WHERE second_of_day >= ${openSecond} AND second_of_day < ${closeSecond(sql`day`, session)}
  AND ${isSessionDay(sql`day`, session)}`
  return sessionSpans(within, session, momentOfDay(sql`day`, openSecond, session.timeZone), true)
}

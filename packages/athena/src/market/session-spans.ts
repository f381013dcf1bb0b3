import { type SqlFragment, sql } from '../sql-template.ts'
import { type CheckedSession, closeSecond, isSessionDay, momentOfDay } from './session.ts'
import { nothing } from './table-column.ts'

/**
 * The time of sessions, cut at rows: `symbol`, `day`, `starts`, `ends`, and `from_row`, whether it starts at a row and not at
 * the open. From a symbol's first row to its last, or, with `edges`, from the open before the one to the close after the
 * other; days between without a row are there from open to close. The rows are read once.
 *
 * @param rows `symbol`, `moment` and `day` of rows within sessions
 * @param open the moment at which the session of `day` opens
 */
export const sessionSpans = (
  rows: SqlFragment,
  session: CheckedSession,
  open: SqlFragment,
  edges: boolean,
): SqlFragment => {
  // The day before a symbol's first row stands for the time before that row.
  const first = edges ? sql`IF(previous_day IS NULL, date_add('day', -1, day), day)` : sql`day`
  const last = edges ? nothing : sql` AND next_day IS NOT NULL`
  const close = momentOfDay(sql`day`, closeSecond(sql`day`, session), session.timeZone)
  return sql`SELECT symbol, day, from_row, IF(from_row, moment, ${open}) AS starts,
  CASE WHEN before_first THEN moment WHEN day = next_day THEN next_moment ELSE ${close} END AS ends
FROM (
SELECT symbol, moment, next_moment, next_day, span_day = day AS from_row, span_day < day AS before_first,
  greatest(span_day, day) AS day
FROM (
SELECT symbol, moment, day, lag(day) OVER (PARTITION BY symbol ORDER BY moment) AS previous_day,
  lead(day) OVER (PARTITION BY symbol ORDER BY moment) AS next_day,
  lead(moment) OVER (PARTITION BY symbol ORDER BY moment) AS next_moment
FROM (
${rows}
) AS rows_of_sessions
) AS neighbours
CROSS JOIN UNNEST(sequence(${first}, coalesce(next_day, day), INTERVAL '1' DAY)) AS days(span_day)
WHERE (span_day <= day OR ${isSessionDay(sql`span_day`, session)})${last}
) AS cut`
}

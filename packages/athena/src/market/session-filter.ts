import { identifier, sql } from '../sql-template.ts'
import { instantOf } from './interval.ts'
import { checkedSession, closeSecond, isSessionDay, type Session, sessionClock } from './session.ts'
import {
  type ColumnName,
  columnNames,
  commaList,
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
 * The rows of an exchange's trading sessions, by its clocks: `open` up to, not including, `close`, on days that have a
 * session. Clocks that change are followed. Rows without a time are left out.
 *
 * @param options `columns`: what to answer, under the names of the source; default all.
 *
 * Throws a `ConfigurationError` for a session whose times, days or time zone are none.
 */
export const duringSession = <
  Source extends MarketSource,
  const Names extends readonly ColumnName<Source>[] = readonly ColumnName<Source>[],
>(
  source: Source,
  options: RowFilter & {
    readonly time: ColumnName<Source, InstantKind>
    readonly session: Session
    readonly columns?: Names
  },
): MarketQuery<{ [Name in Names[number]]: SelectedColumn<Source, Name> }> => {
  const session = checkedSession(options.session)
  const names = [...new Set<string>(options.columns ?? columnNames(source))]
  const list = commaList(names.map((name) => identifier(name)))
  const clock = sessionClock(instantOf(source, options.time), session)
  const day = identifier('day of session')
  const second = identifier('second of day')
  const clauses = [
    sql`SELECT ${list}
FROM (
SELECT ${list}, ${clock.day} AS ${day}, ${clock.second} AS ${second}`,
    fromClause(source),
    whereClause(source, options, [options.time]),
    sql`) AS timed
WHERE ${second} >= ${wholeNumber(session.openSeconds)} AND ${second} < ${closeSecond(day, session)}
  AND ${isSessionDay(day, session)}`,
  ]
  return marketQuery(clauses, Object.fromEntries(names.map((name) => [name, selected(source, name)])))
}

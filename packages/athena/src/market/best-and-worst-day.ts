import { t } from '@stockpipe/core'
import { sql } from '../sql-template.ts'
import { returns } from './returns.ts'
import {
  type Answer,
  type ColumnName,
  type DayKind,
  fromClause,
  type MarketQuery,
  type MarketSource,
  marketQuery,
  type NumberKind,
  type PresentColumn,
  presentColumn,
  type RowFilter,
  type SelectedColumn,
  selected,
  type TimeKind,
} from './table-column.ts'

/**
 * The days on which a symbol's close rose and fell most against the close before, with the change as a fraction
 * (0.05 is 5 %), as `returns` tells it; of equal days the first. A symbol without a change is left out, as are rows without a
 * close or a day; days of a symbol are each their own.
 */
export const bestAndWorstDay = <
  Source extends MarketSource,
  const Symbol extends ColumnName<Source, 'string'>,
  const Day extends ColumnName<Source, DayKind> & ColumnName<Source, TimeKind>,
>(
  bars: Source,
  names: RowFilter & {
    readonly symbol: Symbol
    readonly day: Day
    readonly close: ColumnName<Source, NumberKind>
  },
): MarketQuery<{
  symbol: SelectedColumn<Source, Symbol>
  bestDay: PresentColumn<SelectedColumn<Source, Day>>
  bestChange: Answer<'double', number>
  worstDay: PresentColumn<SelectedColumn<Source, Day>>
  worstChange: Answer<'double', number>
}> => {
  const changes = returns(bars, { ...names, time: names.day })
  const clauses = [
    sql`SELECT symbol, min_by(time, ROW(-simpleReturn, time)) AS bestDay, max(simpleReturn) AS bestChange,
  min_by(time, ROW(simpleReturn, time)) AS worstDay, min(simpleReturn) AS worstChange`,
    fromClause(changes),
    sql`WHERE simpleReturn IS NOT NULL
GROUP BY 1
ORDER BY 1`,
  ]
  const day = presentColumn(bars, names.day)
  return marketQuery(clauses, {
    symbol: selected(bars, names.symbol),
    bestDay: day,
    bestChange: t.double(),
    worstDay: day,
    worstChange: t.double(),
  })
}

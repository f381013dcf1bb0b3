import { t } from '@stockpipe/core'
import { identifier, sql } from '../sql-template.ts'
import {
  type Answer,
  type ColumnName,
  type DayKind,
  fromClause,
  type MarketQuery,
  type MarketSource,
  marketQuery,
  type NumberKind,
  type RowFilter,
  type SelectedColumn,
  selected,
  whereClause,
} from './table-column.ts'

/**
 * The days on which a symbol's close rose and fell most against the close before, with the change as a fraction
 * (0.05 is 5 %). A symbol with one day has no change and is left out; of equal days any one is answered.
 */
export const bestAndWorstDay = <
  Source extends MarketSource,
  const Symbol extends ColumnName<Source, 'string'>,
  const Day extends ColumnName<Source, DayKind>,
>(
  bars: Source,
  names: RowFilter & {
    readonly symbol: Symbol
    readonly day: Day
    readonly close: ColumnName<Source, NumberKind>
  },
): MarketQuery<{
  symbol: SelectedColumn<Source, Symbol>
  bestDay: SelectedColumn<Source, Day>
  bestChange: Answer<'double', number>
  worstDay: SelectedColumn<Source, Day>
  worstChange: Answer<'double', number>
}> => {
  const symbol = identifier(names.symbol)
  const day = identifier(names.day)
  // As doubles before the division: a quotient of decimals would be cut to the scale of the prices.
  const close = sql`CAST(${identifier(names.close)} AS double)`
  const clauses = [
    sql`WITH changes AS (
  SELECT ${symbol} AS symbol, ${day} AS day,
    ${close} / lag(${close}) OVER (PARTITION BY ${symbol} ORDER BY ${day}) - 1 AS change
  ${fromClause(bars)}`,
    whereClause(bars, names, [names.close]),
    sql`)
SELECT symbol, max_by(day, change) AS bestDay, max(change) AS bestChange,
  min_by(day, change) AS worstDay, min(change) AS worstChange
FROM changes
WHERE change IS NOT NULL
GROUP BY 1
ORDER BY 1`,
  ]
  const dayColumn = selected(bars, names.day)
  return marketQuery(clauses, {
    symbol: selected(bars, names.symbol),
    bestDay: dayColumn,
    bestChange: t.double(),
    worstDay: dayColumn,
    worstChange: t.double(),
  })
}

import { t } from '@stockpipe/core'
import { identifier, sql } from '../sql-template.ts'
import {
  type Answer,
  type ColumnName,
  fromClause,
  type MarketQuery,
  type MarketSource,
  marketQuery,
  type NullableAnswer,
  type NumberKind,
  type PresentColumn,
  presentColumn,
  type RowFilter,
  type SelectedColumn,
  selected,
  type TimeKind,
  whereClause,
} from './table-column.ts'

/** What drawdowns are measured on: a price, or the value of a portfolio. Times of a symbol are each their own. */
type DrawdownNames<Symbol, Time, Value> = RowFilter & {
  readonly symbol: Symbol
  readonly time: Time
  readonly value: Value
}

/**
 * How far each value is below the highest one up to it, by symbol: `peak`, `peakTime` (the last time it was reached) and
 * `drawdown`, value / peak - 1 as a double: 0 at a peak, -0.2 when a fifth is lost, NULL while the peak is not above zero.
 * Rows without a value or a time are left out.
 */
export const drawdown = <
  Source extends MarketSource,
  const Symbol extends ColumnName<Source, 'string'>,
  const Time extends ColumnName<Source, TimeKind>,
  const Value extends ColumnName<Source, NumberKind>,
>(
  source: Source,
  names: DrawdownNames<Symbol, Time, Value>,
): MarketQuery<{
  symbol: SelectedColumn<Source, Symbol>
  time: PresentColumn<SelectedColumn<Source, Time>>
  value: PresentColumn<SelectedColumn<Source, Value>>
  peak: PresentColumn<SelectedColumn<Source, Value>>
  peakTime: PresentColumn<SelectedColumn<Source, Time>>
  drawdown: NullableAnswer<'double', number>
}> => {
  const symbol = identifier(names.symbol)
  const time = identifier(names.time)
  const value = identifier(names.value)
  const toHere = sql`ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW`
  const clauses = [
    sql`SELECT symbol, time, value, peak,
  max(CASE WHEN value = peak THEN time END) OVER (PARTITION BY symbol ORDER BY time ${toHere}) AS peakTime,
  CASE WHEN peak > 0 THEN CAST(value AS double) / CAST(peak AS double) - 1 END AS drawdown
FROM (
SELECT ${symbol} AS symbol, ${time} AS time, ${value} AS value,
  max(${value}) OVER (PARTITION BY ${symbol} ORDER BY ${time} ${toHere}) AS peak`,
    fromClause(source),
    whereClause(source, names, [names.value, names.time]),
    sql`) AS peaks
ORDER BY 1, 2`,
  ]
  const valueColumn = presentColumn(source, names.value)
  const timeColumn = presentColumn(source, names.time)
  return marketQuery(clauses, {
    symbol: selected(source, names.symbol),
    time: timeColumn,
    value: valueColumn,
    peak: valueColumn,
    peakTime: timeColumn,
    drawdown: t.double().nullable(),
  })
}

/**
 * The largest drawdown of each symbol, with its peak and its trough: of equal ones the first. 0 where nothing was ever lost;
 * a symbol whose values never were above zero is left out.
 */
export const maxDrawdown = <
  Source extends MarketSource,
  const Symbol extends ColumnName<Source, 'string'>,
  const Time extends ColumnName<Source, TimeKind>,
  const Value extends ColumnName<Source, NumberKind>,
>(
  source: Source,
  names: DrawdownNames<Symbol, Time, Value>,
): MarketQuery<{
  symbol: SelectedColumn<Source, Symbol>
  maxDrawdown: Answer<'double', number>
  peak: PresentColumn<SelectedColumn<Source, Value>>
  peakTime: PresentColumn<SelectedColumn<Source, Time>>
  trough: PresentColumn<SelectedColumn<Source, Value>>
  troughTime: PresentColumn<SelectedColumn<Source, Time>>
}> => {
  const drawdowns = drawdown(source, names)
  const clauses = [
    sql`SELECT symbol, drawdown AS maxDrawdown, peak, peakTime, value AS trough, time AS troughTime
FROM (
SELECT *, row_number() OVER (PARTITION BY symbol ORDER BY drawdown, time) AS place`,
    fromClause(drawdowns),
    sql`) AS placed
WHERE place = 1 AND drawdown IS NOT NULL
ORDER BY 1`,
  ]
  const value = presentColumn(source, names.value)
  const time = presentColumn(source, names.time)
  return marketQuery(clauses, {
    symbol: selected(source, names.symbol),
    maxDrawdown: t.double(),
    peak: value,
    peakTime: time,
    trough: value,
    troughTime: time,
  })
}

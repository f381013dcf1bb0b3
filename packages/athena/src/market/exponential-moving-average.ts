import { ConfigurationError, t } from '@stockpipe/core'
import { identifier, literal, sql } from '../sql-template.ts'
import {
  type Answer,
  type ColumnName,
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
  whereClause,
} from './table-column.ts'
import { windowOfRows } from './window-of-rows.ts'

/**
 * The average of the last `rows` values of a symbol, each weighted by (1 - smoothing) to the power of its age in rows, and
 * divided by the sum of the weights, as a double. It is what pandas calls `ewm(alpha=smoothing, adjust=True)`, of so many rows:
 * of all, to the last digit of a double, once (1 - smoothing) ** rows is below 1e-16 (20 rows for 0.85, 350 for 0.1).
 * An average over all rows ever would need each row's answer for the next, which SQL cannot say. Rows without a value or a
 * time are left out; times of a symbol are each their own.
 *
 * @param names `smoothing`: above 0, at most 1; 2 / (n + 1) for a span of n. `rows`: each row costs that many steps.
 *
 * Throws a `ConfigurationError` for another smoothing, or when `rows` is no whole number from 1 to 100,000.
 */
export const exponentialMovingAverage = <
  Source extends MarketSource,
  const Symbol extends ColumnName<Source, 'string'>,
  const Time extends ColumnName<Source, TimeKind>,
  const Value extends ColumnName<Source, NumberKind>,
>(
  source: Source,
  names: RowFilter & {
    readonly symbol: Symbol
    readonly time: Time
    readonly value: Value
    readonly smoothing: number
    readonly rows: number
  },
): MarketQuery<{
  symbol: SelectedColumn<Source, Symbol>
  time: PresentColumn<SelectedColumn<Source, Time>>
  value: PresentColumn<SelectedColumn<Source, Value>>
  average: Answer<'double', number>
  rows: Answer<'int64', bigint>
}> => {
  if (!(names.smoothing > 0 && names.smoothing <= 1)) {
    throw new ConfigurationError({
      code: 'SMOOTHING_INVALID',
      message: `A smoothing is above 0 and at most 1, not ${names.smoothing}.`,
    })
  }
  const symbol = identifier(names.symbol)
  const time = identifier(names.time)
  const value = identifier(names.value)
  const window = sql`OVER (PARTITION BY ${symbol} ORDER BY ${time} ${windowOfRows(names.rows)})`
  const kept = sql`CAST(${literal(1 - names.smoothing)} AS double)`
  const state = sql`ROW(total double, weight double)`
  const clauses = [
    sql`SELECT symbol, time, value,
  reduce(latest, CAST(ROW(0E0, 0E0) AS ${state}),
    (s, x) -> CAST(ROW(s.total * ${kept} + x, s.weight * ${kept} + 1E0) AS ${state}), s -> s.total / s.weight) AS average,
  CAST(cardinality(latest) AS bigint) AS rows
FROM (
SELECT ${symbol} AS symbol, ${time} AS time, ${value} AS value, array_agg(CAST(${value} AS double)) ${window} AS latest`,
    fromClause(source),
    whereClause(source, names, [names.value, names.time]),
    sql`) AS windows
ORDER BY 1, 2`,
  ]
  return marketQuery(clauses, {
    symbol: selected(source, names.symbol),
    time: presentColumn(source, names.time),
    value: presentColumn(source, names.value),
    average: t.double(),
    rows: t.int64(),
  })
}

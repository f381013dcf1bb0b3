import {
  type BoundTable,
  Column,
  type ColumnRecord,
  ConfigurationError,
  type PartitionRecord,
  t,
} from '@stockpipe/core'
import { identifier, SqlFragment, sql } from '../sql-template.ts'
import { type AverageOf, averageType } from './result-type.ts'
import {
  type Answer,
  type ColumnName,
  type DayKind,
  type KindOf,
  type MarketQuery,
  marketQuery,
  type NumberKind,
  type PresentColumn,
  type RowFilter,
  type SelectedColumn,
  selected,
  tableColumn,
  whereClause,
} from './table-column.ts'

/**
 * The average of the last `rows` values of a symbol, the row itself included. At the beginning it is the average of
 * the rows there are; `rows` of the answer tells of how many. A decimal keeps its precision and scale, as in Trino.
 *
 * Throws a `ConfigurationError` when `rows` is no whole number from 1 to 100,000.
 */
export const movingAverage = <
  Columns extends ColumnRecord,
  Partitions extends PartitionRecord,
  const Symbol extends ColumnName<Columns, Partitions, 'string'>,
  const Day extends ColumnName<Columns, Partitions, DayKind>,
  const Value extends ColumnName<Columns, Partitions, NumberKind>,
>(
  bars: BoundTable<Columns, Partitions>,
  names: RowFilter & {
    readonly symbol: Symbol
    readonly day: Day
    readonly value: Value
    readonly rows: number
  },
): MarketQuery<{
  symbol: SelectedColumn<Columns, Partitions, Symbol>
  day: SelectedColumn<Columns, Partitions, Day>
  value: PresentColumn<SelectedColumn<Columns, Partitions, Value>>
  average: AverageOf<KindOf<Columns, Value>>
  rows: Answer<'int64', bigint>
}> => {
  if (!Number.isInteger(names.rows) || names.rows < 1 || names.rows > 100_000) {
    throw new ConfigurationError({
      code: 'ROWS_INVALID',
      message: `A moving average is over a whole number of rows from 1 to 100,000, not ${names.rows}.`,
    })
  }
  const symbol = identifier(names.symbol)
  const day = identifier(names.day)
  const value = identifier(names.value)
  const { type } = tableColumn(bars, names.value)
  const preceding = new SqlFragment(String(names.rows - 1), [])
  const window = sql`OVER (PARTITION BY ${symbol} ORDER BY ${day} ROWS BETWEEN ${preceding} PRECEDING AND CURRENT ROW)`
  const clauses = [
    sql`SELECT ${symbol} AS symbol, ${day} AS day, ${value} AS value,
  avg(${value}) ${window} AS average,
  count(*) ${window} AS rows`,
    sql`FROM ${bars}`,
    whereClause(bars, names, [names.value]),
    sql`ORDER BY 1, 2`,
  ]
  return marketQuery(clauses, {
    symbol: selected(bars, names.symbol),
    day: selected(bars, names.day),
    value: new Column(type, false),
    average: new Column(averageType(type), false),
    rows: t.int64(),
  })
}

import { Column, t } from '@stockpipe/core'
import { identifier, SqlFragment, sql } from '../sql-template.ts'
import { type AverageOf, averageType } from './result-type.ts'
import {
  type Answer,
  type ColumnName,
  type DayKind,
  fromClause,
  type KindOf,
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
  tableColumn,
  whereClause,
} from './table-column.ts'
import { momentOf, windowOfRows } from './window-of-rows.ts'

/**
 * The average of the last `rows` values of a symbol, the row itself included. At the beginning it is the average of
 * the rows there are; `rows` of the answer tells of how many. A decimal keeps its precision and scale, as in Trino.
 *
 * @param names `day` or `time`: what orders the rows, each of a symbol its own, which the answer has under that name.
 * Rows without it, or without a value, are left out.
 *
 * Throws a `ConfigurationError` when `rows` is no whole number from 1 to 100,000.
 */
export const movingAverage = <
  Source extends MarketSource,
  const Symbol extends ColumnName<Source, 'string'>,
  const Value extends ColumnName<Source, NumberKind>,
  const Day extends ColumnName<Source, DayKind> | undefined = undefined,
  const Time extends ColumnName<Source, TimeKind> | undefined = undefined,
>(
  bars: Source,
  names: RowFilter & {
    readonly symbol: Symbol
    readonly day?: Day
    readonly time?: Time
    readonly value: Value
    readonly rows: number
  },
): MarketQuery<
  { symbol: SelectedColumn<Source, Symbol> } & ([Day] extends [string]
    ? { day: PresentColumn<SelectedColumn<Source, Day>> }
    : unknown) &
    ([Time] extends [string] ? { time: PresentColumn<SelectedColumn<Source, Time>> } : unknown) & {
      value: PresentColumn<SelectedColumn<Source, Value>>
      average: AverageOf<KindOf<Source, Value>>
      rows: Answer<'int64', bigint>
    }
> => {
  const frame = windowOfRows(names.rows)
  const [momentName, moment] = momentOf(names)
  const symbol = identifier(names.symbol)
  const value = identifier(names.value)
  const { type } = tableColumn(bars, names.value)
  const window = sql`OVER (PARTITION BY ${symbol} ORDER BY ${identifier(moment)} ${frame})`
  const clauses = [
    sql`SELECT ${symbol} AS symbol, ${identifier(moment)} AS ${new SqlFragment(momentName, [])}, ${value} AS value,
  avg(${value}) ${window} AS average,
  count(*) ${window} AS rows`,
    fromClause(bars),
    whereClause(bars, names, [names.value, moment]),
    sql`ORDER BY 1, 2`,
  ]
  return marketQuery(clauses, {
    symbol: selected(bars, names.symbol),
    [momentName]: presentColumn(bars, moment),
    value: presentColumn(bars, names.value),
    average: new Column(averageType(type), false),
    rows: t.int64(),
  })
}

import { type BoundTable, Column, type ColumnRecord, type PartitionRecord, t } from '@stockpipe/core'
import { identifier, sql } from '../sql-template.ts'
import { type SumOf, sumType } from './result-type.ts'
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
  type TimeKind,
  tableColumn,
  whereClause,
} from './table-column.ts'

/**
 * Bars of a day from trades: first, highest, lowest and last price, volume and number of trades by symbol and day.
 *
 * @param names `time` orders the trades of a day: where several have the same, which of them is first is not defined,
 * so name a sequence number if there is one. `day` is the column or partition that holds the trading day.
 */
export const dailyBars = <
  Columns extends ColumnRecord,
  Partitions extends PartitionRecord,
  const Symbol extends ColumnName<Columns, Partitions, 'string'>,
  const Price extends ColumnName<Columns, Partitions, NumberKind>,
  const Size extends ColumnName<Columns, Partitions, NumberKind>,
  const Day extends ColumnName<Columns, Partitions, DayKind>,
>(
  trades: BoundTable<Columns, Partitions>,
  names: RowFilter & {
    readonly symbol: Symbol
    readonly price: Price
    readonly size: Size
    readonly time: ColumnName<Columns, Partitions, TimeKind>
    readonly day: Day
  },
): MarketQuery<{
  symbol: SelectedColumn<Columns, Partitions, Symbol>
  day: SelectedColumn<Columns, Partitions, Day>
  open: PresentColumn<SelectedColumn<Columns, Partitions, Price>>
  high: PresentColumn<SelectedColumn<Columns, Partitions, Price>>
  low: PresentColumn<SelectedColumn<Columns, Partitions, Price>>
  close: PresentColumn<SelectedColumn<Columns, Partitions, Price>>
  volume: SumOf<KindOf<Columns, Size>>
  trades: Answer<'int64', bigint>
}> => {
  const price = identifier(names.price)
  const time = identifier(names.time)
  const priceColumn = new Column(tableColumn(trades, names.price).type, false)
  const clauses = [
    sql`SELECT ${identifier(names.symbol)} AS symbol, ${identifier(names.day)} AS day,
  min_by(${price}, ${time}) AS open, max(${price}) AS high, min(${price}) AS low, max_by(${price}, ${time}) AS close,
  sum(${identifier(names.size)}) AS volume, count(*) AS trades`,
    sql`FROM ${trades}`,
    whereClause(trades, names, [names.price, names.size, names.time]),
    sql`GROUP BY 1, 2`,
    sql`ORDER BY 1, 2`,
  ]
  return marketQuery(clauses, {
    symbol: selected(trades, names.symbol),
    day: selected(trades, names.day),
    open: priceColumn,
    high: priceColumn,
    low: priceColumn,
    close: priceColumn,
    volume: new Column(sumType(tableColumn(trades, names.size).type), false),
    trades: t.int64(),
  })
}

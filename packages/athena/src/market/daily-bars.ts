import { Column, t } from '@stockpipe/core'
import { identifier, sql } from '../sql-template.ts'
import { type SumOf, sumType } from './result-type.ts'
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

/**
 * Bars of a day from trades: first, highest, lowest and last price, volume and number of trades by symbol and day.
 * Bars of any interval are made by `bars`.
 *
 * @param names `time` orders the trades of a day: where several have the same, which of them is first is not defined,
 * so name a sequence number if there is one. `day` is the column or partition that holds the trading day.
 */
export const dailyBars = <
  Source extends MarketSource,
  const Symbol extends ColumnName<Source, 'string'>,
  const Price extends ColumnName<Source, NumberKind>,
  const Size extends ColumnName<Source, NumberKind>,
  const Day extends ColumnName<Source, DayKind>,
>(
  trades: Source,
  names: RowFilter & {
    readonly symbol: Symbol
    readonly price: Price
    readonly size: Size
    readonly time: ColumnName<Source, TimeKind>
    readonly day: Day
  },
): MarketQuery<{
  symbol: SelectedColumn<Source, Symbol>
  day: SelectedColumn<Source, Day>
  open: PresentColumn<SelectedColumn<Source, Price>>
  high: PresentColumn<SelectedColumn<Source, Price>>
  low: PresentColumn<SelectedColumn<Source, Price>>
  close: PresentColumn<SelectedColumn<Source, Price>>
  volume: SumOf<KindOf<Source, Size>>
  trades: Answer<'int64', bigint>
}> => {
  const price = identifier(names.price)
  const time = identifier(names.time)
  const priceColumn = presentColumn(trades, names.price)
  const clauses = [
    sql`SELECT ${identifier(names.symbol)} AS symbol, ${identifier(names.day)} AS day,
  min_by(${price}, ${time}) AS open, max(${price}) AS high, min(${price}) AS low, max_by(${price}, ${time}) AS close,
  sum(${identifier(names.size)}) AS volume, count(*) AS trades`,
    fromClause(trades),
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

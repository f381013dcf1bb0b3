import { Column, t } from '@stockpipe/core'
import { identifier, sql } from '../sql-template.ts'
import { firstAndLast } from './first-and-last.ts'
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
  type PresentName,
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
 * @param names `time` orders the trades of a day, and `order` those of one time, as for `bars`. `day` is the column or
 * partition that holds the trading day. Rows that lack price, size or time are left out.
 *
 * Throws a `ConfigurationError` for an `order` that may be NULL.
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
    readonly order?: PresentName<Source> | readonly PresentName<Source>[]
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
  const { open, close } = firstAndLast(trades, names)
  const priceColumn = presentColumn(trades, names.price)
  const clauses = [
    sql`SELECT ${identifier(names.symbol)} AS symbol, ${identifier(names.day)} AS day,
  ${open} AS open, max(${price}) AS high, min(${price}) AS low, ${close} AS close,
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

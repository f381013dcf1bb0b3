import { Column, t } from '@stockpipe/core'
import { identifier, sql } from '../sql-template.ts'
import { firstAndLast } from './first-and-last.ts'
import { checkedInterval, type Interval, type IntervalStart, intervalStart } from './interval.ts'
import { type SumOf, sumType, type TurnoverOf, type WeightedAverageOf } from './result-type.ts'
import {
  type Answer,
  type ColumnName,
  fromClause,
  type InstantKind,
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
  tableColumn,
  whereClause,
} from './table-column.ts'
import { turnoverOf } from './turnover.ts'

/**
 * Bars of any interval from trades, by symbol: `start`, first, highest, lowest and last price, volume, turnover
 * (price * size summed), VWAP (turnover / volume; NULL where there is no volume) and number of trades. An interval without
 * trades has no bar. Rows that lack price, size or time are left out.
 *
 * Decimals stay exact: open to close have the type of the price, turnover is decimal(38, scales of price and size added),
 * and VWAP is rounded half up to that scale.
 *
 * @param options `timeZone`: where midnight, and the days of longer bars, are taken from; default UTC. `start` is a moment
 * (in UTC) for bars within a day and a date (in the time zone) for bars of days, weeks or months. `order` tells which of
 * several trades of one time comes first, such as a sequence number; of those that nothing tells apart the one with the
 * lowest price counts, at the open and at the close.
 *
 * Throws a `ConfigurationError` for an interval or a time zone that is none, and for an `order` that may be NULL.
 */
export const bars = <
  Source extends MarketSource,
  const Symbol extends ColumnName<Source, 'string'>,
  const Price extends ColumnName<Source, NumberKind>,
  const Size extends ColumnName<Source, NumberKind>,
  const I extends Interval,
>(
  trades: Source,
  options: RowFilter & {
    readonly symbol: Symbol
    readonly price: Price
    readonly size: Size
    readonly time: ColumnName<Source, InstantKind>
    readonly order?: PresentName<Source> | readonly PresentName<Source>[]
    readonly interval: I
    readonly timeZone?: string
  },
): MarketQuery<{
  symbol: SelectedColumn<Source, Symbol>
  start: IntervalStart<I>
  open: PresentColumn<SelectedColumn<Source, Price>>
  high: PresentColumn<SelectedColumn<Source, Price>>
  low: PresentColumn<SelectedColumn<Source, Price>>
  close: PresentColumn<SelectedColumn<Source, Price>>
  volume: SumOf<KindOf<Source, Size>>
  turnover: TurnoverOf<KindOf<Source, Price>, KindOf<Source, Size>>
  vwap: WeightedAverageOf<KindOf<Source, Price>, KindOf<Source, Size>, true>
  trades: Answer<'int64', bigint>
}> => {
  const price = identifier(options.price)
  const size = identifier(options.size)
  const turnover = turnoverOf(trades, options.price, options.size)
  const { open, close } = firstAndLast(trades, options)
  const start = intervalStart(trades, options.time, options.interval, options.timeZone)
  const priceColumn = presentColumn(trades, options.price)
  const clauses = [
    sql`SELECT ${identifier(options.symbol)} AS symbol, ${start} AS start,
  ${open} AS open, max(${price}) AS high, min(${price}) AS low, ${close} AS close,
  sum(${size}) AS volume, sum(${turnover.product}) AS turnover, sum(${turnover.product}) / NULLIF(sum(${size}), 0) AS vwap,
  count(*) AS trades`,
    fromClause(trades),
    whereClause(trades, options, [options.price, options.size, options.time]),
    sql`GROUP BY 1, 2`,
    sql`ORDER BY 1, 2`,
  ]
  return marketQuery(clauses, {
    symbol: selected(trades, options.symbol),
    start: checkedInterval(options.interval).kind === 'calendar' ? t.date() : t.timestamp(),
    open: priceColumn,
    high: priceColumn,
    low: priceColumn,
    close: priceColumn,
    volume: new Column(sumType(tableColumn(trades, options.size).type), false),
    turnover: new Column(turnover.type, false),
    vwap: new Column(turnover.averageType, true),
    trades: t.int64(),
  })
}

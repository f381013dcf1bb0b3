import { Column, t } from '@stockpipe/core'
import { identifier, type SqlFragment, sql } from '../sql-template.ts'
import { checkedInterval, type Interval, type IntervalStart, intervalStart } from './interval.ts'
import { type SumOf, sumType, type WeightedAverageOf } from './result-type.ts'
import {
  type Answer,
  type ColumnName,
  commaList,
  fromClause,
  type InstantKind,
  type IntegerKind,
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
  tableColumn,
  whereClause,
} from './table-column.ts'
import { averagePriceType } from './turnover.ts'

/** The names that `bars` gives its columns, for `coarserBars(bars(...), { ...barColumns, interval })`. */
export const barColumns = Object.freeze({
  symbol: 'symbol',
  time: 'start',
  open: 'open',
  high: 'high',
  low: 'low',
  close: 'close',
  volume: 'volume',
  turnover: 'turnover',
  trades: 'trades',
} as const)

/**
 * Bars of longer intervals from shorter ones, by symbol; with `turnover` and `trades` they are the very bars that `bars`
 * makes of the trades, as long as each of the shorter lies within one of the longer (minutes in hours, days in months).
 * A bar counts where it starts. Rows that lack one of the columns are left out.
 *
 * @param options `time`: when the shorter bars start, a moment or a date; of a symbol each has its own. `timeZone` as for
 * `bars`; dates are taken as they are. Without `turnover` the answer has no turnover and no VWAP, without `trades` no number of trades.
 *
 * Throws a `ConfigurationError` for an interval or a time zone that is none, and for parts of a day from dates.
 */
export const coarserBars = <
  Source extends MarketSource,
  const Symbol extends ColumnName<Source, 'string'>,
  const Open extends ColumnName<Source, NumberKind>,
  const High extends ColumnName<Source, NumberKind>,
  const Low extends ColumnName<Source, NumberKind>,
  const Close extends ColumnName<Source, NumberKind>,
  const Volume extends ColumnName<Source, NumberKind>,
  const I extends Interval,
  const Turnover extends ColumnName<Source, 'decimal' | 'double'> | undefined = undefined,
  const Trades extends ColumnName<Source, IntegerKind> | undefined = undefined,
>(
  finer: Source,
  options: RowFilter & {
    readonly symbol: Symbol
    readonly time: ColumnName<Source, InstantKind | 'date'>
    readonly open: Open
    readonly high: High
    readonly low: Low
    readonly close: Close
    readonly volume: Volume
    readonly turnover?: Turnover
    readonly trades?: Trades
    readonly interval: I
    readonly timeZone?: string
  },
): MarketQuery<
  {
    symbol: SelectedColumn<Source, Symbol>
    start: IntervalStart<I>
    open: PresentColumn<SelectedColumn<Source, Open>>
    high: PresentColumn<SelectedColumn<Source, High>>
    low: PresentColumn<SelectedColumn<Source, Low>>
    close: PresentColumn<SelectedColumn<Source, Close>>
    volume: SumOf<KindOf<Source, Volume>>
  } & ([Turnover] extends [string]
    ? {
        turnover: SumOf<KindOf<Source, Turnover>>
        vwap: WeightedAverageOf<KindOf<Source, Turnover>, KindOf<Source, Volume>, true>
      }
    : unknown) &
    ([Trades] extends [string] ? { trades: Answer<'int64', bigint> } : unknown)
> => {
  const { open, high, low, close, volume, turnover, trades } = options
  const time = identifier(options.time)
  const start = intervalStart(finer, options.time, options.interval, options.timeZone)
  const volumeType = sumType(tableColumn(finer, volume).type)
  const figures: SqlFragment[] = [sql`sum(${identifier(volume)}) AS volume`]
  const columns: Record<string, Column> = { volume: new Column(volumeType, false) }
  if (turnover !== undefined) {
    const sum = sql`sum(${identifier(turnover)})`
    const type = sumType(tableColumn(finer, turnover).type)
    figures.push(sql`${sum} AS turnover`, sql`${sum} / NULLIF(sum(${identifier(volume)}), 0) AS vwap`)
    columns['turnover'] = new Column(type, false)
    columns['vwap'] = new Column(averagePriceType(type, volumeType), true)
  }
  if (trades !== undefined) {
    figures.push(sql`sum(${identifier(trades)}) AS trades`)
    columns['trades'] = t.int64()
  }
  const needed = [open, high, low, close, volume, options.time, turnover, trades]
  const clauses = [
    sql`SELECT ${identifier(options.symbol)} AS symbol, ${start} AS start,
  min_by(${identifier(open)}, ${time}) AS open, max(${identifier(high)}) AS high, min(${identifier(low)}) AS low, max_by(${identifier(close)}, ${time}) AS close,
  ${commaList(figures)}`,
    fromClause(finer),
    whereClause(
      finer,
      options,
      needed.filter((name) => name !== undefined),
    ),
    sql`GROUP BY 1, 2`,
    sql`ORDER BY 1, 2`,
  ]
  return marketQuery(clauses, {
    symbol: selected(finer, options.symbol),
    start: checkedInterval(options.interval).kind === 'calendar' ? t.date() : t.timestamp(),
    open: presentColumn(finer, open),
    high: presentColumn(finer, high),
    low: presentColumn(finer, low),
    close: presentColumn(finer, close),
    ...columns,
  })
}

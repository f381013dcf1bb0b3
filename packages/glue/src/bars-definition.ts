import {
  type BoundTable,
  boundTable,
  Column,
  type ColumnKind,
  type ColumnOrigin,
  type ColumnRecord,
  type ColumnType,
  ConfigurationError,
  type Decimal,
  day,
  defineTable,
  type PartitionRecord,
  type PartitionTransform,
  t,
} from '@stockpipe/core'

/** Whole numbers, whose sum is an int64. */
type WholeKind = 'int8' | 'int16' | 'int32' | 'int64'
type PriceKind = WholeKind | 'decimal' | 'double' | 'float'

/** The names of a table's columns of those kinds. */
type NamesOf<Columns extends ColumnRecord, Kind extends ColumnKind> = {
  [Name in keyof Columns & string]: Columns[Name] extends Column<
    infer Its,
    unknown,
    unknown,
    boolean,
    ColumnOrigin
  >
    ? Its extends Kind
      ? Name
      : never
    : never
}[keyof Columns & string]

/** The column as bars have it: never null, and no fact of a record. */
type Present<C> =
  C extends Column<infer Kind, infer Input, infer Output, boolean, ColumnOrigin>
    ? Column<Kind, Input, Output, false, 'value'>
    : never

/** What the sum of a column is: a decimal of 38 digits, or an int64. */
type SumColumn<C> =
  C extends Column<infer Kind, unknown, unknown, boolean, ColumnOrigin>
    ? Kind extends 'decimal'
      ? Column<'decimal', string | Decimal, Decimal, false, 'value'>
      : Column<'int64', bigint, bigint, false, 'value'>
    : never

/** Parts of an hour, so that the bars of one begin with it in every zone. */
const minuteCounts = [1, 2, 3, 4, 5, 6, 10, 12, 15, 20, 30, 60] as const

/**
 * How often a bar begins: every minute, every so many minutes from the midnight of the time zone, in time that passes,
 * or every day of the time zone.
 */
export type BarInterval = 'minute' | { readonly minutes: (typeof minuteCounts)[number] } | 'day'

export interface BarsOptions<
  Columns extends ColumnRecord,
  Symbol extends string,
  Price extends string,
  Size extends string,
  Interval extends BarInterval,
> {
  /** The name of the table of bars. */
  readonly name: string
  /** Default the database of the trades. */
  readonly database?: string
  /** `s3://bucket/prefix/` of the bars, which holds nothing else. */
  readonly location: string
  /** Longer intervals within a day are made of these by the market queries of `@stockpipe/athena`. */
  readonly interval: Interval
  readonly symbol: Symbol & NamesOf<Columns, 'string'>
  readonly price: Price & NamesOf<Columns, PriceKind>
  /** A whole number or a decimal: the sum of floating-point numbers would depend on their order. */
  readonly size: Size & NamesOf<Columns, WholeKind | 'decimal'>
  /** When the trade was made: a timestamp, or nanoseconds since the epoch, by which trades are ordered to the nanosecond. */
  readonly time: NamesOf<Columns, 'timestamp' | 'epochNanos'>
  /**
   * Which of the trades of one time is first and last, such as a sequence number; null comes before all others.
   * Without one, and where it is the same too, the lowest price is first and the highest last.
   */
  readonly tieBreak?: NamesOf<Columns, WholeKind | 'decimal' | 'string' | 'epochNanos'>
  /** The IANA zone whose days the bars have, such as `America/New_York`. Default UTC. */
  readonly timeZone?: string
}

/** The columns of bars. */
export type BarColumns<
  Columns extends ColumnRecord,
  Symbol extends string,
  Price extends string,
  Size extends string,
  Interval extends BarInterval,
> = {
  readonly symbol: Present<Columns[Symbol]>
} & (Interval extends 'day'
  ? { readonly day: Column<'date', string, string, false, 'value'> }
  : { readonly start: Column<'timestamp', Date | string | bigint, Date, false, 'value'> }) & {
    readonly open: Present<Columns[Price]>
    readonly high: Present<Columns[Price]>
    readonly low: Present<Columns[Price]>
    readonly close: Present<Columns[Price]>
    readonly volume: SumColumn<Columns[Size]>
    readonly trades: Column<'int64', bigint, bigint, false, 'value'>
  }

/** How bars are made of trades, and the table they are kept in. */
export interface BarsDefinition<BarColumn extends ColumnRecord = ColumnRecord> {
  /** The table of bars, for `ensureTable`, queries and rows. */
  readonly table: BoundTable<BarColumn, { readonly bar_date: PartitionTransform<'day', 'day' | 'start'> }>
  readonly source: BoundTable
  /** The minutes of a bar; undefined for daily bars. */
  readonly minutes: number | undefined
  readonly symbol: string
  readonly price: string
  readonly size: string
  readonly time: string
  readonly tieBreak: string | undefined
  /** `UTC` where none was given. */
  readonly timeZone: string
}

/** The partition of bars. */
export const barPartition = 'bar_date'

/**
 * Defines bars of trades: first, highest, lowest and last price, volume and number of trades by symbol and minutes or
 * day, partitioned by `bar_date`, the day in the time zone of the exchange. Trades without symbol, price, size or time
 * (or with a price that is no number) do not count.
 *
 * Throws a `ConfigurationError` for columns the trades do not have or that cannot be added up exactly, and for an interval
 * or a time zone that is none.
 */
export const defineBars = <
  Columns extends ColumnRecord,
  Partitions extends PartitionRecord,
  const Symbol extends string,
  const Price extends string,
  const Size extends string,
  const Interval extends BarInterval,
>(
  source: BoundTable<Columns, Partitions>,
  options: BarsOptions<Columns, Symbol, Price, Size, Interval>,
): BarsDefinition<BarColumns<Columns, Symbol, Price, Size, Interval>> => {
  const { name, interval, tieBreak, timeZone = 'UTC' } = options
  const trades = boundTable(source)
  const column = (role: string, columnName: string, kinds: readonly ColumnKind[]): ColumnType => {
    const { type } = trades.table.column(columnName)
    if (kinds.includes(type.kind)) return type
    throw new ConfigurationError({
      code: 'BARS_INVALID',
      message: `Bars of ${source.database}.${source.table.name} cannot take '${columnName}' as their ${role}: it is a ${type.kind}, and they need ${kinds.join(', ')}.`,
    })
  }
  const whole = ['int8', 'int16', 'int32', 'int64'] as const
  column('symbol', options.symbol, ['string'])
  column('time', options.time, ['timestamp', 'epochNanos'])
  if (tieBreak !== undefined) column('tie-break', tieBreak, [...whole, 'decimal', 'string', 'epochNanos'])
  const price = new Column(column('price', options.price, [...whole, 'decimal', 'double', 'float']), false)
  const size = column('size', options.size, [...whole, 'decimal'])
  const prices = { open: price, high: price, low: price, close: price }
  const sums = {
    volume: size.kind === 'decimal' ? t.decimal(38, size.scale) : t.int64(),
    trades: t.int64(),
  }
  const binding = { database: options.database ?? source.database, location: options.location }
  // Made for daily bars as well: it refuses a zone that is none.
  const dayOfStart = day('start', { timeZone })
  const minutes = interval === 'day' ? undefined : interval === 'minute' ? 1 : interval.minutes
  if (minutes !== undefined && !(minuteCounts as readonly number[]).includes(minutes)) {
    throw new ConfigurationError({
      code: 'BARS_INVALID',
      message: `Bars '${name}' have the interval ${JSON.stringify(interval)}; it is 'minute', 'day', or { minutes } of ${minuteCounts.join(', ')}.`,
    })
  }
  const table: BoundTable =
    minutes === undefined
      ? defineTable(name, {
          columns: { symbol: t.string(), day: t.date(), ...prices, ...sums },
          partitions: { [barPartition]: day('day') },
        }).at(binding)
      : defineTable(name, {
          columns: { symbol: t.string(), start: t.timestamp(), ...prices, ...sums },
          partitions: { [barPartition]: dayOfStart },
        }).at(binding)
  if (table.location.startsWith(source.location) || source.location.startsWith(table.location)) {
    throw new ConfigurationError({
      code: 'BARS_INVALID',
      message: `Bars at ${table.location} and trades at ${source.location} lie in each other; give the bars a location of their own.`,
    })
  }
  return {
    table: table as never,
    source: trades,
    minutes,
    symbol: options.symbol,
    price: options.price,
    size: options.size,
    time: options.time,
    tieBreak,
    timeZone,
  }
}

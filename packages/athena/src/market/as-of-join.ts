import { Column, ConfigurationError } from '@stockpipe/core'
import { identifier, SqlFragment, sql } from '../sql-template.ts'
import {
  type AbsentColumn,
  type ColumnName,
  commaList,
  fromClause,
  type InstantKind,
  type KindOf,
  type MarketQuery,
  type MarketSource,
  marketQuery,
  nothing,
  type RowFilter,
  type SelectedColumn,
  selected,
  sourceText,
  tableColumn,
  whereClause,
} from './table-column.ts'

/** What of a source is answered: `{ name in the answer: column of the source }`. */
type NamedColumns<Source> = Readonly<Record<string, ColumnName<Source>>>

/**
 * Each trade with the last quote of its symbol at or before its time: one row a trade, in no order. Where there is no such
 * quote, the columns of quotes are NULL; a NULL within the last quote is answered as it is, not passed over. Quotes
 * without a symbol or a time count for nothing.
 *
 * Both are read once and sorted by symbol and time together; nothing is joined by a range, which Athena would do row by row.
 *
 * @param options `columns` names what is answered. `quotes.order` tells which of several quotes of one time is the last, such as
 * a sequence number (NULL comes first); without it that is not defined. `toleranceMillis`: a quote that is older than that
 * counts as none. The `where` of quotes has to reach back as far, or no such quote is found.
 *
 * Throws a `ConfigurationError` for a name that both give, times of two kinds, and a tolerance that is none.
 */
export const asOfJoin = <
  Trades extends MarketSource,
  Quotes extends MarketSource,
  const Time extends ColumnName<Trades, InstantKind>,
  const TradeColumns extends NamedColumns<Trades>,
  const QuoteColumns extends NamedColumns<Quotes>,
>(
  trades: Trades,
  quotes: Quotes,
  options: {
    readonly trades: RowFilter & {
      readonly symbol: ColumnName<Trades, 'string'>
      readonly time: Time
      readonly columns: TradeColumns
    }
    readonly quotes: RowFilter & {
      readonly symbol: ColumnName<Quotes, 'string'>
      readonly time: ColumnName<Quotes, KindOf<Trades, Time>>
      readonly order?: ColumnName<Quotes> | readonly ColumnName<Quotes>[]
      readonly columns: QuoteColumns
    }
    readonly toleranceMillis?: number
  },
): MarketQuery<
  { [Name in keyof TradeColumns]: SelectedColumn<Trades, TradeColumns[Name]> } & {
    [Name in keyof QuoteColumns]: AbsentColumn<SelectedColumn<Quotes, QuoteColumns[Name]>>
  }
> => {
  const time = tableColumn(trades, options.trades.time)
  checkTimes(trades, quotes, options.trades.time, options.quotes.time)
  const tradeColumns = Object.entries<string>(options.trades.columns)
  const quoteColumns = Object.entries<string>(options.quotes.columns)
  checkNames([...tradeColumns, ...quoteColumns].map(([name]) => name))
  const order = [options.quotes.order ?? []].flat() as string[]
  const orders = order.map((_, index) => identifier(`order ${index + 1}`))
  const given = tradeColumns.map((_, index) => identifier(`trade ${index + 1}`))
  const nulls = (places: readonly SqlFragment[]) => places.map((place) => sql`, NULL AS ${place}`)
  const columnsAs = (names: readonly string[], places: readonly SqlFragment[]) =>
    names.map((name, index) => sql`, ${identifier(name)} AS ${places[index]!}`)
  const list = (pieces: readonly SqlFragment[]) =>
    pieces.reduce((text, piece) => sql`${text}${piece}`, nothing)
  const quote = commaList(
    [options.quotes.time, ...quoteColumns.map(([, name]) => name)].map((n) => identifier(n)),
  )

  const conditions = [
    ...(time.nullable ? [sql`moment IS NOT NULL`] : []),
    ...withinTolerance(time.type.kind, options.toleranceMillis),
  ]
  const isValid =
    conditions.length === 0 ? undefined : conditions.reduce((all, one) => sql`${all} AND ${one}`)
  const answers = [
    ...tradeColumns.map(([name], index) => sql`${given[index]!} AS ${identifier(name)}`),
    ...quoteColumns.map(([name], index) => {
      const field = new SqlFragment(`quote[${index + 2}]`, [])
      const value = isValid === undefined ? field : sql`CASE WHEN ${isValid} THEN ${field} END`
      return sql`${value} AS ${identifier(name)}`
    }),
  ]
  const clauses = [
    sql`SELECT ${commaList(answers)}
FROM (
SELECT symbol, moment, is_trade${list(given.map((place) => sql`, ${place}`))},
  last_value(quote) IGNORE NULLS OVER (PARTITION BY symbol ORDER BY moment, is_trade${list(orders.map((one) => sql`, ${one} NULLS FIRST`))}
    ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW) AS quote
FROM (
SELECT ${identifier(options.trades.symbol)} AS symbol, ${identifier(options.trades.time)} AS moment, 1 AS is_trade${list(
      nulls(orders),
    )}${list(
      columnsAs(
        tradeColumns.map(([, name]) => name),
        given,
      ),
    )}, NULL AS quote`,
    fromClause(trades),
    whereClause(trades, options.trades, []),
    sql`UNION ALL
SELECT ${identifier(options.quotes.symbol)}, ${identifier(options.quotes.time)}, 0${list(columnsAs(order, orders))}${list(
      nulls(given),
    )}, ROW(${quote})`,
    fromClause(quotes),
    whereClause(quotes, options.quotes, [options.quotes.symbol, options.quotes.time]),
    sql`) AS moments
) AS quoted
WHERE is_trade = 1`,
  ]
  const columns: Record<string, Column> = {}
  for (const [name, column] of tradeColumns) columns[name] = selected(trades, column)
  for (const [name, column] of quoteColumns)
    columns[name] = new Column(tableColumn(quotes, column).type, true)
  return marketQuery(clauses, columns)
}

const checkNames = (names: readonly string[]): void => {
  const seen = new Set<string>()
  for (const name of names) {
    if (seen.has(name.toLowerCase())) {
      throw new ConfigurationError({
        code: 'NAME_REPEATED',
        message: `The answer would hold '${name}' twice; give what is taken from trades and from quotes names of their own.`,
      })
    }
    seen.add(name.toLowerCase())
  }
}

const checkTimes = (
  trades: MarketSource,
  quotes: MarketSource,
  tradeTime: string,
  quoteTime: string,
): void => {
  const [ours, theirs] = [tableColumn(trades, tradeTime).type.kind, tableColumn(quotes, quoteTime).type.kind]
  if (ours === theirs && (ours === 'timestamp' || ours === 'epochNanos')) return
  throw new ConfigurationError({
    code: 'TIME_INVALID',
    message: `${sourceText(trades)}: '${tradeTime}' is a ${ours}; ${sourceText(quotes)}: '${quoteTime}' is a ${theirs}. Both times have to be timestamps, or both nanoseconds since the epoch.`,
  })
}

const largestBigint = 2n ** 63n - 1n

const withinTolerance = (kind: string, toleranceMillis: number | undefined): readonly SqlFragment[] => {
  if (toleranceMillis === undefined) return []
  if (!Number.isSafeInteger(toleranceMillis) || toleranceMillis < 0) {
    throw new ConfigurationError({
      code: 'TOLERANCE_INVALID',
      message: `A tolerance is a whole number of milliseconds from 0, not ${toleranceMillis}.`,
    })
  }
  const nanos = BigInt(toleranceMillis) * 1_000_000n
  const limit = new SqlFragment(
    String(kind === 'timestamp' ? toleranceMillis : nanos < largestBigint ? nanos : largestBigint),
    [],
  )
  return [
    kind === 'timestamp'
      ? sql`date_diff('millisecond', quote[1], moment) <= ${limit}`
      : sql`moment - quote[1] <= ${limit}`,
  ]
}

import { ConfigurationError, t } from '@stockpipe/core'
import { identifier, literal, type SqlFragment, sql } from '../sql-template.ts'
import { type GroupColumns, groupColumns, groupList } from './group-columns.ts'
import {
  type Answer,
  type ColumnName,
  fromClause,
  type MarketQuery,
  type MarketSource,
  marketQuery,
  type NullableAnswer,
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
import { windowOfRows } from './window-of-rows.ts'

/**
 * Volatility by the columns of `per`: the sample standard deviation of returns times the root of `periodsPerYear` (252 for
 * daily returns of stocks; 1, the default, leaves it as it is). NULL for fewer than two returns; `returns` is their number.
 * Returns that are NULL count for nothing.
 *
 * Throws a `ConfigurationError` when `periodsPerYear` is not above 0.
 */
export const volatility = <Source extends MarketSource, const Per extends readonly ColumnName<Source>[]>(
  source: Source,
  names: RowFilter & {
    readonly per: Per
    readonly value: ColumnName<Source, NumberKind>
    readonly periodsPerYear?: number
  },
): MarketQuery<
  GroupColumns<Source, Per> & {
    volatility: NullableAnswer<'double', number>
    returns: Answer<'int64', bigint>
  }
> => {
  tableColumn(source, names.value)
  const value = identifier(names.value)
  const group = groupList(source, names.per, ['volatility', 'returns'])
  const clauses = [
    sql`SELECT ${group.select}stddev_samp(CAST(${value} AS double))${annualised(names.periodsPerYear)} AS volatility, count(${value}) AS returns`,
    fromClause(source),
    whereClause(source, names, []),
    group.groupBy,
    group.orderBy,
  ]
  return marketQuery(clauses, {
    ...groupColumns(source, names.per),
    volatility: t.double().nullable(),
    returns: t.int64(),
  })
}

/**
 * The volatility of the last `rows` returns of a symbol, the row itself included; at the beginning of those there are.
 * Rows without a return or a time are left out; times of a symbol are each their own.
 *
 * Throws a `ConfigurationError` when `periodsPerYear` is not above 0, or `rows` no whole number from 1 to 100,000.
 */
export const movingVolatility = <
  Source extends MarketSource,
  const Symbol extends ColumnName<Source, 'string'>,
  const Time extends ColumnName<Source, TimeKind>,
>(
  source: Source,
  names: RowFilter & {
    readonly symbol: Symbol
    readonly time: Time
    readonly value: ColumnName<Source, NumberKind>
    readonly rows: number
    readonly periodsPerYear?: number
  },
): MarketQuery<{
  symbol: SelectedColumn<Source, Symbol>
  time: PresentColumn<SelectedColumn<Source, Time>>
  volatility: NullableAnswer<'double', number>
  returns: Answer<'int64', bigint>
}> => {
  const symbol = identifier(names.symbol)
  const time = identifier(names.time)
  const value = sql`CAST(${identifier(names.value)} AS double)`
  const window = sql`OVER (PARTITION BY ${symbol} ORDER BY ${time} ${windowOfRows(names.rows)})`
  const clauses = [
    sql`SELECT ${symbol} AS symbol, ${time} AS time,
  stddev_samp(${value}) ${window}${annualised(names.periodsPerYear)} AS volatility,
  count(*) ${window} AS returns`,
    fromClause(source),
    whereClause(source, names, [names.value, names.time]),
    sql`ORDER BY 1, 2`,
  ]
  return marketQuery(clauses, {
    symbol: selected(source, names.symbol),
    time: presentColumn(source, names.time),
    volatility: t.double().nullable(),
    returns: t.int64(),
  })
}

const annualised = (periodsPerYear = 1): SqlFragment => {
  if (Number.isFinite(periodsPerYear) && periodsPerYear > 0) {
    return sql` *${literal(Math.sqrt(periodsPerYear))}`
  }
  throw new ConfigurationError({
    code: 'PERIODS_INVALID',
    message: `A year has a number of periods above 0 (252 days of trading), not ${periodsPerYear}.`,
  })
}

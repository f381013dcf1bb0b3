import { Column } from '@stockpipe/core'
import { identifier, sql } from '../sql-template.ts'
import { type GroupColumns, groupColumns, groupList } from './group-columns.ts'
import { type SumOf, sumType, type WeightedAverageOf } from './result-type.ts'
import {
  type ColumnName,
  fromClause,
  type KindOf,
  type MarketQuery,
  type MarketSource,
  marketQuery,
  type NumberKind,
  type RowFilter,
  tableColumn,
  whereClause,
} from './table-column.ts'
import { turnoverOf } from './turnover.ts'

/**
 * Volume-weighted average price, sum(price * size) / sum(size), by the columns of `per`. Exact in decimals where
 * the price is decimal and the size whole or decimal: decimal(38, scale of price + scale of size), rounded half up.
 * Groups without volume have no such price and are left out.
 *
 * Throws a `ConfigurationError` when the product of two decimals would have over 38 digits after the point.
 */
export const volumeWeightedAveragePrice = <
  Source extends MarketSource,
  const Per extends readonly ColumnName<Source>[],
  const Price extends ColumnName<Source, NumberKind>,
  const Size extends ColumnName<Source, NumberKind>,
>(
  trades: Source,
  names: RowFilter & { readonly per: Per; readonly price: Price; readonly size: Size },
): MarketQuery<
  GroupColumns<Source, Per> & {
    vwap: WeightedAverageOf<KindOf<Source, Price>, KindOf<Source, Size>>
    volume: SumOf<KindOf<Source, Size>>
  }
> => {
  const size = identifier(names.size)
  const { product, averageType } = turnoverOf(trades, names.price, names.size)
  const group = groupList(trades, names.per, ['vwap', 'volume'])
  const clauses = [
    sql`SELECT ${group.select}sum(${product}) / sum(${size}) AS vwap, sum(${size}) AS volume`,
    fromClause(trades),
    whereClause(trades, names, [names.price, names.size]),
    group.groupBy,
    sql`HAVING sum(${size}) > 0`,
    group.orderBy,
  ]
  return marketQuery(clauses, {
    ...groupColumns(trades, names.per),
    vwap: new Column(averageType, false),
    volume: new Column(sumType(tableColumn(trades, names.size).type), false),
  })
}

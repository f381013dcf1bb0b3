import {
  type BoundTable,
  Column,
  type ColumnRecord,
  type ColumnType,
  ConfigurationError,
  type PartitionRecord,
} from '@stockpipe/core'
import { identifier, sql } from '../sql-template.ts'
import { type GroupColumns, groupColumns, groupList } from './group-columns.ts'
import {
  decimalOf,
  productType,
  quotientType,
  type SumOf,
  sumType,
  type WeightedAverageOf,
} from './result-type.ts'
import {
  type ColumnName,
  type KindOf,
  type MarketQuery,
  marketQuery,
  type NumberKind,
  type RowFilter,
  tableColumn,
  whereClause,
} from './table-column.ts'

/**
 * Volume-weighted average price, sum(price * size) / sum(size), by the columns of `per`. Exact in decimals where
 * the price is decimal and the size whole or decimal: decimal(38, scale of price + scale of size), rounded half up.
 * Groups without volume have no such price and are left out.
 *
 * Throws a `ConfigurationError` when the product of two decimals would have over 38 digits after the point.
 */
export const volumeWeightedAveragePrice = <
  Columns extends ColumnRecord,
  Partitions extends PartitionRecord,
  const Per extends readonly ColumnName<Columns, Partitions>[],
  const Price extends ColumnName<Columns, Partitions, NumberKind>,
  const Size extends ColumnName<Columns, Partitions, NumberKind>,
>(
  trades: BoundTable<Columns, Partitions>,
  names: RowFilter & { readonly per: Per; readonly price: Price; readonly size: Size },
): MarketQuery<
  GroupColumns<Columns, Partitions, Per> & {
    vwap: WeightedAverageOf<KindOf<Columns, Price>, KindOf<Columns, Size>>
    volume: SumOf<KindOf<Columns, Size>>
  }
> => {
  const size = identifier(names.size)
  const sizeType = tableColumn(trades, names.size).type
  const exact = exactType(trades, tableColumn(trades, names.price).type, sizeType)
  const price = exact ? identifier(names.price) : sql`CAST(${identifier(names.price)} AS double)`
  const group = groupList(trades, names.per, ['vwap', 'volume'])
  const clauses = [
    sql`SELECT ${group.select}sum(${price} * ${size}) / sum(${size}) AS vwap, sum(${size}) AS volume`,
    sql`FROM ${trades}`,
    whereClause(trades, names, [names.price, names.size]),
    group.groupBy,
    sql`HAVING sum(${size}) > 0`,
    group.orderBy,
  ]
  return marketQuery(clauses, {
    ...groupColumns(trades, names.per),
    vwap: new Column(exact ?? { kind: 'double' }, false),
    volume: new Column(sumType(sizeType), false),
  })
}

/** The decimal Trino answers, or undefined where one of the two is floating or both are whole. */
const exactType = (trades: BoundTable, price: ColumnType, size: ColumnType): ColumnType | undefined => {
  const sizeDecimal = decimalOf(size)
  if (price.kind !== 'decimal' || sizeDecimal === undefined) return undefined
  const product = productType(price, sizeDecimal)
  if (product.scale > 38) {
    throw new ConfigurationError({
      code: 'DECIMAL_TOO_FINE',
      message: `Table ${trades.database}.${trades.table.name}: price * size would have ${product.scale} digits after the point, and Athena knows 38; CAST one of them in a query of your own.`,
    })
  }
  const sizeSum = decimalOf(sumType(size))!
  return quotientType({ ...product, precision: 38 }, sizeSum)
}

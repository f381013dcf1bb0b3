import { type ColumnType, ConfigurationError } from '@stockpipe/core'
import { identifier, type SqlFragment, sql } from '../sql-template.ts'
import { decimalOf, productType, quotientType, sumType } from './result-type.ts'
import { type MarketSource, sourceText, tableColumn } from './table-column.ts'

/** Price times size, and what its sums are divided into. */
export interface Turnover {
  /** price * size of a row: exact where the price is decimal and the size whole or decimal, otherwise doubles. */
  readonly product: SqlFragment
  /** The type of a sum of such products. */
  readonly type: ColumnType
  /** The type of such a sum divided by a sum of sizes. */
  readonly averageType: ColumnType
}

const double: ColumnType = { kind: 'double' }

/** Throws a `ConfigurationError` when the product of two decimals would have over 38 digits after the point. */
export const turnoverOf = (source: MarketSource, priceName: string, sizeName: string): Turnover => {
  const price = identifier(priceName)
  const size = identifier(sizeName)
  const priceType = tableColumn(source, priceName).type
  const sizeType = tableColumn(source, sizeName).type
  const sizeDecimal = decimalOf(sizeType)
  if (priceType.kind !== 'decimal' || sizeDecimal === undefined) {
    return { product: sql`CAST(${price} AS double) * ${size}`, type: double, averageType: double }
  }
  const product = productType(priceType, sizeDecimal)
  if (product.scale > 38) {
    throw new ConfigurationError({
      code: 'DECIMAL_TOO_FINE',
      message: `${sourceText(source)}: price * size would have ${product.scale} digits after the point, and Athena knows 38; CAST one of them in a query of your own.`,
    })
  }
  const type = sumType(product)
  return { product: sql`${price} * ${size}`, type, averageType: averagePriceType(type, sumType(sizeType)) }
}

/** What a sum of turnovers divided by a sum of sizes is. */
export const averagePriceType = (turnover: ColumnType, volume: ColumnType): ColumnType => {
  const divisor = decimalOf(volume)
  return turnover.kind === 'decimal' && divisor !== undefined ? quotientType(turnover, divisor) : double
}

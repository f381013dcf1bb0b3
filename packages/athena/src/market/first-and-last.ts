import { ConfigurationError } from '@stockpipe/core'
import { identifier, type SqlFragment, sql } from '../sql-template.ts'
import { commaList, type MarketSource, sourceText, tableColumn } from './table-column.ts'

/**
 * The first and the last price of a group: by time, then by the columns of `order`; of trades that these do not tell apart
 * the lowest price counts, at the open and at the close, so that the answer is the same each time.
 *
 * Throws a `ConfigurationError` for an `order` that may be NULL.
 */
export const firstAndLast = (
  source: MarketSource,
  options: { readonly price: string; readonly time: string; readonly order?: string | readonly string[] },
): { open: SqlFragment; close: SqlFragment } => {
  const order = [options.order ?? []].flat()
  for (const name of order) {
    if (!tableColumn(source, name).nullable) continue
    throw new ConfigurationError({
      code: 'ORDER_NULLABLE',
      message: `${sourceText(source)}: column '${name}' may be NULL and cannot order rows of one time; leave rows without it out in a query of your own, and take that as the source.`,
    })
  }
  const price = identifier(options.price)
  const position = commaList([options.time, ...order].map((name) => identifier(name)))
  return {
    open: sql`min_by(${price}, ROW(${position}, ${price}))`,
    close: sql`max_by(${price}, ROW(${position}, -${price}))`,
  }
}

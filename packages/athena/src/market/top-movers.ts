import { ConfigurationError, t } from '@stockpipe/core'
import { identifier, sql } from '../sql-template.ts'
import {
  type Answer,
  type ColumnName,
  fromClause,
  type MarketQuery,
  type MarketSource,
  marketQuery,
  type NumberKind,
  type PresentColumn,
  presentColumn,
  type RowFilter,
  type SelectedColumn,
  selected,
  type TimeKind,
  whereClause,
  wholeNumber,
} from './table-column.ts'

/**
 * The symbols that moved most over the rows that count: from the first `open` (where it is named, otherwise `close`) to the
 * last `close`, `change` being last / first - 1 as a double. `rank` is 1 for the largest move; equal ones rank by symbol.
 * A symbol whose first value is not above zero has no change and is left out, as are rows without a value or a time.
 *
 * @param names `direction`: the largest change first (`up`), the smallest (`down`), or by size whatever its sign (`either`, the default). `limit`: how many
 * symbols at most, 1 to 10,000. Times of a symbol are each their own.
 *
 * Throws a `ConfigurationError` for another limit.
 */
export const topMovers = <
  Source extends MarketSource,
  const Symbol extends ColumnName<Source, 'string'>,
  const Close extends ColumnName<Source, NumberKind>,
  const Open extends ColumnName<Source, NumberKind> = Close,
>(
  bars: Source,
  names: RowFilter & {
    readonly symbol: Symbol
    readonly time: ColumnName<Source, TimeKind>
    readonly close: Close
    readonly open?: Open
    readonly limit: number
    readonly direction?: 'up' | 'down' | 'either'
  },
): MarketQuery<{
  rank: Answer<'int64', bigint>
  symbol: SelectedColumn<Source, Symbol>
  first: PresentColumn<SelectedColumn<Source, Open>>
  last: PresentColumn<SelectedColumn<Source, Close>>
  change: Answer<'double', number>
}> => {
  const { close, open = close, direction = 'either', limit } = names
  if (!Number.isInteger(limit) || limit < 1 || limit > 10_000) {
    throw new ConfigurationError({
      code: 'LIMIT_INVALID',
      message: `So many movers are a whole number from 1 to 10,000, not ${limit}.`,
    })
  }
  const time = identifier(names.time)
  // Athena reserves FIRST and LAST.
  const size = { up: sql`change DESC`, down: sql`change`, either: sql`abs(change) DESC` }[direction]
  const clauses = [
    sql`SELECT rank, symbol, "first", "last", change
FROM (
SELECT *, row_number() OVER (ORDER BY ${size}, symbol) AS rank
FROM (
SELECT symbol, "first", "last", CAST("last" AS double) / CAST("first" AS double) - 1 AS change
FROM (
SELECT ${identifier(names.symbol)} AS symbol, min_by(${identifier(open)}, ${time}) AS "first", max_by(${identifier(close)}, ${time}) AS "last"`,
    fromClause(bars),
    whereClause(bars, names, [open, close, names.time]),
    sql`GROUP BY 1
) AS moves
WHERE "first" > 0
) AS changes
) AS ranked
WHERE rank <= ${wholeNumber(limit)}
ORDER BY 1`,
  ]
  return marketQuery(clauses, {
    rank: t.int64(),
    symbol: selected(bars, names.symbol),
    first: presentColumn(bars, open),
    last: presentColumn(bars, close),
    change: t.double(),
  })
}

import { t } from '@stockpipe/core'
import { identifier, sql } from '../sql-template.ts'
import {
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
  whereClause,
} from './table-column.ts'

/**
 * What each bar returned against the one before it, by symbol: `simpleReturn`, close / close before - 1, and `logReturn`,
 * ln(close / close before), as doubles. NULL for a symbol's first bar, where the close before is not above zero, and, for
 * the logarithm, where the close is not. Rows without a close or a time are left out, as if there was no such bar;
 * times of a symbol are each their own.
 */
export const returns = <
  Source extends MarketSource,
  const Symbol extends ColumnName<Source, 'string'>,
  const Time extends ColumnName<Source, TimeKind>,
  const Close extends ColumnName<Source, NumberKind>,
>(
  bars: Source,
  names: RowFilter & { readonly symbol: Symbol; readonly time: Time; readonly close: Close },
): MarketQuery<{
  symbol: SelectedColumn<Source, Symbol>
  time: PresentColumn<SelectedColumn<Source, Time>>
  close: PresentColumn<SelectedColumn<Source, Close>>
  simpleReturn: NullableAnswer<'double', number>
  logReturn: NullableAnswer<'double', number>
}> => {
  const symbol = identifier(names.symbol)
  const time = identifier(names.time)
  // As doubles before the division: a quotient of decimals would be cut to the scale of the prices.
  const close = sql`CAST(${identifier(names.close)} AS double)`
  const clauses = [
    sql`SELECT symbol, time, close,
  CASE WHEN previous > 0 THEN figure / previous - 1 END AS simpleReturn,
  CASE WHEN previous > 0 AND figure > 0 THEN ln(figure / previous) END AS logReturn
FROM (
SELECT ${symbol} AS symbol, ${time} AS time, ${identifier(names.close)} AS close, ${close} AS figure,
  lag(${close}) OVER (PARTITION BY ${symbol} ORDER BY ${time}) AS previous`,
    fromClause(bars),
    whereClause(bars, names, [names.close, names.time]),
    sql`) AS closes
ORDER BY 1, 2`,
  ]
  return marketQuery(clauses, {
    symbol: selected(bars, names.symbol),
    time: presentColumn(bars, names.time),
    close: presentColumn(bars, names.close),
    simpleReturn: t.double().nullable(),
    logReturn: t.double().nullable(),
  })
}

import { identifier, sql } from '../sql-template.ts'
import {
  type ColumnName,
  columnNames,
  commaList,
  fromClause,
  type MarketQuery,
  type MarketSource,
  marketQuery,
  type RowFilter,
  type SelectedColumn,
  selected,
  type TimeKind,
  tableColumn,
  whereClause,
} from './table-column.ts'

/**
 * The last row of each symbol, by time. Rows without a time are left out.
 *
 * @param options `columns`: what to answer, under the names of the source; default all. `order` tells which of several rows
 * of one time is the last, such as a sequence number (NULL comes first); without it that is not defined.
 */
export const latestPerSymbol = <
  Source extends MarketSource,
  const Names extends readonly ColumnName<Source>[] = readonly ColumnName<Source>[],
>(
  source: Source,
  options: RowFilter & {
    readonly symbol: ColumnName<Source, 'string'>
    readonly time: ColumnName<Source, TimeKind>
    readonly order?: ColumnName<Source> | readonly ColumnName<Source>[]
    readonly columns?: Names
  },
): MarketQuery<{ [Name in Names[number]]: SelectedColumn<Source, Name> }> => {
  const { symbol, time, columns = columnNames(source) } = options
  const names = [...new Set<string>(columns)]
  const list = commaList(names.map((name) => identifier(name)))
  const last = [time, ...[options.order ?? []].flat()].map((name) => {
    tableColumn(source, name)
    return sql`${identifier(name)} DESC`
  })
  tableColumn(source, symbol)
  const clauses = [
    sql`SELECT ${list}
FROM (
SELECT ${list}, row_number() OVER (PARTITION BY ${identifier(symbol)} ORDER BY ${commaList(last)}) AS "row from the last"`,
    fromClause(source),
    whereClause(source, options, [time]),
    sql`) AS numbered
WHERE "row from the last" = 1`,
  ]
  return marketQuery(clauses, Object.fromEntries(names.map((name) => [name, selected(source, name)])))
}

import { identifier, type SqlFragment, sql } from '../sql-template.ts'
import {
  type ColumnName,
  columnNames,
  commaList,
  fromClause,
  type MarketQuery,
  type MarketSource,
  marketQuery,
  nothing,
  type SelectedColumn,
  selected,
  tableColumn,
} from './table-column.ts'

/**
 * The rows of a query that a predicate on its answer keeps: figures of a range that were computed over more, such as the
 * averages of a month of 20 rows each, whose first ones need the days before. What those figures read is said by the `where`
 * of the query within.
 *
 * @param where over the columns of the source, such as sql`day >= ${'2024-03-01'}`
 * @param options `orderBy`: the columns that order the rows; default none
 */
export const rowsWhere = <Source extends MarketSource>(
  source: Source,
  where: SqlFragment,
  options: { readonly orderBy?: ColumnName<Source> | readonly ColumnName<Source>[] } = {},
): MarketQuery<{ [Name in ColumnName<Source>]: SelectedColumn<Source, Name> }> => {
  const names = columnNames(source)
  const order = [options.orderBy ?? []].flat().map((name: string) => {
    tableColumn(source, name)
    return identifier(name)
  })
  const clauses = [
    sql`SELECT ${commaList(names.map((name) => identifier(name)))}`,
    fromClause(source),
    sql`WHERE ${where}`,
    order.length === 0 ? nothing : sql`ORDER BY ${commaList(order)}`,
  ]
  return marketQuery(clauses, Object.fromEntries(names.map((name) => [name, selected(source, name)])))
}

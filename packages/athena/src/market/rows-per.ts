import { t } from '@stockpipe/core'
import { sql } from '../sql-template.ts'
import { type GroupColumns, groupColumns, groupList } from './group-columns.ts'
import {
  type Answer,
  type ColumnName,
  fromClause,
  type MarketQuery,
  type MarketSource,
  marketQuery,
  type RowFilter,
  whereClause,
} from './table-column.ts'

/** How many rows there are by the columns of `per`: `rowsPer(trades, ['ticker', 'year'])`. With none, of all. */
export const rowsPer = <Source extends MarketSource, const Per extends readonly ColumnName<Source>[]>(
  table: Source,
  per: Per,
  filter: RowFilter = {},
): MarketQuery<GroupColumns<Source, Per> & { rows: Answer<'int64', bigint> }> => {
  const group = groupList(table, per, ['rows'])
  const clauses = [
    sql`SELECT ${group.select}count(*) AS rows`,
    fromClause(table),
    whereClause(table, filter, []),
    group.groupBy,
    group.orderBy,
  ]
  return marketQuery(clauses, { ...groupColumns(table, per), rows: t.int64() })
}

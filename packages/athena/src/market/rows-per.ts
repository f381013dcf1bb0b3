import { type BoundTable, type ColumnRecord, type PartitionRecord, t } from '@stockpipe/core'
import { sql } from '../sql-template.ts'
import { type GroupColumns, groupColumns, groupList } from './group-columns.ts'
import {
  type Answer,
  type ColumnName,
  type MarketQuery,
  marketQuery,
  type RowFilter,
  whereClause,
} from './table-column.ts'

/** How many rows there are by the columns of `per`: `rowsPer(trades, ['ticker', 'year'])`. With none, of all. */
export const rowsPer = <
  Columns extends ColumnRecord,
  Partitions extends PartitionRecord,
  const Per extends readonly ColumnName<Columns, Partitions>[],
>(
  table: BoundTable<Columns, Partitions>,
  per: Per,
  filter: RowFilter = {},
): MarketQuery<GroupColumns<Columns, Partitions, Per> & { rows: Answer<'int64', bigint> }> => {
  const group = groupList(table, per, ['rows'])
  const clauses = [
    sql`SELECT ${group.select}count(*) AS rows`,
    sql`FROM ${table}`,
    whereClause(table, filter, []),
    group.groupBy,
    group.orderBy,
  ]
  return marketQuery(clauses, { ...groupColumns(table, per), rows: t.int64() })
}

import {
  type BoundTable,
  type Column,
  type ColumnRecord,
  ConfigurationError,
  type PartitionRecord,
} from '@stockpipe/core'
import { identifier, SqlFragment, sql } from '../sql-template.ts'
import { type SelectedColumn, selected, tableColumn } from './table-column.ts'

/** The columns an answer is grouped by, under their own names. */
export type GroupColumns<
  Columns extends ColumnRecord,
  Partitions extends PartitionRecord,
  Per extends readonly string[],
> = { readonly [Name in Per[number]]: SelectedColumn<Columns, Partitions, Name> }

/** The columns of `per` as the query answers them. */
export const groupColumns = (bound: BoundTable, per: readonly string[]): Record<string, Column> =>
  Object.fromEntries(per.map((name) => [name, selected(bound, name)]))

/** The columns of `per` in SELECT (with a comma after each), GROUP BY and ORDER BY. */
export const groupList = (
  bound: BoundTable,
  per: readonly string[],
  figures: readonly string[],
): { select: SqlFragment; groupBy: SqlFragment; orderBy: SqlFragment } => {
  for (const [index, name] of per.entries()) {
    tableColumn(bound, name)
    if (figures.includes(name) || per.indexOf(name) !== index) {
      throw new ConfigurationError({
        code: 'NAME_REPEATED',
        message: `Table ${bound.database}.${bound.table.name}: the answer would hold '${name}' twice; name each column once, and give a column called ${figures.join(' or ')} another name in a query of your own.`,
      })
    }
  }
  const positions = new SqlFragment(per.map((_, index) => index + 1).join(', '), [])
  return {
    select: new SqlFragment(per.map((name) => `${identifier(name).sql}, `).join(''), []),
    groupBy: per.length === 0 ? positions : sql`GROUP BY ${positions}`,
    orderBy: per.length === 0 ? positions : sql`ORDER BY ${positions}`,
  }
}

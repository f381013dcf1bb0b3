import {
  type BoundTable,
  Column,
  type ColumnKind,
  type ColumnOrigin,
  type ColumnRecord,
  ConfigurationError,
  type PartitionOf,
  type PartitionRecord,
} from '@stockpipe/core'
import type { SqlValue } from '../sql-literal.ts'
import { SqlFragment, sql } from '../sql-template.ts'
import { type StatedColumn, statedColumns } from '../stated-column.ts'

/** A query that `athena.query` takes as it is. */
export interface MarketQuery<Columns extends ColumnRecord> {
  readonly sql: string
  readonly parameters: readonly SqlValue[]
  readonly columns: Columns
}

/** Which rows count; a predicate on partition columns keeps the scan, and its price, small. */
export interface RowFilter {
  /** Such as sql`trade_date >= ${'2024-01-01'}`. Default all rows. */
  readonly where?: SqlFragment
}

export type IntegerKind = 'int8' | 'int16' | 'int32' | 'int64'
export type NumberKind = IntegerKind | 'decimal' | 'double' | 'float'
export type TimeKind = 'timestamp' | 'epochNanos' | 'int64' | 'int32' | 'date' | 'string'
export type DayKind = 'date' | 'string' | 'timestamp'

/** The kind of a column of the table; partitions are strings. */
export type KindOf<Columns extends ColumnRecord, Name> = Name extends keyof Columns
  ? Columns[Name] extends Column<infer Kind, unknown, unknown, boolean, ColumnOrigin>
    ? Kind
    : never
  : 'string'

/** The names of the table's columns, and partitions, of those kinds. */
export type ColumnName<
  Columns extends ColumnRecord,
  Partitions extends PartitionRecord,
  Kind extends ColumnKind = ColumnKind,
> =
  | { [Name in keyof Columns & string]: KindOf<Columns, Name> extends Kind ? Name : never }[keyof Columns &
      string]
  | ('string' extends Kind ? keyof Partitions & string : never)

/** A column or partition as a query answers it. */
export type SelectedColumn<
  Columns extends ColumnRecord,
  Partitions extends PartitionRecord,
  Name,
> = Name extends keyof Columns
  ? Columns[Name]
  : Name extends keyof Partitions
    ? Column<
        'string',
        string,
        string,
        null extends PartitionOf<Columns, Partitions>[Name] ? true : false,
        'value'
      >
    : never

/** A column that is never null, of a kind only. */
export type Answer<Kind extends ColumnKind, Output> = Column<Kind, Output, Output, false, 'value'>

/** A column without its NULLs: rows that lack the value are left out of the query. */
export type PresentColumn<C> =
  C extends Column<infer Kind, infer Input, infer Output, boolean, infer Origin>
    ? Column<Kind, Input, Output, false, Origin>
    : never

/** The stated column of that name. Throws a `ConfigurationError` when the table has none. */
export const tableColumn = (bound: BoundTable, name: string): StatedColumn => {
  const columns = statedColumns(bound)
  const column = columns.find((candidate) => candidate.name === name)
  if (column) return column
  throw new ConfigurationError({
    code: 'COLUMN_UNKNOWN',
    message: `Table ${bound.database}.${bound.table.name} has no column '${name}'; it has ${columns.map((c) => c.name).join(', ')}.`,
  })
}

/** A column as the query answers it. */
export const selected = (bound: BoundTable, name: string): Column => {
  const { type, nullable } = tableColumn(bound, name)
  return new Column(type, nullable)
}

/** `WHERE` for the caller's filter and for values that must be there; nothing when every row counts. */
export const whereClause = (bound: BoundTable, filter: RowFilter, values: readonly string[]): SqlFragment => {
  const conditions = values
    .filter((name) => tableColumn(bound, name).nullable)
    .map((name) => new SqlFragment(`"${name}" IS NOT NULL`, []))
  if (filter.where !== undefined) conditions.unshift(sql`(${filter.where})`)
  return conditions.reduce(
    (clause, condition) => (clause.sql === '' ? sql`WHERE ${condition}` : sql`${clause} AND ${condition}`),
    new SqlFragment('', []),
  )
}

/** The query of those clauses with its columns, whose types the helper has derived as Trino does. */
export const marketQuery = <Columns extends ColumnRecord>(
  clauses: readonly SqlFragment[],
  columns: Readonly<Record<string, Column>>,
): MarketQuery<Columns> => {
  const present = clauses.filter(({ sql: text }) => text !== '')
  return {
    sql: present.map(({ sql: text }) => text).join('\n'),
    parameters: present.flatMap(({ parameters }) => parameters),
    columns: columns as unknown as Columns,
  }
}

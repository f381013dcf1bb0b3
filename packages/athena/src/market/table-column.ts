import {
  BoundTable,
  boundTable,
  Column,
  type ColumnKind,
  type ColumnOrigin,
  type ColumnRecord,
  ConfigurationError,
  type PartitionOf,
  type PartitionRecord,
} from '@stockpipe/core'
import type { SqlValue } from '../sql-literal.ts'
import { identifier, SqlFragment, sql } from '../sql-template.ts'
import { type StatedColumn, statedColumns } from '../stated-column.ts'

/** A query that `athena.query` takes as it is, and that another market query takes as its source. */
export interface MarketQuery<Columns extends ColumnRecord> {
  readonly sql: string
  readonly parameters: readonly SqlValue[]
  readonly columns: Columns
}

/** What a market query reads: a table, or what another query answers. */
export type MarketSource = BoundTable | MarketQuery<ColumnRecord>

/** Which rows count; a predicate on partition columns keeps the scan, and its price, small. */
export interface RowFilter {
  /** Such as sql`trade_date >= ${'2024-01-01'}`, over the columns of the source. Default all rows. */
  readonly where?: SqlFragment
}

export type IntegerKind = 'int8' | 'int16' | 'int32' | 'int64'
export type NumberKind = IntegerKind | 'decimal' | 'double' | 'float'
/** What tells a moment. */
export type InstantKind = 'timestamp' | 'epochNanos'
export type TimeKind = InstantKind | 'int64' | 'int32' | 'date' | 'string'
export type DayKind = 'date' | 'string' | 'timestamp'

type PartitionColumns<Columns extends ColumnRecord, Partitions extends PartitionRecord> = {
  readonly [Name in keyof Partitions]: Column<
    'string',
    string,
    string,
    null extends PartitionOf<Columns, Partitions>[Name] ? true : false,
    'value'
  >
}

/** The columns of a source by name; those of a table are followed by its partitions, which are strings. */
export type SourceColumns<Source> =
  Source extends BoundTable<infer Columns, infer Partitions>
    ? Columns & PartitionColumns<Columns, Partitions>
    : Source extends MarketQuery<infer Columns>
      ? Columns
      : never

type KindOfColumn<C> = C extends Column<infer Kind, unknown, unknown, boolean, ColumnOrigin> ? Kind : never

/** The kind of a column of a source. */
export type KindOf<Source, Name> = KindOfColumn<SelectedColumn<Source, Name>>

/** The names of a source's columns, partitions included, of those kinds. */
export type ColumnName<Source, Kind extends ColumnKind = ColumnKind> = {
  [Name in keyof SourceColumns<Source> & string]: KindOf<Source, Name> extends Kind ? Name : never
}[keyof SourceColumns<Source> & string]

/** The names of a source's columns that never hold NULL. */
export type PresentName<Source> = {
  [Name in ColumnName<Source>]: SelectedColumn<Source, Name> extends { readonly isNullable: false }
    ? Name
    : never
}[ColumnName<Source>]

/** A column as a query answers it. */
export type SelectedColumn<Source, Name> = Name extends keyof SourceColumns<Source>
  ? SourceColumns<Source>[Name]
  : never

/** A column that is never null, of a kind only. */
export type Answer<Kind extends ColumnKind, Output> = Column<Kind, Output, Output, false, 'value'>

/** A column that may be null, of a kind only. */
export type NullableAnswer<Kind extends ColumnKind, Output> = Column<Kind, Output, Output, true, 'value'>

/** A column without its NULLs: rows that lack the value are left out of the query. */
export type PresentColumn<C> =
  C extends Column<infer Kind, infer Input, infer Output, boolean, infer Origin>
    ? Column<Kind, Input, Output, false, Origin>
    : never

/** A column that is NULL where there is no row to take it from. */
export type AbsentColumn<C> =
  C extends Column<infer Kind, infer Input, infer Output, boolean, infer Origin>
    ? Column<Kind, Input, Output, true, Origin>
    : never

const stated = (source: MarketSource): readonly StatedColumn[] =>
  statedColumns('sql' in source ? source.columns : boundTable(source))

/** What a source is called in messages: `Table market.trades`. */
export const sourceText = (source: MarketSource): string =>
  source instanceof BoundTable ? `Table ${source.database}.${source.table.name}` : 'The query'

/** The names of a source's columns, partitions included, in order. */
export const columnNames = (source: MarketSource): readonly string[] => stated(source).map(({ name }) => name)

/** The stated column of that name. Throws a `ConfigurationError` when the source has none. */
export const tableColumn = (source: MarketSource, name: string): StatedColumn => {
  const columns = stated(source)
  const column = columns.find((candidate) => candidate.name === name)
  if (column) return column
  throw new ConfigurationError({
    code: 'COLUMN_UNKNOWN',
    message: `${sourceText(source)} has no column '${name}'; it has ${columns.map((c) => c.name).join(', ')}.`,
  })
}

/** A column as the query answers it. */
export const selected = (source: MarketSource, name: string): Column => {
  const { type, nullable } = tableColumn(source, name)
  return new Column(type, nullable)
}

/** A column as the query answers it where rows without it are left out. */
export const presentColumn = (source: MarketSource, name: string): Column =>
  new Column(tableColumn(source, name).type, false)

/** `FROM` a table, or a query in parentheses. */
export const fromClause = (source: MarketSource): SqlFragment =>
  source instanceof BoundTable
    ? sql`FROM ${source}`
    : sql`FROM (
${new SqlFragment(source.sql, source.parameters)}
) AS source`

/** `WHERE` for the caller's filter, for values that must be there, and more; nothing when every row counts. */
export const whereClause = (
  source: MarketSource,
  filter: RowFilter,
  values: readonly string[],
  more: readonly SqlFragment[] = [],
): SqlFragment => {
  const conditions = [
    ...(filter.where === undefined ? [] : [sql`(${filter.where})`]),
    ...[...new Set(values)]
      .filter((name) => tableColumn(source, name).nullable)
      .map((name) => sql`${identifier(name)} IS NOT NULL`),
    ...more,
  ]
  return conditions.reduce(
    (clause, condition) => (clause.sql === '' ? sql`WHERE ${condition}` : sql`${clause} AND ${condition}`),
    nothing,
  )
}

/** SQL that says nothing. */
export const nothing: SqlFragment = new SqlFragment('', [])

/** Pieces with commas between. */
export const commaList = (pieces: readonly SqlFragment[]): SqlFragment =>
  pieces.reduce((list, piece) => (list.sql === '' ? piece : sql`${list}, ${piece}`), nothing)

/** A whole number as text of the statement. */
export const wholeNumber = (value: number): SqlFragment => new SqlFragment(String(value), [])

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

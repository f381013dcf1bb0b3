import {
  type BoundTable,
  boundTable,
  ConfigurationError,
  type InferPartition,
  type TableDefinition,
} from '@stockpipe/core'

/** Values of a partition, or the range from one to another, both included. */
export type PartitionSelection =
  | string
  | readonly string[]
  | { readonly from: string; readonly to?: string }
  | { readonly from?: string; readonly to: string }

/** The partitions that are read of a table, by name. */
export type PartitionSelections = Readonly<Record<string, PartitionSelection | undefined>>

/** How a partition is projected, as `@stockpipe/glue` takes it. */
export interface ProjectedKey {
  /** Its values are those that the query names. */
  readonly injected?: true
  readonly values?: readonly string[]
  readonly from?: string
  readonly to?: string
}

/** A table whose partitions are projected: a query has to name which it reads. */
export class ProjectedTable<Table extends BoundTable = BoundTable, Projected extends object = object> {
  readonly projectedTable: Table
  readonly keys: Projected

  /** Use `projected`. */
  constructor(table: Table, keys: Projected) {
    this.projectedTable = table
    this.keys = keys
    Object.freeze(this)
  }
}

/** A table of which a builder reads some partitions, or all on purpose. */
export class TablePart<Table extends BoundTable = BoundTable> {
  readonly partOf: Table
  /** Undefined for all of them. */
  readonly selections: PartitionSelections | undefined

  /** Use `within` or `fullScan`. */
  constructor(table: Table, selections: PartitionSelections | undefined) {
    this.partOf = table
    this.selections = selections && Object.freeze({ ...selections })
    Object.freeze(this)
  }
}

type InjectedNames<Projected extends object> = {
  [Name in keyof Projected]: Projected[Name] extends { readonly injected: true } ? Name : never
}[keyof Projected]

/** The table itself. */
type TableOf<Source> =
  Source extends ProjectedTable<infer Table> ? Table : Source extends BoundTable ? Source : never

/** Values of every injected partition, which Athena cannot list, and whatever else is to be left out. */
type SelectionsOf<Source> =
  Source extends ProjectedTable<infer Table, infer Projected>
    ? { readonly [Name in InjectedNames<Projected>]: string | readonly string[] } & {
        readonly [Name in Exclude<keyof InferPartition<Table>, InjectedNames<Projected>>]?: PartitionSelection
      }
    : Source extends BoundTable
      ? { readonly [Name in keyof InferPartition<Source>]?: PartitionSelection }
      : never

/**
 * A table whose partitions Athena projects, by the `keys` its projection has in `@stockpipe/glue`. Builders take it
 * `within` some partitions only, which the compiler sees to.
 */
export const projected = <
  Table extends BoundTable,
  const Projected extends { readonly [Name in keyof InferPartition<Table>]: ProjectedKey },
>(
  table: Table,
  keys: Projected,
): ProjectedTable<Table, Projected> => {
  boundTable(table)
  return new ProjectedTable(table, keys)
}

/**
 * A table as far as some of its partitions go: `within(trades, { trade_date: { from: '2024-03-01' }, ticker: ['IBM'] })`.
 * No others are read, whatever is asked of it; an injected partition needs its values here.
 *
 * Throws a `ConfigurationError` when no partition is restricted, and for names that are no partitions.
 */
export const within = <Source extends BoundTable | ProjectedTable>(
  table: Source,
  selections: SelectionsOf<Source>,
): TablePart<TableOf<Source>> =>
  partWithin(table, selections as PartitionSelections) as TablePart<TableOf<Source>>

const partWithin = (given: BoundTable | ProjectedTable, selections: PartitionSelections): TablePart => {
  const isProjected = given instanceof ProjectedTable
  const bound = boundTable(isProjected ? given.projectedTable : given)
  const { name: tableName, partitions } = bound.table
  const refuse = (what: string): never => {
    throw new ConfigurationError({
      code: 'PARTITION_SELECTION_INVALID',
      message: `within() of table ${bound.database}.${tableName}: ${what}.`,
    })
  }
  const names = partitions.map(({ name }) => name)
  const selected = Object.entries(selections).filter(([, selection]) => selection !== undefined)
  if (selected.length === 0) refuse(`no partition is restricted; name values of ${names.join(' or ')}`)
  for (const [name, selection] of selected) {
    if (!names.includes(name)) refuse(`'${name}' is no partition; it has ${names.join(', ')}`)
    if (typeof selection !== 'string' && Object.values(selection!).every((one) => one === undefined)) {
      refuse(`'${name}' is restricted to nothing; name a value, or the ends of a range`)
    }
  }
  for (const [name, { injected }] of isProjected
    ? Object.entries<ProjectedKey>(given.keys as Readonly<Record<string, ProjectedKey>>)
    : []) {
    const selection = selections[name]
    if (injected && typeof selection !== 'string' && !Array.isArray(selection)) {
      refuse(`the injected partition '${name}' needs its values, as Athena knows no others`)
    }
  }
  return new TablePart(bound, selections)
}

/** The sentence that says why a projected table cannot be read as it is; never for what can. */
type InjectedProblem<Table extends BoundTable, Projected extends object> = [
  InjectedNames<Projected>,
] extends [never]
  ? never
  : `the values of partition '${InjectedNames<Projected> & string}' of '${Table['table']['name']}' come from the query: name them with within(table, { ${InjectedNames<Projected> & string}: [...] })`

/** A source as given, or the sentence that says which partition predicate is missing. */
type CheckedSource<Source> =
  Source extends ProjectedTable<infer Table, infer Projected>
    ? [InjectedNames<Projected>] extends [never]
      ? `the partitions of '${Table['table']['name']}' are projected: say which are read with within(table, { ... }), or fullScan(table)`
      : InjectedProblem<Table, Projected>
    : // Inferring costs the compiler a quarter of what comparing with any table does.
      Source extends BoundTable<infer _Columns, infer _Partitions, infer _Name>
      ? Source
      : Source extends TablePart<infer _Table>
        ? Source
        : Source extends TableDefinition<infer _Columns, infer _Partitions, infer Name>
          ? `'${Name}' is a definition without a place: pass what ${Name}.at({ database, location }) answers`
          : {
              readonly [Name in keyof Source]: Source[Name] extends ProjectedTable
                ? CheckedSource<Source[Name]>
                : Source[Name]
            }

/** The sources of a builder as given, with a sentence in place of each that lacks a partition predicate. */
export type CheckedSources<Sources extends readonly unknown[]> = {
  readonly [Index in keyof Sources]: CheckedSource<Sources[Index]>
}

type WholeSource<Source> =
  Source extends ProjectedTable<infer Table, infer Projected>
    ? [InjectedNames<Projected>] extends [never]
      ? Source
      : InjectedProblem<Table, Projected>
    : Source

/** A table that is read whole on purpose: `athena.from(fullScan(trades))`. One with injected partitions cannot be. */
export const fullScan = <Source extends BoundTable | ProjectedTable>(
  table: Source & WholeSource<Source>,
): TablePart<TableOf<Source>> => {
  const given: BoundTable | ProjectedTable = table
  return new TablePart(
    boundTable(given instanceof ProjectedTable ? given.projectedTable : given),
    undefined,
  ) as TablePart<TableOf<Source>>
}

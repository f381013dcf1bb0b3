import type { BoundTable, ColumnOutput, ColumnRecord, RowOf } from '@stockpipe/core'
import { Kysely } from 'kysely'
import type { Athena } from '../athena.ts'
import type { MarketQuery } from '../market/table-column.ts'
import { AthenaDialect } from './athena-dialect.ts'
import { type NamedSource, namedSources, type QuerySource } from './query-source.ts'
import type { RunSettings } from './run-settings.ts'
import type { CheckedSources, TablePart } from './within.ts'

/** What `from` takes: bound tables, which go by their own names, and tables or queries under names of yours. */
export type BuilderSource = BoundTable | TablePart | Readonly<Record<string, QuerySource>>

type PartitionValue<Columns extends ColumnRecord, Partition> = Partition extends {
  readonly source: infer Source extends keyof Columns
}
  ? Columns[Source]['isNullable'] extends true
    ? string | null
    : string
  : string

/**
 * The row of a source as Athena answers it: `InferSelect` in one step, as the compiler does it again for every wide
 * table, and without a name, so that messages show the columns.
 */
type SourceRow<Source> =
  Source extends TablePart<infer Table>
    ? SourceRow<Table>
    : Source extends BoundTable<infer Columns, infer Partitions>
      ? {
          [Name in keyof Columns | keyof Partitions]: Name extends keyof Columns
            ? ColumnOutput<Columns[Name]>
            : Name extends keyof Partitions
              ? PartitionValue<Columns, Partitions[Name]>
              : never
        }
      : Source extends MarketQuery<infer Columns>
        ? RowOf<Columns>
        : never

type SourceTables<Source> =
  Source extends TablePart<infer Table>
    ? SourceTables<Table>
    : Source extends BoundTable<infer _Columns, infer _Partitions, infer Name>
      ? { readonly [Key in Name]: SourceRow<Source> }
      : { readonly [Key in keyof Source]: SourceRow<Source[Key]> }

type AllTables<Sources extends readonly unknown[]> = Sources extends readonly [infer First, ...infer Rest]
  ? SourceTables<First> & AllTables<Rest>
  : unknown

/** The tables a builder knows, by name, with the rows Athena answers; written out, as messages show it. */
export type DatabaseOf<Sources extends readonly unknown[]> = [AllTables<Sources>] extends [infer Tables]
  ? { [Name in keyof Tables]: Tables[Name] }
  : never

/** What of Kysely reads; what Athena cannot do is not there. */
export type AthenaBuilder<Database> = Pick<
  Kysely<Database>,
  | 'selectFrom'
  | 'selectNoFrom'
  | 'with'
  | 'withRecursive'
  | 'fn'
  | 'case'
  | 'dynamic'
  | 'introspection'
  | 'executeQuery'
  | 'getExecutor'
> & {
  /** The same builder, whose queries are run with these settings beside its own: `signal`, `timeoutMillis`, ... */
  withSettings(settings: RunSettings): AthenaBuilder<Database>
}

/** An `Athena` with a query builder. */
export interface AthenaWithBuilder extends Athena {
  /**
   * A Kysely instance over tables and market queries: `athena.from(trades, quotes, { bars: dailyBars(trades, ...) })`.
   *
   * A table whose partitions are projected is taken `within` some of them only.
   *
   * Throws a `ConfigurationError` for a name that two sources have.
   */
  from<const Sources extends readonly unknown[]>(
    ...sources: Sources & CheckedSources<Sources>
  ): AthenaBuilder<DatabaseOf<Sources>>
}

/** Adds Kysely as a query builder to an `Athena`. */
export const withBuilder = (athena: Athena, settings: RunSettings = {}): AthenaWithBuilder => ({
  ...athena,
  from: <const Sources extends readonly unknown[]>(...sources: Sources) =>
    builder<DatabaseOf<Sources>>(
      athena,
      namedSources(sources as readonly unknown[] as readonly BuilderSource[]),
      settings,
    ),
})

const builder = <Database>(
  athena: Athena,
  named: ReadonlyMap<string, NamedSource>,
  settings: RunSettings,
): AthenaBuilder<Database> => {
  const kysely = new Kysely<Database>({ dialect: new AthenaDialect(athena, named, settings) })
  return Object.assign(kysely, {
    withSettings: (more: RunSettings) => builder<Database>(athena, named, { ...settings, ...more }),
  })
}

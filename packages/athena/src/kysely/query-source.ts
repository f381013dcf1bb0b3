import { BoundTable, type ColumnRecord, type ColumnType, ConfigurationError } from '@stockpipe/core'
import type { MarketQuery } from '../market/table-column.ts'
import { statedColumns } from '../stated-column.ts'

/** What is known of a value before the query runs. */
export interface ValueType {
  /** Undefined where Athena has to tell. */
  readonly type: ColumnType | undefined
  readonly nullable: boolean
  /** What the builder's types promise where that is not what the type decodes to. */
  readonly promised?: 'text' | 'number' | 'bigint'
}

/** Columns by name, in their order; undefined where they are not known. */
export type SourceColumns = ReadonlyMap<string, ValueType> | undefined

/** What a query can be built over: a table, or a query that tells its columns. */
export type QuerySource = BoundTable | MarketQuery<ColumnRecord>

/** A source under the name it has in queries. */
export interface NamedSource {
  readonly name: string
  readonly source: QuerySource
  readonly columns: ReadonlyMap<string, ValueType>
}

const columnsOf = (source: QuerySource): ReadonlyMap<string, ValueType> =>
  new Map(
    statedColumns(source instanceof BoundTable ? source : source.columns).map(({ name, type, nullable }) => [
      name,
      { type, nullable },
    ]),
  )

/** The sources by name. Throws a `ConfigurationError` for a name that two have. */
export const namedSources = (
  given: readonly (BoundTable | Readonly<Record<string, QuerySource>>)[],
): ReadonlyMap<string, NamedSource> => {
  const sources = new Map<string, NamedSource>()
  const add = (name: string, source: QuerySource) => {
    if (sources.has(name)) {
      throw new ConfigurationError({
        code: 'SOURCE_REPEATED',
        message: `Two sources of the builder are called '${name}'; give one another name: from({ ${name}_too: ... }).`,
      })
    }
    sources.set(name, { name, source, columns: columnsOf(source) })
  }
  for (const one of given) {
    if (one instanceof BoundTable) add(one.table.name, one)
    else for (const [name, source] of Object.entries(one)) add(name, source)
  }
  return sources
}

import {
  BoundTable,
  boundTable,
  type ColumnRecord,
  type ColumnType,
  ConfigurationError,
  TableDefinition,
} from '@stockpipe/core'
import type { MarketQuery } from '../market/table-column.ts'
import { statedColumns } from '../stated-column.ts'
import { ProjectedTable, TablePart } from './within.ts'

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

/** What a query can be built over: a table, part of one, or a query that tells its columns. */
export type QuerySource = BoundTable | TablePart | MarketQuery<ColumnRecord>

/** A source under the name it has in queries. */
export interface NamedSource {
  readonly name: string
  readonly source: BoundTable | MarketQuery<ColumnRecord>
  /** Set where it was said which partitions are read. */
  readonly part: TablePart | undefined
  readonly columns: ReadonlyMap<string, ValueType>
}

const columnsOf = (source: BoundTable | MarketQuery<ColumnRecord>): ReadonlyMap<string, ValueType> =>
  new Map(
    statedColumns(source instanceof BoundTable ? source : source.columns).map(({ name, type, nullable }) => [
      name,
      { type, nullable },
    ]),
  )

const isQuery = (given: unknown): boolean => typeof (given as { sql?: unknown } | null)?.sql === 'string'

const isNamed = (given: unknown): boolean =>
  typeof given === 'object' && given !== null && !(given instanceof TableDefinition)

/** The sources by name. Throws a `ConfigurationError` for a name that two have. */
export const namedSources = (
  given: readonly (BoundTable | TablePart | Readonly<Record<string, QuerySource>>)[],
): ReadonlyMap<string, NamedSource> => {
  const sources = new Map<string, NamedSource>()
  const add = (name: string, given: QuerySource) => {
    if (given instanceof ProjectedTable) {
      throw new ConfigurationError({
        code: 'PARTITION_PREDICATE_MISSING',
        message: `The partitions of '${name}' are projected: say which of them are read, with within(table, { ... }).`,
      })
    }
    const part = given instanceof TablePart ? given : undefined
    if (part === undefined && !isQuery(given)) boundTable(given)
    const source = given instanceof TablePart ? given.partOf : given
    if (sources.has(name)) {
      throw new ConfigurationError({
        code: 'SOURCE_REPEATED',
        message: `Two sources of the builder are called '${name}'; give one another name: from({ ${name}_too: ... }).`,
      })
    }
    sources.set(name, { name, source, part, columns: columnsOf(source) })
  }
  for (const one of given) {
    if (one instanceof BoundTable) add(one.table.name, one)
    else if (one instanceof TablePart) add(one.partOf.table.name, one)
    else if (one instanceof ProjectedTable) add(one.projectedTable.table.name, one as never)
    else if (isNamed(one)) for (const [name, source] of Object.entries(one)) add(name, source)
    else boundTable(one)
  }
  return sources
}

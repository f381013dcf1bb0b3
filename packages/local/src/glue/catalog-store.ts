import { join } from 'node:path'
import { type Durability, withoutFsync } from '../durability.ts'
import { AppendLog } from './append-log.ts'
import { entityNotFound } from './catalog-errors.ts'
import type {
  ColumnStatistics,
  GlueDatabase,
  GlueFunction,
  GluePartition,
  GlueTable,
  PartitionIndex,
} from './catalog-model.ts'
import { partitionKeyOf, TablePartitions } from './table-partitions.ts'

/** A change of the catalog, as one line of its log holds it. */
export type CatalogEntry =
  | readonly ['database', GlueDatabase]
  | readonly ['drop-database', string]
  | readonly ['table', GlueTable, TableChange]
  | readonly ['drop-table', string, string]
  | readonly ['drop-table-versions', string, string, readonly string[]]
  | readonly ['partitions', string, string, PartitionChange]
  | readonly ['partition-indexes', string, string, readonly PartitionIndex[]]
  | readonly ['column-statistics', string, string, StatisticsChange]
  | readonly ['function', GlueFunction]
  | readonly ['drop-function', string, string]
  | readonly ['tags', string, Readonly<Record<string, string>>]

/** How a table's definition changes; what a new one begins with. */
interface TableChange {
  readonly archive: boolean
  readonly indexes?: readonly PartitionIndex[]
  readonly partitions?: readonly GluePartition[]
}

/** One atomic change of a table's partitions: removals first. */
interface PartitionChange {
  readonly remove?: readonly (readonly string[])[]
  readonly put?: readonly GluePartition[]
}

/** Statistics of columns of a table, or of one of its partitions: removals first. */
interface StatisticsChange {
  readonly partition?: readonly string[]
  readonly remove?: readonly string[]
  readonly put?: readonly ColumnStatistics[]
}

type StatisticsByColumn = Map<string, ColumnStatistics>

export interface TableState {
  table: GlueTable
  /** Replaced versions, oldest first. */
  archived: readonly GlueTable[]
  indexes: readonly PartitionIndex[]
  readonly partitions: TablePartitions
  readonly statistics: StatisticsByColumn
  /** By `partitionKeyOf` the partition's values. */
  readonly partitionStatistics: Map<
    string,
    { readonly values: readonly string[]; readonly columns: StatisticsByColumn }
  >
}

export interface DatabaseState {
  database: GlueDatabase
  readonly tables: Map<string, TableState>
  readonly functions: Map<string, GlueFunction>
}

/** Under which the tags of a resource are kept. */
export const tagKeyOf = (kind: string, name: string): string =>
  `${kind}/${kind === 'database' ? name.toLowerCase() : name}`

/** All that the catalog holds, in memory and in one append log on disk. */
export class CatalogStore {
  readonly databases = new Map<string, DatabaseState>()
  /** By `tagKeyOf` the resource. */
  readonly tags = new Map<string, Readonly<Record<string, string>>>()
  readonly nowMillis: () => number
  readonly #log: AppendLog<CatalogEntry>

  /** Opens the store kept in `dataDirectory`, creating it when absent. */
  constructor(
    dataDirectory: string,
    options: { readonly nowMillis?: () => number; readonly durability?: Durability } = {},
  ) {
    this.nowMillis = options.nowMillis ?? Date.now
    this.#log = AppendLog.open<CatalogEntry>(
      join(dataDirectory, 'catalog.log'),
      (entry) => this.#apply(entry),
      options.durability ?? withoutFsync,
    )
  }

  /** Seconds since the epoch, as AWS JSON carries times. */
  nowSeconds(): number {
    return this.nowMillis() / 1000
  }

  /** The database under any case of its name, or an EntityNotFoundException. */
  requireDatabase(name: string): DatabaseState {
    const state = this.databases.get(name.toLowerCase())
    if (state === undefined) throw entityNotFound(`Database ${name.toLowerCase()} not found.`)
    return state
  }

  /** The table under any case of its name, or an EntityNotFoundException that names what is missing. */
  requireTable(database: string, name: string): TableState {
    const state = this.requireDatabase(database).tables.get(name.toLowerCase())
    if (state === undefined) throw entityNotFound(`Table ${name.toLowerCase()} not found.`)
    return state
  }

  /** Makes a change that has been found to be right: on disk first, then in memory. */
  commit(entry: CatalogEntry): void {
    this.#log.append(entry)
    this.#apply(entry)
    this.#log.compactWhenGrown(() => this.#snapshot())
  }

  close(): void {
    this.#log.close()
  }

  #apply(entry: CatalogEntry): void {
    switch (entry[0]) {
      case 'database': {
        const former = this.databases.get(entry[1].Name)
        if (former === undefined) {
          this.databases.set(entry[1].Name, { database: entry[1], tables: new Map(), functions: new Map() })
        } else former.database = entry[1]
        return
      }
      case 'drop-database':
        this.databases.delete(entry[1])
        this.tags.delete(tagKeyOf('database', entry[1]))
        return
      case 'table': {
        const { tables } = this.requireDatabase(entry[1].DatabaseName)
        const former = tables.get(entry[1].Name)
        if (former === undefined) {
          const created = newTable(entry[1], entry[2].indexes ?? [])
          for (const partition of entry[2].partitions ?? []) created.partitions.put(partition)
          tables.set(entry[1].Name, created)
          return
        }
        if (entry[2].archive) former.archived = [...former.archived, former.table]
        former.table = entry[1]
        return
      }
      case 'drop-table':
        this.requireDatabase(entry[1]).tables.delete(entry[2])
        return
      case 'drop-table-versions': {
        const state = this.requireTable(entry[1], entry[2])
        state.archived = state.archived.filter((version) => !entry[3].includes(version.VersionId))
        return
      }
      case 'partitions': {
        const { partitions, partitionStatistics } = this.requireTable(entry[1], entry[2])
        for (const values of entry[3].remove ?? []) {
          partitions.remove(values)
          partitionStatistics.delete(partitionKeyOf(values))
        }
        for (const partition of entry[3].put ?? []) partitions.put(partition)
        return
      }
      case 'partition-indexes':
        this.requireTable(entry[1], entry[2]).indexes = entry[3]
        return
      case 'column-statistics':
        this.#applyStatistics(this.requireTable(entry[1], entry[2]), entry[3])
        return
      case 'function':
        this.requireDatabase(entry[1].DatabaseName).functions.set(entry[1].FunctionName, entry[1])
        return
      case 'drop-function':
        this.requireDatabase(entry[1]).functions.delete(entry[2])
        return
      case 'tags':
        if (Object.keys(entry[2]).length === 0) this.tags.delete(entry[1])
        else this.tags.set(entry[1], entry[2])
        return
    }
  }

  #applyStatistics(state: TableState, change: StatisticsChange): void {
    let columns = state.statistics
    if (change.partition !== undefined) {
      const key = partitionKeyOf(change.partition)
      const found = state.partitionStatistics.get(key) ?? { values: change.partition, columns: new Map() }
      state.partitionStatistics.set(key, found)
      columns = found.columns
    }
    for (const name of change.remove ?? []) columns.delete(name)
    for (const statistics of change.put ?? []) columns.set(statistics.ColumnName, statistics)
  }

  *#snapshot(): Iterable<CatalogEntry> {
    for (const { database, tables, functions } of this.databases.values()) {
      yield ['database', database]
      for (const state of tables.values()) yield* tableEntries(state)
      for (const one of functions.values()) yield ['function', one]
    }
    for (const [resource, tags] of this.tags) yield ['tags', resource, tags]
  }
}

const newTable = (table: GlueTable, indexes: readonly PartitionIndex[]): TableState => ({
  table,
  archived: [],
  indexes,
  partitions: new TablePartitions(),
  statistics: new Map(),
  partitionStatistics: new Map(),
})

function* tableEntries(state: TableState): Iterable<CatalogEntry> {
  const { DatabaseName: database, Name: name } = state.table
  for (const version of [...state.archived, state.table]) yield ['table', version, { archive: true }]
  if (state.indexes.length > 0) yield ['partition-indexes', database, name, state.indexes]
  const partitions = state.partitions.list(() => true)
  for (let start = 0; start < partitions.length; start += 100) {
    yield ['partitions', database, name, { put: partitions.slice(start, start + 100) }]
  }
  if (state.statistics.size > 0) {
    yield ['column-statistics', database, name, { put: [...state.statistics.values()] }]
  }
  for (const { values, columns } of state.partitionStatistics.values()) {
    if (columns.size === 0) continue
    yield ['column-statistics', database, name, { partition: values, put: [...columns.values()] }]
  }
}

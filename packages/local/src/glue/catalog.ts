import { join } from 'node:path'
import { type Durability, withoutFsync } from '../durability.ts'
import { ServiceError } from '../http/json-service.ts'
import { AppendLog } from './append-log.ts'
import type {
  GlueDatabase,
  GluePartition,
  GlueTable,
  PartitionDefinition,
  TableDefinition,
} from './catalog-model.ts'
import { partitionKeyOf, TablePartitions } from './table-partitions.ts'

type CatalogEntry =
  | readonly ['database', GlueDatabase]
  | readonly ['drop-database', string]
  | readonly ['table', GlueTable, { readonly archive: boolean }]
  | readonly ['drop-table', string, string]
  | readonly ['partitions', string, string, PartitionChange]

/** One atomic change of a table's partitions: removals first. */
interface PartitionChange {
  readonly remove?: readonly (readonly string[])[]
  readonly put?: readonly GluePartition[]
}

interface TableState {
  readonly table: GlueTable
  /** Replaced versions, oldest first. */
  readonly archived: readonly GlueTable[]
  readonly partitions: TablePartitions
}

interface DatabaseState {
  readonly database: GlueDatabase
  readonly tables: Map<string, TableState>
}

/** Why one partition of a batch was refused. */
export interface PartitionRefusal {
  readonly values: readonly string[]
  readonly error: ServiceError
}

/**
 * Databases, tables and partitions, in memory and in one append log on disk.
 *
 * Names are folded to lower case. Refusals are Glue's own `ServiceError`s; lengths and counts of a request
 * are checked by the service in front, not here.
 */
export class Catalog {
  readonly #databases = new Map<string, DatabaseState>()
  readonly #log: AppendLog<CatalogEntry>
  readonly #nowMillis: () => number

  /** Opens the catalog kept in `dataDirectory`, creating it when absent. */
  constructor(
    dataDirectory: string,
    options: { readonly nowMillis?: () => number; readonly durability?: Durability } = {},
  ) {
    this.#nowMillis = options.nowMillis ?? Date.now
    this.#log = AppendLog.open<CatalogEntry>(
      join(dataDirectory, 'catalog.log'),
      (entry) => this.#apply(entry),
      options.durability ?? withoutFsync,
    )
  }

  getDatabase(name: string): GlueDatabase | undefined {
    return this.#databases.get(name.toLowerCase())?.database
  }

  /** All databases, by name. */
  listDatabases(): readonly GlueDatabase[] {
    return [...this.#databases.values()].map((state) => state.database).sort(byName)
  }

  createDatabase(definition: Omit<GlueDatabase, 'CreateTime'>): GlueDatabase {
    const Name = definition.Name.toLowerCase()
    if (this.#databases.has(Name)) throw alreadyExists('Database already exists.')
    const database = { ...definition, Name, CreateTime: this.#nowSeconds() }
    this.#commit(['database', database])
    return database
  }

  updateDatabase(name: string, definition: Omit<GlueDatabase, 'CreateTime'>): void {
    const { database } = this.#database(name)
    if (definition.Name.toLowerCase() !== database.Name) {
      throw invalidInput(`Database ${database.Name} cannot be renamed to ${definition.Name}.`)
    }
    this.#commit(['database', { ...definition, Name: database.Name, CreateTime: database.CreateTime }])
  }

  /** Removes a database with all its tables and partitions. */
  deleteDatabase(name: string): void {
    this.#commit(['drop-database', this.#database(name).database.Name])
  }

  getTable(database: string, name: string): GlueTable | undefined {
    return this.#databases.get(database.toLowerCase())?.tables.get(name.toLowerCase())?.table
  }

  /** The table, or an EntityNotFoundException that names what is missing. */
  requireTable(database: string, name: string): GlueTable {
    return this.#table(database, name).table
  }

  /** All tables of a database, by name. */
  listTables(database: string): readonly GlueTable[] {
    return [...this.#database(database).tables.values()].map((state) => state.table).sort(byName)
  }

  /** All versions of a table, newest first; versions replaced with `skipArchive` are gone. */
  listTableVersions(database: string, name: string): readonly GlueTable[] {
    const state = this.#table(database, name)
    return [...state.archived, state.table].reverse()
  }

  createTable(database: string, definition: TableDefinition): GlueTable {
    const owner = this.#database(database)
    const Name = definition.Name.toLowerCase()
    if (owner.tables.has(Name)) throw alreadyExists('Table already exists.')
    const now = this.#nowSeconds()
    const table: GlueTable = {
      ...definition,
      Name,
      DatabaseName: owner.database.Name,
      CreateTime: now,
      UpdateTime: now,
      VersionId: '0',
    }
    this.#commit(['table', table, { archive: false }])
    return table
  }

  /**
   * Replaces a table's definition; the former one is kept as a version unless `skipArchive`.
   * `versionId` is the version the caller has seen: another one is a ConcurrentModificationException.
   */
  updateTable(
    database: string,
    definition: TableDefinition,
    options: { readonly versionId?: string | undefined; readonly skipArchive?: boolean } = {},
  ): GlueTable {
    const { table: current, partitions } = this.#table(database, definition.Name)
    if (options.versionId !== undefined && options.versionId !== current.VersionId) {
      throw new ServiceError(
        'ConcurrentModificationException',
        `Update table failed due to concurrent modifications: ${current.Name} is at version ${current.VersionId}, not ${options.versionId}.`,
      )
    }
    if (partitions.size > 0 && keyCount(definition) !== keyCount(current)) {
      throw invalidInput(
        `The number of partition keys of ${current.Name} cannot change while it has partitions.`,
      )
    }
    const table: GlueTable = {
      ...definition,
      Name: current.Name,
      DatabaseName: current.DatabaseName,
      CreateTime: current.CreateTime,
      UpdateTime: this.#nowSeconds(),
      VersionId: String(Number(current.VersionId) + 1),
    }
    this.#commit(['table', table, { archive: options.skipArchive !== true }])
    return table
  }

  /** Removes a table with all its partitions and versions. */
  deleteTable(database: string, name: string): void {
    const { table } = this.#table(database, name)
    this.#commit(['drop-table', table.DatabaseName, table.Name])
  }

  getPartition(database: string, tableName: string, values: readonly string[]): GluePartition | undefined {
    return this.#table(database, tableName).partitions.get(values)
  }

  /** The partitions of a table in a stable order, those only that `predicate` accepts. */
  listPartitions(
    database: string,
    tableName: string,
    predicate: (values: readonly string[]) => boolean = () => true,
  ): readonly GluePartition[] {
    return this.#table(database, tableName).partitions.list(predicate)
  }

  /** The partitions themselves, for paging. */
  partitionsOf(database: string, tableName: string): TablePartitions {
    return this.#table(database, tableName).partitions
  }

  /** Adds partitions with one write; those refused (present already, wrong number of values) are returned. */
  createPartitions(
    database: string,
    tableName: string,
    definitions: readonly PartitionDefinition[],
  ): readonly PartitionRefusal[] {
    const { table, partitions } = this.#table(database, tableName)
    const refused: PartitionRefusal[] = []
    const added = new Map<string, GluePartition>()
    for (const definition of definitions) {
      const key = partitionKeyOf(definition.Values)
      const error = definition.Values.length !== keyCount(table) ? wrongValueCount() : undefined
      const present = added.has(key) || partitions.get(definition.Values) !== undefined
      if (error !== undefined) refused.push({ values: definition.Values, error })
      else if (present) {
        refused.push({ values: definition.Values, error: alreadyExists('Partition already exists.') })
      } else added.set(key, this.#partition(table, definition, this.#nowSeconds()))
    }
    if (added.size > 0) {
      this.#commit(['partitions', table.DatabaseName, table.Name, { put: [...added.values()] }])
    }
    return refused
  }

  /** Replaces the partition that has `values`; its values may change. */
  updatePartition(
    database: string,
    tableName: string,
    values: readonly string[],
    definition: PartitionDefinition,
  ): void {
    const { table, partitions } = this.#table(database, tableName)
    const current = partitions.get(values)
    if (current === undefined) throw partitionNotFound()
    if (definition.Values.length !== keyCount(table)) throw wrongValueCount()
    const renamed = partitionKeyOf(values) !== partitionKeyOf(definition.Values)
    if (renamed && partitions.get(definition.Values) !== undefined) {
      throw alreadyExists('Partition already exists.')
    }
    const replacement = this.#partition(table, definition, current.CreationTime)
    this.#commit([
      'partitions',
      table.DatabaseName,
      table.Name,
      { ...(renamed ? { remove: [values] } : {}), put: [replacement] },
    ])
  }

  /** Removes partitions with one write; those that are not there are returned. */
  deletePartitions(
    database: string,
    tableName: string,
    values: readonly (readonly string[])[],
  ): readonly PartitionRefusal[] {
    const { table, partitions } = this.#table(database, tableName)
    const found = values.filter((one) => partitions.get(one) !== undefined)
    const absent = values.filter((one) => partitions.get(one) === undefined)
    if (found.length > 0) this.#commit(['partitions', table.DatabaseName, table.Name, { remove: found }])
    return absent.map((one) => ({ values: one, error: partitionNotFound() }))
  }

  close(): void {
    this.#log.close()
  }

  #partition(table: GlueTable, definition: PartitionDefinition, creationTime: number): GluePartition {
    return {
      ...definition,
      DatabaseName: table.DatabaseName,
      TableName: table.Name,
      CreationTime: creationTime,
    }
  }

  #database(name: string): DatabaseState {
    const state = this.#databases.get(name.toLowerCase())
    if (state === undefined) throw notFound(`Database ${name.toLowerCase()} not found.`)
    return state
  }

  #table(database: string, name: string): TableState {
    const state = this.#database(database).tables.get(name.toLowerCase())
    if (state === undefined) throw notFound(`Table ${name.toLowerCase()} not found.`)
    return state
  }

  #commit(entry: CatalogEntry): void {
    this.#log.append(entry)
    this.#apply(entry)
    this.#log.compactWhenGrown(() => this.#snapshot())
  }

  #apply(entry: CatalogEntry): void {
    switch (entry[0]) {
      case 'database': {
        const tables = this.#databases.get(entry[1].Name)?.tables ?? new Map<string, TableState>()
        this.#databases.set(entry[1].Name, { database: entry[1], tables })
        return
      }
      case 'drop-database':
        this.#databases.delete(entry[1])
        return
      case 'table': {
        const { tables } = this.#database(entry[1].DatabaseName)
        const former = tables.get(entry[1].Name)
        const archived = former?.archived ?? []
        tables.set(entry[1].Name, {
          table: entry[1],
          archived: former !== undefined && entry[2].archive ? [...archived, former.table] : archived,
          partitions: former?.partitions ?? new TablePartitions(),
        })
        return
      }
      case 'drop-table':
        this.#database(entry[1]).tables.delete(entry[2])
        return
      case 'partitions': {
        const { partitions } = this.#table(entry[1], entry[2])
        for (const values of entry[3].remove ?? []) partitions.remove(values)
        for (const partition of entry[3].put ?? []) partitions.put(partition)
        return
      }
    }
  }

  *#snapshot(): Iterable<CatalogEntry> {
    for (const { database, tables } of this.#databases.values()) {
      yield ['database', database]
      for (const { table, archived, partitions } of tables.values()) {
        for (const version of [...archived, table]) yield ['table', version, { archive: true }]
        const all = partitions.list(() => true)
        for (let start = 0; start < all.length; start += 100) {
          yield ['partitions', database.Name, table.Name, { put: all.slice(start, start + 100) }]
        }
      }
    }
  }

  #nowSeconds(): number {
    return this.#nowMillis() / 1000
  }
}

const byName = (left: { Name: string }, right: { Name: string }): number =>
  left.Name < right.Name ? -1 : left.Name > right.Name ? 1 : 0

const keyCount = (table: TableDefinition): number => table.PartitionKeys?.length ?? 0
const notFound = (message: string): ServiceError => new ServiceError('EntityNotFoundException', message)
const alreadyExists = (message: string): ServiceError => new ServiceError('AlreadyExistsException', message)
const invalidInput = (message: string): ServiceError => new ServiceError('InvalidInputException', message)
const partitionNotFound = (): ServiceError => notFound('Cannot find partition.')
const wrongValueCount = (): ServiceError =>
  invalidInput('The number of partition keys do not match the number of partition values')

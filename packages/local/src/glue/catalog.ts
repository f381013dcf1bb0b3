import type { Durability } from '../durability.ts'
import { ServiceError } from '../http/json-service.ts'
import { alreadyExists, entityNotFound, invalidInput, limitExceeded } from './catalog-errors.ts'
import { catalogLimits } from './catalog-limits.ts'
import type {
  GlueDatabase,
  GluePartition,
  GlueTable,
  PartitionDefinition,
  PartitionIndex,
  TableDefinition,
} from './catalog-model.ts'
import { CatalogStore } from './catalog-store.ts'
import { fitsIndexes, keepsIndexes } from './partition-index.ts'
import { partitionKeyOf, type TablePartitions } from './table-partitions.ts'

/** Partitions of one line of the log: all of a statement's, and a line is far from what a string can hold. */
const partitionsOfWrite = 10_000

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
  /** What is kept; the operations beside tables and partitions read and change it. */
  readonly store: CatalogStore

  /** Opens the catalog kept in `dataDirectory`, creating it when absent. */
  constructor(
    dataDirectory: string,
    options: { readonly nowMillis?: () => number; readonly durability?: Durability } = {},
  ) {
    this.store = new CatalogStore(dataDirectory, options)
  }

  getDatabase(name: string): GlueDatabase | undefined {
    return this.store.databases.get(name.toLowerCase())?.database
  }

  /** All databases, by name. */
  listDatabases(): readonly GlueDatabase[] {
    return [...this.store.databases.values()].map((state) => state.database).sort(byName)
  }

  createDatabase(definition: Omit<GlueDatabase, 'CreateTime'>): GlueDatabase {
    const Name = definition.Name.toLowerCase()
    if (this.store.databases.has(Name)) throw alreadyExists('Database already exists.')
    if (this.store.databases.size >= catalogLimits.databases)
      throw tooMany('databases', catalogLimits.databases)
    const database = { ...definition, Name, CreateTime: this.store.nowSeconds() }
    this.store.commit(['database', database])
    return database
  }

  updateDatabase(name: string, definition: Omit<GlueDatabase, 'CreateTime'>): void {
    const { database } = this.store.requireDatabase(name)
    if (definition.Name.toLowerCase() !== database.Name) {
      throw invalidInput(`Database ${database.Name} cannot be renamed to ${definition.Name}.`)
    }
    this.store.commit(['database', { ...definition, Name: database.Name, CreateTime: database.CreateTime }])
  }

  /** Removes a database with all its tables and partitions. */
  deleteDatabase(name: string): void {
    this.store.commit(['drop-database', this.store.requireDatabase(name).database.Name])
  }

  getTable(database: string, name: string): GlueTable | undefined {
    return this.store.databases.get(database.toLowerCase())?.tables.get(name.toLowerCase())?.table
  }

  /** The table, or an EntityNotFoundException that names what is missing. */
  requireTable(database: string, name: string): GlueTable {
    return this.store.requireTable(database, name).table
  }

  /** All tables of a database, by name. */
  listTables(database: string): readonly GlueTable[] {
    return [...this.store.requireDatabase(database).tables.values()].map((state) => state.table).sort(byName)
  }

  /** All versions of a table, newest first; versions replaced with `skipArchive` are gone. */
  listTableVersions(database: string, name: string): readonly GlueTable[] {
    const state = this.store.requireTable(database, name)
    return [...state.archived, state.table].reverse()
  }

  /** Makes a table with the partition indexes and partitions given, by one write. */
  createTable(
    database: string,
    definition: TableDefinition,
    {
      indexes = [],
      partitions = [],
    }: {
      readonly indexes?: readonly PartitionIndex[]
      readonly partitions?: readonly PartitionDefinition[]
    } = {},
  ): GlueTable {
    const owner = this.store.requireDatabase(database)
    const Name = definition.Name.toLowerCase()
    if (owner.tables.has(Name)) throw alreadyExists('Table already exists.')
    const { tablesPerDatabase } = catalogLimits
    if (owner.tables.size >= tablesPerDatabase) throw tooMany('tables in a database', tablesPerDatabase)
    const now = this.store.nowSeconds()
    const table: GlueTable = {
      ...definition,
      Name,
      DatabaseName: owner.database.Name,
      CreateTime: now,
      UpdateTime: now,
      VersionId: '0',
    }
    const made = partitions.map((partition) => this.#partition(table, partition, now))
    this.store.commit([
      'table',
      table,
      {
        archive: false,
        ...(indexes.length > 0 && { indexes }),
        ...(made.length > 0 && { partitions: made }),
      },
    ])
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
    const state = this.store.requireTable(database, definition.Name)
    const { table: current, partitions } = state
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
    if (!keepsIndexes(definition, current, state.indexes)) {
      throw invalidInput(`A partition key of ${current.Name} that is in a partition index cannot change.`)
    }
    const { versionsPerTable } = catalogLimits
    if (options.skipArchive !== true && state.archived.length + 1 >= versionsPerTable) {
      throw tooMany('versions of a table', versionsPerTable)
    }
    const table: GlueTable = {
      ...definition,
      Name: current.Name,
      DatabaseName: current.DatabaseName,
      CreateTime: current.CreateTime,
      UpdateTime: this.store.nowSeconds(),
      VersionId: String(Number(current.VersionId) + 1),
    }
    this.store.commit(['table', table, { archive: options.skipArchive !== true }])
    return table
  }

  /** Removes versions that were replaced; those that are not there, and the current one, are refused. */
  deleteTableVersions(
    database: string,
    name: string,
    versionIds: readonly string[],
  ): readonly { readonly versionId: string; readonly error: ServiceError }[] {
    const { table, archived } = this.store.requireTable(database, name)
    const found = versionIds.filter((id) => archived.some((version) => version.VersionId === id))
    if (found.length > 0) {
      this.store.commit(['drop-table-versions', table.DatabaseName, table.Name, found])
    }
    return versionIds
      .filter((id) => !found.includes(id))
      .map((versionId) => ({
        versionId,
        error:
          versionId === table.VersionId
            ? invalidInput(`The version ${versionId} of ${table.Name} is the current one.`)
            : entityNotFound(`Version ${versionId} of table ${table.Name} not found.`),
      }))
  }

  /** Removes a table with all its partitions and versions. */
  deleteTable(database: string, name: string): void {
    const { table } = this.store.requireTable(database, name)
    this.store.commit(['drop-table', table.DatabaseName, table.Name])
  }

  getPartition(database: string, tableName: string, values: readonly string[]): GluePartition | undefined {
    return this.store.requireTable(database, tableName).partitions.get(values)
  }

  /** The partitions of a table in a stable order, those only that `predicate` accepts. */
  listPartitions(
    database: string,
    tableName: string,
    predicate: (values: readonly string[]) => boolean = () => true,
  ): readonly GluePartition[] {
    return this.store.requireTable(database, tableName).partitions.list(predicate)
  }

  /** The partitions themselves, for paging. */
  partitionsOf(database: string, tableName: string): TablePartitions {
    return this.store.requireTable(database, tableName).partitions
  }

  /** Adds partitions with one write; those refused (present already, wrong number of values) are returned. */
  createPartitions(
    database: string,
    tableName: string,
    definitions: readonly PartitionDefinition[],
  ): readonly PartitionRefusal[] {
    const { table, added, refused } = this.#newPartitions(database, tableName, definitions)
    this.#putPartitions(table, added)
    return refused
  }

  /**
   * Adds those partitions that are not there yet. Throws, and adds none, where one does not fit the table; of more than
   * 10,000 each 10,000 are one write.
   */
  addPartitions(database: string, tableName: string, definitions: readonly PartitionDefinition[]): void {
    const { table, added, refused } = this.#newPartitions(database, tableName, definitions)
    const misfit = refused.find(({ error }) => error.name !== 'AlreadyExistsException')
    if (misfit !== undefined) throw misfit.error
    for (let start = 0; start < added.length; start += partitionsOfWrite) {
      this.#putPartitions(table, added.slice(start, start + partitionsOfWrite))
    }
  }

  #newPartitions(database: string, tableName: string, definitions: readonly PartitionDefinition[]) {
    const { table, partitions, indexes } = this.store.requireTable(database, tableName)
    const { partitionsPerTable } = catalogLimits
    if (partitions.size + definitions.length > partitionsPerTable) {
      throw tooMany('partitions of a table', partitionsPerTable)
    }
    const refused: PartitionRefusal[] = []
    const added = new Map<string, GluePartition>()
    for (const definition of definitions) {
      const key = partitionKeyOf(definition.Values)
      const error = valuesRefusal(definition.Values, table, indexes)
      const present = added.has(key) || partitions.get(definition.Values) !== undefined
      if (error !== undefined) refused.push({ values: definition.Values, error })
      else if (present) {
        refused.push({ values: definition.Values, error: alreadyExists('Partition already exists.') })
      } else added.set(key, this.#partition(table, definition, this.store.nowSeconds()))
    }
    return { table, added: [...added.values()], refused }
  }

  #putPartitions(table: GlueTable, put: readonly GluePartition[]): void {
    if (put.length > 0) this.store.commit(['partitions', table.DatabaseName, table.Name, { put }])
  }

  /** Replaces the partition that has `values`; its values may change. */
  updatePartition(
    database: string,
    tableName: string,
    values: readonly string[],
    definition: PartitionDefinition,
  ): void {
    const { table, partitions, indexes } = this.store.requireTable(database, tableName)
    const current = partitions.get(values)
    if (current === undefined) throw partitionNotFound()
    const error = valuesRefusal(definition.Values, table, indexes)
    if (error !== undefined) throw error
    const renamed = partitionKeyOf(values) !== partitionKeyOf(definition.Values)
    if (renamed && partitions.get(definition.Values) !== undefined) {
      throw alreadyExists('Partition already exists.')
    }
    const replacement = this.#partition(table, definition, current.CreationTime)
    this.store.commit([
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
    const { table, partitions } = this.store.requireTable(database, tableName)
    const found = values.filter((one) => partitions.get(one) !== undefined)
    const absent = values.filter((one) => partitions.get(one) === undefined)
    if (found.length > 0) this.store.commit(['partitions', table.DatabaseName, table.Name, { remove: found }])
    return absent.map((one) => ({ values: one, error: partitionNotFound() }))
  }

  close(): void {
    this.store.close()
  }

  #partition(table: GlueTable, definition: PartitionDefinition, creationTime: number): GluePartition {
    return {
      ...definition,
      DatabaseName: table.DatabaseName,
      TableName: table.Name,
      CreationTime: creationTime,
    }
  }
}

const byName = (left: { Name: string }, right: { Name: string }): number =>
  left.Name < right.Name ? -1 : left.Name > right.Name ? 1 : 0

const keyCount = (table: TableDefinition): number => table.PartitionKeys?.length ?? 0
const partitionNotFound = (): ServiceError => entityNotFound('Cannot find partition.')
const tooMany = (what: string, limit: number): ServiceError =>
  limitExceeded(`Number of ${what} exceeds the limit of ${limit}.`)

function valuesRefusal(
  values: readonly string[],
  table: GlueTable,
  indexes: readonly PartitionIndex[],
): ServiceError | undefined {
  if (values.length !== keyCount(table)) {
    return invalidInput('The number of partition keys do not match the number of partition values')
  }
  if (fitsIndexes(values, table, indexes)) return undefined
  return invalidInput(`The partition values (${values.join(', ')}) do not fit the keys of a partition index.`)
}

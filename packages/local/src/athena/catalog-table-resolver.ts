import type { Catalog } from '../glue/catalog.ts'
import type { GlueColumn, GlueTable, StorageDescriptor } from '../glue/catalog-model.ts'
import { defaultPartition } from '../glue/hive-path.ts'
import type { ObjectStorage } from '../object-storage.ts'
import {
  type CatalogColumn,
  QueryError,
  type ResolvedTable,
  type ResolvedView,
  type TableResolver,
} from '../sql/query-engine.ts'
import { metadataTable } from './metadata-tables.ts'
import { isProjected, PartitionProjection, type PartitionsWanted } from './partition-projection.ts'
import { checkPartitionColumns } from './partition-schema.ts'
import { type LocatedPartition, listTableFiles } from './table-files.ts'
import { isView, resolvedView } from './view-definition.ts'

/** Finds tables in the Glue catalog and their files in S3: registered partitions, projected ones, or none. */
export class CatalogTableResolver implements TableResolver {
  readonly #catalog: Catalog
  readonly #storage: ObjectStorage
  readonly #nowMillis: () => number
  readonly #signal: AbortSignal | undefined

  /** `signal` ends the listing of files. */
  constructor(
    catalog: Catalog,
    storage: ObjectStorage,
    options: { readonly nowMillis?: () => number; readonly signal?: AbortSignal | undefined } = {},
  ) {
    this.#catalog = catalog
    this.#storage = storage
    this.#nowMillis = options.nowMillis ?? Date.now
    this.#signal = options.signal
  }

  async resolveTable(database: string, name: string): Promise<ResolvedTable | ResolvedView | undefined> {
    const metadata = metadataTable(this.#catalog, database, name)
    if (metadata !== undefined) return metadata
    const table = this.#catalog.getTable(database, name)
    if (table === undefined) return undefined
    if (isView(table)) return resolvedView(table)
    refuseOtherKinds(table)
    const columns = columnsOf(table.StorageDescriptor?.Columns)
    const partitionKeys = columnsOf(table.PartitionKeys)
    refuseRepeated(table, [...columns, ...partitionKeys])
    return {
      database: table.DatabaseName,
      name: table.Name,
      columns,
      partitionKeys,
      listFiles: async (keep, keepValue) => {
        const wanted = { keep, keepValue, signal: this.#signal }
        const partitions = await this.#partitions(table, partitionKeys, wanted)
        return listTableFiles(this.#storage, partitions, this.#signal)
      },
    }
  }

  async #partitions(
    table: GlueTable,
    partitionKeys: readonly CatalogColumn[],
    wanted: PartitionsWanted,
  ): Promise<readonly LocatedPartition[]> {
    if (partitionKeys.length === 0) {
      return [{ location: requireLocation(table.StorageDescriptor, nameOf(table)), values: [] }]
    }
    if (isProjected(table)) {
      const projection = new PartitionProjection(table, partitionKeys, this.#nowMillis())
      return projection.partitions(this.#storage, wanted)
    }
    return this.#registered(table, wanted)
  }

  #registered(table: GlueTable, { keep }: PartitionsWanted): readonly LocatedPartition[] {
    const withNulls = (values: readonly string[]): readonly (string | null)[] =>
      values.map((value) => (value === defaultPartition ? null : value))
    return this.#catalog
      .listPartitions(table.DatabaseName, table.Name, (values) => keep(withNulls(values)))
      .map((partition) => {
        const owner = `partition (${partition.Values.join(', ')}) of ${nameOf(table)}`
        refuseOtherFormats(partition.StorageDescriptor, owner)
        const textColumns = checkPartitionColumns(table, partition)
        const location = requireLocation(partition.StorageDescriptor, owner)
        const located = { location, values: withNulls(partition.Values) }
        return textColumns.size === 0 ? located : { ...located, textColumns }
      })
  }
}

const nameOf = (table: GlueTable): string => `${table.DatabaseName}.${table.Name}`

const columnsOf = (columns: readonly GlueColumn[] = []): readonly CatalogColumn[] =>
  columns.map((column) => ({
    name: column.Name.toLowerCase(),
    type: (column.Type ?? 'string').toLowerCase(),
  }))

function refuseOtherKinds(table: GlueTable): void {
  if (table.Parameters?.['table_type']?.toUpperCase() === 'ICEBERG') {
    throw new QueryError(
      'NOT_SUPPORTED',
      `${nameOf(table)} is an Iceberg table; the local stack reads Parquet tables only.`,
    )
  }
  refuseOtherFormats(table.StorageDescriptor, nameOf(table))
}

function refuseOtherFormats(descriptor: StorageDescriptor | undefined, owner: string): void {
  if ((descriptor?.InputFormat ?? '') === '') {
    throw new QueryError(
      'HIVE_UNKNOWN_ERROR',
      `HIVE_UNKNOWN_ERROR: Unable to create input format: the InputFormat of ${owner} is empty.`,
    )
  }
  const serDe = descriptor?.SerdeInfo?.SerializationLibrary ?? ''
  if (/(^|\.)ParquetHiveSerDe$/.test(serDe)) return
  throw new QueryError(
    'NOT_SUPPORTED',
    `The SerDe '${serDe}' of ${owner} is not supported: the local stack reads Parquet (ParquetHiveSerDe) only.`,
  )
}

function refuseRepeated(table: GlueTable, columns: readonly CatalogColumn[]): void {
  const repeated = columns.find((column, at) => columns.findIndex((one) => one.name === column.name) !== at)
  if (repeated === undefined) return
  throw new QueryError(
    'HIVE_INVALID_METADATA',
    `HIVE_INVALID_METADATA: Hive metadata for table ${table.Name} is invalid: Table descriptor contains duplicate columns: '${repeated.name}'`,
  )
}

function requireLocation(descriptor: StorageDescriptor | undefined, owner: string): string {
  const location = descriptor?.Location ?? ''
  if (location !== '') return location
  throw new QueryError('HIVE_METASTORE_ERROR', `HIVE_METASTORE_ERROR: ${owner} has no location.`)
}

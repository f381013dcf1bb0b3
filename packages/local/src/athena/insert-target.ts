import type { Catalog } from '../glue/catalog.ts'
import { defaultPartition, parseLocation, partitionPath, type StorageLocation } from '../glue/hive-path.ts'
import type { CatalogColumn, TableResolver } from '../sql/query-engine.ts'
import { failure, notSupported } from '../sql/query-failure.ts'
import { isProjected, PartitionProjection } from './partition-projection.ts'

/** A table that rows can be added to. */
export interface InsertTarget {
  readonly columns: readonly CatalogColumn[]
  readonly partitionKeys: readonly CatalogColumn[]
  /** The compression its properties ask for. */
  readonly compression: string
  /** Its partitions are not registered. */
  readonly isProjected: boolean
  /** Where the files of a partition go. Throws for one the table's projection does not have. */
  folderOf(partitionValues: readonly (string | null)[]): StorageLocation
}

const start = { line: 1, column: 1 } as const

/** Finds the table of an INSERT. Throws where there is none, and where rows cannot be added to it. */
export async function insertTarget(
  catalog: Catalog,
  resolver: TableResolver,
  database: string,
  name: string,
): Promise<InsertTarget> {
  const resolved = await resolver.resolveTable(database, name)
  if (resolved === undefined) {
    throw failure('TABLE_NOT_FOUND', `Table 'awsdatacatalog.${database}.${name}' does not exist`, start)
  }
  if ('viewSql' in resolved) throw notSupported('INSERT INTO a view', start)
  const table = catalog.requireTable(database, name)
  if ((table.StorageDescriptor?.BucketColumns ?? []).length > 0) {
    throw notSupported('INSERT INTO a bucketed table', start)
  }
  const location = parseLocation(table.StorageDescriptor?.Location ?? '')
  if (location === undefined) {
    throw failure('HIVE_METASTORE_ERROR', `The location of ${database}.${name} is not s3://bucket/prefix`)
  }
  const { columns, partitionKeys } = resolved
  const projection = isProjected(table)
    ? new PartitionProjection(table, partitionKeys, Date.now())
    : undefined
  const keys = partitionKeys.map((key) => key.name)
  const folderOf = (values: readonly (string | null)[]): StorageLocation => {
    if (keys.length === 0) return location
    const folder = projection
      ? projectedLocation(projection, keys, values)
      : catalog.getPartition(
          database,
          name,
          values.map((value) => value ?? defaultPartition),
        )?.StorageDescriptor?.Location
    const known = parseLocation(folder ?? '')
    return known ?? { bucket: location.bucket, prefix: `${location.prefix}${partitionPath(keys, values)}` }
  }
  return {
    columns,
    partitionKeys,
    compression: compressionProperty(table.Parameters),
    isProjected: projection !== undefined,
    folderOf,
  }
}

function projectedLocation(
  projection: PartitionProjection,
  keys: readonly string[],
  values: readonly (string | null)[],
): string {
  const location = projection.locationOf(values)
  if (location !== undefined) return location
  throw failure(
    'HIVE_INVALID_PARTITION_VALUE',
    `The partition ${partitionPath(keys, values)} is outside of the table's projection: its rows would not be found`,
  )
}

function compressionProperty(parameters: Readonly<Record<string, string>> = {}): string {
  const byName = new Map(Object.entries(parameters).map(([name, value]) => [name.toLowerCase(), value]))
  for (const name of ['write.compression', 'parquet.compression', 'parquet.compress', 'compression']) {
    const value = byName.get(name)
    if (value !== undefined) return value
  }
  return 'GZIP'
}

import type { Catalog } from '../glue/catalog.ts'
import { type PartitionDefinition, parquetFormat, type TableDefinition } from '../glue/catalog-model.ts'
import { defaultPartition, parseLocation, partitionPath, type StorageLocation } from '../glue/hive-path.ts'
import type { ObjectStorage } from '../object-storage.ts'
import type {
  DescribedColumn,
  FileLayout,
  QueryEngine,
  RunQueryOptions,
  WrittenColumn,
  WrittenFile,
  WrittenQuery,
} from '../sql/query-engine.ts'
import { failure, notSupported } from '../sql/query-failure.ts'
import { BytesScannedLimitError } from './bytes-scanned-limit.ts'
import { type DataFile, dataFileNames, putDataFiles, requireEmpty, writableLocation } from './data-files.ts'
import { type InsertTarget, insertTarget } from './insert-target.ts'
import type { StatementResult } from './query-runner.ts'
import type { TrinoStatement } from './trino-statement.ts'
import { compressionOf, layoutOf, newColumns, WriteProperties } from './write-properties.ts'

/** What a statement that writes works with. */
export interface WriteContext {
  readonly catalog: Catalog
  readonly storage: ObjectStorage
  readonly engine: QueryEngine
  /** Everything of the query but its text. */
  readonly query: Omit<RunQueryOptions, 'sql'> & { readonly signal: AbortSignal }
  /**
   * `s3://bucket/prefix/<query id>`: the manifest's name is this and more, the files of a new table go beneath it. Undefined
   * where the work group manages results: then there is no manifest, and a new table must say where it goes.
   */
  readonly outputLocation: string | undefined
  /** The work group prescribes where results go: a new table says nothing about it. */
  readonly isLocationEnforced: boolean
  /** The most bytes the statement may scan; undefined for no limit. */
  readonly bytesScannedCutoff: number | undefined
}

type Statement<Kind extends TrinoStatement['kind']> = TrinoStatement & { readonly kind: Kind }

const start = { line: 1, column: 1 } as const

/** CREATE TABLE ... AS. */
export async function createTableAs(
  statement: Statement<'create-table-as'>,
  context: WriteContext,
): Promise<StatementResult> {
  const { catalog, storage, query } = context
  const database = statement.database ?? query.database
  const name = `awsdatacatalog.${database}.${statement.table}`
  if (catalog.getDatabase(database) === undefined) {
    throw failure('SCHEMA_NOT_FOUND', `Schema '${database}' does not exist`, start)
  }
  if (catalog.getTable(database, statement.table) !== undefined) {
    if (statement.ifNotExists) return { kind: 'written', rowCount: 0, scannedBytes: 0 }
    throw failure('TABLE_ALREADY_EXISTS', `Destination table '${name}' already exists`, start)
  }
  const { externalLocation, partitionedBy, compression } = tableProperties(statement, context)
  const { outputLocation } = context
  const place = externalLocation ?? (outputLocation === undefined ? undefined : `${outputLocation}/`)
  if (place === undefined) {
    throw failure(
      'INVALID_TABLE_PROPERTY',
      'A work group with managed query results has no place for a table: give the property external_location',
      start,
    )
  }
  const location = await writableLocation(storage, place)
  await requireEmpty(storage, location, `table '${database}.${statement.table}'`)
  const layoutFor = (columns: readonly DescribedColumn[]): FileLayout =>
    layoutOf(newColumns(columns), partitionedBy, compression)

  if (!statement.withData) {
    const { columns } = await context.engine.describe({ ...query, sql: statement.query })
    query.signal.throwIfAborted()
    catalog.createTable(database, newTable(statement.table, location, layoutFor(columns)))
    return { kind: 'written', rowCount: 0, scannedBytes: 0 }
  }
  let layout: FileLayout | undefined
  await using written = await write(context, statement.query, (columns) => {
    layout = layoutFor(columns)
    return layout
  })
  const keys = layout!.partitionKeys.map((key) => key.name)
  const result = await put(context, written, (file) => ({
    bucket: location.bucket,
    prefix: `${location.prefix}${partitionPath(keys, file.partitionValues)}`,
  }))
  // From here on nothing is awaited: a statement that was stopped leaves no table.
  const definition = newTable(statement.table, location, layout!)
  catalog.createTable(database, definition, { partitions: partitionsOf(definition, written.files) })
  return result
}

/** INSERT INTO. */
export async function insertInto(
  statement: Statement<'insert'>,
  context: WriteContext,
): Promise<StatementResult> {
  const { catalog, query } = context
  const database = statement.database ?? query.database
  const target = await insertTarget(catalog, query.resolver, database, statement.table)
  const compression = compressionOf(target.compression)
  await using written = await write(context, statement.query, (columns) => ({
    ...insertColumns(target, statement.columns, columns),
    compression,
  }))
  const result = await put(context, written, ({ partitionValues }) => target.folderOf(partitionValues))
  const table = catalog.requireTable(database, statement.table)
  // Those that are there stay as they are.
  if (!target.isProjected) catalog.addPartitions(database, table.Name, partitionsOf(table, written.files))
  return result
}

/** UNLOAD. */
export async function unload(
  statement: Statement<'unload'>,
  context: WriteContext,
): Promise<StatementResult> {
  const properties = new WriteProperties(statement.properties)
  const format = properties.string('format')
  if (format === undefined) throw failure('INVALID_TABLE_PROPERTY', 'UNLOAD needs the property format', start)
  properties.requireParquet(format)
  const partitionedBy = properties.strings('partitioned_by')
  const compression = properties.compression('compression')
  properties.end(['field_delimiter', 'include_header'])
  const location = await writableLocation(context.storage, statement.location)
  await requireEmpty(context.storage, location, 'UNLOAD')
  let keys: readonly string[] = []
  await using written = await write(context, statement.query, (columns) => {
    const layout = layoutOf(newColumns(columns), partitionedBy, compression)
    keys = layout.partitionKeys.map((key) => key.name)
    return layout
  })
  // Awaited here: the files go when this function ends.
  return await put(context, written, ({ partitionValues }) => ({
    bucket: location.bucket,
    prefix: `${location.prefix}${partitionPath(keys, partitionValues)}`,
  }))
}

function tableProperties(statement: Statement<'create-table-as'>, context: WriteContext) {
  const properties = new WriteProperties(statement.properties)
  const tableType = properties.string('table_type')?.toUpperCase() ?? 'HIVE'
  if (tableType !== 'HIVE') throw notSupported(`tables of type ${tableType}`, start)
  properties.requireParquet(properties.string('format') ?? 'PARQUET')
  const externalLocation = properties.string('external_location')
  if (externalLocation !== undefined && context.isLocationEnforced) {
    throw failure(
      'INVALID_TABLE_PROPERTY',
      "The Create Table As Select query failed because it was submitted with an 'external_location' property to an Athena Workgroup that enforces a centralized output location for all queries. Please remove the 'external_location' property and resubmit the query.",
    )
  }
  const partitionedBy = properties.strings('partitioned_by')
  const compression = properties.compression('write_compression', 'parquet_compression')
  properties.end([
    'bucketed_by',
    'bucket_count',
    'field_delimiter',
    'is_external',
    'location',
    'orc_compression',
    'partitioning',
    'vacuum_min_snapshots_to_keep',
    'vacuum_max_snapshot_age_seconds',
    'write_target_data_file_size_bytes',
  ])
  return { externalLocation, partitionedBy, compression }
}

function newTable(Name: string, { bucket, prefix }: StorageLocation, layout: FileLayout): TableDefinition {
  const glueColumn = ({ name, hiveType }: WrittenColumn) => ({ Name: name, Type: hiveType })
  return {
    Name,
    Owner: 'hadoop',
    Retention: 0,
    TableType: 'EXTERNAL_TABLE',
    PartitionKeys: layout.partitionKeys.map(glueColumn),
    StorageDescriptor: {
      Columns: layout.columns.map(glueColumn),
      Location: `s3://${bucket}/${prefix}`,
      ...parquetFormat,
      Compressed: false,
      NumberOfBuckets: -1,
    },
    Parameters: {
      EXTERNAL: 'TRUE',
      has_encrypted_data: 'false',
      'parquet.compression': layout.compression,
      transient_lastDdlTime: String(Math.floor(Date.now() / 1000)),
    },
  }
}

async function write(
  context: WriteContext,
  sql: string,
  layoutFor: (columns: readonly DescribedColumn[]) => FileLayout,
): Promise<WrittenQuery> {
  const written = await context.engine.write({ ...context.query, sql, layoutOf: layoutFor })
  const { bytesScannedCutoff } = context
  if (bytesScannedCutoff === undefined || written.scannedBytes <= bytesScannedCutoff) return written
  await written[Symbol.asyncDispose]()
  throw new BytesScannedLimitError(written.scannedBytes)
}

async function put(
  context: WriteContext,
  written: WrittenQuery,
  folderOf: (file: WrittenFile) => StorageLocation,
): Promise<StatementResult> {
  const nameOf = dataFileNames(Date.now())
  const files = written.files.map((file): DataFile => {
    const { bucket, prefix } = folderOf(file)
    return { file, bucket, key: `${prefix}${nameOf()}` }
  })
  const { outputLocation } = context
  const manifestLocation = outputLocation === undefined ? undefined : `${outputLocation}-manifest.csv`
  await putDataFiles(context.storage, files, manifestLocation, context.query.signal)
  context.query.signal.throwIfAborted()
  const { rowCount, scannedBytes } = written
  return { kind: 'written', rowCount, scannedBytes, ...(manifestLocation && { manifestLocation }) }
}

/** The columns of a statement's rows by the table's order; those it does not give are NULL. */
function insertColumns(
  target: InsertTarget,
  names: readonly string[] | undefined,
  given: readonly DescribedColumn[],
): Pick<FileLayout, 'columns' | 'partitionKeys'> {
  const all = [...target.columns, ...target.partitionKeys].map(({ name }) => name)
  for (const [at, name] of (names ?? []).entries()) {
    if (!all.includes(name)) {
      throw failure('COLUMN_NOT_FOUND', `Insert column name does not exist in target table: ${name}`, start)
    }
    if (names!.indexOf(name) !== at) {
      throw failure('DUPLICATE_COLUMN_NAME', `Insert column name is specified more than once: ${name}`, start)
    }
  }
  const order = names ?? all
  if (order.length !== given.length) {
    throw failure(
      'TYPE_MISMATCH',
      `Insert query has mismatched column types: ${order.length} columns of the table, ${given.length} of the query`,
      start,
    )
  }
  const placed = (columns: readonly { readonly name: string; readonly type: string }[]) =>
    columns.map(({ name, type }): WrittenColumn => {
      const from = order.indexOf(name)
      return { name, hiveType: type, from: from === -1 ? undefined : from }
    })
  return { columns: placed(target.columns), partitionKeys: placed(target.partitionKeys) }
}

/** The partitions of a table that files are of. */
function partitionsOf(
  table: TableDefinition,
  files: readonly Pick<WrittenFile, 'partitionValues'>[],
): readonly PartitionDefinition[] {
  const keys = (table.PartitionKeys ?? []).map(({ Name }) => Name.toLowerCase())
  if (keys.length === 0) return []
  const location = parseLocation(table.StorageDescriptor?.Location ?? '')!
  return files.map(({ partitionValues: values }) => {
    const Location = `s3://${location.bucket}/${location.prefix}${partitionPath(keys, values)}`
    return {
      Values: values.map((value) => value ?? defaultPartition),
      StorageDescriptor: { ...table.StorageDescriptor, Location },
    }
  })
}

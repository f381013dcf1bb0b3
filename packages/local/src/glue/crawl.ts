import { createHash } from 'node:crypto'
import type { ObjectStorage } from '../object-storage.ts'
import type { Catalog } from './catalog.ts'
import {
  definitionOf,
  type GlueColumn,
  type GlueTable,
  type PartitionDefinition,
  parquetFormat,
  partitionDefinitionOf,
  type StorageDescriptor,
} from './catalog-model.ts'
import { CrawlError, type CrawledPartition, type CrawledTable, findTables } from './crawl-folders.ts'
import { columnsOfFile, MergedColumns } from './crawl-schema.ts'
import { type CrawlerDefinition, crawlerOutputOf, type S3Target } from './crawler-definition.ts'
import { normalizedLocation } from './hive-path.ts'
import { partitionKeyOf } from './table-partitions.ts'

interface CrawlContext {
  readonly catalog: Catalog
  readonly storage: ObjectStorage
  readonly crawler: CrawlerDefinition
  readonly signal: AbortSignal
}

/** A table folder with what its files declare. */
interface ReadTable {
  readonly folder: CrawledTable
  /** Folders looked into this time; all, unless only new ones are crawled. */
  readonly partitions: readonly {
    readonly folder: CrawledPartition
    readonly columns: readonly GlueColumn[]
  }[]
  readonly columns: readonly GlueColumn[]
}

/**
 * Crawls a crawler's targets once: lists, reads footers, then changes the catalog.
 * Nothing is changed when a folder or file cannot be understood.
 *
 * @throws CrawlError, or the signal's reason when stopped
 */
export async function crawl(context: CrawlContext): Promise<void> {
  const { catalog, crawler, storage, signal } = context
  if (catalog.getDatabase(crawler.DatabaseName) === undefined) {
    throw new CrawlError(`Database ${crawler.DatabaseName} not found.`)
  }
  const read: ReadTable[] = []
  for (const target of crawler.Targets.S3Targets) {
    const tables = await findTables(storage, { path: target.Path, exclusions: target.Exclusions }, signal)
    for (const folder of tables) read.push(await readTable(context, target, folder))
  }
  // Nothing is awaited from here on: the catalog is looked at again, for it may have changed meanwhile.
  for (const table of read) {
    const existing = tableAt(context, table.folder)
    if (existing === undefined) createTable(context, table)
    else updateTable(context, table, existing)
  }
  retireGoneTables(context, new Set(read.map((table) => table.folder.location)))
}

async function readTable(context: CrawlContext, target: S3Target, folder: CrawledTable): Promise<ReadTable> {
  const { catalog, crawler, signal } = context
  const existing = tableAt(context, folder)
  const newOnly = crawler.RecrawlPolicy.RecrawlBehavior === 'CRAWL_NEW_FOLDERS_ONLY' && existing !== undefined
  const isKnown = (partition: CrawledPartition): boolean =>
    folder.partitionKeys.length === 0 ||
    catalog.getPartition(crawler.DatabaseName, existing?.Name ?? '', partition.values) !== undefined
  const merged = new MergedColumns()
  const partitions: ReadTable['partitions'][number][] = []
  for (const partition of folder.partitions) {
    if (newOnly && isKnown(partition)) continue
    const own = new MergedColumns()
    for (const file of partition.files.slice(0, target.SampleSize)) {
      signal.throwIfAborted()
      const columns = (await columnsOfFile(file)).filter(
        (column) => !folder.partitionKeys.includes(column.Name),
      )
      own.add(columns, `s3://${file.bucket}/${file.key}`)
      merged.add(columns, `s3://${file.bucket}/${file.key}`)
    }
    partitions.push({ folder: partition, columns: own.list() })
  }
  return { folder, partitions, columns: merged.list() }
}

/** The table the catalog has at a folder, by whomever it was made. @throws CrawlError when its keys are others */
function tableAt({ catalog, crawler }: CrawlContext, folder: CrawledTable): GlueTable | undefined {
  const table = catalog
    .listTables(crawler.DatabaseName)
    .find((one) => normalizedLocation(one.StorageDescriptor?.Location ?? '') === folder.location)
  const keys = (table?.PartitionKeys ?? []).map((key) => key.Name.toLowerCase())
  if (table === undefined || keys.join('/') === folder.partitionKeys.join('/')) return table
  throw new CrawlError(
    `Table ${table.Name} at ${folder.location} is partitioned by (${keys.join(', ')}), its folders by (${folder.partitionKeys.join(', ')}).`,
  )
}

function createTable(context: CrawlContext, read: ReadTable): void {
  const { catalog, crawler } = context
  const table = catalog.createTable(crawler.DatabaseName, {
    Name: freeTableName(context, read.folder),
    Owner: 'owner',
    Retention: 0,
    TableType: 'EXTERNAL_TABLE',
    StorageDescriptor: descriptorOf(read.columns, read.folder.location),
    PartitionKeys: read.folder.partitionKeys.map((name) => ({ Name: name, Type: 'string' })),
    Parameters: { ...parquetParameters, UPDATED_BY_CRAWLER: crawler.Name },
  })
  addPartitions(context, table, read)
}

function updateTable(context: CrawlContext, read: ReadTable, existing: GlueTable): void {
  const { catalog, crawler } = context
  const updatesSchema = crawler.SchemaChangePolicy.UpdateBehavior === 'UPDATE_IN_DATABASE'
  let table = existing
  if (updatesSchema) {
    const former = existing.StorageDescriptor?.Columns ?? []
    const columns = crawlerOutputOf(crawler).mergeNewColumns
      ? [...former, ...read.columns.filter((column) => !former.some((one) => sameName(one, column)))]
      : keepComments(read.columns, former)
    if (!sameColumns(columns, former)) {
      table = catalog.updateTable(crawler.DatabaseName, {
        ...definitionOf(existing),
        StorageDescriptor: { ...existing.StorageDescriptor, Columns: columns },
        Parameters: { ...existing.Parameters, UPDATED_BY_CRAWLER: crawler.Name },
      })
    }
  }
  addPartitions(context, table, read)
  if (updatesSchema) updatePartitions(context, table, read)
  retireGonePartitions(context, table, read.folder)
}

function addPartitions(context: CrawlContext, table: GlueTable, read: ReadTable): void {
  const { catalog, crawler } = context
  if (read.folder.partitionKeys.length === 0) return
  const added = read.partitions
    .filter(
      ({ folder }) => catalog.getPartition(crawler.DatabaseName, table.Name, folder.values) === undefined,
    )
    .map(({ folder, columns }) => partitionOf(context, table, folder, columns))
  for (let start = 0; start < added.length; start += 100) {
    catalog.createPartitions(crawler.DatabaseName, table.Name, added.slice(start, start + 100))
  }
}

/** Partitions the crawler finds again get the columns it sees now; location and values stay. */
function updatePartitions(context: CrawlContext, table: GlueTable, read: ReadTable): void {
  const { catalog, crawler } = context
  if (read.folder.partitionKeys.length === 0) return
  const inherit = crawlerOutputOf(crawler).partitionsInheritFromTable
  for (const { folder, columns } of read.partitions) {
    const current = catalog.getPartition(crawler.DatabaseName, table.Name, folder.values)
    const wanted = inherit ? (table.StorageDescriptor?.Columns ?? []) : columns
    if (current === undefined || sameColumns(current.StorageDescriptor?.Columns ?? [], wanted)) continue
    catalog.updatePartition(crawler.DatabaseName, table.Name, folder.values, {
      ...partitionDefinitionOf(current),
      StorageDescriptor: { ...current.StorageDescriptor, Columns: wanted },
    })
  }
}

function partitionOf(
  context: CrawlContext,
  table: GlueTable,
  folder: CrawledPartition,
  columns: readonly GlueColumn[],
): PartitionDefinition {
  const inherit = crawlerOutputOf(context.crawler).partitionsInheritFromTable
  return {
    Values: folder.values,
    StorageDescriptor: inherit
      ? { ...table.StorageDescriptor, Location: folder.location }
      : descriptorOf(columns, folder.location),
    Parameters: parquetParameters,
  }
}

/** Partitions whose folder is gone, as DeleteBehavior says. */
function retireGonePartitions(context: CrawlContext, table: GlueTable, folder: CrawledTable): void {
  const { catalog, crawler } = context
  const { DeleteBehavior } = crawler.SchemaChangePolicy
  if (DeleteBehavior === 'LOG' || folder.partitionKeys.length === 0) return
  const present = new Set(folder.partitions.map((partition) => partitionKeyOf(partition.values)))
  // A partition whose data lies elsewhere is not the target's to judge.
  const gone = catalog
    .listPartitions(crawler.DatabaseName, table.Name, (values) => !present.has(partitionKeyOf(values)))
    .filter((partition) =>
      normalizedLocation(partition.StorageDescriptor?.Location ?? '').startsWith(folder.location),
    )
  if (DeleteBehavior === 'DELETE_FROM_DATABASE') {
    catalog.deletePartitions(
      crawler.DatabaseName,
      table.Name,
      gone.map((partition) => partition.Values),
    )
    return
  }
  for (const partition of gone) {
    if (partition.Parameters?.['DEPRECATED_BY_CRAWLER'] !== undefined) continue
    catalog.updatePartition(crawler.DatabaseName, table.Name, partition.Values, {
      ...partitionDefinitionOf(partition),
      Parameters: { ...partition.Parameters, DEPRECATED_BY_CRAWLER: String(Date.now()) },
    })
  }
}

/** Tables this crawler made under its targets, of which no data is left. */
function retireGoneTables(context: CrawlContext, found: ReadonlySet<string>): void {
  const { catalog, crawler } = context
  const { DeleteBehavior } = crawler.SchemaChangePolicy
  if (DeleteBehavior === 'LOG') return
  const targets = crawler.Targets.S3Targets.map((target) => normalizedLocation(target.Path))
  for (const table of catalog.listTables(crawler.DatabaseName)) {
    const location = normalizedLocation(table.StorageDescriptor?.Location ?? '')
    if (table.Parameters?.['UPDATED_BY_CRAWLER'] !== crawler.Name || found.has(location)) continue
    if (!targets.some((target) => location.startsWith(target))) continue
    if (DeleteBehavior === 'DELETE_FROM_DATABASE') catalog.deleteTable(crawler.DatabaseName, table.Name)
    else if (table.Parameters['DEPRECATED_BY_CRAWLER'] === undefined) {
      catalog.updateTable(crawler.DatabaseName, {
        ...definitionOf(table),
        Parameters: { ...table.Parameters, DEPRECATED_BY_CRAWLER: String(Date.now()) },
      })
    }
  }
}

/** The folder's name; where another location has it already, a hash of this location is added. */
function freeTableName(context: CrawlContext, folder: CrawledTable): string {
  const { catalog, crawler } = context
  const own = folder.folderName.replace(/[^\p{L}\p{N}_]/gu, '_')
  const name = `${crawler.TablePrefix ?? ''}${own}`.toLowerCase()
  if (catalog.getTable(crawler.DatabaseName, name) === undefined) return name
  return `${name}_${createHash('md5').update(folder.location).digest('hex')}`
}

const parquetParameters = {
  classification: 'parquet',
  compressionType: 'none',
  typeOfData: 'file',
  CrawlerSchemaDeserializerVersion: '1.0',
  CrawlerSchemaSerializerVersion: '1.0',
} as const

const descriptorOf = (columns: readonly GlueColumn[], location: string): StorageDescriptor => ({
  Columns: columns,
  Location: location,
  ...parquetFormat,
  Compressed: false,
  NumberOfBuckets: -1,
  BucketColumns: [],
  SortColumns: [],
  Parameters: parquetParameters,
  StoredAsSubDirectories: false,
})

const sameName = (left: GlueColumn, right: GlueColumn): boolean =>
  left.Name.toLowerCase() === right.Name.toLowerCase()

function keepComments(columns: readonly GlueColumn[], former: readonly GlueColumn[]): readonly GlueColumn[] {
  return columns.map((column) => {
    const known = former.find((one) => sameName(one, column))
    return known === undefined ? column : { ...known, Type: column.Type ?? 'string' }
  })
}

function sameColumns(left: readonly GlueColumn[], right: readonly GlueColumn[]): boolean {
  const text = (columns: readonly GlueColumn[]): string =>
    columns.map((column) => `${column.Name.toLowerCase()} ${column.Type?.toLowerCase()}`).join('\n')
  return text(left) === text(right)
}

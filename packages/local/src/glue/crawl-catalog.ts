import { createHash } from 'node:crypto'
import type { Catalog } from './catalog.ts'
import {
  definitionOf,
  type GlueColumn,
  type GlueTable,
  type PartitionDefinition,
  partitionDefinitionOf,
} from './catalog-model.ts'
import { CrawlError } from './crawl-folders.ts'
import { type CrawledSchema, formatDifference } from './crawl-schema.ts'
import { crawledDescriptor, crawledParameters, knownSchema } from './crawl-storage.ts'
import type { CrawledPartition, CrawledTable } from './crawl-tables.ts'
import { type CrawlerDefinition, crawlerOutputOf } from './crawler-definition.ts'
import { normalizedLocation } from './hive-path.ts'
import { partitionKeyOf } from './table-partitions.ts'

interface ChangeContext {
  readonly catalog: Catalog
  readonly crawler: CrawlerDefinition
}

/** A table folder with what its files declare. */
export interface ReadTable {
  readonly database: string
  readonly table: CrawledTable
  readonly schema: CrawledSchema
}

/** How many tables a crawl created, updated and deleted. */
export interface CrawlChanges {
  readonly created: number
  readonly updated: number
  readonly deleted: number
}

/** Brings the catalog to what a crawl has read, within its policies. @throws CrawlError before anything is changed */
export function changeCatalog(context: ChangeContext, read: readonly ReadTable[]): CrawlChanges {
  const changes = { created: 0, updated: 0, deleted: 0 }
  const known = new Map<string, ReadonlyMap<string, GlueTable>>()
  const steps = read.map((one) => {
    const tables = known.get(one.database) ?? tablesByLocation(context.catalog, one.database)
    known.set(one.database, tables)
    const existing = tables.get(one.table.folder.location)
    if (existing !== undefined) refuseOther(one, existing)
    return { one, existing }
  })
  for (const { one, existing } of steps) {
    if (existing === undefined) {
      createTable(context, one)
      changes.created += 1
    } else if (updateTable(context, one, existing)) changes.updated += 1
  }
  changes.deleted = retireGoneTables(context, new Set(read.map(({ table }) => table.folder.location)))
  return changes
}

/** The tables of a database by where their data is. */
export function tablesByLocation(catalog: Catalog, database: string): ReadonlyMap<string, GlueTable> {
  return new Map(
    catalog
      .listTables(database)
      .map((table) => [normalizedLocation(table.StorageDescriptor?.Location ?? ''), table]),
  )
}

/** @throws CrawlError when the catalog's table at a folder is another kind of table */
function refuseOther({ table, schema }: ReadTable, existing: GlueTable): void {
  const { location } = table.folder
  const keys = (existing.PartitionKeys ?? []).map((key) => key.Name.toLowerCase())
  // A key that folders do not name has its name from the catalog.
  const isOther = (key: string, at: number): boolean =>
    table.partitionKeys[at] !== key && table.partitionKeys[at] !== `partition_${at}`
  if (keys.length !== table.partitionKeys.length || keys.some(isOther)) {
    throw new CrawlError(
      `Table ${existing.Name} at ${location} is partitioned by (${keys.join(', ')}), its folders by (${table.partitionKeys.join(', ')}).`,
    )
  }
  const former = knownSchema(existing.StorageDescriptor, [], existing.Parameters)
  const difference = former && formatDifference(former.format, schema.format)
  // Tables of a user's own making need not tell how their text is written.
  if (difference === undefined || existing.Parameters?.['classification'] === undefined) return
  throw new CrawlError(`Table ${existing.Name} and its files at ${location} are ${difference}.`)
}

function createTable(context: ChangeContext, read: ReadTable): void {
  const { catalog, crawler } = context
  const table = catalog.createTable(read.database, {
    Name: freeTableName(context, read),
    Owner: 'owner',
    Retention: 0,
    TableType: 'EXTERNAL_TABLE',
    StorageDescriptor: crawledDescriptor(read.schema, read.table.folder.location),
    PartitionKeys: read.table.partitionKeys.map((name) => ({ Name: name, Type: 'string' })),
    Parameters: { ...crawledParameters(read.schema), UPDATED_BY_CRAWLER: crawler.Name },
  })
  addPartitions(context, table, read)
}

/** Answers whether the table's own definition changed. */
function updateTable(context: ChangeContext, read: ReadTable, existing: GlueTable): boolean {
  const { catalog, crawler } = context
  const updatesSchema = crawler.SchemaChangePolicy.UpdateBehavior === 'UPDATE_IN_DATABASE'
  const former = existing.StorageDescriptor?.Columns ?? []
  const found = read.schema.columns
  const columns = crawlerOutputOf(crawler).mergeNewColumns
    ? [...former, ...found.filter((column) => !former.some((one) => sameName(one, column)))]
    : keepComments(found, former)
  const changes = updatesSchema && !sameColumns(columns, former)
  const table = changes
    ? catalog.updateTable(read.database, {
        ...definitionOf(existing),
        StorageDescriptor: { ...existing.StorageDescriptor, Columns: columns },
        Parameters: { ...existing.Parameters, UPDATED_BY_CRAWLER: crawler.Name },
      })
    : existing
  addPartitions(context, table, read)
  if (updatesSchema) updatePartitions(context, table, read)
  retireGonePartitions(context, table, read)
  return changes
}

function addPartitions(context: ChangeContext, table: GlueTable, read: ReadTable): void {
  if (read.table.partitionKeys.length === 0) return
  const { catalog } = context
  const added = read.table.partitions
    .filter(({ values }) => catalog.getPartition(read.database, table.Name, values) === undefined)
    .map((partition) => partitionOf(context, table, partition, read))
  catalog.addPartitions(read.database, table.Name, added)
}

/** Partitions the crawler finds again get the columns it sees now; location and values stay. */
function updatePartitions(context: ChangeContext, table: GlueTable, read: ReadTable): void {
  const { catalog, crawler } = context
  if (read.table.partitionKeys.length === 0) return
  const inherit = crawlerOutputOf(crawler).partitionsInheritFromTable
  for (const partition of read.table.partitions) {
    const current = catalog.getPartition(read.database, table.Name, partition.values)
    const wanted = inherit ? (table.StorageDescriptor?.Columns ?? []) : ownSchema(partition, read).columns
    if (current === undefined || sameColumns(current.StorageDescriptor?.Columns ?? [], wanted)) continue
    catalog.updatePartition(read.database, table.Name, partition.values, {
      ...partitionDefinitionOf(current),
      StorageDescriptor: { ...current.StorageDescriptor, Columns: wanted },
    })
  }
}

function partitionOf(
  context: ChangeContext,
  table: GlueTable,
  partition: CrawledPartition,
  read: ReadTable,
): PartitionDefinition {
  const inherit = crawlerOutputOf(context.crawler).partitionsInheritFromTable
  const { location } = partition.folder
  return {
    Values: partition.values,
    StorageDescriptor: inherit
      ? { ...table.StorageDescriptor, Location: location }
      : crawledDescriptor(ownSchema(partition, read), location),
    Parameters: crawledParameters(partition.schema),
  }
}

/** What a partition's own files declare, without columns its folders carry. */
const ownSchema = ({ schema }: CrawledPartition, { table }: ReadTable): CrawledSchema => ({
  ...schema,
  columns: schema.columns.filter(({ Name }) => !table.partitionKeys.includes(Name)),
})

/** Partitions whose folder is gone, as DeleteBehavior says. */
function retireGonePartitions(context: ChangeContext, existing: GlueTable, read: ReadTable): void {
  const { catalog, crawler } = context
  const { database, table } = read
  const { DeleteBehavior } = crawler.SchemaChangePolicy
  if (DeleteBehavior === 'LOG' || table.partitionKeys.length === 0) return
  const present = new Set(table.partitions.map((partition) => partitionKeyOf(partition.values)))
  // A partition whose data lies elsewhere is not the target's to judge.
  const gone = catalog
    .listPartitions(database, existing.Name, (values) => !present.has(partitionKeyOf(values)))
    .filter((partition) =>
      normalizedLocation(partition.StorageDescriptor?.Location ?? '').startsWith(table.folder.location),
    )
  if (DeleteBehavior === 'DELETE_FROM_DATABASE') {
    catalog.deletePartitions(
      database,
      existing.Name,
      gone.map((partition) => partition.Values),
    )
    return
  }
  for (const partition of gone) {
    if (partition.Parameters?.['DEPRECATED_BY_CRAWLER'] !== undefined) continue
    catalog.updatePartition(database, existing.Name, partition.Values, {
      ...partitionDefinitionOf(partition),
      Parameters: { ...partition.Parameters, DEPRECATED_BY_CRAWLER: String(Date.now()) },
    })
  }
}

/** Tables this crawler made under its targets, of which no data is left. Answers how many it deleted. */
function retireGoneTables(context: ChangeContext, found: ReadonlySet<string>): number {
  const { catalog, crawler } = context
  const { DeleteBehavior } = crawler.SchemaChangePolicy
  const { DatabaseName } = crawler
  if (DeleteBehavior === 'LOG' || DatabaseName === undefined) return 0
  const targets = (crawler.Targets.S3Targets ?? []).map((target) => normalizedLocation(target.Path))
  let deleted = 0
  for (const table of catalog.listTables(DatabaseName)) {
    const location = normalizedLocation(table.StorageDescriptor?.Location ?? '')
    if (table.Parameters?.['UPDATED_BY_CRAWLER'] !== crawler.Name || found.has(location)) continue
    if (!targets.some((target) => location.startsWith(target))) continue
    if (DeleteBehavior === 'DELETE_FROM_DATABASE') {
      catalog.deleteTable(DatabaseName, table.Name)
      deleted += 1
    } else if (table.Parameters['DEPRECATED_BY_CRAWLER'] === undefined) {
      catalog.updateTable(DatabaseName, {
        ...definitionOf(table),
        Parameters: { ...table.Parameters, DEPRECATED_BY_CRAWLER: String(Date.now()) },
      })
    }
  }
  return deleted
}

/** The folder's name; where another location has it already, a hash of this location is added. */
function freeTableName({ catalog, crawler }: ChangeContext, { database, table }: ReadTable): string {
  const own = table.folder.name.replace(/[^\p{L}\p{N}_]/gu, '_')
  const name = `${crawler.TablePrefix ?? ''}${own}`.toLowerCase()
  if (catalog.getTable(database, name) === undefined) return name
  return `${name}_${createHash('md5').update(table.folder.location).digest('hex')}`
}

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

import type { ObjectStorage } from '../object-storage.ts'
import type { Catalog } from './catalog.ts'
import { type CrawlChanges, changeCatalog, type ReadTable, tablesByLocation } from './crawl-catalog.ts'
import { CrawlError, type Folder, listFolders } from './crawl-folders.ts'
import { type CrawledSchema, MergedSchema, schemaOfFile } from './crawl-schema.ts'
import { knownSchema } from './crawl-storage.ts'
import { groupTables, schemaOfTable } from './crawl-tables.ts'
import { type CrawlerDefinition, crawlerOutputOf, type S3Target } from './crawler-definition.ts'
import { normalizedLocation } from './hive-path.ts'

interface CrawlContext {
  readonly catalog: Catalog
  readonly storage: ObjectStorage
  readonly crawler: CrawlerDefinition
  readonly signal: AbortSignal
}

/** A place to crawl and the database its tables are in. */
interface Target extends S3Target {
  readonly database: string
}

/**
 * Crawls a crawler's targets once: lists, reads footers and samples, then changes the catalog.
 * Nothing is changed when a folder or file cannot be understood.
 *
 * @throws CrawlError, or the signal's reason when stopped
 */
export async function crawl(context: CrawlContext): Promise<CrawlChanges> {
  const { catalog, crawler, storage, signal } = context
  // By database and location: targets may overlap.
  const read = new Map<string, ReadTable>()
  for (const target of targetsOf(context)) {
    const folder = await listFolders(storage, { path: target.Path, exclusions: target.Exclusions }, signal)
    const schemas = await readSchemas(context, target, folder)
    const tables = tablesByLocation(catalog, target.database)
    const { combineSchemas, tableLevel } = crawlerOutputOf(crawler)
    const grouped = groupTables(folder, {
      schemaOf: (one) => schemas.get(one) ?? noSchema(one),
      isTable: (one) => tables.has(one.location),
      combine: combineSchemas,
      tableLevel,
    })
    for (const table of grouped) {
      const { database } = target
      read.set(`${database} ${table.folder.location}`, { database, table, schema: schemaOfTable(table) })
    }
  }
  signal.throwIfAborted()
  // Nothing is awaited from here on: the catalog is looked at again, for it may have changed meanwhile.
  return changeCatalog({ catalog, crawler }, [...read.values()])
}

/** The S3 targets, or the locations of the tables a catalog target names. @throws CrawlError */
function targetsOf({ catalog, crawler }: CrawlContext): readonly Target[] {
  const { S3Targets = [], CatalogTargets = [] } = crawler.Targets
  const requireDatabase = (name: string): string => {
    if (catalog.getDatabase(name) === undefined) throw new CrawlError(`Database ${name} not found.`)
    return name
  }
  return [
    ...S3Targets.map((target) => ({ ...target, database: requireDatabase(crawler.DatabaseName ?? '') })),
    ...CatalogTargets.flatMap(({ DatabaseName, Tables }) =>
      Tables.map((name) => {
        const Path = catalog.getTable(requireDatabase(DatabaseName), name)?.StorageDescriptor?.Location
        if (Path !== undefined) return { Path, Exclusions: [], database: DatabaseName }
        throw new CrawlError(`Table ${DatabaseName}.${name} is not there, or has no location.`)
      }),
    ),
  ]
}

/** Reads what the files of each folder declare. Of folders the catalog knows, where only new ones are crawled, it tells. */
async function readSchemas(
  context: CrawlContext,
  target: Target,
  root: Folder,
): Promise<ReadonlyMap<Folder, CrawledSchema>> {
  const { catalog, crawler, signal } = context
  const newOnly = crawler.RecrawlPolicy.RecrawlBehavior === 'CRAWL_NEW_FOLDERS_ONLY'
  const known = newOnly ? knownSchemas(catalog, target.database) : new Map<string, CrawledSchema>()
  const schemas = new Map<Folder, CrawledSchema>()
  for (const folder of foldersWithin(root)) {
    const merged = new MergedSchema()
    const former = known.get(folder.location)
    const files = former === undefined ? folder.files.slice(0, target.SampleSize) : []
    if (former !== undefined) merged.add(former, folder.location)
    for (const file of files) {
      signal.throwIfAborted()
      merged.add(await schemaOfFile(file), `s3://${file.bucket}/${file.key}`)
    }
    const schema = merged.get()
    if (schema !== undefined) schemas.set(folder, schema)
  }
  return schemas
}

function* foldersWithin(folder: Folder): Iterable<Folder> {
  if (folder.files.length > 0) yield folder
  for (const inner of folder.folders) yield* foldersWithin(inner)
}

/** What the catalog has at each location of a table without partitions, or of a partition. */
function knownSchemas(catalog: Catalog, database: string): ReadonlyMap<string, CrawledSchema> {
  const schemas = new Map<string, CrawledSchema>()
  for (const table of catalog.listTables(database)) {
    const columns = table.StorageDescriptor?.Columns ?? []
    const holders =
      (table.PartitionKeys ?? []).length === 0 ? [table] : catalog.listPartitions(database, table.Name)
    for (const { StorageDescriptor: descriptor, Parameters } of holders) {
      const schema = knownSchema(descriptor, descriptor?.Columns ?? columns, {
        ...table.Parameters,
        ...Parameters,
      })
      if (schema !== undefined) schemas.set(normalizedLocation(descriptor?.Location ?? ''), schema)
    }
  }
  return schemas
}

function noSchema(folder: Folder): never {
  throw new CrawlError(`${folder.location} holds no data.`)
}

import { CrawlError, type Folder } from './crawl-folders.ts'
import { type CrawledSchema, formatDifference, MergedSchema, similarity } from './crawl-schema.ts'
import { unescapePathName } from './hive-path.ts'

/** Schemas that share this part of their columns are of one table, unless the crawler combines all that fit. */
const similarFrom = 0.7

/** A folder that directly holds data files, with what these declare. */
export interface DataFolder {
  readonly folder: Folder
  readonly schema: CrawledSchema
}

/** A folder of data files that share their partition values. */
export interface CrawledPartition extends DataFolder {
  readonly values: readonly string[]
}

/** A folder the crawler takes for one table. */
export interface CrawledTable {
  readonly folder: Folder
  readonly partitionKeys: readonly string[]
  readonly partitions: readonly CrawledPartition[]
}

export interface GroupingOptions {
  /** What the files directly in a folder declare. */
  readonly schemaOf: (folder: Folder) => CrawledSchema
  /** True where the catalog has a table at the folder: what lies below belongs to it. */
  readonly isTable: (folder: Folder) => boolean
  /** `TableGroupingPolicy` CombineCompatibleSchemas: schemas need not be alike. */
  readonly combine: boolean
  /** `TableLevelConfiguration`: tables are the folders at this level, 1 being the bucket. */
  readonly tableLevel?: number | undefined
}

/**
 * Finds the tables below a folder. From the innermost folders outwards, folders become partitions of the one around them
 * when most of their schemas are alike and all have the same depth and format; else each stays a table.
 *
 * @throws CrawlError when the folders make no sensible table
 */
export function groupTables(folder: Folder, options: GroupingOptions): readonly CrawledTable[] {
  const { level } = folder
  const { tableLevel } = options
  if (level === tableLevel || options.isTable(folder)) {
    const leaves = dataFoldersOf(folder, options)
    return leaves.length === 0 ? [] : [tableOf(folder, leaves)]
  }
  if (tableLevel !== undefined && level < tableLevel && folder.files.length > 0) {
    throw new CrawlError(
      `${folder.location} holds data above the table level ${tableLevel} of the crawler. Move it, or exclude it.`,
    )
  }
  if (folder.files.length > 0) return [tableOf(folder, dataFoldersOf(folder, options))]
  const inner = folder.folders.map((child) => ({ child, tables: groupTables(child, options) }))
  const tables = inner.flatMap((one) => one.tables)
  if (tableLevel !== undefined && level < tableLevel) return tables
  const isPartition = inner.every(
    (one) => one.tables.length === 1 && one.tables[0]?.folder === one.child && !options.isTable(one.child),
  )
  return isPartition && areAlike(folder, tables, options)
    ? [tableOf(folder, dataFoldersOf(folder, options))]
    : tables
}

/** All folders with data at or below one. @throws CrawlError when one is within another */
function dataFoldersOf(folder: Folder, options: GroupingOptions): readonly DataFolder[] {
  if (folder.files.length > 0) {
    const [inner] = folder.folders
    // Athena reads a location with all its folders: a table within a table would be read twice.
    if (inner !== undefined) {
      throw new CrawlError(
        `${folder.location} holds data itself and so does its folder ${inner.location}: ` +
          'they cannot be told apart as tables or partitions. Give each its own target or exclude one.',
      )
    }
    return [{ folder, schema: options.schemaOf(folder) }]
  }
  return folder.folders.flatMap((inner) => dataFoldersOf(inner, options))
}

/** True when the tables of a folder's folders are its partitions. @throws CrawlError for two sets of keys */
function areAlike(folder: Folder, tables: readonly CrawledTable[], { combine }: GroupingOptions): boolean {
  const names = folder.folders.map((child) => keyOf(child.name))
  const isHive = names.every((name) => name !== undefined)
  const other = names.find((name) => name !== names[0])
  if (isHive && other !== undefined) {
    throw new CrawlError(
      `${folder.location} is partitioned by (${names[0]}) and by (${other}). One table needs one set of partition folders.`,
    )
  }
  // A plain folder alone is no partition of anything.
  if (!isHive && (folder.folders.length < 2 || names.some((name) => name !== undefined))) return false
  const [first] = tables
  if (first === undefined) return false
  const keys = first.partitionKeys.join('/')
  if (tables.some((table) => table.partitionKeys.join('/') !== keys)) return false
  const schemas = tables.map((table) => schemaOfTable(table))
  const [format] = schemas.map((schema) => schema.format)
  if (format === undefined || schemas.some((schema) => formatDifference(schema.format, format))) return false
  return combine || isMostlyAlike(schemas)
}

/** True when more than half of the schemas are like one of them. */
function isMostlyAlike(schemas: readonly CrawledSchema[]): boolean {
  // Equal lists of columns are counted together, so that thousands of folders are compared once.
  const counts = new Map<string, { readonly schema: CrawledSchema; count: number }>()
  for (const schema of schemas) {
    const key = schema.columns.map((column) => column.Name).join('\n')
    const known = counts.get(key)
    if (known === undefined) counts.set(key, { schema, count: 1 })
    else known.count += 1
  }
  const kinds = [...counts.values()]
  return kinds.some(({ schema }) => {
    const like = kinds.filter((kind) => similarity(kind.schema, schema) >= similarFrom)
    return like.reduce((sum, kind) => sum + kind.count, 0) * 2 > schemas.length
  })
}

/** The columns of a table: of all its partitions. @throws CrawlError when they cannot be reconciled */
export function schemaOfTable({ folder, partitionKeys, partitions }: CrawledTable): CrawledSchema {
  const merged = new MergedSchema()
  for (const { folder: from, schema } of partitions) merged.add(schema, from.location)
  const schema = merged.get()
  if (schema === undefined) throw new CrawlError(`${folder.location} holds no data.`)
  return { ...schema, columns: schema.columns.filter(({ Name }) => !partitionKeys.includes(Name)) }
}

/** @throws CrawlError when the data folders have no common partition keys */
function tableOf(folder: Folder, leaves: readonly DataFolder[]): CrawledTable {
  const paths = leaves.map((leaf) =>
    leaf.folder.location.slice(folder.location.length).split('/').slice(0, -1),
  )
  const [first = []] = paths
  const keysOf = (path: readonly string[]): readonly string[] =>
    path.map((name, at) => keyOf(name) ?? `partition_${at}`)
  const partitionKeys = keysOf(first)
  const odd = paths.findIndex((path) => keysOf(path).join('/') !== partitionKeys.join('/'))
  if (odd !== -1) {
    throw new CrawlError(
      `${folder.location} is partitioned by (${partitionKeys.join(', ')}) and by (${keysOf(paths[odd] ?? []).join(', ')}): ` +
        `see ${leaves[odd]?.folder.location}. One table needs one set of partition folders.`,
    )
  }
  const repeated = partitionKeys.find((key, at) => partitionKeys.indexOf(key) !== at)
  if (repeated !== undefined) {
    throw new CrawlError(`${folder.location} has the partition key '${repeated}' twice on its path.`)
  }
  return {
    folder,
    partitionKeys,
    partitions: leaves.map((leaf, at) => ({
      ...leaf,
      values: (paths[at] ?? []).map((name) =>
        keyOf(name) === undefined ? name : unescapePathName(name.slice(name.indexOf('=') + 1)),
      ),
    })),
  }
}

/** The key of a `key=value` folder. */
function keyOf(name: string): string | undefined {
  const equals = name.indexOf('=')
  return equals > 0 ? unescapePathName(name.slice(0, equals)).toLowerCase() : undefined
}

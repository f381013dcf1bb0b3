import type { ObjectStorage, StoredObject } from '../object-storage.ts'
import { exclusionPattern } from './exclusion-pattern.ts'
import { isFolderMarker, isHiddenPath, parseLocation, unescapePathName } from './hive-path.ts'

/** What stops a crawl, in a sentence for `LastCrawl.ErrorMessage`. */
export class CrawlError extends Error {
  override readonly name = 'CrawlError'
}

/** A folder of data files that share their partition values. */
export interface CrawledPartition {
  /** `s3://bucket/.../key=value/`. */
  readonly location: string
  readonly values: readonly string[]
  readonly files: readonly StoredObject[]
}

/** A folder the crawler takes for one table. */
export interface CrawledTable {
  readonly location: string
  /** The folder's own name, before prefix and folding. */
  readonly folderName: string
  readonly partitionKeys: readonly string[]
  readonly partitions: readonly CrawledPartition[]
}

export interface CrawlTarget {
  readonly path: string
  readonly exclusions: readonly string[]
}

/**
 * Lists a target and finds its tables: each folder that directly holds data files or `key=value` folders.
 *
 * @throws CrawlError when the folders make no sensible table
 */
export async function findTables(
  storage: ObjectStorage,
  target: CrawlTarget,
  signal: AbortSignal,
): Promise<readonly CrawledTable[]> {
  const location = parseLocation(target.path)
  if (location === undefined)
    throw new CrawlError(`The target path '${target.path}' is not s3://bucket/prefix.`)
  if (!(await storage.bucketExists(location.bucket))) {
    throw new CrawlError(`The bucket '${location.bucket}' of the target '${target.path}' does not exist.`)
  }
  const exclusions = target.exclusions.map(exclusionPattern)
  const tables = new Map<string, Map<string, PartitionFolder>>()
  for await (const object of storage.listObjects(location.bucket, location.prefix)) {
    signal.throwIfAborted()
    const relative = object.key.slice(location.prefix.length)
    if (isFolderMarker(object.key, object.size) || isHiddenPath(relative)) continue
    if (exclusions.some((exclusion) => exclusion.test(relative))) continue
    const place = placeOf(object.key, relative)
    const partitions = tables.get(place.root) ?? new Map<string, PartitionFolder>()
    tables.set(place.root, partitions)
    const folder = partitions.get(place.folder) ?? { ...place, files: [] }
    partitions.set(place.folder, folder)
    folder.files.push(object)
  }
  refuseNested(location.bucket, [...tables.keys()])
  return [...tables].map(([root, folders]) => tableOf(location.bucket, root, [...folders.values()]))
}

interface Place {
  /** Key prefix of the table's folder. */
  readonly root: string
  /** Key prefix of the folder that holds the file. */
  readonly folder: string
  readonly keys: readonly string[]
  readonly values: readonly string[]
}

interface PartitionFolder extends Place {
  readonly files: StoredObject[]
}

function placeOf(key: string, relative: string): Place {
  const folder = key.slice(0, key.lastIndexOf('/') + 1)
  const folders = relative.split('/').slice(0, -1)
  const first = folders.findIndex(isHiveFolder)
  if (first === -1) return { root: folder, folder, keys: [], values: [] }
  const hiveFolders = folders.slice(first)
  const plain = hiveFolders.find((name) => !isHiveFolder(name))
  if (plain !== undefined) {
    throw new CrawlError(
      `'${key}' has the folder '${plain}' between its key=value folders; all must be key=value.`,
    )
  }
  const root = folder.slice(0, folder.length - hiveFolders.join('/').length - 1)
  return {
    root,
    folder,
    keys: hiveFolders.map((name) => unescapePathName(name.slice(0, name.indexOf('='))).toLowerCase()),
    values: hiveFolders.map((name) => unescapePathName(name.slice(name.indexOf('=') + 1))),
  }
}

const isHiveFolder = (name: string): boolean => name.indexOf('=') > 0

function tableOf(bucket: string, root: string, folders: readonly PartitionFolder[]): CrawledTable {
  const keys = folders[0]?.keys ?? []
  const odd = folders.find((folder) => folder.keys.join('/') !== keys.join('/'))
  if (odd !== undefined) {
    throw new CrawlError(
      `s3://${bucket}/${root} is partitioned by (${keys.join(', ')}) and by (${odd.keys.join(', ')}): ` +
        `see s3://${bucket}/${odd.folder}. One table needs one set of partition folders.`,
    )
  }
  return {
    location: `s3://${bucket}/${root}`,
    folderName: root === '' ? bucket : (root.split('/').at(-2) ?? bucket),
    partitionKeys: keys,
    partitions: folders.map(({ folder, values, files }) => ({
      location: `s3://${bucket}/${folder}`,
      values,
      files,
    })),
  }
}

/** Athena reads a location with all its subfolders, so a table within a table would be read twice. */
function refuseNested(bucket: string, roots: readonly string[]): void {
  for (const root of roots) {
    const inner = roots.find((other) => other !== root && other.startsWith(root))
    if (inner === undefined) continue
    throw new CrawlError(
      `s3://${bucket}/${root} holds data itself and so does its folder s3://${bucket}/${inner}: ` +
        'they cannot be told apart as tables. Give each its own target or exclude one.',
    )
  }
}

import type { ObjectStorage, StoredObject } from '../object-storage.ts'
import { exclusionPattern } from './exclusion-pattern.ts'
import { isFolderMarker, isHiddenPath, parseLocation } from './hive-path.ts'

/** What stops a crawl, in a sentence for `LastCrawl.ErrorMessage`. */
export class CrawlError extends Error {
  override readonly name = 'CrawlError'
}

/** A folder below a target with the data files it directly holds, and the folders within. */
export interface Folder {
  /** `s3://bucket/prefix/`. */
  readonly location: string
  /** As the key spells it; of a whole bucket the bucket's name. */
  readonly name: string
  /** 1 is the bucket. */
  readonly level: number
  readonly files: readonly StoredObject[]
  readonly folders: readonly Folder[]
}

export interface CrawlTarget {
  readonly path: string
  readonly exclusions: readonly string[]
}

interface OpenFolder extends Folder {
  readonly files: StoredObject[]
  readonly folders: OpenFolder[]
}

/**
 * Lists a target's data files by folder; those hidden or excluded are left out.
 *
 * @throws CrawlError when the target does not exist
 */
export async function listFolders(
  storage: ObjectStorage,
  target: CrawlTarget,
  signal: AbortSignal,
): Promise<Folder> {
  const location = parseLocation(target.path)
  if (location === undefined)
    throw new CrawlError(`The target path '${target.path}' is not s3://bucket/prefix.`)
  const { bucket, prefix } = location
  if (!(await storage.bucketExists(bucket))) {
    throw new CrawlError(`The bucket '${bucket}' of the target '${target.path}' does not exist.`)
  }
  const exclusions = target.exclusions.map(exclusionPattern)
  const root = openFolder(bucket, prefix)
  const folders = new Map<string, OpenFolder>([[prefix, root]])
  const folderOf = (folderPrefix: string): OpenFolder => {
    const known = folders.get(folderPrefix)
    if (known !== undefined) return known
    const folder = openFolder(bucket, folderPrefix)
    folders.set(folderPrefix, folder)
    folderOf(folderPrefix.slice(0, folderPrefix.lastIndexOf('/', folderPrefix.length - 2) + 1)).folders.push(
      folder,
    )
    return folder
  }
  for await (const object of storage.listObjects(bucket, prefix)) {
    signal.throwIfAborted()
    const relative = object.key.slice(prefix.length)
    if (isFolderMarker(object.key, object.size) || isHiddenPath(relative)) continue
    if (exclusions.some((exclusion) => exclusion.test(relative))) continue
    if (relative.startsWith('/') || relative.includes('//')) {
      throw new CrawlError(
        `s3://${bucket}/${object.key} lies in a folder without a name, which no location of a table can tell. Exclude it, or remove it.`,
      )
    }
    folderOf(object.key.slice(0, object.key.lastIndexOf('/') + 1)).files.push(object)
  }
  return root
}

function openFolder(bucket: string, prefix: string): OpenFolder {
  const names = prefix.split('/').slice(0, -1)
  return {
    location: `s3://${bucket}/${prefix}`,
    name: names.at(-1) ?? bucket,
    level: names.length + 1,
    files: [],
    folders: [],
  }
}

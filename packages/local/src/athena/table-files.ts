import { isFolderMarker, isHiddenPath, parseLocation } from '../glue/hive-path.ts'
import type { ObjectStorage, StoredObject } from '../object-storage.ts'
import { QueryError, type TableFile } from '../sql/query-engine.ts'

/** A partition (or a whole unpartitioned table) and the folder its files are under. */
export interface LocatedPartition {
  readonly location: string
  readonly values: readonly (string | null)[]
  /** As `TableFile` has it. */
  readonly textColumns?: ReadonlySet<string>
}

/** Up to this many folders are listed one by one; more are found by one listing of what they share. */
const separateListings = 32

/** Lists the data files beneath each location, subfolders included, hidden files left out. Rejects when stopped. */
export async function listTableFiles(
  storage: ObjectStorage,
  partitions: readonly LocatedPartition[],
  signal?: AbortSignal,
): Promise<readonly TableFile[]> {
  const byBucket = new Map<string, Map<string, LocatedPartition[]>>()
  for (const partition of partitions) {
    const location = parseLocation(partition.location)
    if (location === undefined) {
      throw new QueryError(
        'HIVE_METASTORE_ERROR',
        `HIVE_METASTORE_ERROR: the location '${partition.location}' is not s3://bucket/prefix.`,
      )
    }
    const byPrefix = byBucket.get(location.bucket) ?? new Map<string, LocatedPartition[]>()
    byBucket.set(location.bucket, byPrefix)
    byPrefix.set(location.prefix, [...(byPrefix.get(location.prefix) ?? []), partition])
  }
  const files: TableFile[] = []
  for (const [bucket, byPrefix] of byBucket) {
    const prefixes = [...byPrefix.keys()]
    const listed = prefixes.length <= separateListings ? prefixes : [commonFolder(prefixes)]
    for (const prefix of listed) {
      const wanted =
        prefixes.length <= separateListings ? new Map([[prefix, byPrefix.get(prefix) ?? []]]) : byPrefix
      for await (const object of storage.listObjects(bucket, prefix)) {
        signal?.throwIfAborted()
        files.push(...filesOf(object, wanted))
      }
    }
  }
  return files
}

/** The object as a file of each partition whose folder is above it. */
function filesOf(
  object: StoredObject,
  wanted: ReadonlyMap<string, readonly LocatedPartition[]>,
): TableFile[] {
  if (isFolderMarker(object.key, object.size)) return []
  const files: TableFile[] = []
  for (
    let end = object.key.lastIndexOf('/') + 1;
    ;
    end = end < 2 ? 0 : object.key.lastIndexOf('/', end - 2) + 1
  ) {
    const partitions = wanted.get(object.key.slice(0, end))
    if (partitions !== undefined && !isHiddenPath(object.key.slice(end))) {
      for (const partition of partitions) {
        files.push({
          filePath: object.filePath,
          uri: `s3://${object.bucket}/${object.key}`,
          size: object.size,
          partitionValues: partition.values,
          ...(partition.textColumns && { textColumns: partition.textColumns }),
        })
      }
    }
    if (end === 0) return files
  }
}

/** The longest folder that all prefixes lie in. */
function commonFolder(prefixes: readonly string[]): string {
  let common = prefixes[0] ?? ''
  for (const prefix of prefixes) {
    while (!prefix.startsWith(common)) {
      const folder = common.slice(0, -1)
      common = folder.slice(0, folder.lastIndexOf('/') + 1)
    }
  }
  return common
}

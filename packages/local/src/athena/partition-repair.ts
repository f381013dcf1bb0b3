import type { Catalog } from '../glue/catalog.ts'
import type { GlueTable } from '../glue/catalog-model.ts'
import { isFolderMarker, isHiddenPath, parseLocation, unescapePathName } from '../glue/hive-path.ts'
import { partitionKeyOf } from '../glue/table-partitions.ts'
import type { ObjectStorage } from '../object-storage.ts'

interface FoundPartition {
  readonly values: readonly string[]
  readonly location: string
}

/** The `key=value` folders beneath a table, in the order of its keys, that are no partition of it yet. */
export async function findUnregisteredPartitions(
  table: GlueTable,
  context: { readonly catalog: Catalog; readonly storage: ObjectStorage; readonly signal: AbortSignal },
): Promise<readonly FoundPartition[]> {
  const location = parseLocation(table.StorageDescriptor?.Location ?? '')
  if (location === undefined) return []
  const keys = (table.PartitionKeys ?? []).map((key) => key.Name.toLowerCase())
  const found = new Map<string, FoundPartition>()
  for await (const object of context.storage.listObjects(location.bucket, location.prefix)) {
    context.signal.throwIfAborted()
    const relative = object.key.slice(location.prefix.length)
    if (isFolderMarker(object.key, object.size) || isHiddenPath(relative)) continue
    const folders = relative.split('/').slice(0, -1).slice(0, keys.length)
    const values = folders.map((folder, at) => partitionValueIn(folder, keys[at] ?? ''))
    if (values.length < keys.length || values.includes(undefined)) continue
    const known = values as readonly string[]
    if (context.catalog.getPartition(table.DatabaseName, table.Name, known) !== undefined) continue
    const folder = `s3://${location.bucket}/${location.prefix}${folders.join('/')}/`
    found.set(partitionKeyOf(known), { values: known, location: folder })
  }
  return [...found.values()]
}

function partitionValueIn(folder: string, key: string): string | undefined {
  const at = folder.indexOf('=')
  // Athena finds no folder of `Symbol=`: the names of keys are in lower case, and so must the path be.
  const isKey = at > 0 && unescapePathName(folder.slice(0, at)) === key
  return isKey ? unescapePathName(folder.slice(at + 1)) : undefined
}

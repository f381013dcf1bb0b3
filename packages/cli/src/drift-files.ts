import path from 'node:path'
import type { CallOptions, ObjectSummary } from '@stockpipe/core'
import type { FileColumns, PartitionValues } from '@stockpipe/glue'
import type { SinkObjectStore } from '@stockpipe/s3-sink'

/** How many partitions are listed, or footers read, at once. */
const concurrency = 16
/** A footer of some hundred columns and row groups; longer ones take a second read. */
const tailBytes = 65_536

/** A folder that queries read, and whose it is. */
export interface DataFolder {
  /** `s3://bucket/prefix/` */
  readonly location: string
  readonly values?: PartitionValues
}

export interface DriftFilesOptions {
  /** The folders of registered partitions; or the one below which all files are. */
  readonly folders: AsyncIterable<DataFolder> | DataFolder
  /** How many files of each folder, the last ones by their keys. */
  readonly filesPerFolder: number
  readonly storeOf: (bucket: string) => Pick<SinkObjectStore, 'get' | 'list'>
  readonly signal: AbortSignal
}

/** The columns of files in folders, from their footers: a few range reads at once, in the order of the folders. */
export async function* driftFiles(options: DriftFilesOptions): AsyncGenerator<FileColumns, void> {
  const { folders, signal } = options
  const { parquetColumns } = await import('@stockpipe/local')
  async function* files(): AsyncGenerator<FoundFile, void> {
    if ('location' in folders) yield* filesBelow(options, folders)
    else for await (const list of concurrently(folders, (one) => listed(options, one))) yield* list
  }
  const read = concurrently(files(), async ({ store, object, uri, values }) => {
    const columns = await columnsOf(store, object, { signal }, parquetColumns)
    return columns && { file: uri, ...(values ? { values } : {}), ...columns }
  })
  // One that has gone meanwhile was replaced by a compaction, or its partition was retired.
  for await (const file of read) if (file !== undefined) yield file
}

interface FoundFile {
  readonly store: Pick<SinkObjectStore, 'get'>
  readonly object: ObjectSummary
  readonly uri: string
  readonly values: PartitionValues | undefined
}

/** The last files of each folder below the location; what queries do not read is left out. Keys come in order. */
async function* filesBelow(
  { storeOf, filesPerFolder, signal }: DriftFilesOptions,
  { location, values }: DataFolder,
): AsyncGenerator<FoundFile, void> {
  const { bucket, prefix } = /^s3:\/\/(?<bucket>[^/]+)\/(?<prefix>.*)$/s.exec(location)?.groups ?? {}
  if (bucket === undefined || prefix === undefined) return
  const store = storeOf(bucket)
  const found = (object: ObjectSummary): FoundFile => ({
    store,
    object,
    uri: `s3://${bucket}/${object.key}`,
    values,
  })
  let folder: string | undefined
  let kept: ObjectSummary[] = []
  for await (const object of store.list(prefix, { signal })) {
    const { key, size } = object
    const hidden = key
      .slice(prefix.length)
      .split('/')
      .some((name) => /^[._]/.test(name))
    if (hidden || size === 0 || key.endsWith('/')) continue
    if (path.posix.dirname(key) !== folder) {
      yield* kept.map(found)
      kept = []
      folder = path.posix.dirname(key)
    }
    kept.push(object)
    // All of a folder are taken as they come.
    if (filesPerFolder === Number.POSITIVE_INFINITY) yield found(kept.pop()!)
    else if (kept.length > filesPerFolder) kept.shift()
  }
  yield* kept.map(found)
}

const listed = async (options: DriftFilesOptions, folder: DataFolder): Promise<readonly FoundFile[]> => {
  const files: FoundFile[] = []
  for await (const file of filesBelow(options, folder)) files.push(file)
  return files
}

type ParquetColumns = typeof import('@stockpipe/local').parquetColumns

/** The columns of one file; why it cannot be read; undefined when it has gone. */
const columnsOf = async (
  store: Pick<SinkObjectStore, 'get'>,
  { key, size }: ObjectSummary,
  call: CallOptions,
  parquetColumns: ParquetColumns,
): Promise<Pick<FileColumns, 'columns' | 'unreadable'> | undefined> => {
  const tailOf = (lastBytes: number) => store.get(key, { ...call, lastBytes: Math.min(lastBytes, size) })
  const first = await tailOf(tailBytes)
  if (first === undefined) return undefined
  try {
    const columns = parquetColumns(first)
    if (typeof columns !== 'number') return { columns }
    if (columns > size) return { columns: [], unreadable: 'it is shorter than its footer' }
    const whole = await tailOf(columns)
    const read = whole && parquetColumns(whole)
    if (read === undefined) return undefined
    return typeof read === 'number'
      ? { columns: [], unreadable: 'it is shorter than its footer' }
      : { columns: read }
  } catch (error) {
    const { name, message } = error as Error
    if (name !== 'NotParquetError' && name !== 'UnreadableFieldError') throw error
    return { columns: [], unreadable: message }
  }
}

/** Applies `work` to items, some at once; answers in their order. */
async function* concurrently<Item, Result>(
  items: Iterable<Item> | AsyncIterable<Item>,
  work: (item: Item) => Promise<Result>,
): AsyncGenerator<Result, void> {
  const underWay: Promise<Result>[] = []
  try {
    for await (const item of items) {
      const result = work(item)
      // Whoever waits for it hears of it; until then it is not unhandled.
      result.catch(() => {})
      underWay.push(result)
      if (underWay.length >= concurrency) yield await underWay.shift()!
    }
    while (underWay.length > 0) yield await underWay.shift()!
  } finally {
    await Promise.allSettled(underWay)
  }
}

import {
  type BoundTable,
  type ColumnDefinition,
  type ObjectSummary,
  partitionPath,
  unescapePartitionValue,
} from '@stockpipe/core'
import { type PartitionFiles, type PartitionGenerations, partitionFiles } from './compaction-log.ts'
import { readFileKey, visibleTopic } from './data-file-key.ts'
import type { EntryFile, JournalEntry } from './journal-entry.ts'
import type { ReadChain } from './verify-chain.ts'

/** A file as a compaction finds it. */
export interface PlannedSource {
  readonly origin: 'group' | 'pruned-group' | 'compaction'
  readonly key: string
  readonly bytes: number
  readonly etag: string
  /** Undefined where only the file itself tells. */
  readonly rows: number | undefined
  /** The columns it was written with; undefined where only its fingerprint tells. */
  readonly columns: readonly ColumnDefinition[] | undefined
  readonly minEventTime: number | null
  /** The group's claim, for a file that may have been encoded anew. */
  readonly entry: JournalEntry | undefined
}

/** A partition of the table with everything that is known of its files. */
export interface PartitionPlan {
  /** `k1=v1/k2=v2/`. */
  readonly path: string
  readonly values: readonly (string | null)[]
  /** Where the sink writes: `s3://bucket/prefix/k1=v1/`. */
  readonly folder: string
  readonly files: PartitionFiles
  /** What queries should read: files of groups that no generation took over, and those of the newest generation. */
  readonly sources: readonly PlannedSource[]
  /** Of them, those that queries do not read until the next compaction. */
  readonly unread: readonly PlannedSource[]
  /** When the newest group that wrote to it was claimed, milliseconds since the epoch; undefined: pruned long ago. */
  readonly writtenAt: number | undefined
  /** Why nothing can be done now: `open` passes by itself, `refused` has to be looked into. */
  readonly obstacle: { readonly kind: 'open' | 'refused'; readonly reason: string } | undefined
}

interface NamedFile {
  readonly entry: JournalEntry
  readonly file: EntryFile
  readonly settled: boolean
}

interface Folder {
  values: readonly (string | null)[]
  readonly objects: Map<string, ObjectSummary>
  readonly named: NamedFile[]
}

/**
 * The partitions of a table by what chains, compactions and listings tell.
 *
 * @param options `listed`: what lies under the table's location, read after the chains; `compacted`: the same of the
 *   folders of compactions
 */
export const planPartitions = (options: {
  readonly table: BoundTable
  readonly chains: readonly ReadChain[]
  readonly generations: ReadonlyMap<string, PartitionGenerations>
  readonly listed: readonly ObjectSummary[]
  readonly compacted: ReadonlyMap<string, ObjectSummary>
  readonly sinkHash: string
}): readonly PartitionPlan[] => {
  const { table, chains, generations, listed } = options
  const folders = new Map<string, Folder>()
  const folderOf = (path: string, values: readonly (string | null)[]): Folder => {
    const folder = folders.get(path) ?? { values, objects: new Map(), named: [] }
    folders.set(path, folder)
    return folder
  }
  for (const chain of chains) {
    for (const [index, entry] of chain.entries.entries()) {
      if (entry.table.location !== table.location) continue
      const settled = index < chain.entries.length - 1 || chain.settled
      for (const file of entry.files) {
        if (file.kind !== 'data') continue
        const path = file.key.slice(table.prefix.length, file.key.lastIndexOf('/') + 1)
        const folder = folderOf(path, file.partitionValues)
        folder.values = file.partitionValues
        folder.named.push({ entry, file, settled })
      }
    }
  }
  for (const [path, { generations: known }] of generations)
    folderOf(path, known.at(-1)?.record.partitionValues ?? [])
  for (const object of listed) {
    const path = object.key.slice(table.prefix.length, object.key.lastIndexOf('/') + 1)
    const values = valuesOf(table, path)
    if (values) folderOf(path, values).objects.set(object.key, object)
  }
  return [...folders]
    .sort(([left], [right]) => (left < right ? -1 : 1))
    .map(([path, folder]) => planPartition(path, folder, options))
}

const valuesOf = (table: BoundTable, path: string): (string | null)[] | undefined => {
  const { partitions } = table.table
  const parts = path.split('/').slice(0, -1)
  if (parts.length !== partitions.length) return undefined
  const values: (string | null)[] = []
  for (const [index, part] of parts.entries()) {
    const name = `${partitions[index]!.name}=`
    if (!part.startsWith(name)) return undefined
    values.push(unescapePartitionValue(part.slice(name.length)))
  }
  return partitionPath(partitions, values) === path ? values : undefined
}

const planPartition = (
  path: string,
  folder: Folder,
  options: Parameters<typeof planPartitions>[0],
): PartitionPlan => {
  const { table, chains, compacted, sinkHash } = options
  const files = partitionFiles(options.generations.get(path))
  const sources: PlannedSource[] = []
  const missing: string[] = []
  let obstacle: PartitionPlan['obstacle']
  const hinder = (kind: 'open' | 'refused', reason: string) => {
    if (obstacle === undefined || obstacle.kind === 'open') obstacle = { kind, reason }
  }
  const named = new Set<string>()
  for (const { entry, file, settled } of folder.named) {
    named.add(file.key)
    if (files.consumed.has(file.key)) continue
    const object = folder.objects.get(file.key)
    if (!settled) hinder('open', `the group of ${file.key} is not settled yet`)
    else if (object === undefined) missing.push(file.key)
    else {
      sources.push({
        origin: 'group',
        key: file.key,
        bytes: object.size,
        etag: object.etag,
        rows: file.rows,
        columns: entry.table.definition.columns,
        minEventTime: file.minEventTime,
        entry,
      })
    }
  }
  for (const { key, size, etag } of folder.objects.values()) {
    const name = key.slice(key.lastIndexOf('/') + 1)
    // Readers skip what is hidden, and the empty objects that stand for folders.
    if (named.has(key) || files.consumed.has(key) || name === '' || /^[_.]/.test(name)) continue
    const ours = readFileKey(key)
    const chain =
      ours?.sinkHash === sinkHash
        ? chains.find(({ log }) => log.partition === ours.partition && visibleTopic(log.topic) === ours.topic)
        : undefined
    const next = chain?.entries.at(-1)?.next ?? chain?.checkpoint?.next
    if (chain?.checkpoint && ours!.start < chain.checkpoint.next) {
      sources.push({
        origin: 'pruned-group',
        key,
        bytes: size,
        etag,
        rows: undefined,
        columns: undefined,
        minEventTime: null,
        entry: undefined,
      })
    } else if (next !== undefined && ours!.start >= next) hinder('open', `${key} is being published`)
    else hinder('refused', `${key} is named by no group of this sink, and queries would not read it any more`)
  }
  if (missing.length > 0)
    hinder('refused', `${missing[0]} is named by a group and is not there; run stockpipe verify`)
  const { newest } = files
  const unread = newest?.switched && newest.record.to !== null ? [...sources] : []
  for (const file of files.current.values()) {
    const object = compacted.get(file.key)
    if (object?.size !== file.bytes || object.etag !== file.etag)
      hinder('refused', `${file.key} is not there as the compaction left it; run stockpipe verify`)
    sources.push({
      origin: 'compaction',
      key: file.key,
      bytes: file.bytes,
      etag: file.etag,
      rows: file.rows,
      columns: newest!.record.table.definition.columns,
      minEventTime: file.minEventTime,
      entry: undefined,
    })
  }
  const claimed = folder.named.map(({ entry }) => Date.parse(entry.createdAt))
  return {
    path,
    values: folder.values,
    folder: `${table.location}${path}`,
    files,
    sources: sources.sort(bySource),
    unread,
    writtenAt: claimed.length === 0 ? undefined : claimed.reduce((newest, one) => Math.max(newest, one)),
    obstacle,
  }
}

/** By event time, so that rows sorted a bounded number at a time are nearly sorted over all files. */
const bySource = (left: PlannedSource, right: PlannedSource): number =>
  (left.minEventTime ?? Number.NEGATIVE_INFINITY) === (right.minEventTime ?? Number.NEGATIVE_INFINITY)
    ? left.key < right.key
      ? -1
      : 1
    : (left.minEventTime ?? Number.NEGATIVE_INFINITY) - (right.minEventTime ?? Number.NEGATIVE_INFINITY)

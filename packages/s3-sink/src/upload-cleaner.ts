import type { TopicPartition, UploadSummary } from '@stockpipe/core'
import { Chain } from './chain.ts'
import { readFileKey, visibleTopic } from './data-file-key.ts'
import { type JournalKeys, sinkHash } from './journal-keys.ts'
import { type RetryContext, retry } from './retry.ts'
import type { SinkObjectStore } from './sink-object-store.ts'

const attempts = 6

export interface UploadCleanerOptions extends RetryContext {
  readonly keys: JournalKeys
  readonly journalStore: SinkObjectStore
  readonly tableStore: SinkObjectStore
  /** Where the sink's files go, in the table store's bucket: table, dead letters. */
  readonly prefixes: readonly string[]
}

/** An upload that nobody will ever complete. */
export interface AbortedUpload extends TopicPartition {
  readonly key: string
  readonly uploadId: string
  /** Start of the flush group it was staged for. */
  readonly start: bigint
}

/** What a cleaning did. */
export interface CleanedUploads {
  readonly aborted: readonly AbortedUpload[]
  /** Uploads of the sink that may still be claimed, or are. */
  readonly left: number
}

/**
 * Aborts the uploads that lost: the chain, read after the upload was listed, has an entry at its start that does not
 * name it, or a later one and none at its start. Never by age, and never at the chain's end, where a claim may be under
 * way. Only uploads of this sink, by its hash in their keys.
 *
 * @param options `logs`: only their uploads are looked at; `dryRun`: nothing is aborted
 */
export const abortLostUploads = async (
  { keys, journalStore, tableStore, prefixes, ...context }: UploadCleanerOptions,
  options: {
    readonly logs: readonly TopicPartition[]
    readonly dryRun?: boolean
    readonly signal?: AbortSignal | undefined
  },
): Promise<CleanedUploads> => {
  const { signal } = options
  const call = signal ? { signal } : {}
  const hash = sinkHash(keys.sink)
  const groups = new Map<string, { log: TopicPartition; start: bigint; uploads: UploadSummary[] }>()
  for (const prefix of new Set(prefixes)) {
    const uploads = await retry(context, { signal, attempts, what: `listing uploads of ${prefix}` }, () =>
      collect(tableStore.listUploads(prefix, call)),
    )
    for (const upload of uploads) {
      const read = readFileKey(upload.key)
      if (read?.sinkHash !== hash) continue
      for (const log of options.logs) {
        if (visibleTopic(log.topic) !== read.topic || log.partition !== read.partition) continue
        const name = `${log.topic} ${log.partition} ${read.start}`
        const group = groups.get(name) ?? { log, start: read.start, uploads: [] }
        groups.set(name, group)
        group.uploads.push(upload)
      }
    }
  }
  const aborted: AbortedUpload[] = []
  let left = 0
  for (const { log, start, uploads } of groups.values()) {
    const chain = new Chain(journalStore, keys, log, context)
    const lost = await lostUploads(chain, start, uploads, signal)
    left += uploads.length - lost.length
    for (const { key, uploadId } of lost) {
      if (!options.dryRun) {
        await retry(context, { signal, attempts, what: `aborting ${key}` }, () =>
          tableStore.abortUpload(key, uploadId, call),
        )
      }
      aborted.push({ ...log, key, uploadId, start })
    }
  }
  return { aborted, left }
}

const lostUploads = async (
  chain: Chain,
  start: bigint,
  uploads: readonly UploadSummary[],
  signal: AbortSignal | undefined,
): Promise<readonly UploadSummary[]> => {
  const newest = await chain.newestStart(signal)
  if (newest === undefined || newest.start < start) return []
  const entry = await chain.entryAt(start, signal)
  if (!entry) return newest.start > start ? uploads : []
  const named = new Set(entry.files.map((file) => file.uploadId))
  return uploads.filter(({ uploadId }) => !named.has(uploadId))
}

const collect = async <T>(items: AsyncIterable<T>): Promise<T[]> => {
  const all: T[] = []
  for await (const item of items) all.push(item)
  return all
}

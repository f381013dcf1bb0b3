import type { TopicPartition } from '@stockpipe/core'
import { Chain } from './chain.ts'
import { type JournalAccessOptions, journalAccess } from './journal-access.ts'
import { listLogs } from './journal-logs.ts'
import { type AbortedUpload, abortLostUploads, type CleanedUploads } from './upload-cleaner.ts'

export interface CleanUploadsOptions extends JournalAccessOptions {
  /** True: says what would be aborted and aborts nothing. Default false. */
  readonly dryRun?: boolean
}

/**
 * Aborts the uploads of a sink that no journal entry names and none ever will, as the sink's own cleaner does; safe
 * while sinks run. Looks where the newest entries put their files.
 *
 * Rejects with an `ObjectStoreError` when the store cannot be read.
 */
export const cleanUploads = async (options: CleanUploadsOptions): Promise<CleanedUploads> => {
  const { keys, store, files, context, signal } = journalAccess(options)
  const places = new Map<string, { prefixes: Set<string>; logs: TopicPartition[] }>()
  for (const log of await listLogs(store, keys, context, signal)) {
    const newest = await new Chain(store, keys, log, context).newest(signal)
    if (!newest) continue
    const { table, files } = newest.entry
    const place = places.get(table.bucket) ?? { prefixes: new Set(), logs: [] }
    places.set(table.bucket, place)
    place.logs.push(log)
    place.prefixes.add(table.location.slice(`s3://${table.bucket}/`.length))
    for (const { kind, key } of files) {
      const folder = key.slice(0, key.lastIndexOf('/') + 1)
      // Late rows lie in partitions of their own place.
      if (kind !== 'data') place.prefixes.add(folder.replace(/(?:[^/]+=[^/]*\/)+$/, ''))
    }
  }
  const aborted: AbortedUpload[] = []
  let left = 0
  for (const [bucket, { prefixes, logs }] of places) {
    const cleaned = await abortLostUploads(
      { ...context, keys, journalStore: store, tableStore: files(bucket), prefixes: [...prefixes] },
      { logs, signal, ...(options.dryRun === undefined ? {} : { dryRun: options.dryRun }) },
    )
    aborted.push(...cleaned.aborted)
    left += cleaned.left
  }
  return { aborted, left }
}

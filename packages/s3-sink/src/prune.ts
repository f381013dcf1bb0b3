import { ConfigurationError, type TopicPartition } from '@stockpipe/core'
import { Chain } from './chain.ts'
import { type Checkpoint, claimedAfterPruning, withPruned, writeCheckpoint } from './checkpoint.ts'
import { JournalFormatError } from './errors.ts'
import { type JournalAccessOptions, journalAccess } from './journal-access.ts'
import type { JournalEntry } from './journal-entry.ts'
import type { JournalKeys } from './journal-keys.ts'
import { listLogs } from './journal-logs.ts'
import { type RetryContext, retry } from './retry.ts'
import type { SinkObjectStore } from './sink-object-store.ts'

const dayMillis = 24 * 60 * 60_000
export const defaultRetainEntriesMillis = 30 * dayMillis
/** Until a day after a start was claimed somebody may claim it on a read from before: it must still be taken then. */
const shortestRetentionMillis = 2 * dayMillis
/** The newest entry may have to be settled; the one before tells where it came from. */
const neverPruned = 2
const checkpointsKept = 2
const attempts = 6

export interface PruneContext extends RetryContext {
  readonly store: SinkObjectStore
  readonly keys: JournalKeys
  readonly writer: string
}

/** What became of the entries of a partition log. */
export interface PrunedLog extends TopicPartition {
  /** Entries deleted, those included that an earlier pruning left behind. */
  readonly entries: number
  /** Where the entries that are left begin; null when nothing was ever pruned. */
  readonly next: bigint | null
}

/** Throws a `ConfigurationError` for a retention under which an old claim could be made again. */
export const checkedRetention = (retainEntriesMillis: number = defaultRetainEntriesMillis): number => {
  if (retainEntriesMillis >= shortestRetentionMillis) return retainEntriesMillis
  throw new ConfigurationError({
    code: 'RETENTION_TOO_SHORT',
    message: `Entries are kept for 2 days at least (172,800,000 ms), not for ${retainEntriesMillis} ms: a claim may rely on what was read a day ago.`,
  })
}

/**
 * When an entry's claim was known at the latest: its own bytes may have waited long before it, those of the next one
 * name it, so they were made after it.
 */
const claimedBy = (entry: JournalEntry, next: JournalEntry): number =>
  Math.max(Date.parse(entry.createdAt), Date.parse(next.createdAt))

/**
 * Deletes the entries of one partition log that were claimed longer ago than the retention, never one of the newest
 * two and never genesis. A checkpoint says beforehand what they held; whoever dies between the two leaves entries that the next
 * pruning deletes and `verify` passes over. Others may prune the same log at the same time.
 */
export const pruneLog = async (
  context: PruneContext,
  log: TopicPartition,
  retainEntriesMillis: number,
  signal?: AbortSignal,
): Promise<PrunedLog> => {
  const { store, keys, runtime, writer } = context
  const chain = new Chain(store, keys, log, context)
  for (;;) {
    const now = runtime.now()
    const before = await chain.newestCheckpoint(signal)
    const starts = await chain.starts(signal)
    let checkpoint: Checkpoint | undefined = before
    let whole = true
    let following: JournalEntry | undefined
    for (const [index, start] of starts.slice(0, -neverPruned).entries()) {
      const entry = following ?? (await chain.entryAt(start, signal))
      following = undefined
      if (before && start < before.next) {
        if (entry && claimedAfterPruning(entry, before)) throw doubled(keys, log, start)
        continue
      }
      following = await chain.entryAt(starts[index + 1]!, signal)
      // Somebody else has pruned it meanwhile: begin again at their checkpoint.
      if (!entry || !following) whole = false
      if (!entry || !following || claimedBy(entry, following) > now - retainEntriesMillis) break
      if (start !== (checkpoint?.next ?? entry.genesisStart)) {
        if ((await chain.newestCheckpoint(signal))?.next === before?.next) throw gap(keys, log, start)
        whole = false
        break
      }
      checkpoint = {
        sink: keys.sink,
        writer,
        createdAt: new Date(now).toISOString(),
        ...log,
        genesisStart: entry.genesisStart,
        lastStart: start,
        next: entry.next,
        pruned: withPruned(checkpoint?.pruned, entry),
      }
    }
    if (!whole) continue
    if (!checkpoint) return { ...log, entries: 0, next: null }
    if (checkpoint !== before) {
      const key = keys.checkpoint(log, checkpoint.next)
      const bytes = writeCheckpoint(checkpoint)
      // The clock was set back: what it said before does not count.
      if (runtime.now() < now) continue
      await retry(context, { signal, attempts, what: `writing ${key}` }, () =>
        store.putIfAbsent(key, bytes, {
          ...(signal ? { signal } : {}),
          contentType: 'application/json',
          // However late, but not by a clock that S3 does not share: entries would be deleted too early.
          signedBefore: Number.POSITIVE_INFINITY,
        }),
      )
    }
    const { next } = checkpoint
    const gone = starts.filter((start) => start < next)
    await deleteAll(
      context,
      gone.flatMap((start) => [keys.settled(log, start), keys.entry(log, start)]),
      signal,
    )
    const checkpoints = await chain.checkpoints(signal)
    await deleteAll(
      context,
      checkpoints.slice(checkpointsKept).map((former) => keys.checkpoint(log, former)),
      signal,
    )
    return { ...log, entries: gone.length, next }
  }
}

/** Pruning would hide what verify has to show. */
const gap = (keys: JournalKeys, log: TopicPartition, start: bigint): JournalFormatError =>
  new JournalFormatError({
    code: 'CHAIN_GAP',
    message: `${log.topic}-${log.partition}: the entry at ${start} follows none; nothing is pruned. Run stockpipe verify on s3://${keys.bucket}/${keys.root.slice(0, -1)}.`,
    facts: { ...log, start },
  })

const doubled = (keys: JournalKeys, log: TopicPartition, start: bigint): JournalFormatError =>
  new JournalFormatError({
    code: 'CLAIMED_AFTER_PRUNING',
    message: `${log.topic}-${log.partition}: the group at ${start} was claimed once more after its entry was pruned, so its rows may be published twice; nothing is pruned. Run stockpipe verify on s3://${keys.bucket}/${keys.root.slice(0, -1)}.`,
    facts: { ...log, start },
  })

const deleteAll = async (
  { store, ...context }: PruneContext,
  keys: readonly string[],
  signal: AbortSignal | undefined,
): Promise<void> => {
  for (const key of keys) {
    await retry(context, { signal, attempts, what: `deleting ${key}` }, () =>
      store.delete(key, signal ? { signal } : {}),
    )
  }
}

export interface PruneJournalOptions extends JournalAccessOptions {
  /** How long an entry is kept at least after it was claimed, in milliseconds. Default 30 days; 2 days at least. */
  readonly retainEntriesMillis?: number
  /** Names this program in the checkpoint. Default `prune`. */
  readonly writer?: string
}

/**
 * Prunes every partition log of a sink, as the sink does by itself; safe while sinks run.
 *
 * Throws a `ConfigurationError` for a retention under 2 days; rejects with an `ObjectStoreError` or a
 * `JournalFormatError` when the journal cannot be read.
 */
export const pruneJournal = async (options: PruneJournalOptions): Promise<readonly PrunedLog[]> => {
  const retention = checkedRetention(options.retainEntriesMillis)
  const { keys, store, context, signal } = journalAccess(options)
  const pruned: PrunedLog[] = []
  for (const log of await listLogs(store, keys, context, signal)) {
    pruned.push(
      await pruneLog({ ...context, store, keys, writer: options.writer ?? 'prune' }, log, retention, signal),
    )
  }
  return pruned
}

import { StockpipeError, type TopicPartition } from '@stockpipe/core'
import { type Checkpoint, claimedAfterPruning, readCheckpoint } from './checkpoint.ts'
import { readGenesis } from './genesis.ts'
import { type JournalEntry, readEntry } from './journal-entry.ts'
import type { JournalKeys } from './journal-keys.ts'
import type { ReadableStore } from './retrying-reads.ts'

/** Names a problem with the object at fault. */
export type ReportProblem = (code: string, message: string, bucket: string, key: string) => void

/** The keys of one partition log's journal. */
export interface JournalListing {
  readonly log: TopicPartition
  readonly starts: bigint[]
  readonly markers: bigint[]
}

/** A chain as it was read: what could not be read is a problem and left out. */
export interface ReadChain {
  readonly log: TopicPartition
  readonly genesisStart: bigint | undefined
  /** Stands for the entries before it, which were pruned. */
  readonly checkpoint: Checkpoint | undefined
  /** Oldest first. */
  readonly entries: readonly JournalEntry[]
  /** True when the newest entry has its marker. */
  readonly settled: boolean
}

/** Lists what a sink's journal holds, by partition log. */
export const listJournal = async (
  store: ReadableStore,
  keys: JournalKeys,
  problem: ReportProblem,
  signal: AbortSignal | undefined,
): Promise<readonly JournalListing[]> => {
  const listings = new Map<string, JournalListing>()
  const of = (log: TopicPartition): JournalListing => {
    const name = `${log.topic}/${log.partition}`
    const listing = listings.get(name) ?? { log, starts: [], markers: [] }
    listings.set(name, listing)
    return listing
  }
  const call = signal ? { signal } : {}
  for await (const { key } of store.list(keys.genesisPrefix, call)) {
    const log = keys.readGenesis(key)
    if (log) of(log)
    else problem('JOURNAL_KEY_UNKNOWN', `${key} is no genesis of this sink.`, keys.bucket, key)
  }
  for await (const { key } of store.list(keys.groupsPrefix, call)) {
    const read = keys.read(key)
    if (!read) problem('JOURNAL_KEY_UNKNOWN', `${key} is no entry of this sink.`, keys.bucket, key)
    else if (read.kind === 'entry') of(read.log).starts.push(read.start)
    else of(read.log).markers.push(read.start)
  }
  return [...listings.values()].sort(
    (left, right) =>
      left.log.topic.localeCompare(right.log.topic) || left.log.partition - right.log.partition,
  )
}

/** Reads one chain and checks that it has neither gap nor overlap. */
export const readChain = async (
  store: ReadableStore,
  keys: JournalKeys,
  listing: JournalListing,
  problem: ReportProblem,
  signal: AbortSignal | undefined,
): Promise<ReadChain> => {
  const { log } = listing
  const read = async <T>(key: string, parse: (bytes: Uint8Array) => T): Promise<T | undefined> => {
    const bytes = await store.get(key, signal ? { signal } : {})
    if (!bytes) return undefined
    try {
      return parse(bytes)
    } catch (error) {
      if (!StockpipeError.isInstance(error)) throw error
      problem(error.code, error.message, keys.bucket, key)
      return undefined
    }
  }
  const genesisKey = keys.genesis(log)
  const genesis = await read(genesisKey, (bytes) => readGenesis(bytes, genesisKey, log, keys.sink))
  const checkpoint = await newestCheckpoint(store, keys, log, read, signal)
  const entries: JournalEntry[] = []
  const isKept = (start: bigint) => checkpoint === undefined || start >= checkpoint.next
  const starts = listing.starts.filter(isKept).sort((left, right) => (left < right ? -1 : 1))
  let previous: Link | undefined = checkpoint && { start: checkpoint.lastStart, next: checkpoint.next }
  for (const start of starts) {
    const key = keys.entry(log, start)
    const entry = await read(key, (bytes) => readEntry(bytes, key, { sink: keys.sink, log, start }))
    if (!entry) continue
    checkLink(entry, previous, genesis?.start, (code, message) => problem(code, message, keys.bucket, key))
    previous = entry
    entries.push(entry)
  }
  for (const start of checkpoint ? listing.starts.filter((start) => !isKept(start)) : []) {
    const key = keys.entry(log, start)
    const entry = await read(key, (bytes) => readEntry(bytes, key, { sink: keys.sink, log, start }))
    if (!entry || !claimedAfterPruning(entry, checkpoint!)) continue
    problem(
      'CLAIMED_AFTER_PRUNING',
      `${log.topic}-${log.partition}: the group at ${start} was claimed once more after its entry was pruned; its rows may be published twice.`,
      keys.bucket,
      key,
    )
  }
  if (!genesis) {
    problem(
      'GENESIS_MISSING',
      `${log.topic}-${log.partition} has no genesis that can be read.`,
      keys.bucket,
      genesisKey,
    )
  }
  for (const marker of listing.markers) {
    if (!isKept(marker) || listing.starts.includes(marker)) continue
    const key = keys.entry(log, marker)
    problem('ENTRY_MISSING', `The group at ${marker} was settled and its entry is gone.`, keys.bucket, key)
  }
  const newest = starts.at(-1)
  return {
    log,
    genesisStart: genesis?.start ?? checkpoint?.genesisStart ?? entries[0]?.genesisStart,
    checkpoint,
    entries,
    settled: newest !== undefined && listing.markers.includes(newest),
  }
}

const newestCheckpoint = async (
  store: ReadableStore,
  keys: JournalKeys,
  log: TopicPartition,
  read: <T>(key: string, parse: (bytes: Uint8Array) => T) => Promise<T | undefined>,
  signal: AbortSignal | undefined,
): Promise<Checkpoint | undefined> => {
  for await (const { key } of store.list(keys.checkpoints(log), signal ? { signal } : {})) {
    const next = keys.readCheckpoint(key)?.next
    if (next === undefined) continue
    const checkpoint = await read(key, (bytes) => readCheckpoint(bytes, key, { sink: keys.sink, log, next }))
    if (checkpoint) return checkpoint
  }
  return undefined
}

/** What an entry follows. */
type Link = Pick<JournalEntry, 'start' | 'next'>

const checkLink = (
  entry: JournalEntry,
  previous: Link | undefined,
  genesisStart: bigint | undefined,
  problem: (code: string, message: string) => void,
): void => {
  const name = `${entry.topic}-${entry.partition}`
  const expected = previous?.next ?? genesisStart
  if (expected !== undefined && entry.start !== expected) {
    const gap = entry.start > expected
    problem(
      gap ? 'CHAIN_GAP' : 'CHAIN_OVERLAP',
      gap
        ? `${name}: no group has the offsets ${expected} to ${entry.start - 1n}.`
        : `${name}: the groups before the one at ${entry.start} reach up to ${expected - 1n}.`,
    )
  } else if (previous ? entry.previousStart !== previous.start : entry.previousStart !== null) {
    problem(
      'CHAIN_LINK',
      `${name}: the group at ${entry.start} follows one at ${entry.previousStart ?? 'no offset'}, the chain says ${previous?.start ?? 'none'}.`,
    )
  }
  if (genesisStart !== undefined && entry.genesisStart !== genesisStart) {
    problem(
      'CHAIN_GENESIS',
      `${name}: the group at ${entry.start} says genesis is ${entry.genesisStart}, it is ${genesisStart}.`,
    )
  }
}

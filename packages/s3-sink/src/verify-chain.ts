import { StockpipeError, type TopicPartition } from '@stockpipe/core'
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
  const entries: JournalEntry[] = []
  const starts = [...listing.starts].sort((left, right) => (left < right ? -1 : 1))
  for (const start of starts) {
    const key = keys.entry(log, start)
    const entry = await read(key, (bytes) => readEntry(bytes, key, { sink: keys.sink, log, start }))
    if (!entry) continue
    checkLink(entry, entries.at(-1), genesis?.start, (code, message) =>
      problem(code, message, keys.bucket, key),
    )
    entries.push(entry)
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
    if (listing.starts.includes(marker)) continue
    const key = keys.entry(log, marker)
    problem('ENTRY_MISSING', `The group at ${marker} was settled and its entry is gone.`, keys.bucket, key)
  }
  const newest = starts.at(-1)
  return {
    log,
    genesisStart: genesis?.start ?? entries[0]?.genesisStart,
    entries,
    settled: newest !== undefined && listing.markers.includes(newest),
  }
}

const checkLink = (
  entry: JournalEntry,
  previous: JournalEntry | undefined,
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

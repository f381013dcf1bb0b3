import { type BoundTable, StockpipeError } from '@stockpipe/core'
import { readFileKey, visibleTopic } from './data-file-key.ts'
import { type JournalAccessOptions, journalAccess } from './journal-access.ts'
import type { EntryFile, JournalEntry } from './journal-entry.ts'
import { sinkHash } from './journal-keys.ts'
import { footerLength, readParquetFooter } from './parquet-footer.ts'
import { type ReadableStore, retryingReads } from './retrying-reads.ts'
import type { SinkObjectStore } from './sink-object-store.ts'
import { Slots } from './slots.ts'
import { listJournal, type ReadChain, type ReportProblem, readChain } from './verify-chain.ts'
import {
  totalsOf,
  type VerifiedFile,
  type VerifiedLog,
  type VerifyProblem,
  type VerifyReport,
} from './verify-report.ts'

const readsAtOnce = 16
const tailBytes = 65_536

export interface VerifyOptions extends JournalAccessOptions {
  /** Looked through for unknown files even when no entry names its location. */
  readonly table?: BoundTable
}

/**
 * Proves a sink's journal against its files: every chain from genesis (or its checkpoint) on without gap or overlap,
 * every named file there with the entry's size and rows, no file that no entry names. Of pruned groups only what the
 * checkpoint says is known: their files are told by their names, and one of them that is gone is not missed. Reads only. A sink that is running meanwhile
 * may show files it has just published as unknown: verify again, or stop it first.
 *
 * Answers a report whose `ok` is false when anything is off; rejects with an `ObjectStoreError` when it cannot read,
 * and with a `ConfigurationError` when there is nothing to verify with.
 */
export const verifySink = async (options: VerifyOptions): Promise<VerifyReport> => {
  const access = journalAccess(options)
  const { keys, signal } = access
  const reads = (store: SinkObjectStore) => retryingReads(store, access.context.runtime, signal)
  const stores: Stores = (bucket) => reads(access.files(bucket))
  const problems: VerifyProblem[] = []
  const problem: ReportProblem = (code, message, bucket, key) =>
    void problems.push({ code, message, key: `s3://${bucket}/${key}` })
  const journalStore = reads(access.store)
  const listings = await listJournal(journalStore, keys, problem, options.signal)
  if (listings.length === 0) {
    problem(
      'JOURNAL_EMPTY',
      `There is no journal at s3://${keys.bucket}/${keys.root}.`,
      keys.bucket,
      keys.root,
    )
  }
  const chains = await atOnce(listings, (listing) =>
    readChain(journalStore, keys, listing, problem, options.signal),
  )
  const tables = await listTables(chains, options, stores)
  const pending = await checkFiles(chains, tables, stores, problem, options.signal)
  const unknownFiles = findUnknown(chains, tables, sinkHash(keys.sink), problem)
  const logs = chains.map((chain) => verifiedLog(chain, pending))
  return {
    ok: problems.length === 0,
    journal: `s3://${keys.bucket}/${keys.root.slice(0, -1)}`,
    sink: keys.sink,
    problems,
    logs,
    files: chains.flatMap(({ entries }) =>
      entries.flatMap((entry) => entry.files.map((file) => verifiedFile(entry, file))),
    ),
    unknownFiles,
    totals: totalsOf(logs),
  }
}

type Stores = (bucket: string) => ReadableStore
/** Sizes by key of what lies under each location. */
type TableListings = ReadonlyMap<
  string,
  { readonly bucket: string; readonly sizes: ReadonlyMap<string, number> }
>

const listTables = async (
  chains: readonly ReadChain[],
  { table, signal }: VerifyOptions,
  stores: Stores,
): Promise<TableListings> => {
  const buckets = new Map<string, string>(table ? [[table.location, table.bucket]] : [])
  for (const { entries } of chains) {
    for (const entry of entries) {
      buckets.set(entry.table.location, entry.table.bucket)
      for (const file of entry.files) buckets.set(locationOf(entry, file), entry.table.bucket)
    }
  }
  const tables = new Map<string, { bucket: string; sizes: Map<string, number> }>()
  for (const [location, bucket] of buckets) {
    const sizes = new Map<string, number>()
    const prefix = location.slice(`s3://${bucket}/`.length)
    for await (const { key, size } of stores(bucket).list(prefix, signal ? { signal } : {}))
      sizes.set(key, size)
    tables.set(location, { bucket, sizes })
  }
  return tables
}

/** Where a file belongs: the table's location, or the folder of the dead letters. */
const locationOf = ({ table }: JournalEntry, { kind, key }: EntryFile): string =>
  kind === 'data' ? table.location : `s3://${table.bucket}/${key.slice(0, key.lastIndexOf('/') + 1)}`

/** Answers the files that are claimed and not yet published. */
const checkFiles = async (
  chains: readonly ReadChain[],
  tables: TableListings,
  stores: Stores,
  problem: ReportProblem,
  signal: AbortSignal | undefined,
): Promise<ReadonlySet<string>> => {
  const pending = new Set<string>()
  const named = new Set<string>()
  const files = chains.flatMap((chain) =>
    chain.entries.flatMap((entry) =>
      entry.files.map((file) => ({ entry, file, open: entry === chain.entries.at(-1) && !chain.settled })),
    ),
  )
  await atOnce(files, async ({ entry, file, open }) => {
    const { bucket } = entry.table
    const report = (code: string, message: string) => problem(code, message, bucket, file.key)
    if (named.has(file.key)) report('FILE_CLAIMED_TWICE', `${file.key} is named by two groups.`)
    named.add(file.key)
    const store = stores(bucket)
    const size = tables.get(locationOf(entry, file))?.sizes.get(file.key)
    if (size === undefined) {
      if (open && (await isStaged(store, file, signal))) pending.add(file.key)
      else
        report(
          'FILE_MISSING',
          `${file.key} is not there; its group [${entry.start}, ${entry.next}) of ${entry.topic}-${entry.partition} names it with ${file.rows} rows.`,
        )
      return
    }
    if (size !== file.bytes && !(await wasReadAgain(store, entry, file, signal)))
      report('FILE_SIZE', `${file.key} has ${size} bytes, its entry says ${file.bytes}.`)
    else await checkFooter(store, entry, { ...file, bytes: size }, report, signal)
  })
  return pending
}

/** The last resort encodes anew: the same rows under the same claim, perhaps in other bytes. */
const wasReadAgain = async (
  store: ReadableStore,
  entry: JournalEntry,
  file: EntryFile,
  signal: AbortSignal | undefined,
): Promise<boolean> => {
  const metadata = (await store.head(file.key, signal ? { signal } : {}))?.metadata
  return metadata?.['claim-id'] === entry.claimId && metadata['read-again-by'] !== undefined
}

const isStaged = async (
  store: ReadableStore,
  file: EntryFile,
  signal: AbortSignal | undefined,
): Promise<boolean> => {
  for await (const { uploadId } of store.listUploads(file.key, signal ? { signal } : {})) {
    if (uploadId === file.uploadId) return true
  }
  return false
}

const checkFooter = async (
  store: ReadableStore,
  entry: JournalEntry,
  file: EntryFile,
  report: (code: string, message: string) => void,
  signal: AbortSignal | undefined,
): Promise<void> => {
  const end = async (lastBytes: number) =>
    (await store.get(file.key, { ...(signal ? { signal } : {}), lastBytes })) ?? new Uint8Array()
  try {
    let tail = await end(Math.min(tailBytes, file.bytes))
    const length = footerLength(tail)
    if (length > tail.length) tail = await end(Math.min(length, file.bytes))
    const { rows, keyValues } = readParquetFooter(tail)
    if (rows !== file.rows) report('FILE_ROWS', `${file.key} has ${rows} rows, its entry says ${file.rows}.`)
    const said = ['topic', 'partition', 'start', 'next'].map((name) => keyValues.get(`stockpipe.${name}`))
    const meant = [entry.topic, entry.partition, entry.start, entry.next].map(String)
    if (said.join(' ') !== meant.join(' ')) {
      report('FILE_GROUP', `${file.key} says it is of ${said.join(' ')}, its entry says ${meant.join(' ')}.`)
    }
  } catch (error) {
    if (!StockpipeError.isInstance(error) || error.code !== 'PARQUET_DAMAGED') throw error
    report('FILE_DAMAGED', `${file.key}: ${error.message}`)
  }
}

const findUnknown = (
  chains: readonly ReadChain[],
  tables: TableListings,
  hash: string,
  problem: ReportProblem,
): readonly string[] => {
  const named = new Set(
    chains.flatMap(({ entries }) =>
      entries.flatMap((entry) => entry.files.map((file) => `s3://${entry.table.bucket}/${file.key}`)),
    ),
  )
  const pruned = new Map<ReadChain, number>()
  const unknown: string[] = []
  for (const [location, { bucket, sizes }] of tables) {
    for (const key of sizes.keys()) {
      const address = `s3://${bucket}/${key}`
      // Readers skip what is hidden, and the empty objects that stand for folders.
      const hidden = address
        .slice(location.length)
        .split('/')
        .some((name) => /^[_.]/.test(name))
      if (named.has(address) || hidden || key.endsWith('/')) continue
      const former = prunedChain(key, chains, hash)
      if (former) {
        pruned.set(former, (pruned.get(former) ?? 0) + 1)
        continue
      }
      unknown.push(address)
      problem('FILE_UNKNOWN', `${key} is named by no group, and queries read it.`, bucket, key)
    }
  }
  for (const [{ log, checkpoint }, files] of pruned) {
    const most = checkpoint!.pruned.files
    if (files <= most) continue
    const key = `${log.topic}-${log.partition}`
    const { bucket } = [...tables.values()][0]!
    problem(
      'PRUNED_FILES_MORE',
      `${key}: ${files} files carry the names of groups before offset ${checkpoint!.next}, and the pruned groups had ${most}.`,
      bucket,
      key,
    )
  }
  return unknown
}

/**
 * Of a pruned group only the checkpoint is left, which does not name its files: whatever carries the name of such a
 * group is taken for one of them.
 */
const prunedChain = (key: string, chains: readonly ReadChain[], hash: string): ReadChain | undefined => {
  const file = readFileKey(key)
  if (file?.sinkHash !== hash) return undefined
  return chains.find(
    ({ log, checkpoint }) =>
      checkpoint !== undefined &&
      file.start < checkpoint.next &&
      file.partition === log.partition &&
      file.topic === visibleTopic(log.topic),
  )
}

const verifiedFile = (entry: JournalEntry, file: EntryFile): VerifiedFile => ({
  key: `s3://${entry.table.bucket}/${file.key}`,
  kind: file.kind,
  topic: entry.topic,
  partition: entry.partition,
  start: entry.start.toString(),
  rows: file.rows,
  bytes: file.bytes,
})

const verifiedLog = (chain: ReadChain, pending: ReadonlySet<string>): VerifiedLog => {
  const { entries, log, settled } = chain
  const files = entries.flatMap((entry) => entry.files)
  const sum = (read: (entry: JournalEntry) => number) =>
    entries.reduce((total, entry) => total + read(entry), 0)
  const { checkpoint } = chain
  const genesisStart = chain.genesisStart ?? 0n
  return {
    ...log,
    genesisStart: genesisStart.toString(),
    next: (entries.at(-1)?.next ?? checkpoint?.next ?? genesisStart).toString(),
    pruned: checkpoint
      ? {
          ...checkpoint.pruned,
          next: checkpoint.next.toString(),
          holeOffsets: checkpoint.pruned.holeOffsets.toString(),
        }
      : null,
    groups: entries.length,
    records: sum(({ counts }) => counts.records),
    rows: sum(({ counts }) => counts.rows),
    deadLetters: sum(({ counts }) => counts.deadLetters),
    skipped: sum(({ counts }) => counts.skipped),
    files: files.length,
    bytes: files.reduce((total, file) => total + file.bytes, 0),
    holeOffsets: entries.reduce((total, entry) => total + entry.holes.offsets, 0n).toString(),
    holes: entries.flatMap(({ holes }) =>
      holes.ranges.map(({ from, to }) => ({ from: from.toString(), to: to.toString() })),
    ),
    acceptedLosses: entries.flatMap(({ cutBy, start, next }) =>
      cutBy === 'reset' ? [{ from: start.toString(), to: next.toString() }] : [],
    ),
    settled,
    pendingFiles: files.filter((file) => pending.has(file.key)).map((file) => file.key),
  }
}

/** A bounded number at once; results in order. */
const atOnce = async <T, R>(items: readonly T[], work: (item: T) => Promise<R>): Promise<R[]> => {
  const slots = new Slots(readsAtOnce)
  return Promise.all(
    items.map(async (item) => {
      const release = await slots.acquire()
      try {
        return await work(item)
      } finally {
        release()
      }
    }),
  )
}

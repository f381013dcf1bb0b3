import { type BoundTable, StockpipeError } from '@stockpipe/core'
import type { EntryFile, JournalEntry } from './journal-entry.ts'
import type { ReadableStore } from './retrying-reads.ts'
import { atOnce } from './slots.ts'
import type { ReadChain, ReportProblem } from './verify-chain.ts'
import type { VerifiedCompactions } from './verify-compactions.ts'
import { readFooterOf } from './verify-footer.ts'

export const readsAtOnce = 16

/** The store of a bucket. */
export type Stores = (bucket: string) => ReadableStore
/** Sizes by key of what lies under each location. */
export type TableListings = ReadonlyMap<
  string,
  { readonly bucket: string; readonly sizes: ReadonlyMap<string, number> }
>

/** Lists the locations that entries name, and the table's. */
export const listTables = async (
  chains: readonly ReadChain[],
  { table, signal }: { readonly table?: BoundTable; readonly signal?: AbortSignal },
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
export const checkFiles = async (
  chains: readonly ReadChain[],
  tables: TableListings,
  compactions: VerifiedCompactions,
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
  await atOnce(readsAtOnce, files, async ({ entry, file, open }) => {
    const { bucket } = entry.table
    const report = (code: string, message: string) => problem(code, message, bucket, file.key)
    if (named.has(file.key)) report('FILE_CLAIMED_TWICE', `${file.key} is named by two groups.`)
    named.add(file.key)
    const store = stores(bucket)
    const size = tables.get(locationOf(entry, file))?.sizes.get(file.key)
    if (size === undefined) {
      if (compactions.mayBeGone(bucket, file.key)) return
      if (open && (await isStaged(store, file, signal))) pending.add(file.key)
      else
        report(
          'FILE_MISSING',
          `${file.key} is not there; its group [${entry.start}, ${entry.next}) of ${entry.topic}-${entry.partition} names it with ${file.rows} rows.`,
        )
      return
    }
    const whole = { ...file, bytes: size }
    if (size !== file.bytes && !(await wasReadAgain(store, entry, file, signal))) {
      if (await compactions.hasGone(bucket, file.key)) return
      report('FILE_SIZE', `${file.key} has ${size} bytes, its entry says ${file.bytes}.`)
    } else if (!(await checkFooter(store, entry, whole, report, signal))) {
      if (await compactions.hasGone(bucket, file.key)) return
      report('FILE_MISSING', `${file.key} has gone while it was looked at.`)
    }
  })
  return pending
}

/** The last resort encodes anew: the same rows under the same claim, perhaps in other bytes. */
export const wasReadAgain = async (
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

/** False: the file has gone meanwhile. */
const checkFooter = async (
  store: ReadableStore,
  entry: JournalEntry,
  file: EntryFile,
  report: (code: string, message: string) => void,
  signal: AbortSignal | undefined,
): Promise<boolean> => {
  try {
    const footer = await readFooterOf(store, file, signal)
    if (footer === undefined) return false
    const { rows, keyValues } = footer
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
  return true
}

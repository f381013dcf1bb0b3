import type { BoundTable } from '@stockpipe/core'
import { checkCompactions } from './check-compactions.ts'
import { type JournalAccessOptions, journalAccess } from './journal-access.ts'
import { sinkHash } from './journal-keys.ts'
import { retryingReads } from './retrying-reads.ts'
import type { SinkObjectStore } from './sink-object-store.ts'
import { atOnce } from './slots.ts'
import { verifiedFile, verifiedLog } from './verified-log.ts'
import { listJournal, type ReportProblem, readChain } from './verify-chain.ts'
import { VerifiedCompactions } from './verify-compactions.ts'
import { checkFiles, listTables, readsAtOnce, type Stores } from './verify-files.ts'
import { totalsOf, type VerifyProblem, type VerifyReport } from './verify-report.ts'
import { findUnknown } from './verify-unknown-files.ts'

export interface VerifyOptions extends JournalAccessOptions {
  /** Looked through for unknown files even when no entry names its location. */
  readonly table?: BoundTable
  /** Reads every row of compacted files too and proves their checksums, instead of their footers only. Default false. */
  readonly content?: boolean
}

/**
 * Proves a sink's journal against its files: every chain from genesis (or its checkpoint) on without gap or overlap,
 * every named file there with the entry's size and rows, no file that no entry names, every compaction with as many rows
 * after it as before. A file whose rows a compaction took over may be gone once the catalog was switched. Of pruned groups only what the
 * checkpoint says is known: their files are told by their names, and one of them that is gone is not missed. Reads only.
 * A sink that is running meanwhile may show files it has just published as unknown: verify again, or stop it first.
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
  const chains = await atOnce(readsAtOnce, listings, (listing) =>
    readChain(journalStore, keys, listing, problem, options.signal),
  )
  const tables = await listTables(chains, options, stores)
  const compactions = await VerifiedCompactions.read(journalStore, keys, problem, options.signal)
  const pending = await checkFiles(chains, tables, compactions, stores, problem, options.signal)
  const checked = await checkCompactions({
    keys,
    chains,
    tables,
    compactions,
    stores,
    problem,
    content: options.content === true,
    signal: options.signal,
  })
  const unknownFiles = findUnknown(chains, tables, sinkHash(keys.sink), problem)
  const logs = chains.map((chain) => verifiedLog(chain, pending))
  return {
    ok: problems.length === 0,
    journal: `s3://${keys.bucket}/${keys.root.slice(0, -1)}`,
    sink: keys.sink,
    problems,
    logs,
    files: chains.flatMap(({ entries }) =>
      entries.flatMap((entry) =>
        entry.files.map((file) =>
          verifiedFile(entry, file, compactions.takenBy(entry.table.bucket, file.key)),
        ),
      ),
    ),
    unknownFiles,
    ...checked,
    totals: totalsOf(logs),
  }
}

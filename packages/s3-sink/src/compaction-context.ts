import {
  type BoundTable,
  ConfigurationError,
  type ObjectSummary,
  type PartitionCatalog,
} from '@stockpipe/core'
import { newClaimId } from './claim-id.ts'
import { type Generation, type PartitionGenerations, readGenerations } from './compaction-log.ts'
import { type PartitionPlan, planPartitions } from './compaction-plan.ts'
import { JournalFormatError } from './errors.ts'
import { type JournalAccessOptions, journalAccess } from './journal-access.ts'
import { type JournalKeys, sinkHash } from './journal-keys.ts'
import { type RetryContext, retry } from './retry.ts'
import { type ReadableStore, retryingReads } from './retrying-reads.ts'
import type { SinkObjectStore } from './sink-object-store.ts'
import { atOnce } from './slots.ts'
import { listJournal, type ReportProblem, readChain } from './verify-chain.ts'

const readsAtOnce = 16
export const attempts = 6
const hourMillis = 60 * 60_000

/** What compaction and retirement share. */
export interface CompactionAccessOptions extends JournalAccessOptions {
  readonly table: BoundTable
  readonly catalog: PartitionCatalog
  /**
   * Where the folders of compacted partitions are made: `s3://bucket/prefix/`, in the table's bucket and outside of its
   * location. Default `s3://<bucket>/stockpipe-compacted/<sink>/`.
   */
  readonly compactedLocation?: string
  /**
   * How long former files are kept after the catalog was switched, in milliseconds: a query that began before has listed
   * them. Default 24 hours.
   */
  readonly graceMillis?: number
  /**
   * Least time from one switch of a partition to the next claim, in milliseconds. Default 1 hour, after which no switch of
   * a compactor that hung can still be on its way; less only where no two of them run and none hangs.
   */
  readonly betweenMillis?: number
  /** Names this program in the records. Default: 16 random hex digits. */
  readonly writer?: string
}

/** What is needed to work on the compactions of one sink. */
export interface CompactionContext extends RetryContext {
  readonly keys: JournalKeys
  /** The journal's. */
  readonly journal: SinkObjectStore
  readonly reads: ReadableStore
  /** The table's bucket's. */
  readonly files: SinkObjectStore
  readonly table: BoundTable
  readonly catalog: PartitionCatalog
  /** Key prefix of the folders of compactions. */
  readonly compactedPrefix: string
  readonly graceMillis: number
  readonly betweenMillis: number
  readonly writer: string
  readonly signal: AbortSignal | undefined
}

/** Where compacted partitions are kept by default. */
export const defaultCompactedLocation = (bucket: string, sink: string): string =>
  `s3://${bucket}/stockpipe-compacted/${sink}/`

/** Throws a `ConfigurationError` for a table without partitions and a location that readers of the table would meet. */
export const compactionContext = (options: CompactionAccessOptions): CompactionContext => {
  const { table, catalog, graceMillis = 24 * hourMillis, betweenMillis = hourMillis } = options
  const access = journalAccess(options)
  const { keys, store, files, context, signal } = access
  if (table.table.partitions.length === 0) {
    throw new ConfigurationError({
      code: 'COMPACTION_UNPARTITIONED',
      message: `Table ${table.database}.${table.table.name} has no partitions: only the location of a registered partition can be switched while queries run.`,
    })
  }
  const location = options.compactedLocation ?? defaultCompactedLocation(table.bucket, keys.sink)
  const whole = location.endsWith('/') ? location : `${location}/`
  const inside = (inner: string, outer: string) => inner.startsWith(outer)
  const root = `s3://${keys.bucket}/${keys.root}`
  if (!inside(whole, `s3://${table.bucket}/`) || whole === `s3://${table.bucket}/`) {
    throw refusedLocation(whole, `it is not a prefix in the table's bucket ${table.bucket}`)
  }
  for (const other of [table.location, root]) {
    if (inside(whole, other) || inside(other, whole))
      throw refusedLocation(whole, `whoever lists ${other} would meet the same rows twice`)
  }
  return {
    ...context,
    sink: keys.sink,
    keys,
    journal: store,
    reads: retryingReads(store, context.runtime, signal),
    files: files(table.bucket),
    table,
    catalog,
    compactedPrefix: whole.slice(`s3://${table.bucket}/`.length),
    graceMillis,
    betweenMillis,
    writer: options.writer ?? newClaimId(context.runtime).slice(0, 16),
    signal,
  }
}

const refusedLocation = (location: string, why: string): ConfigurationError =>
  new ConfigurationError({
    code: 'COMPACTED_LOCATION_INVALID',
    message: `Compacted partitions cannot be kept at ${location}: ${why}. Set compactedLocation.`,
  })

/**
 * Reads everything that is known of the table's partitions. Throws a `JournalFormatError` where the journal does not
 * hold together: nothing is rewritten on such a ground.
 */
export const planOf = async (context: CompactionContext): Promise<readonly PartitionPlan[]> => {
  const { keys, reads, table, files, signal, runtime } = context
  const problem: ReportProblem = (code, message) => {
    throw new JournalFormatError({
      code,
      message: `${message} Nothing is rewritten until the journal holds: run stockpipe verify on s3://${keys.bucket}/${keys.root.slice(0, -1)}.`,
    })
  }
  const listings = await listJournal(reads, keys, problem, signal)
  const chains = await atOnce(readsAtOnce, listings, (listing) =>
    readChain(reads, keys, listing, problem, signal),
  )
  const generations = await readGenerations(reads, keys, { signal })
  const fileReads = retryingReads(files, runtime, signal)
  const list = async (prefix: string) => {
    const objects: ObjectSummary[] = []
    for await (const object of fileReads.list(prefix, signal ? { signal } : {})) objects.push(object)
    return objects
  }
  const compacted = await list(context.compactedPrefix)
  return planPartitions({
    table,
    chains,
    generations,
    listed: await list(table.prefix),
    compacted: new Map(compacted.map((object) => [object.key, object])),
    sinkHash: sinkHash(keys.sink),
  })
}

/** The folder of a generation, as a key prefix: it tells which, and by whom. */
export const generationFolder = (
  { compactedPrefix }: CompactionContext,
  path: string,
  generation: number,
  claimId: string,
): string => `${compactedPrefix}${path}${generation.toString().padStart(6, '0')}-${claimId}/`

/** The generations of one partition as they are now. */
export const generationsNow = async (
  { reads, keys, signal }: CompactionContext,
  path: string,
): Promise<readonly Generation[]> => {
  const found: PartitionGenerations | undefined = (await readGenerations(reads, keys, { path, signal })).get(
    path,
  )
  return found?.generations ?? []
}

/** Puts an object of the journal once; an answer that was lost is asked for again. */
export const putRecord = (
  context: CompactionContext,
  key: string,
  bytes: Uint8Array,
  signedBefore?: number,
): Promise<'created' | 'exists'> =>
  retry(context, { signal: context.signal, attempts, what: `writing ${key}` }, () =>
    context.journal.putIfAbsent(key, bytes, {
      ...(context.signal ? { signal: context.signal } : {}),
      contentType: 'application/json',
      ...(signedBefore === undefined ? {} : { signedBefore }),
    }),
  )

/** Deletes files, several at once; those that are gone are fine. */
export const deleteFiles = async (context: CompactionContext, keys: readonly string[]): Promise<void> => {
  const { files, signal } = context
  await atOnce(
    8,
    keys,
    (key) =>
      retry(context, { signal, attempts, what: `deleting ${key}` }, () =>
        files.delete(key, signal ? { signal } : {}),
      ),
    signal,
  )
}

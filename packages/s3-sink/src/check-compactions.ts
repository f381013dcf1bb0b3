import { type ObjectSummary, StockpipeError, tableFromJSON } from '@stockpipe/core'
import { defaultCompactedLocation } from './compaction-context.ts'
import type { Generation, PartitionGenerations } from './compaction-log.ts'
import type { CompactedFile } from './compaction-record.ts'
import { readFileKey, visibleTopic } from './data-file-key.ts'
import type { JournalKeys } from './journal-keys.ts'
import { readParquetRows } from './parquet-rows.ts'
import { RowChecksummer } from './row-checksum.ts'
import { atOnce } from './slots.ts'
import type { ReadChain, ReportProblem } from './verify-chain.ts'
import type { VerifiedCompactions } from './verify-compactions.ts'
import { readsAtOnce, type Stores, type TableListings } from './verify-files.ts'
import { readFooterOf } from './verify-footer.ts'
import type { UnreadFile, VerifiedCompaction } from './verify-report.ts'

export interface CheckedCompactions {
  readonly compactions: readonly VerifiedCompaction[]
  /** Files that nobody claimed, in folders nobody reads. */
  readonly abandonedFiles: readonly string[]
  readonly unreadFiles: readonly UnreadFile[]
}

interface CheckOptions {
  readonly keys: JournalKeys
  readonly chains: readonly ReadChain[]
  readonly tables: TableListings
  readonly compactions: VerifiedCompactions
  readonly stores: Stores
  readonly problem: ReportProblem
  /** Reads the rows of the new files and proves their checksums. */
  readonly content: boolean
  readonly signal: AbortSignal | undefined
}

/** Checks that every generation takes over what is there, once, and that what it made of it is there. */
export const checkCompactions = async (options: CheckOptions): Promise<CheckedCompactions> => {
  const { compactions } = options
  const rowsOf = namedRows(options.chains)
  for (const partition of compactions.partitions) checkGenerations(partition, rowsOf, options)
  const abandonedFiles = await checkFolders(options)
  await checkReturned(options)
  return {
    compactions: compactions.partitions.flatMap(({ generations }) => generations.map(verifiedCompaction)),
    abandonedFiles,
    unreadFiles: unreadFiles(options),
  }
}

const verifiedCompaction = ({ key, record, switched, removed }: Generation): VerifiedCompaction => ({
  kind: record.kind,
  partition: record.path.slice(0, -1),
  generation: record.generation,
  state: removed ? 'removed' : switched ? 'switched' : 'claimed',
  rows: record.rows,
  sourceFiles: record.sources.length,
  files: record.files.length,
  bytes: record.files.reduce((sum, { bytes }) => sum + bytes, 0),
  key,
})

/** Rows of a file by an entry; `unknown` where entries that may name it were pruned, or came after they were read. */
const namedRows = (
  chains: readonly ReadChain[],
): ((bucket: string, key: string) => number | 'unknown' | undefined) => {
  const rows = new Map<string, number>()
  for (const { entries } of chains)
    for (const { table, files } of entries)
      for (const file of files)
        if (file.kind === 'data') rows.set(`s3://${table.bucket}/${file.key}`, file.rows)
  return (bucket, key) => {
    const named = rows.get(`s3://${bucket}/${key}`)
    if (named !== undefined) return named
    const file = readFileKey(key)
    const chain = chains.find(
      ({ log }) => log.partition === file?.partition && visibleTopic(log.topic) === file.topic,
    )
    if (!file || !chain) return undefined
    const next = chain.entries.at(-1)?.next ?? chain.checkpoint?.next ?? chain.genesisStart ?? 0n
    const isPruned = chain.checkpoint !== undefined && file.start < chain.checkpoint.next
    return isPruned || file.start >= next ? 'unknown' : undefined
  }
}

const checkGenerations = (
  { path, generations }: PartitionGenerations,
  rowsOf: ReturnType<typeof namedRows>,
  { problem, keys }: CheckOptions,
): void => {
  const taken = new Set<string>()
  let former: Generation | undefined
  for (const generation of generations) {
    const { key, record } = generation
    const report = (code: string, message: string) => problem(code, message, keys.bucket, key)
    const name = `Generation ${record.generation} of ${path.slice(0, -1)}`
    if (record.generation !== (former?.record.generation ?? 0) + 1)
      report('COMPACTION_GAP', `${name} follows ${former?.record.generation ?? 'none'}.`)
    if (former && !former.switched)
      report('COMPACTION_TOO_EARLY', `${name} was claimed before the catalog was switched to the one before.`)
    const { bucket } = record.table
    const left = new Set(former?.record.files.map((file) => file.key))
    for (const source of record.sources) {
      if (taken.has(source.key))
        report('COMPACTED_TWICE', `${name} takes over ${source.key}, whose rows another one has.`)
      taken.add(source.key)
      if (source.origin === 'compaction') {
        if (!left.delete(source.key))
          report('COMPACTION_SOURCE', `${name} takes over ${source.key}, which the one before did not make.`)
        continue
      }
      const rows = rowsOf(bucket, source.key)
      if (rows === undefined)
        report('COMPACTION_SOURCE', `${name} takes over ${source.key}, which no group names.`)
      else if (rows !== 'unknown' && rows !== source.rows)
        report(
          'COMPACTION_ROWS',
          `${name} takes over ${source.rows} rows of ${source.key}, its group says ${rows}.`,
        )
    }
    for (const lost of left)
      report('COMPACTION_SOURCE', `${name} leaves out ${lost}, whose rows queries read before.`)
    former = generation
  }
}

/** The files of generations, and what else is in their folders; answers what nobody claimed. */
const checkFolders = async (options: CheckOptions): Promise<string[]> => {
  const { compactions, stores, keys, tables, problem, signal } = options
  const roots = new Map<string, string>()
  for (const { bucket } of tables.values()) roots.set(defaultCompactedLocation(bucket, keys.sink), bucket)
  const generations = compactions.partitions.flatMap((partition) => partition.generations)
  for (const { record } of generations) {
    if (record.to === null) continue
    const folder = record.to.slice(0, -1)
    roots.set(folder.slice(0, folder.lastIndexOf('/') + 1 - record.path.length), record.table.bucket)
  }
  const listed = new Map<string, ObjectSummary & { readonly bucket: string }>()
  for (const [root, bucket] of roots) {
    const prefix = root.slice(`s3://${bucket}/`.length)
    for await (const object of stores(bucket).list(prefix, signal ? { signal } : {}))
      listed.set(`s3://${bucket}/${object.key}`, { ...object, bucket })
  }
  const files = generations.flatMap(({ record }) => record.files.map((file) => ({ record, file })))
  await atOnce(readsAtOnce, files, async ({ record, file }) => {
    const { bucket } = record.table
    const address = `s3://${bucket}/${file.key}`
    const found = listed.get(address)
    listed.delete(address)
    const report = (code: string, message: string) => problem(code, message, bucket, file.key)
    if (found === undefined) {
      if (await compactions.hasGone(bucket, file.key)) return
      report(
        'FILE_MISSING',
        `${file.key} is not there; generation ${record.generation} of ${record.path.slice(0, -1)} names it with ${file.rows} rows.`,
      )
    } else if (found.size !== file.bytes || found.etag !== file.etag)
      report(
        'FILE_CHANGED',
        `${file.key} has ${found.size} bytes and ETag ${found.etag}, its record says ${file.bytes} and ${file.etag}.`,
      )
    else await checkFile(options, record, file, report)
  })
  const claimed = new Set(generations.map(({ record }) => record.to))
  const abandoned: string[] = []
  for (const [address, { bucket, key }] of listed) {
    const folder = address.slice(0, address.lastIndexOf('/') + 1)
    const name = address.slice(folder.length)
    if (!claimed.has(folder)) abandoned.push(address)
    else if (name !== '' && !/^[_.]/.test(name))
      problem('FILE_UNKNOWN', `${key} is named by no record, and queries read it.`, bucket, key)
  }
  return abandoned
}

const checkFile = async (
  { stores, compactions, content, signal }: CheckOptions,
  record: Generation['record'],
  file: CompactedFile,
  report: (code: string, message: string) => void,
): Promise<void> => {
  const { bucket } = record.table
  const store = stores(bucket)
  try {
    const footer = await readFooterOf(store, file, signal)
    if (footer === undefined) {
      if (!(await compactions.hasGone(bucket, file.key)))
        report('FILE_MISSING', `${file.key} has gone while it was looked at.`)
      return
    }
    if (footer.rows !== file.rows)
      report('FILE_ROWS', `${file.key} has ${footer.rows} rows, its record says ${file.rows}.`)
    const claimId = footer.keyValues.get('stockpipe.claim-id')
    if (claimId !== record.claimId)
      report('FILE_GROUP', `${file.key} says it is of claim ${claimId}, its record says ${record.claimId}.`)
    if (!content) return
    const bytes = await store.get(file.key, signal ? { signal } : {})
    if (bytes === undefined) return
    const sums = new RowChecksummer()
    const { columns } = tableFromJSON(record.table.definition)
    for await (const batch of readParquetRows(columns, bytes)) sums.add(batch)
    if (sums.checksum !== file.checksum)
      report(
        'FILE_CONTENT',
        `The rows of ${file.key} have checksum ${sums.checksum}, its record says ${file.checksum}.`,
      )
  } catch (error) {
    if (!StockpipeError.isInstance(error) || !/^PARQUET_/.test(error.code)) throw error
    report('FILE_DAMAGED', `${file.key}: ${error.message}`)
  }
}

/** Files that were removed and are there again: a partition that is registered at its former folder would show them. */
const checkReturned = async ({
  compactions,
  tables,
  stores,
  problem,
  signal,
}: CheckOptions): Promise<void> => {
  const suspects = compactions.partitions.flatMap(({ generations }) =>
    generations.flatMap(({ record, removed }) =>
      removed === undefined
        ? []
        : record.sources
            .filter(({ key }) => tables.get(record.table.location)?.sizes.has(key))
            .map(({ key }) => ({ key, bucket: record.table.bucket })),
    ),
  )
  await atOnce(readsAtOnce, suspects, async ({ key, bucket }) => {
    // It may have been removed since the listing.
    if ((await stores(bucket).head(key, signal ? { signal } : {})) === undefined) return
    problem('FILE_RETURNED', `${key} was compacted and removed, and is there again; delete it.`, bucket, key)
  })
}

/** Rows that came to a compacted or retired partition later. */
const unreadFiles = ({ chains, tables, compactions }: CheckOptions): UnreadFile[] =>
  chains.flatMap(({ entries }) =>
    entries.flatMap((entry) =>
      entry.files.flatMap((file): UnreadFile[] => {
        const { bucket, location } = entry.table
        if (file.kind !== 'data' || compactions.takenBy(bucket, file.key)) return []
        const newest = compactions.newestOf(entry, file)
        if (!newest?.switched || newest.record.to === null) return []
        if (!tables.get(location)?.sizes.has(file.key)) return []
        const { key, rows } = file
        return [{ key: `s3://${bucket}/${key}`, partition: newest.record.path.slice(0, -1), rows }]
      }),
    ),
  )

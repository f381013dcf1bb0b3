import { type ColumnDefinition, StockpipeError, sleep, tableFromJSON } from '@stockpipe/core'
import { newClaimId } from './claim-id.ts'
import { CompactedFiles } from './compacted-files.ts'
import {
  attempts,
  type CompactionContext,
  deleteFiles,
  generationFolder,
  generationsNow,
  putRecord,
} from './compaction-context.ts'
import type { PartitionPlan, PlannedSource } from './compaction-plan.ts'
import {
  addChecksums,
  type CompactedFile,
  type CompactionRecord,
  type CompactionSource,
  writeCompaction,
} from './compaction-record.ts'
import { evolutionRefused, evolvedBatch } from './evolved-batch.ts'
import type { ParquetCompression } from './parquet-compression.ts'
import { readParquetFooter } from './parquet-footer.ts'
import { readParquetRows } from './parquet-rows.ts'
import { retry } from './retry.ts'
import { RowChecksummer } from './row-checksum.ts'
import type { SortColumn } from './row-order.ts'
import { wasReadAgain } from './verify-files.ts'

const longestKeyBytes = 1024
const longestDiscardMillis = 10_000

/** How the new files are written. */
export interface WritingOptions {
  /** Where the catalog has the partition. */
  readonly from: string
  readonly fileBytes: number
  readonly rowBytes: number
  readonly temporaryFolder: string
  readonly sortBy: readonly (string | SortColumn)[]
  readonly compression: ParquetCompression
  readonly progress: (rows: number) => void
}

/** Whether the generation is ours. */
export type Claimed =
  | { readonly kind: 'claimed'; readonly record: CompactionRecord }
  | { readonly kind: 'overtaken' }
  | { readonly kind: 'refused'; readonly reason: string }

/** A reason not to compact the partition that shows only when its files are read. */
class Refusal extends Error {}

/**
 * Writes the rows of a partition to the files of a new folder, reads them back, and claims the partition's next generation
 * for them. Until then nobody reads the folder; a folder that loses is deleted.
 */
export const writeGeneration = async (
  context: CompactionContext,
  plan: PartitionPlan,
  options: WritingOptions,
): Promise<Claimed> => {
  const { keys, table, runtime, writer } = context
  const { claimId, generation, ...named } = nextRecord(context, plan)
  const recordKey = keys.compaction(plan.path, generation)
  const folder = generationFolder(context, plan.path, generation, claimId)
  const longest = Math.max(
    Buffer.byteLength(keys.compaction(plan.path, generation, 'switched')),
    Buffer.byteLength(`${folder}part-00000.parquet`),
  )
  if (longest > longestKeyBytes) return { kind: 'refused', reason: `its keys would have ${longest} bytes` }
  const writing = new CompactedFiles({
    ...context,
    store: context.files,
    table: table.table,
    folder,
    ...options,
    keyValues: new Map([
      ['stockpipe.table', table.table.name],
      ['stockpipe.fingerprint', table.table.fingerprint],
      ['stockpipe.compaction', `s3://${keys.bucket}/${recordKey}`],
      ['stockpipe.claim-id', claimId],
    ]),
    metadata: { sink: keys.sink, writer, 'claim-id': claimId, generation: generation.toString() },
  })
  let sources: readonly CompactionSource[]
  let files: readonly CompactedFile[]
  try {
    sources = await rewrite(context, plan, writing, options)
    files = await writing.end()
    // From the claim on nobody knows whether it was made.
    context.signal?.throwIfAborted()
  } catch (error) {
    await discarded(context, writing)
    // Smaller partitions may find room.
    const hasNoRoom = StockpipeError.isInstance(error) && error.code === 'TEMPORARY_FILE_FAILED'
    if (error instanceof Refusal || hasNoRoom) return { kind: 'refused', reason: error.message }
    throw error
  } finally {
    await writing.close()
  }
  const record: CompactionRecord = {
    ...named,
    claimId,
    createdAt: new Date(runtime.now()).toISOString(),
    generation,
    kind: 'compaction',
    from: options.from,
    to: `s3://${table.bucket}/${folder}`,
    rows: files.reduce((sum, file) => sum + file.rows, 0),
    checksum: addChecksums(files.map((file) => file.checksum)),
    sources,
    files,
  }
  const before = {
    rows: sources.reduce((sum, source) => sum + source.rows, 0),
    checksum: addChecksums(sources.map((source) => source.checksum!)),
  }
  if (before.rows !== record.rows || before.checksum !== record.checksum) {
    await discarded(context, writing)
    throw new StockpipeError({
      code: 'COMPACTION_DIFFERS',
      message: `The ${before.rows} rows of ${plan.path} read back as ${record.rows} with checksum ${record.checksum} instead of ${before.checksum}. Nothing is claimed, and queries read the former files; report this.`,
      facts: { partition: plan.path, folder },
    })
  }
  return claimGeneration(context, record)
}

/** Deletes what was written and not claimed, also when the run is aborted; what is left of it the next compaction deletes. */
const discarded = async ({ runtime }: CompactionContext, writing: CompactedFiles): Promise<void> => {
  const over = new AbortController()
  const ignored = () => {}
  await Promise.race([
    writing.discard(over.signal).catch(ignored),
    sleep(runtime, longestDiscardMillis, over.signal).catch(ignored),
  ])
  over.abort()
}

/** What the record of a partition's next generation says whatever its kind. */
export const nextRecord = ({ keys, table, runtime, writer }: CompactionContext, plan: PartitionPlan) => ({
  sink: keys.sink,
  writer,
  claimId: newClaimId(runtime),
  createdAt: new Date(runtime.now()).toISOString(),
  path: plan.path,
  generation: (plan.files.newest?.record.generation ?? 0) + 1,
  table: {
    name: table.table.name,
    database: table.database,
    location: table.location,
    bucket: table.bucket,
    fingerprint: table.table.fingerprint,
    definition: table.table.toJSON(),
  },
  partitionValues: plan.values,
})

/** Claims a generation: the commit point. Ours is told by the claim id, since an answer may have been lost. */
export const claimGeneration = async (
  context: CompactionContext,
  record: CompactionRecord,
): Promise<Claimed> => {
  const { keys } = context
  const { path, generation, claimId, files } = record
  const put = await putRecord(context, keys.compaction(path, generation), writeCompaction(record))
  if (put === 'created') return { kind: 'claimed', record }
  const there = (await generationsNow(context, path)).find((one) => one.record.generation === generation)
  if (there?.record.claimId === claimId) return { kind: 'claimed', record }
  await deleteFiles(
    context,
    files.map(({ key }) => key),
  )
  return { kind: 'overtaken' }
}

/** Reads every source, proves it to be what the journal says, and hands its rows on, a bounded number at a time. */
const rewrite = async (
  context: CompactionContext,
  plan: PartitionPlan,
  writing: CompactedFiles,
  { progress }: WritingOptions,
): Promise<readonly CompactionSource[]> => {
  const { columns } = context.table.table
  const sources: CompactionSource[] = []
  let rows = 0
  for (const planned of plan.sources) {
    const bytes = await readSource(context, planned)
    const { former, footerRows } = await formerColumns(context, plan, planned, bytes)
    const refusal = evolutionRefused(former, columns)
    if (refusal) throw new Refusal(`${planned.key}: ${refusal}`)
    const sums = new RowChecksummer()
    for await (const batch of readSourceRows(planned.key, former, bytes)) {
      const evolved = evolvedBatch(batch, former, columns)
      sums.add(evolved)
      await writing.add(evolved)
      rows += batch.rows
      progress(rows)
    }
    const expected = planned.rows ?? footerRows
    if (sums.rows !== expected)
      throw new Refusal(`${planned.key} has ${sums.rows} rows, the journal says ${expected}`)
    const { origin, key, etag } = planned
    sources.push({ origin, key, rows: sums.rows, bytes: bytes.length, etag, checksum: sums.checksum })
  }
  return sources
}

const readSource = async (context: CompactionContext, planned: PlannedSource): Promise<Uint8Array> => {
  const { files, signal } = context
  const { key, entry, bytes: size } = planned
  const call = signal ? { signal } : {}
  const bytes = await retry(context, { signal, attempts, what: `reading ${key}` }, () => files.get(key, call))
  if (bytes === undefined) throw new Refusal(`${key} is gone; run stockpipe verify`)
  const said = entry?.files.find((file) => file.key === key)
  const other = bytes.length !== size || (said !== undefined && said.bytes !== size)
  if (other && !(entry && said && (await wasReadAgain(files, entry, said, signal))))
    throw new Refusal(`${key} has ${bytes.length} bytes, the journal says ${said?.bytes ?? size}`)
  return bytes
}

/** The columns a file was written with: as the journal says, else told by the fingerprint in its footer. */
const formerColumns = async (
  { table }: CompactionContext,
  plan: PartitionPlan,
  { key, columns }: PlannedSource,
  bytes: Uint8Array,
): Promise<{ readonly former: readonly ColumnDefinition[]; readonly footerRows: number }> => {
  const { rows, keyValues } = readFooter(key, bytes)
  if (columns) return { former: columns, footerRows: rows }
  const fingerprint = keyValues.get('stockpipe.fingerprint')
  if (fingerprint === table.table.fingerprint) return { former: table.table.columns, footerRows: rows }
  const known = plan.sources.find(
    (source) => source.entry !== undefined && source.entry.table.fingerprint === fingerprint,
  )
  if (known?.entry) return { former: tableFromJSON(known.entry.table.definition).columns, footerRows: rows }
  throw new Refusal(
    `${key} was written by table definition ${fingerprint ?? 'unknown'}, and the journal no longer tells which columns that has`,
  )
}

const readFooter = (key: string, bytes: Uint8Array) => {
  try {
    return readParquetFooter(bytes)
  } catch (error) {
    throw refusalOf(key, error)
  }
}

async function* readSourceRows(key: string, columns: readonly ColumnDefinition[], bytes: Uint8Array) {
  const batches = readParquetRows(columns, bytes)
  for (;;) {
    const { done, value } = await batches.next().catch((error: unknown) => {
      throw refusalOf(key, error)
    })
    if (done) return
    yield value
  }
}

/** A source that is damaged is a reason to leave its partition alone. */
const refusalOf = (key: string, error: unknown): unknown =>
  StockpipeError.isInstance(error) && /^PARQUET_/.test(error.code)
    ? new Refusal(`${key}: ${error.message.replace(/\.$/, '')}; run stockpipe verify`)
    : error

import { newClaimId } from './claim-id.ts'
import { claimGeneration, recordTable } from './compaction-claim.ts'
import {
  attempts,
  type CompactionAccessOptions,
  type CompactionContext,
  compactionContext,
  planOf,
} from './compaction-context.ts'
import type { PartitionPlan } from './compaction-plan.ts'
import type { CompactionRecord, CompactionSource } from './compaction-record.ts'
import { removeAbandoned, removeFormerFiles, switchGeneration } from './compaction-steps.ts'
import { readParquetFooter } from './parquet-footer.ts'
import { retry } from './retry.ts'

const dayMillis = 24 * 60 * 60_000

export interface RetireOptions extends CompactionAccessOptions {
  /** The partitions to retire: those for which this is true. */
  readonly partitions: (values: readonly (string | null)[]) => boolean
  /** A partition is closed when no group has written to it for so long, in milliseconds. Default 24 hours. */
  readonly olderThanMillis?: number
  /** Says what would be done, and does nothing. */
  readonly dryRun?: boolean
  /** Called when a partition is done with. */
  readonly onProgress?: (progress: { readonly partitions: number; readonly of: number }) => void
}

/** What was done to a partition. */
export interface RetiredPartition {
  /** `k1=v1/k2=v2`. */
  readonly partition: string
  readonly values: readonly (string | null)[]
  /**
   * `retired`: the catalog does not have it any more; `planned`: it would not (`dryRun`); `unchanged`: it was retired
   * before; `open`: it is too young, or written to; `overtaken`: somebody else was faster; `refused`: see `reason`.
   */
  readonly outcome: 'retired' | 'planned' | 'unchanged' | 'open' | 'overtaken' | 'refused'
  /** Why, for `open` and `refused`. */
  readonly reason?: string
  /** What it holds. */
  readonly files: number
  readonly rows: number
  /** Files that were deleted, their grace time being over. */
  readonly removedFiles: number
}

/** What `retirePartitions` did. */
export interface RetirementReport {
  /** True when nothing was refused. */
  readonly ok: boolean
  readonly partitions: readonly RetiredPartition[]
}

/**
 * Takes closed partitions out of the catalog and, after the grace time, deletes their files; the journal tells that their
 * rows were given up, so that `verifySink` goes on holding. Run it again, or `compactPartitions`, to delete the files.
 * Rows that come later make the partition anew, in its first folder; until the files are deleted these are read with them.
 *
 * Rejects as `compactPartitions` does.
 */
export const retirePartitions = async (options: RetireOptions): Promise<RetirementReport> => {
  const context = compactionContext(options)
  const { olderThanMillis = dayMillis, dryRun = false } = options
  const plans = (await planOf(context)).filter(({ values }) => options.partitions(values))
  const partitions: RetiredPartition[] = []
  for (const plan of plans) {
    context.signal?.throwIfAborted()
    partitions.push(await retireOne(context, plan, { olderThanMillis, dryRun }))
    options.onProgress?.({ partitions: partitions.length, of: plans.length })
  }
  return { ok: partitions.every(({ outcome }) => outcome !== 'refused'), partitions }
}

const retireOne = async (
  context: CompactionContext,
  plan: PartitionPlan,
  { olderThanMillis, dryRun }: { readonly olderThanMillis: number; readonly dryRun: boolean },
): Promise<RetiredPartition> => {
  const { keys, runtime, writer, catalog, betweenMillis, signal } = context
  let removedFiles = 0
  let rows = plan.sources.reduce((sum, source) => sum + (source.rows ?? 0), 0)
  const answer = (outcome: RetiredPartition['outcome'], reason?: string): RetiredPartition => ({
    partition: plan.path.slice(0, -1),
    values: plan.values,
    outcome,
    ...(reason === undefined ? {} : { reason }),
    files: plan.sources.length,
    rows,
    removedFiles,
  })
  const { newest } = plan.files
  if (!dryRun) {
    if (newest && !newest.switched) {
      const switched = await switchGeneration(context, newest)
      if (!switched.done) return answer('refused', switched.reason)
      return answer(newest.record.kind === 'retirement' ? 'retired' : 'open', 'it was just switched')
    }
    const removed = await removeFormerFiles(context, plan.path)
    removedFiles = removed.files
    if (removed.refused) return answer('refused', removed.refused)
    await removeAbandoned(context, plan.path)
  }
  if (plan.sources.length === 0 && newest?.record.kind === 'retirement') return answer('unchanged')
  if (plan.obstacle) return answer(plan.obstacle.kind, plan.obstacle.reason)
  const now = runtime.now()
  if (plan.writtenAt !== undefined && now - plan.writtenAt < olderThanMillis)
    return answer('open', `it was written to at ${new Date(plan.writtenAt).toISOString()}`)
  if (newest?.switched && now - Date.parse(newest.switched.doneAt) < betweenMillis)
    return answer('open', `it was switched at ${newest.switched.doneAt}`)
  const expected = newest?.record.to ?? plan.folder
  const partition = await catalog.get(plan.values, signal ? { signal } : {})
  if (partition && partition.location !== expected)
    return answer('refused', `the catalog has the partition at ${partition.location}, not at ${expected}`)
  if (dryRun) return answer('planned')
  const sources = await sourcesOf(context, plan)
  rows = sources.reduce((sum, source) => sum + source.rows, 0)
  const record: CompactionRecord = {
    kind: 'retirement',
    sink: keys.sink,
    writer,
    claimId: newClaimId(runtime),
    createdAt: new Date(runtime.now()).toISOString(),
    path: plan.path,
    generation: (newest?.record.generation ?? 0) + 1,
    table: recordTable(context),
    partitionValues: plan.values,
    from: expected,
    to: null,
    rows,
    checksum: null,
    sources,
    files: [],
  }
  const claimed = await claimGeneration(context, record)
  if (claimed.kind === 'overtaken') return answer('overtaken')
  const switched = await switchGeneration(context, { record })
  return switched.done ? answer('retired') : answer('refused', switched.reason)
}

/** Only of files whose entry is pruned the rows have to be looked up. */
const sourcesOf = async (
  context: CompactionContext,
  plan: PartitionPlan,
): Promise<readonly CompactionSource[]> => {
  const { files, signal } = context
  const sources: CompactionSource[] = []
  for (const { origin, key, rows, bytes, etag } of plan.sources) {
    const known =
      rows ??
      (await retry(context, { signal, attempts, what: `reading ${key}` }, async () => {
        const whole = await files.get(key, signal ? { signal } : {})
        return whole ? readParquetFooter(whole).rows : 0
      }))
    sources.push({ origin, key, rows: known, bytes, etag, checksum: null })
  }
  return sources
}

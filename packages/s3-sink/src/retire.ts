import { claimGeneration, nextRecord } from './compaction-claim.ts'
import {
  attempts,
  type CompactionAccessOptions,
  type CompactionContext,
  compactionContext,
  generationFolder,
  planOf,
} from './compaction-context.ts'
import type { PartitionPlan } from './compaction-plan.ts'
import { readinessOf } from './compaction-readiness.ts'
import type { CompactionRecord, CompactionSource } from './compaction-record.ts'
import { removePartition } from './compaction-removal.ts'
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
   * `retired`: queries see none of its rows any more; `planned`: they would not (`dryRun`); `unchanged`: it was retired
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
 * Has closed partitions read from an empty folder and, after the grace time, deletes their files and takes them out of
 * the catalog; the journal tells that their rows were given up, so that `verifySink` goes on holding. Run it again, or
 * `compactPartitions`, for the latter. Rows that come later are seen alone: within the grace time when
 * `compactPartitions` has taken them, afterwards at once.
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
  const { table } = context
  let removedFiles = 0
  let files = plan.sources.length
  let rows = plan.sources.reduce((sum, source) => sum + (source.rows ?? 0), 0)
  const answer = (outcome: RetiredPartition['outcome'], reason?: string): RetiredPartition => ({
    partition: plan.path.slice(0, -1),
    values: plan.values,
    outcome,
    ...(reason === undefined ? {} : { reason }),
    files,
    rows,
    removedFiles,
  })
  const { newest } = plan.files
  if (!dryRun) {
    if (newest && !newest.switched) {
      const switched = await switchGeneration(context, newest)
      if (!switched.done) return answer('refused', switched.reason)
      if (newest.record.kind === 'compaction') return answer('open', 'it was just switched')
      if (newest.record.kind === 'removal') return answer('unchanged')
      files = newest.record.sources.length
      rows = newest.record.rows
      return answer('retired')
    }
    const removed = await removeFormerFiles(context, plan.path)
    removedFiles = removed.files
    if (removed.refused) return answer('refused', removed.refused)
    await removeAbandoned(context, plan.path)
    const left = await removePartition(context, plan)
    if (left?.kind === 'refused') return answer('refused', left.reason)
  }
  if (plan.sources.length === 0 && newest && newest.record.kind !== 'compaction') return answer('unchanged')
  const readiness = await readinessOf(context, plan, { olderThanMillis, mayBeGone: true })
  if (readiness.kind !== 'ready') return answer(readiness.kind, readiness.reason)
  if (dryRun) return answer('planned')
  const sources = await sourcesOf(context, plan)
  rows = sources.reduce((sum, source) => sum + source.rows, 0)
  const { claimId, generation, ...named } = nextRecord(context, plan)
  const record: CompactionRecord = {
    ...named,
    claimId,
    generation,
    kind: 'retirement',
    from: readiness.from,
    to: `s3://${table.bucket}/${generationFolder(context, plan.path, generation, claimId)}`,
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

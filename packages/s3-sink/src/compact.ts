import { tmpdir } from 'node:os'
import { ConfigurationError } from '@stockpipe/core'
import { writeGeneration } from './compaction-claim.ts'
import {
  type CompactionAccessOptions,
  type CompactionContext,
  compactionContext,
  planOf,
} from './compaction-context.ts'
import type { PartitionPlan } from './compaction-plan.ts'
import { readinessOf } from './compaction-readiness.ts'
import { removePartition } from './compaction-removal.ts'
import { removeAbandoned, removeFormerFiles, switchGeneration } from './compaction-steps.ts'
import { eventTimesOf } from './event-time.ts'
import { type ParquetCompression, pageCompressor } from './parquet-compression.ts'
import { RowOrder, type SortColumn } from './row-order.ts'

const mebibyte = 1024 * 1024
const dayMillis = 24 * 60 * 60_000

export interface CompactOptions extends CompactionAccessOptions {
  /** A partition is closed when no group has written to it for so long, in milliseconds. Default 24 hours. */
  readonly olderThanMillis?: number
  /** Only partitions for which this is true; default all. */
  readonly partitions?: (values: readonly (string | null)[]) => boolean
  /** Columns the rows are sorted by. Default: the table's first time column; `[]`: as they come. */
  readonly sortBy?: readonly (string | SortColumn)[]
  /** Default `zstd`: a compacted partition is read often and written once. */
  readonly compression?: ParquetCompression
  /** Target of a new file, in bytes. Default 128 MiB. */
  readonly fileBytes?: number
  /**
   * Memory in which rows are sorted, in bytes of their values; about three times as much is taken. Default 128 MiB. A
   * larger partition is sorted through a temporary file.
   */
  readonly rowBytes?: number
  /** Where that file is made: it takes the values of a partition uncompressed. Default: the system's temporary folder. */
  readonly temporaryFolder?: string
  /** Says what would be done, and does nothing. */
  readonly dryRun?: boolean
  /** Called when a partition is done with, and while its files are read. */
  readonly onProgress?: (progress: CompactionProgress) => void
}

/** How far a run is. */
export interface CompactionProgress {
  /** `k1=v1/k2=v2`. */
  readonly partition: string
  /** Partitions done with, of how many. */
  readonly partitions: number
  readonly of: number
  /** Rows of this partition read so far. */
  readonly rows: number
}

/** What was done to a partition. */
export interface CompactedPartition {
  /** `k1=v1/k2=v2`. */
  readonly partition: string
  readonly values: readonly (string | null)[]
  /**
   * `compacted`: its files are new ones now; `planned`: they would be (`dryRun`); `unchanged`: they are few already;
   * `open`: it is too young, or written to; `overtaken`: another compactor was faster; `refused`: see `reason`.
   */
  readonly outcome: 'compacted' | 'planned' | 'unchanged' | 'open' | 'overtaken' | 'refused'
  /** Why, for `open` and `refused`; what was done, for an `unchanged` one that had been retired. */
  readonly reason?: string
  /** Files and bytes that queries should read, before; of them those they did not read. */
  readonly before: { readonly files: number; readonly bytes: number; readonly unreadFiles: number }
  /** The new ones. */
  readonly after?: { readonly files: number; readonly bytes: number; readonly rows: number }
  /** Former files that were deleted, their grace time being over. */
  readonly removedFiles: number
}

/** What `compactPartitions` did. */
export interface CompactionReport {
  /** True when nothing was refused. */
  readonly ok: boolean
  readonly partitions: readonly CompactedPartition[]
}

interface Settings {
  readonly olderThanMillis: number
  readonly fileBytes: number
  readonly rowBytes: number
  readonly temporaryFolder: string
  readonly sortBy: readonly (string | SortColumn)[]
  readonly compression: ParquetCompression
  readonly dryRun: boolean
}

/**
 * Makes few sorted files of the many small ones of each closed partition, in a new folder, and has the catalog read the
 * partition from there by one update: a query reads the former files or the new ones, never both. The rows are proved to be
 * the same before that, and the journal tells all of it. What an earlier run began is finished first, and former files
 * whose grace time is over are deleted. Safe while the sink and queries run, and beside other compactors.
 *
 * Partitions that cannot be compacted are answered with the reason. Rejects with a `ConfigurationError` for settings that
 * cannot be and for a projected table, a `JournalFormatError` when the journal does not hold, an `ObjectStoreError` when
 * the store gives no answer, and with what the catalog throws.
 */
export const compactPartitions = async (options: CompactOptions): Promise<CompactionReport> => {
  const context = compactionContext(options)
  const settings = settingsOf(options)
  const all = await planOf(context)
  const { partitions: wanted } = options
  const plans = wanted ? all.filter(({ values }) => wanted(values)) : all
  const partitions: CompactedPartition[] = []
  for (const plan of plans) {
    context.signal?.throwIfAborted()
    const progress = (rows: number) =>
      options.onProgress?.({
        partition: plan.path.slice(0, -1),
        partitions: partitions.length,
        of: plans.length,
        rows,
      })
    progress(0)
    partitions.push(await compactOne(context, settings, plan, progress))
  }
  return { ok: partitions.every(({ outcome }) => outcome !== 'refused'), partitions }
}

const settingsOf = (options: CompactOptions): Settings => {
  const { table } = options.table
  const times = eventTimesOf(table, undefined)
  const settings: Settings = {
    olderThanMillis: options.olderThanMillis ?? dayMillis,
    fileBytes: options.fileBytes ?? 128 * mebibyte,
    rowBytes: options.rowBytes ?? 128 * mebibyte,
    temporaryFolder: options.temporaryFolder ?? tmpdir(),
    sortBy: options.sortBy ?? (times ? [times.column.name] : []),
    compression: options.compression ?? 'zstd',
    dryRun: options.dryRun === true,
  }
  for (const name of ['fileBytes', 'rowBytes'] as const) {
    if (settings[name] >= 1) continue
    throw new ConfigurationError({
      code: 'COMPACTION_OPTION_INVALID',
      message: `${name} is a number of bytes from 1 on, not ${settings[name]}.`,
    })
  }
  // Both throw for what cannot be, before anything is read.
  pageCompressor(settings.compression)
  if (settings.sortBy.length > 0) new RowOrder(table.columns, settings.sortBy)
  return settings
}

const compactOne = async (
  context: CompactionContext,
  settings: Settings,
  plan: PartitionPlan,
  progress: (rows: number) => void,
): Promise<CompactedPartition> => {
  const sum = (bytes: readonly { readonly bytes: number }[]) =>
    bytes.reduce((total, one) => total + one.bytes, 0)
  let removedFiles = 0
  const answer = (
    outcome: CompactedPartition['outcome'],
    more: Pick<CompactedPartition, 'reason' | 'after'> = {},
  ): CompactedPartition => ({
    partition: plan.path.slice(0, -1),
    values: plan.values,
    outcome,
    before: {
      files: plan.sources.length,
      bytes: sum(plan.sources),
      unreadFiles: plan.unread.length,
    },
    removedFiles,
    ...more,
  })
  const { newest } = plan.files
  if (!settings.dryRun) {
    if (newest && !newest.switched) {
      const switched = await switchGeneration(context, newest)
      if (!switched.done) return answer('refused', { reason: switched.reason })
      const { files, rows, kind } = newest.record
      if (kind !== 'compaction') return answer('unchanged', { reason: `its ${kind} was finished` })
      return answer('compacted', { after: { files: files.length, bytes: sum(files), rows } })
    }
    if (newest) {
      const removed = await removeFormerFiles(context, plan.path)
      removedFiles = removed.files
      if (removed.refused) return answer('refused', { reason: removed.refused })
    }
    await removeAbandoned(context, plan.path)
    const left = await removePartition(context, plan)
    if (left?.kind === 'refused') return answer('refused', { reason: left.reason })
  }
  if (newest?.record.kind === 'removal' && plan.sources.length > 0 && !settings.dryRun) {
    const { catalog, signal } = context
    const partition = { values: plan.values, location: plan.folder, parameters: {} }
    // It may have left the catalog while these rows came.
    await catalog.create(partition, signal ? { signal } : {})
  }
  if (!isWorthIt(plan, settings.fileBytes)) return answer('unchanged')
  const readiness = await readinessOf(context, plan, {
    // Rows that nobody reads gain nothing by waiting.
    olderThanMillis: plan.unread.length > 0 ? 0 : settings.olderThanMillis,
    mayBeGone: false,
  })
  if (readiness.kind !== 'ready') return answer(readiness.kind, { reason: readiness.reason })
  if (settings.dryRun) return answer('planned')
  const claimed = await writeGeneration(context, plan, { ...settings, from: readiness.from, progress })
  if (claimed.kind === 'refused') return answer('refused', { reason: claimed.reason })
  if (claimed.kind === 'overtaken') return answer('overtaken')
  const { record } = claimed
  const switched = await switchGeneration(context, { record })
  if (!switched.done) return answer('refused', { reason: switched.reason })
  return answer('compacted', {
    after: { files: record.files.length, bytes: sum(record.files), rows: record.rows },
  })
}

/** Fewer files would come of it, or rows that are not read would be. */
const isWorthIt = ({ sources, unread }: PartitionPlan, fileBytes: number): boolean => {
  if (unread.length > 0) return true
  const bytes = sources.reduce((sum, source) => sum + source.bytes, 0)
  const files = Math.max(1, Math.ceil(bytes / fileBytes))
  // Two neighbours come to more than the target: what a compaction made is left alone unless that was far smaller.
  const isCompacted = sources.every(({ origin }) => origin === 'compaction')
  return sources.length > (isCompacted ? 2 * files : files)
}

import { FencedError, type PartitionDefinition, StockpipeError, type TopicPartition } from '@stockpipe/core'
import { newClaimId } from './claim-id.ts'
import { DataFileKeys } from './data-file-key.ts'
import { ObjectStoreError } from './errors.ts'
import type { FlushGroup } from './flush-group.ts'
import type { EntryFile, JournalEntry } from './journal-entry.ts'
import type { PartitionJournal } from './partition-journal.ts'
import type { SinkContext } from './sink-context.ts'
import type { CutReason } from './sink-options.ts'
import { Staging } from './staging.ts'

/** What a cut needs of its sink. */
export type GroupCutContext = Pick<
  SinkContext,
  | 'runtime'
  | 'logger'
  | 'engine'
  | 'journal'
  | 'topic'
  | 'table'
  | 'tableStore'
  | 'sinkHash'
  | 'deadLetters'
  | 'late'
  | 'latePrefix'
  | 'uploadSlots'
  | 'budget'
>

export interface GroupCut {
  readonly log: TopicPartition
  readonly journal: PartitionJournal
  readonly group: FlushGroup
  readonly cutBy: CutReason
  readonly signal: AbortSignal
  /** The rows have left the engine and are durable. */
  readonly staged: (files: readonly EntryFile[]) => void
  readonly claimed: () => void
  /** The files are to be seen; their partitions are registered next. */
  readonly published: () => void
}

/**
 * Steps 3 (stage) to 7 for one flush group: nothing of it is visible before the claim, everything of it after.
 *
 * Throws a `FencedError` when another owner has claimed the start.
 */
export const cutGroup = async (context: GroupCutContext, cut: GroupCut): Promise<JournalEntry> => {
  const { log, journal, group, signal } = cut
  const claimId = newClaimId(context.journal.runtime)
  const taken = new Map<string, number>()
  const keysUnder = (prefix: string, partitions: readonly PartitionDefinition[]) =>
    new DataFileKeys({
      prefix,
      partitions,
      log,
      start: group.start,
      sinkHash: context.sinkHash,
      claimId,
      taken,
    })
  const staging = new Staging({
    runtime: context.runtime,
    logger: context.logger,
    sink: context.journal.keys.sink,
    store: context.tableStore,
    keys: {
      data: keysUnder(context.table.prefix, context.table.table.partitions),
      late: keysUnder(context.latePrefix, context.table.table.partitions),
      'dead-letters': keysUnder(context.deadLetters.prefix, []),
    },
    metadata: {
      sink: context.journal.keys.sink,
      writer: context.journal.writer,
      'claim-id': claimId,
      start: group.start.toString(),
    },
    uploadSlots: context.uploadSlots,
    budget: context.budget,
    signal,
  })
  let claimSent = false
  try {
    const { start, next } = group
    const files = await staging.run(context.engine.cut({ kind: 'cut', log, start, next }))
    cut.staged(files)
    const entry = entryOf(context, cut, claimId, files)
    refuseMiscounted(entry)
    const outcome = await journal.claim(entry, {
      signal,
      sent: () => {
        claimSent = true
      },
    })
    if (outcome.kind === 'fenced') {
      if (outcome.proven) await staging.abort()
      throw fencedError(log, entry, outcome.winner)
    }
    cut.claimed()
    await journal.publishAndRegister(entry, signal, cut.published)
    return entry
  } catch (error) {
    // Once a claim was sent it may take effect at any time, and then the uploads are the only copy.
    if (!claimSent) await staging.abort()
    // An upload that is gone was aborted by whoever won the start, or by nobody's right.
    const gone = !claimSent && error instanceof ObjectStoreError && error.status === 404
    if (gone && (await journal.isPast(group.start, signal))) throw fencedError(log, group, undefined)
    throw error
  }
}

const entryOf = (
  { journal, table, topic, runtime, late }: GroupCutContext,
  { log, journal: { end }, group, cutBy }: GroupCut,
  claimId: string,
  files: readonly EntryFile[],
): JournalEntry => ({
  sink: journal.keys.sink,
  writer: journal.writer,
  claimId,
  createdAt: new Date(runtime.now()).toISOString(),
  cutBy,
  ...log,
  genesisStart: end.genesisStart,
  previousStart: end.previousStart,
  start: group.start,
  next: group.next,
  table: {
    name: table.table.name,
    database: table.database,
    location: table.location,
    bucket: table.bucket,
    fingerprint: table.table.fingerprint,
    definition: table.table.toJSON(),
    encoding: topic.value,
  },
  watermark: group.watermark,
  late,
  counts: {
    records: group.records,
    rows: group.rows,
    deadLetters: group.deadLetters,
    skipped: group.skipped,
  },
  holes: group.holes,
  lastRecord: group.lastRecord,
  files,
})

/** Nobody could read an entry whose files do not hold what it counts: the chain would end there. */
const refuseMiscounted = ({ topic, partition, start, next, counts, files }: JournalEntry): void => {
  const held = (kind: EntryFile['kind']) =>
    files.reduce((sum, file) => sum + (file.kind === kind ? file.rows : 0), 0)
  const rows = held('data') + held('late')
  if (rows === counts.rows && held('dead-letters') === counts.deadLetters) return
  throw new StockpipeError({
    code: 'ROWS_MISCOUNTED',
    message:
      `${topic}-${partition}: the files of the group [${start}, ${next}) hold ${rows} rows and ${held('dead-letters')} dead letters, ` +
      `its records became ${counts.rows} and ${counts.deadLetters}: a fault of the engine. Nothing of it is claimed.`,
    facts: { topic, partition, start, next },
  })
}

const fencedError = (
  log: TopicPartition,
  { start, next }: Pick<JournalEntry, 'start' | 'next'>,
  winner: string | undefined,
): FencedError =>
  new FencedError({
    code: 'FENCED',
    message:
      `${log.topic}-${log.partition}: ${winner === undefined ? 'another owner' : `writer ${winner}`} has claimed offset ${start} first; ` +
      'what was staged here will not be published. Assign the partition anew if it is still yours.',
    facts: { ...log, start, next, winner },
  })

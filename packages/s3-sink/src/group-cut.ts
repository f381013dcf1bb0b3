import { StockpipeError, type TopicPartition } from '@stockpipe/core'
import type { FlushGroup } from './flush-group.ts'
import { fencedError, stagingFailure } from './group-staging.ts'
import type { EntryFile, JournalEntry } from './journal-entry.ts'
import type { PartitionJournal } from './partition-journal.ts'
import type { SinkContext } from './sink-context.ts'
import type { CutReason } from './sink-options.ts'
import type { Staging } from './staging.ts'

/** What a cut needs of its sink. */
export type GroupCutContext = Pick<SinkContext, 'runtime' | 'engine' | 'journal' | 'topic' | 'table' | 'late'>

export interface GroupCut {
  readonly log: TopicPartition
  readonly journal: PartitionJournal
  readonly group: FlushGroup
  /** Of the group, with the parts that were sent while it was open. */
  readonly staging: Staging
  readonly cutBy: CutReason
  readonly signal: AbortSignal
  /** The rows have left the engine and are durable. */
  readonly staged: (files: readonly EntryFile[]) => void
  readonly claimed: () => void
  /** The files are to be seen; their partitions are registered next. */
  readonly published: () => void
}

/**
 * The end of step 3 (stage) to 7 for one flush group: nothing of it is visible before the claim, everything of it after.
 *
 * Throws a `FencedError` when another owner has claimed the start.
 */
export const cutGroup = async (context: GroupCutContext, cut: GroupCut): Promise<JournalEntry> => {
  const { log, journal, group, staging, signal } = cut
  let claimSent = false
  try {
    const { start, next } = group
    const files = await staging.finish(context.engine.cut({ kind: 'cut', log, start, next }))
    cut.staged(files)
    const entry = entryOf(context, cut, files)
    refuseMiscounted(entry)
    const outcome = await journal.claim(entry, {
      signal,
      sent: () => {
        claimSent = true
      },
    })
    if (outcome.kind === 'fenced') {
      if (outcome.proven) await staging.abort()
      throw fencedError(journal, entry, outcome.winner)
    }
    cut.claimed()
    await journal.publishAndRegister(entry, signal, cut.published)
    return entry
  } catch (error) {
    // Once a claim was sent it may take effect at any time, and then the uploads are the only copy.
    if (!claimSent) await staging.abort()
    throw claimSent ? error : await stagingFailure(error, journal, group, signal)
  }
}

const entryOf = (
  { journal, table, topic, runtime, late }: GroupCutContext,
  { log, journal: { end }, group, staging: { claimId }, cutBy }: GroupCut,
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

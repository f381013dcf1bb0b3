import { FencedError, type PartitionDefinition, type TopicPartition } from '@stockpipe/core'
import { newClaimId } from './claim-id.ts'
import { DataFileKeys } from './data-file-key.ts'
import { ObjectStoreError } from './errors.ts'
import type { PartitionJournal } from './partition-journal.ts'
import type { SinkContext } from './sink-context.ts'
import { Staging } from './staging.ts'

/** What the staging of a group needs of its sink. */
export type GroupStagingContext = Pick<
  SinkContext,
  | 'runtime'
  | 'logger'
  | 'journal'
  | 'table'
  | 'tableStore'
  | 'sinkHash'
  | 'deadLetters'
  | 'latePrefix'
  | 'uploadSlots'
  | 'budget'
>

/** The staging of the group that begins at `start`, under a claim id of its own. */
export const openStaging = (
  context: GroupStagingContext,
  log: TopicPartition,
  start: bigint,
  signal: AbortSignal,
): Staging => {
  const { journal, table, deadLetters, latePrefix, sinkHash } = context
  const claimId = newClaimId(journal.runtime)
  const taken = new Map<string, number>()
  const keysUnder = (prefix: string, partitions: readonly PartitionDefinition[]) =>
    new DataFileKeys({ prefix, partitions, log, start, sinkHash, claimId, taken })
  return new Staging({
    runtime: context.runtime,
    logger: context.logger,
    sink: journal.keys.sink,
    store: context.tableStore,
    claimId,
    keys: {
      data: keysUnder(table.prefix, table.table.partitions),
      late: keysUnder(latePrefix, table.table.partitions),
      'dead-letters': keysUnder(deadLetters.prefix, []),
    },
    metadata: {
      sink: journal.keys.sink,
      writer: journal.writer,
      'claim-id': claimId,
      start: start.toString(),
    },
    uploadSlots: context.uploadSlots,
    budget: context.budget,
    signal,
  })
}

/**
 * What hindered a staging that was never claimed. An upload that is gone was aborted by whoever won the start, or by
 * nobody's right.
 */
export const stagingFailure = async (
  error: unknown,
  journal: PartitionJournal,
  group: { readonly start: bigint; readonly next: bigint },
  signal: AbortSignal,
): Promise<unknown> => {
  const gone = error instanceof ObjectStoreError && error.status === 404
  return gone && (await journal.isPast(group.start, signal)) ? fencedError(journal, group, undefined) : error
}

/** @param winner the writer of the entry at the group's start, where it is known */
export const fencedError = (
  { name, log }: PartitionJournal,
  { start, next }: { readonly start: bigint; readonly next: bigint },
  winner: string | undefined,
): FencedError =>
  new FencedError({
    code: 'FENCED',
    message:
      `${name}: ${winner === undefined ? 'another owner' : `writer ${winner}`} has claimed offset ${start} first; ` +
      'what was staged here will not be published. Assign the partition anew if it is still yours.',
    facts: { ...log, start, next, winner },
  })

import { LogChangedError, type TopicPartition } from '@stockpipe/core'
import type { EpochEnd } from './leader-epoch-request.ts'

/** A topic of the same name was read before: its positions say nothing of this one. */
export const topicMadeAnew = (
  topic: string,
  ids: { readonly readId: string; readonly topicId: string },
  at?: { readonly partition: number; readonly position: bigint },
): LogChangedError =>
  new LogChangedError({
    code: 'LOG_CHANGED',
    message:
      `Topic ${topic} was deleted and made anew while it was read: its id was ${ids.readId} and is ${ids.topicId}. ` +
      (at
        ? `Partition ${at.partition} was to be read from offset ${at.position}, where another record is now. `
        : '') +
      'Start a new sink, or reset this one.',
    facts: { topic, ...at, ...ids },
  })

/**
 * Why a log is not the one that was read, given where the leader epoch of the last record that was read ended; undefined
 * when it may well be. `position` follows that record.
 */
export const truncationProblem = (
  { topic, partition }: TopicPartition,
  { position, leaderEpoch }: { readonly position: bigint; readonly leaderEpoch: number },
  end: EpochEnd,
): LogChangedError | undefined => {
  if (end.endOffset >= position) return undefined
  const read = `Partition ${partition} of topic ${topic} was read up to offset ${position} in leader epoch ${leaderEpoch}`
  const isUnknown = end.endOffset < 0n
  return new LogChangedError({
    code: 'LOG_CHANGED',
    message:
      (isUnknown
        ? `${read}, which its leader knows nothing of: the topic was made anew, or its log was cut. `
        : `${read}, which ends at offset ${end.endOffset} now: the log was cut, as by an unclean leader election, and has ` +
          `grown again. At offsets ${end.endOffset} to ${position - 1n} there are other records than those that were read. `) +
      'Start a new sink, or reset this one.',
    facts: { topic, partition, position, leaderEpoch, ...(isUnknown ? {} : { epochEnd: end.endOffset }) },
  })
}

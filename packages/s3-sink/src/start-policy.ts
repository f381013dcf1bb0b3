import {
  type AssignedPartition,
  ConfigurationError,
  LogChangedError,
  LostPositionError,
} from '@stockpipe/core'

/**
 * Where a partition log begins when the journal knows nothing of it: with the first record the broker has, after the
 * last, at the group's committed offset, or at the first record of a time (milliseconds since the epoch).
 */
export type StartPolicy = 'earliest' | 'latest' | 'committed' | { readonly timestamp: number }

/** Asks Kafka for the first offset at or after a time; undefined when there is none yet. */
export type OffsetForTimestamp = (
  partition: AssignedPartition,
  timestampMillis: number,
  options: { readonly signal?: AbortSignal },
) => Promise<bigint | undefined>

export const startPolicyName = (policy: StartPolicy): string =>
  typeof policy === 'string' ? policy : 'timestamp'

/** The first offset by the policy. Throws a `ConfigurationError` when it has no answer, never another position. */
export const startOffset = async (
  assigned: AssignedPartition,
  policy: StartPolicy,
  offsetForTimestamp: OffsetForTimestamp | undefined,
  signal: AbortSignal | undefined,
): Promise<bigint> => {
  if (policy === 'earliest') return assigned.logStart
  if (policy === 'latest') return assigned.logEnd
  if (policy === 'committed') return committedOffset(assigned)
  if (typeof policy !== 'object' || !Number.isFinite(policy.timestamp)) {
    throw new ConfigurationError({
      code: 'SINK_OPTION_INVALID',
      message: `start is 'earliest', 'latest', 'committed' or { timestamp }, not ${JSON.stringify(policy)}.`,
    })
  }
  if (!offsetForTimestamp) {
    throw new ConfigurationError({
      code: 'START_TIMESTAMP_UNAVAILABLE',
      message:
        'To start at a timestamp the sink needs `offsetForTimestamp`, which asks Kafka for the offset.',
    })
  }
  return (await offsetForTimestamp(assigned, policy.timestamp, signal ? { signal } : {})) ?? assigned.logEnd
}

const committedOffset = ({ topic, partition, committed, logStart, logEnd }: AssignedPartition): bigint => {
  const facts = { topic, partition, committed, logStart, logEnd }
  if (committed === undefined) {
    throw new ConfigurationError({
      code: 'START_COMMITTED_MISSING',
      message: `The group has committed no offset for ${topic}-${partition}: start with 'earliest', 'latest' or a timestamp.`,
      facts,
    })
  }
  if (committed < logStart) {
    throw new LostPositionError({
      code: 'LOST_POSITION',
      message: `The group's committed offset ${committed} of ${topic}-${partition} is gone: the log begins at ${logStart}. Start with 'earliest' to accept the loss.`,
      facts,
    })
  }
  if (committed > logEnd) {
    throw new LogChangedError({
      code: 'LOG_CHANGED',
      message: `The group's committed offset ${committed} of ${topic}-${partition} is beyond the log's end ${logEnd}: the topic was made anew or cut.`,
      facts,
    })
  }
  return committed
}

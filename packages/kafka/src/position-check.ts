import {
  type ErrorFacts,
  LogChangedError,
  LostPositionError,
  type PartitionPosition,
  type Runtime,
  sleep,
} from '@stockpipe/core'
import type { LogRange } from './admin-session.ts'

/** A leader that has just taken over may answer an end that is behind for a moment. */
export const secondLookMillis = 1000

/**
 * Why a position cannot be read from, given the log's range; undefined when it can.
 *
 * kafkajs answers an offset out of range by jumping to one end of the log without a word, so it is asked beforehand.
 */
export const positionProblem = (
  at: PartitionPosition,
  range: LogRange,
): LostPositionError | LogChangedError | undefined => {
  const { topic, partition, offset: position } = at
  const { logStart, logEnd } = range
  const facts: ErrorFacts = { topic, partition, position, logStart, logEnd }
  if (position < logStart) {
    return new LostPositionError({
      code: 'LOST_POSITION',
      message:
        `Partition ${partition} of topic ${topic} was to be read from offset ${position}, and Kafka has deleted everything ` +
        `before ${logStart}: up to ${logStart - position} records are gone. Decide whether to go on from ${logStart}, and raise the topic's retention.`,
      facts,
    })
  }
  if (position > logEnd) {
    return new LogChangedError({
      code: 'LOG_CHANGED',
      message:
        `Partition ${partition} of topic ${topic} was to be read from offset ${position}, and its log ends at ${logEnd}: ` +
        'the topic was made anew, or its log was cut. Start a new sink, or reset this one.',
      facts,
    })
  }
  return undefined
}

/**
 * The range of the log that has the position. `look` asks the broker for it.
 * Throws a `LostPositionError` or `LogChangedError` when Kafka does not have the position any more.
 */
export const verifiedRange = async (
  at: PartitionPosition,
  look: () => Promise<LogRange>,
  { runtime, signal }: { readonly runtime: Runtime; readonly signal: AbortSignal },
): Promise<LogRange> => {
  let range = await look()
  if (at.offset > range.logEnd) {
    await sleep(runtime, secondLookMillis, signal)
    range = await look()
  }
  const problem = positionProblem(at, range)
  if (problem) throw problem
  return range
}

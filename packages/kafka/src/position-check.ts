import { type ErrorFacts, LogChangedError, LostPositionError } from '@stockpipe/core'
import type { LogRange } from './admin-session.ts'

/**
 * Why a position cannot be read from, given the log's range; undefined when it can.
 *
 * kafkajs answers an offset out of range by jumping to one end of the log without a word, so it is asked beforehand.
 */
export const positionProblem = (
  at: { readonly topic: string; readonly partition: number; readonly position: bigint },
  range: LogRange,
): LostPositionError | LogChangedError | undefined => {
  const { topic, partition, position } = at
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

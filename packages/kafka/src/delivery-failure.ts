import type { ErrorFacts } from '@stockpipe/core'
import { isFinal, kafkaFailure } from './kafka-failure.ts'
import type { ProduceOutcome } from './produce-error.ts'

/** Why rows were not acknowledged. */
export interface DeliveryFailure {
  readonly code: 'DELIVERY_FAILED' | 'DELIVERY_TIMED_OUT' | 'DELIVERY_ABORTED'
  /** A clause, such as `Kafka answers MESSAGE_TOO_LARGE for partition 3`. */
  readonly reason: string
  /** Whether the failure is one that passes. */
  readonly passing: boolean
  readonly cause?: unknown
  readonly facts?: ErrorFacts
}

/** A partition's answer is the error of this name. */
export const answeredWith = (name: string, outcome: ProduceOutcome, partition: number): DeliveryFailure => ({
  code: 'DELIVERY_FAILED',
  reason: `Kafka answers ${name} for partition ${partition}${remedyOf(name)}`,
  passing: outcome !== 'refused',
  facts: { partition, kafkaError: name },
})

/** No answer came for a partition: because of an error, or the answer left it out. */
export const unanswered = (error: unknown, partition: number): DeliveryFailure => {
  const doing = `sending to partition ${partition}`
  const cause = error === undefined ? undefined : kafkaFailure(error, { code: 'KAFKA_UNREACHABLE', doing })
  return {
    code: 'DELIVERY_FAILED',
    reason: cause ? cause.message.replace(/\.$/, '') : `an answer said nothing about partition ${partition}`,
    passing: !isFinal(error),
    cause: error,
    facts: { ...cause?.facts, partition },
  }
}

/** The batch could not be made into bytes, which needs nobody else. */
export const unsealed = (error: unknown, partition: number): DeliveryFailure => ({
  code: 'DELIVERY_FAILED',
  reason: `the batch for partition ${partition} could not be compressed: ${error instanceof Error ? error.message : String(error)}`,
  passing: false,
  cause: error,
  facts: { partition },
})

/** A batch has waited for its partition long enough. */
export const overdue = (
  partition: number,
  deliveryTimeoutMillis: number,
  last: DeliveryFailure | undefined,
): DeliveryFailure => ({
  code: 'DELIVERY_TIMED_OUT',
  reason:
    `partition ${partition} took none for ${deliveryTimeoutMillis} ms (deliveryTimeoutMillis)` +
    (last ? `; last: ${last.reason}` : ''),
  passing: true,
  cause: last?.cause,
  facts: { ...last?.facts, partition, deliveryTimeoutMillis },
})

const remedyOf = (name: string): string =>
  name === 'MESSAGE_TOO_LARGE'
    ? ': the batch is larger than max.message.bytes of the topic, so lower batchBytes'
    : name.endsWith('AUTHORIZATION_FAILED')
      ? ': the user may not write to the topic'
      : ''

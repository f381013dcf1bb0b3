import type { KafkaApiName } from '../protocol/api-table.ts'
import type { ErrorName } from '../protocol/error-code.ts'

/** The name of an error of the Kafka protocol, such as `NOT_LEADER_OR_FOLLOWER`. */
export type KafkaErrorName = Exclude<ErrorName, 'NONE'>

/**
 * What happens to a request a fault is hit by.
 *
 * - `cut`: the connection is closed before any work is done.
 * - `loseAnswer`: the work is done, then the connection is closed without an answer.
 * - `error`: no work is done; the answer carries the error where that API has it (per partition, topic, group or
 *   at the top). What the request asks about other topics than the fault's is served as ever.
 * - `delayMillis`: the work is done, the answer is held back for so long, and with it all later answers of the connection.
 */
export type KafkaFaultAction =
  | 'cut'
  | 'loseAnswer'
  | { readonly error: KafkaErrorName }
  | { readonly delayMillis: number }

export interface KafkaFaultOptions {
  /** The API whose requests are hit, in Kafka's own words, such as `Produce`. */
  readonly api: KafkaApiName
  /** Hits only requests that name this topic; one for the metadata of all topics names each. Default: all requests of the API. */
  readonly topic?: string
  /** How many requests are hit before the fault removes itself; `Infinity`: every one. Default 1. */
  readonly times?: number
  readonly action: KafkaFaultAction
}

/** One fault that was added to the broker. */
export interface KafkaFault {
  /** How many requests it has hit so far. */
  readonly hits: number
  /** Hits no further request; again is no harm. */
  remove(): void
}

/** The faults of one embedded broker. */
export interface KafkaFaults {
  /**
   * Adds a fault; of several that fit one request the one added first hits it, alone.
   *
   * Throws a ConfigurationError, `FAULT_INVALID`, that lists the choices for an unknown API, error or action, for a topic on an
   * API that names none, and for an error where the API's answer has no place for it.
   */
  add(options: KafkaFaultOptions): KafkaFault
  /** Removes every fault. */
  clear(): void
}

/**
 * What an error code of a Produce answer means for the batch it is about.
 *
 * - `retry`: nothing was written; the same bytes may be written later.
 * - `retry-unknown`: the batch may have been written; the same bytes are sent again and the broker knows them.
 * - `written`: the broker has it, and does not remember where.
 * - `identity`: the broker does not take this producer's sequence; nothing was written.
 * - `refused`: nothing was written, nor will it be.
 */
export type ProduceOutcome = 'retry' | 'retry-unknown' | 'written' | 'identity' | 'refused'

/**
 * Everything without an outcome here is `retry-unknown`. That includes what says that the broker does not lead the
 * partition: a leader appends first and waits for its replicas, and answers so when it has resigned meanwhile; its
 * successor may have the batch.
 */
const errors: Readonly<Record<number, readonly [name: string, outcome?: ProduceOutcome]>> = {
  [-1]: ['UNKNOWN_SERVER_ERROR'],
  2: ['CORRUPT_MESSAGE', 'retry'],
  3: ['UNKNOWN_TOPIC_OR_PARTITION'],
  6: ['NOT_LEADER_OR_FOLLOWER'],
  7: ['REQUEST_TIMED_OUT'],
  10: ['MESSAGE_TOO_LARGE', 'refused'],
  17: ['INVALID_TOPIC_EXCEPTION', 'refused'],
  18: ['RECORD_LIST_TOO_LARGE', 'refused'],
  19: ['NOT_ENOUGH_REPLICAS', 'retry'],
  20: ['NOT_ENOUGH_REPLICAS_AFTER_APPEND'],
  29: ['TOPIC_AUTHORIZATION_FAILED', 'refused'],
  31: ['CLUSTER_AUTHORIZATION_FAILED', 'refused'],
  32: ['INVALID_TIMESTAMP', 'refused'],
  35: ['UNSUPPORTED_VERSION', 'refused'],
  43: ['UNSUPPORTED_FOR_MESSAGE_FORMAT', 'refused'],
  44: ['POLICY_VIOLATION', 'refused'],
  45: ['OUT_OF_ORDER_SEQUENCE_NUMBER', 'identity'],
  46: ['DUPLICATE_SEQUENCE_NUMBER', 'written'],
  47: ['INVALID_PRODUCER_EPOCH', 'identity'],
  56: ['KAFKA_STORAGE_ERROR'],
  59: ['UNKNOWN_PRODUCER_ID', 'identity'],
  76: ['UNSUPPORTED_COMPRESSION_TYPE', 'refused'],
  87: ['INVALID_RECORD', 'refused'],
}

/** An error code by its name in the protocol, and what it means. */
export const produceError = (code: number): { readonly name: string; readonly outcome: ProduceOutcome } => {
  const [name, outcome = 'retry-unknown'] = errors[code] ?? [`error ${code}`]
  return { name, outcome }
}

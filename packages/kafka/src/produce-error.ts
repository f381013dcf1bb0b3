/**
 * What an error code of a Produce answer means for the batch it is about.
 *
 * - `retry`: nothing was written; the same bytes may be written later, perhaps by another leader.
 * - `retry-unknown`: the batch may have been written; the same bytes are sent again and the broker knows them.
 * - `written`: the broker has it, and does not remember where.
 * - `identity`: the broker does not take this producer's sequence; nothing was written.
 * - `refused`: nothing was written, nor will it be.
 * - `unknown`: nothing is known, and repeating does not help.
 */
export type ProduceOutcome = 'retry' | 'retry-unknown' | 'written' | 'identity' | 'refused' | 'unknown'

const outcomes: Readonly<Record<number, readonly [name: string, outcome: ProduceOutcome]>> = {
  [-1]: ['UNKNOWN_SERVER_ERROR', 'unknown'],
  2: ['CORRUPT_MESSAGE', 'retry'],
  3: ['UNKNOWN_TOPIC_OR_PARTITION', 'retry'],
  5: ['LEADER_NOT_AVAILABLE', 'retry'],
  6: ['NOT_LEADER_OR_FOLLOWER', 'retry'],
  7: ['REQUEST_TIMED_OUT', 'retry-unknown'],
  8: ['BROKER_NOT_AVAILABLE', 'retry'],
  9: ['REPLICA_NOT_AVAILABLE', 'retry'],
  10: ['MESSAGE_TOO_LARGE', 'refused'],
  13: ['NETWORK_EXCEPTION', 'retry-unknown'],
  17: ['INVALID_TOPIC_EXCEPTION', 'refused'],
  18: ['RECORD_LIST_TOO_LARGE', 'refused'],
  19: ['NOT_ENOUGH_REPLICAS', 'retry'],
  20: ['NOT_ENOUGH_REPLICAS_AFTER_APPEND', 'retry-unknown'],
  29: ['TOPIC_AUTHORIZATION_FAILED', 'refused'],
  31: ['CLUSTER_AUTHORIZATION_FAILED', 'refused'],
  32: ['INVALID_TIMESTAMP', 'refused'],
  35: ['UNSUPPORTED_VERSION', 'refused'],
  43: ['UNSUPPORTED_FOR_MESSAGE_FORMAT', 'refused'],
  44: ['POLICY_VIOLATION', 'refused'],
  45: ['OUT_OF_ORDER_SEQUENCE_NUMBER', 'identity'],
  46: ['DUPLICATE_SEQUENCE_NUMBER', 'written'],
  47: ['INVALID_PRODUCER_EPOCH', 'identity'],
  56: ['KAFKA_STORAGE_ERROR', 'retry-unknown'],
  59: ['UNKNOWN_PRODUCER_ID', 'identity'],
  74: ['FENCED_LEADER_EPOCH', 'retry'],
  75: ['UNKNOWN_LEADER_EPOCH', 'retry'],
  76: ['UNSUPPORTED_COMPRESSION_TYPE', 'refused'],
  87: ['INVALID_RECORD', 'refused'],
  89: ['THROTTLING_QUOTA_EXCEEDED', 'retry'],
}

/** An error code by its name in the protocol, and what it means. */
export const produceError = (code: number): { readonly name: string; readonly outcome: ProduceOutcome } => {
  const [name, outcome] = outcomes[code] ?? [`error ${code}`, 'unknown']
  return { name, outcome }
}

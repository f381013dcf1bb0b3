import type { CallOptions } from './object-store.ts'
import type { TopicPartition } from './partitioned-sink.ts'

/** A record that did not become a row, in full. */
export interface DeadLetter extends TopicPartition {
  readonly offset: bigint
  /** The record's timestamp: milliseconds since the epoch. */
  readonly timestampMillis: number
  readonly key: Uint8Array | null
  /** Null for a tombstone. */
  readonly value: Uint8Array | null
  /** In order; a name may come more than once. */
  readonly headers: readonly (readonly [name: string, value: Uint8Array | null])[]
  /** The column at fault, when it is one column. */
  readonly column: string | null
  /** A sentence: what is wrong with the record. */
  readonly reason: string
  /** Of the table definition that the record does not fit. */
  readonly fingerprint: string
}

/** Takes dead letters to a topic. */
export interface DeadLetterPublisher {
  /**
   * Sends the records of one partition log, in order of their offsets; resolves when all are acknowledged. A call that
   * rejected is made again with the same records, after a crash too: each arrives at least once.
   */
  publish(deadLetters: readonly DeadLetter[], options?: CallOptions): Promise<void>
}

import { recordOverheadBytes } from './record-batch.ts'
import { batchHeaderBytes } from './record-batch-header.ts'

/** A record with its partition chosen. */
export interface OutgoingRecord {
  readonly key: string | null
  readonly keyBytes: number
  /** Text, which is sent as UTF-8, or bytes. */
  readonly value: string | Uint8Array
  readonly valueBytes: number
  readonly partition: number
}

export interface BatchLimits {
  /** Records a batch, 65,536 at most. Default 10,000. */
  readonly batchRows: number
  /**
   * Bytes of a batch before compression: at most `max.message.bytes` of the topic, which counts them after it.
   * Default 1,048,588, as brokers have it.
   */
  readonly batchBytes: number
}

/** Limits with their defaults. */
export const batchLimits = ({
  batchRows = 10_000,
  batchBytes = 1_048_588,
}: Partial<BatchLimits>): BatchLimits => ({
  batchRows,
  batchBytes,
})

/** Bytes a record takes in a batch, at most. */
export const recordBytes = ({
  keyBytes,
  valueBytes,
}: Pick<OutgoingRecord, 'keyBytes' | 'valueBytes'>): number => keyBytes + valueBytes + recordOverheadBytes

/** Bytes of a batch of this record alone, at most. */
export const batchBytesOf = (record: Pick<OutgoingRecord, 'keyBytes' | 'valueBytes'>): number =>
  recordBytes(record) + batchHeaderBytes

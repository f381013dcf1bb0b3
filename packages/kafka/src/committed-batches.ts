import type { TopicPartition } from '@stockpipe/core'
import { MalformedBytesError } from './malformed-bytes.ts'
import { checkSum, corruptBatch } from './record-batch-blocks.ts'
import { batchHeaderBytes, type EncodedRecordBatch, lastOffsetOf } from './record-batch-header.ts'
import { VarintReader } from './varint-reader.ts'

/** A transaction that was aborted, as brokers tell beside the batches of a fetch. */
export interface AbortedTransaction {
  readonly producerId: bigint
  /** Of its first record in the partition. */
  readonly firstOffset: bigint
}

/**
 * Tells of each batch whether it has records that a reader of committed ones is shown: not the markers of transactions,
 * not what was aborted, not what compaction has left without records. Throws a `StockpipeError` `RECORD_BATCH_CORRUPT`
 * for a batch that is left out and is not as it was written; the others are checked when they are unpacked.
 */
export function* committedBatches(
  log: TopicPartition,
  batches: readonly EncodedRecordBatch[],
  aborted: readonly AbortedTransaction[],
): Generator<{ readonly batch: EncodedRecordBatch; readonly isShown: boolean }> {
  const toCome = aborted.toSorted((one, other) => (one.firstOffset < other.firstOffset ? -1 : 1))
  const abortedNow = new Set<bigint>()
  for (const batch of batches) {
    // Several transactions may begin within one batch's offsets, or before the first batch.
    while (toCome[0] !== undefined && toCome[0].firstOffset <= lastOffsetOf(batch)) {
      abortedNow.add(toCome.shift()!.producerId)
    }
    const { producerId, isTransactional, isControl, recordCount } = batch
    const isShown = !isControl && recordCount > 0 && !(isTransactional && abortedNow.has(producerId))
    if (!isShown) checkSum(log, batch)
    if (isControl && isAbortMarker(log, batch)) abortedNow.delete(producerId)
    yield { batch, isShown }
  }
}

const abortMarker = 0

/** Whether a control batch ends a transaction by aborting it. The key of a marker is a version and a type. */
const isAbortMarker = (log: TopicPartition, batch: EncodedRecordBatch): boolean => {
  if (batch.recordCount === 0) return false
  const { bytes } = batch
  const reader = new VarintReader(bytes, batchHeaderBytes)
  try {
    reader.varint()
    reader.at += 1
    reader.varlong()
    reader.varint()
    if (reader.varint() < 4 || reader.at + 4 > bytes.length)
      throw new MalformedBytesError('a marker has no type')
  } catch (error) {
    if (error instanceof MalformedBytesError) throw corruptBatch(log, batch.baseOffset, error.message, error)
    throw error
  }
  return bytes.readInt16BE(reader.at + 2) === abortMarker
}

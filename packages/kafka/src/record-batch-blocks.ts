import { crc32c, type RecordBlock, StockpipeError, type TopicPartition } from '@stockpipe/core'
import type { Inflate } from './inflate.ts'
import { MalformedBytesError } from './malformed-bytes.ts'
import type { BlockLimits } from './message-blocks.ts'
import { batchHeaderBytes, type EncodedRecordBatch, lastOffsetOf } from './record-batch-header.ts'
import { RecordPacker } from './record-packer.ts'

/** Which records of batches to pack, and from where their blocks begin. */
export interface BlockRange {
  /** Where the first block begins. */
  readonly position: bigint
  /** The first offset to pack; not before `position`. A batch may begin earlier. */
  readonly from: bigint
  /** Where the last block ends; records from there on are left out. */
  readonly nextOffset: bigint
}

/**
 * Packs the records of batches, which follow each other in their log, into blocks that follow each other without a
 * gap. CPU only, so that any thread may; no object is made for a record. Throws a `StockpipeError`
 * `RECORD_BATCH_CORRUPT` that names the batch.
 */
export function* recordBatchBlocks(
  log: TopicPartition,
  batches: readonly EncodedRecordBatch[],
  { position, from, nextOffset }: BlockRange,
  limits: BlockLimits,
  inflate: Inflate,
): Generator<RecordBlock> {
  const wanted = batches.filter((batch) => lastOffsetOf(batch) >= from && batch.baseOffset < nextOffset)
  const expected = {
    records: wanted.reduce((sum, { recordCount }) => sum + recordCount, 0),
    bytes: wanted.reduce((sum, { bytes }) => sum + bytes.length, 0),
  }
  let block = new RecordPacker(log, position, limits, expected)
  let leaderEpoch = wanted[0]?.leaderEpoch
  const finish = (end: bigint): RecordBlock => ({
    ...block.finish(end),
    ...(leaderEpoch === undefined || leaderEpoch < 0 ? {} : { leaderEpoch }),
  })
  for (const batch of wanted) {
    if (batch.leaderEpoch !== leaderEpoch && block.count > 0) {
      yield finish(batch.baseOffset)
      block = new RecordPacker(log, batch.baseOffset, limits, expected)
    }
    leaderEpoch = batch.leaderEpoch
    const progress = { index: 0, lastDelta: -1 }
    try {
      checkSum(log, batch)
      let rest = inflate(batch.codec, batch.bytes.subarray(batchHeaderBytes))
      for (;;) {
        const taken = block.take(batch, rest, progress, from, nextOffset)
        if (taken.stoppedAt === undefined) break
        yield finish(taken.stoppedAt)
        rest = rest.subarray(taken.bytes)
        block = new RecordPacker(log, taken.stoppedAt, limits, expected)
      }
    } catch (error) {
      // What is sound before it is handed over first.
      if (block.count > 0) yield finish(batch.baseOffset)
      if (error instanceof MalformedBytesError)
        throw corruptBatch(log, batch.baseOffset, error.message, error)
      throw error
    }
  }
  if (block.count > 0) yield finish(nextOffset)
}

/** Throws a `StockpipeError` `RECORD_BATCH_CORRUPT` when the bytes of a batch are not those that were written. */
export const checkSum = (log: TopicPartition, batch: EncodedRecordBatch): void => {
  const sum = crc32c(batch.bytes, 21)
  if (sum !== batch.crc) {
    throw corruptBatch(log, batch.baseOffset, `its CRC-32C is ${hex(sum)}, and it says ${hex(batch.crc)}`)
  }
}

const hex = (sum: number): string => sum.toString(16).padStart(8, '0')

export const corruptBatch = (
  { topic, partition }: TopicPartition,
  offset: bigint,
  reason: string,
  cause?: unknown,
): StockpipeError =>
  new StockpipeError({
    code: 'RECORD_BATCH_CORRUPT',
    message:
      `The record batch at offset ${offset} of partition ${partition} of topic ${topic} cannot be read: ${reason}. ` +
      'Nothing from it on was handed over. If it stays so, its broker has it corrupt: look at another replica.',
    retryable: true,
    ...(cause === undefined ? {} : { cause }),
    facts: { topic, partition, offset },
  })

import { type RecordBlock, RecordBlockBuilder } from '@stockpipe/core'
import type { Batch, KafkaMessage } from 'kafkajs'

export interface BlockLimits {
  readonly maxBlockRecords: number
  readonly maxBlockBytes: number
}

export const defaultBlockLimits: BlockLimits = { maxBlockRecords: 65_536, maxBlockBytes: 8 * 1024 * 1024 }

const largestDelta = 0xffff_ffffn

/**
 * Packs the messages of a fetched batch into blocks that follow each other without a gap, from `position` to
 * `nextOffset`; messages from `nextOffset` on are left out.
 */
export function* messageBlocks(
  batch: Pick<Batch, 'topic' | 'partition'> & { readonly messages: readonly KafkaMessage[] },
  position: bigint,
  nextOffset: bigint,
  limits: BlockLimits = defaultBlockLimits,
): Generator<RecordBlock> {
  const { topic, partition } = batch
  let block = new RecordBlockBuilder({ topic, partition, firstOffset: position })
  for (const { offset: text, timestamp, key, value, headers } of batch.messages) {
    const offset = BigInt(text)
    if (offset >= nextOffset) break
    const isFull = block.count >= limits.maxBlockRecords || block.byteLength >= limits.maxBlockBytes
    if (isFull || offset - block.firstOffset > largestDelta) {
      yield block.finish(offset)
      block = new RecordBlockBuilder({ topic, partition, firstOffset: offset })
    }
    block.add({ offset, timestampMillis: Number(timestamp), key, value, headers })
  }
  if (block.count > 0) yield block.finish(nextOffset)
}

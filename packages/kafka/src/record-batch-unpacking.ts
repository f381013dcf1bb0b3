import type { RecordBatchBlock, RecordBlock, UnpackBatches } from '@stockpipe/core'
import { loadInflate } from './inflate.ts'
import { corruptBatch, recordBatchBlocks } from './record-batch-blocks.ts'
import { readRecordSet } from './record-batch-header.ts'

/** Makes everything ready that unpacks record batches, once a thread. */
export const loadUnpackBatches = async (): Promise<UnpackBatches> => {
  const inflate = await loadInflate()
  return function* unpack(block: RecordBatchBlock): Generator<RecordBlock> {
    const { topic, partition, firstOffset: position, from, nextOffset, batches } = block
    const { buffer, byteOffset, length } = batches
    const set = readRecordSet(Buffer.from(buffer, byteOffset, length), from)
    const range = { position, from, nextOffset }
    yield* recordBatchBlocks({ topic, partition }, set?.batches ?? [], range, block, inflate)
    if (!set || set.problem)
      throw corruptBatch(
        block,
        set?.problem?.offset ?? from,
        set?.problem?.reason ?? 'it is of an older format',
      )
  }
}

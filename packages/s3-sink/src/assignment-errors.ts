import {
  LostPositionError,
  type RecordBatchBlock,
  type RecordBlock,
  StockpipeError,
  type TopicPartition,
} from '@stockpipe/core'

/** A partition log that is asked for something after it was taken away. */
export const notAssigned = (name: string): StockpipeError =>
  new StockpipeError({
    code: 'PARTITION_NOT_ASSIGNED',
    message: `${name} is not assigned to this sink (any more); assign it before writing.`,
  })

/** A block that begins beyond the position. */
export const offsetJump = (
  name: string,
  log: TopicPartition,
  position: bigint,
  block: RecordBlock | RecordBatchBlock,
): LostPositionError =>
  new LostPositionError({
    code: 'OFFSET_JUMP',
    message:
      `${name}: the sink stands at offset ${position} and was handed a block that begins at ${block.firstOffset}: ` +
      'the records between were never handed over. Seek to the position that assign answers.',
    facts: { ...log, position, firstOffset: block.firstOffset },
  })

import type { TopicPartition } from './partitioned-sink.ts'
import type { RecordBlock } from './record-block.ts'

/**
 * A run of record batches of one topic partition, as brokers keep them: checked, inflated and unpacked on the thread that
 * decodes their records. Its buffer is its own, and may be transferred.
 */
export interface RecordBatchBlock extends TopicPartition {
  /** The position the block begins at. */
  readonly firstOffset: bigint
  /** Records below are left out: a batch may begin earlier than it was fetched from. */
  readonly from: bigint
  /** The position after the block; records from there on are left out. */
  readonly nextOffset: bigint
  /** Record batches of format 2 that hold data, one after another. */
  readonly batches: Uint8Array
  /** The greatest timestamp in the last batch, in milliseconds since the epoch. */
  readonly lastTimestampMillis: number
  /** URL of a module that has `loadUnpackBatches`. */
  readonly unpackedBy: string
  /** A block they are unpacked to has no more records than this, and ends with the record that takes it over so many bytes. */
  readonly maxBlockRecords: number
  readonly maxBlockBytes: number
}

/**
 * Unpacks record batches to blocks that follow each other without a gap: none when nothing is left of them. Throws a
 * `StockpipeError` that names the batch where one is not as it was written.
 */
export type UnpackBatches = (block: RecordBatchBlock) => Iterable<RecordBlock>

/** What the module of `unpackedBy` exports. */
export interface UnpackBatchesModule {
  loadUnpackBatches(): Promise<UnpackBatches>
}

/** Loads what unpacks a block's batches. */
export const loadUnpackBatches = async ({
  unpackedBy,
}: Pick<RecordBatchBlock, 'unpackedBy'>): Promise<UnpackBatches> => {
  const module = (await import(
    /* webpackIgnore: true */ /* @vite-ignore */ unpackedBy
  )) as UnpackBatchesModule
  return module.loadUnpackBatches()
}

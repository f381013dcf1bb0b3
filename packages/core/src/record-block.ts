import { ConfigurationError } from './errors.ts'

/** How far a record may lie behind its block's first offset. */
export const greatestDelta = 0xffff_ffff

/** Byte strings packed one after another, a 0x00 between them so that a truncated one cannot read into the next. */
export interface PackedBytes {
  readonly bytes: Uint8Array
  /** Where each begins in `bytes`. */
  readonly starts: Uint32Array
  /** Length in bytes; -1 for null. */
  readonly lengths: Int32Array
}

/**
 * A run of consecutive records of one topic partition, as bytes. All that a sink sees of Kafka, unless
 * it unpacks record batches on a thread of its own (`RecordBatchBlock`).
 *
 * Every buffer is owned by the block and may be transferred to another thread; views may end before their buffers do.
 * Who is done with a block may give its memory back: `giveBlockMemory`. There may be holes between
 * offsets (compaction, transaction markers): `nextOffset - firstOffset >= count`.
 */
export interface RecordBlock {
  readonly topic: string
  readonly partition: number
  /** The position the block begins at: no record of it has a smaller offset. */
  readonly firstOffset: bigint
  /** The position after the block: where the next one begins. */
  readonly nextOffset: bigint
  readonly count: number
  readonly values: PackedBytes
  readonly keys: PackedBytes
  /** Milliseconds since the epoch. */
  readonly timestamps: Float64Array
  /** Offset of each record less `firstOffset`, ascending. */
  readonly offsetDeltas: Uint32Array
  /**
   * Headers of each record in the encoding of the Kafka record format, from the header count on;
   * absent when no record of the block has any.
   */
  readonly headers?: PackedBytes
  /** Epoch of the leader that all records of the block were written by; absent when it is not known. */
  readonly leaderEpoch?: number
}

/** The bytes of entry `index`, or null. */
export const packedAt = (packed: PackedBytes, index: number): Uint8Array | null => {
  const length = packed.lengths[index]!
  if (length < 0) return null
  const start = packed.starts[index]!
  return packed.bytes.subarray(start, start + length)
}

/** The offset of record `index` of a block. */
export const recordOffset = (block: RecordBlock, index: number): bigint =>
  block.firstOffset + BigInt(block.offsetDeltas[index]!)

/** The records of a block below `nextOffset`, as a block that ends there; shares the buffers. */
export const blockUntil = (block: RecordBlock, nextOffset: bigint): RecordBlock =>
  block.nextOffset <= nextOffset ? block : blockBetween(block, block.firstOffset, nextOffset)

/**
 * The records of a block in `[from, to)`, as a block of exactly these positions, also where the block itself begins
 * later or ends earlier; shares the buffers.
 *
 * Throws a `ConfigurationError` when a record would lie more than 4,294,967,295 offsets behind `from`.
 */
export const blockBetween = (block: RecordBlock, from: bigint, to: bigint): RecordBlock => {
  let begin = 0
  let end = block.count
  while (begin < end && recordOffset(block, begin) < from) begin += 1
  while (end > begin && recordOffset(block, end - 1) >= to) end -= 1
  const between = (packed: PackedBytes): PackedBytes => ({
    bytes: packed.bytes,
    starts: packed.starts.slice(begin, end),
    lengths: packed.lengths.slice(begin, end),
  })
  const shift = Number(block.firstOffset - from)
  if (end > begin && block.offsetDeltas[end - 1]! + shift > greatestDelta) {
    const { topic, partition } = block
    throw new ConfigurationError({
      code: 'OFFSET_ORDER',
      message: `Record ${recordOffset(block, end - 1)} of ${topic}-${partition} lies too far behind offset ${from} for one block.`,
      facts: { topic, partition, offset: recordOffset(block, end - 1) },
    })
  }
  return {
    ...block,
    firstOffset: from,
    nextOffset: to,
    count: end - begin,
    values: between(block.values),
    keys: between(block.keys),
    timestamps: block.timestamps.slice(begin, end),
    offsetDeltas: block.offsetDeltas.slice(begin, end).map((delta) => delta + shift),
    ...(block.headers ? { headers: between(block.headers) } : {}),
  }
}

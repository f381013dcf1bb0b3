/** Byte strings packed one after another, a 0x00 between them so that a truncated one cannot read into the next. */
export interface PackedBytes {
  readonly bytes: Uint8Array
  /** Where each begins in `bytes`. */
  readonly starts: Uint32Array
  /** Length in bytes; -1 for null. */
  readonly lengths: Int32Array
}

/**
 * A run of consecutive records of one topic partition, as bytes. All the sink ever sees of Kafka.
 *
 * Every buffer is owned by the block and may be transferred to another thread. There may be holes between
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
export const blockUntil = (block: RecordBlock, nextOffset: bigint): RecordBlock => {
  if (block.nextOffset <= nextOffset) return block
  let count = block.count
  while (count > 0 && recordOffset(block, count - 1) >= nextOffset) count -= 1
  const first = (packed: PackedBytes): PackedBytes => ({
    bytes: packed.bytes,
    starts: packed.starts.slice(0, count),
    lengths: packed.lengths.slice(0, count),
  })
  return {
    ...block,
    nextOffset,
    count,
    values: first(block.values),
    keys: first(block.keys),
    timestamps: block.timestamps.slice(0, count),
    offsetDeltas: block.offsetDeltas.slice(0, count),
    ...(block.headers ? { headers: first(block.headers) } : {}),
  }
}

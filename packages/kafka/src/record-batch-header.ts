/** Bytes of a v2 record batch before its first record. */
export const batchHeaderBytes = 61

/** Bytes of base offset and length, which the length does not count. */
const lengthOverhead = 12
const controlBit = 0x20
const transactionalBit = 0x10
const logAppendTimeBit = 0x08
const codecBits = 0x07

/** The fields of a v2 record batch before its records. */
export interface RecordBatchHeader {
  readonly baseOffset: bigint
  readonly leaderEpoch: number
  readonly crc: number
  /** The number of the codec: 0 none, 1 gzip, 2 snappy, 3 lz4, 4 zstd. */
  readonly codec: number
  readonly isLogAppendTime: boolean
  readonly isTransactional: boolean
  readonly isControl: boolean
  /** Offset of the last record less the base offset; also when compaction has removed that record. */
  readonly lastOffsetDelta: number
  readonly baseTimestamp: bigint
  readonly maxTimestamp: bigint
  readonly producerId: bigint
  readonly recordCount: number
}

/** A record batch as it came over the wire. */
export interface EncodedRecordBatch extends RecordBatchHeader {
  /** From the base offset on. */
  readonly bytes: Buffer
}

export const lastOffsetOf = ({ baseOffset, lastOffsetDelta }: RecordBatchHeader): bigint =>
  baseOffset + BigInt(lastOffsetDelta)

/** What a record set holds. */
export interface RecordSet {
  readonly batches: readonly EncodedRecordBatch[]
  /** Why reading stopped before the end, when that is no batch cut off by the limit of the fetch. */
  readonly problem?: { readonly offset: bigint; readonly reason: string }
}

/**
 * Splits a record set into its batches; the bytes are shared. The last one may be cut off and is left out then, the
 * first never is.
 * @param fetchOffset where the fetch began, for what is said of a set without a batch
 * @returns undefined when there are message sets as before Kafka 0.11
 */
export const readRecordSet = (records: Buffer, fetchOffset: bigint): RecordSet | undefined => {
  const batches: EncodedRecordBatch[] = []
  let start = 0
  let nextOffset: bigint | undefined
  const stop = (offset: bigint, reason: string): RecordSet => ({ batches, problem: { offset, reason } })
  while (start < records.length) {
    const room = records.length - start
    // A batch that is cut off is whole in the next fetch; without one to step over there would be no end to it.
    if (room < lengthOverhead) break
    const baseOffset = records.readBigInt64BE(start)
    if (nextOffset !== undefined && baseOffset < nextOffset) {
      return stop(nextOffset, `a batch follows that begins at offset ${baseOffset}`)
    }
    const size = lengthOverhead + records.readInt32BE(start + 8)
    if (size < lengthOverhead + 14) return stop(baseOffset, `a batch says that it has ${size} bytes`)
    if (room > 16 && records[start + 16]! < 2) return undefined
    if (size < batchHeaderBytes) return stop(baseOffset, `a batch says that it has ${size} bytes`)
    if (size > room) break
    if (records[start + 16] !== 2) {
      return stop(baseOffset, `a batch is of format ${records[start + 16]}, and only 2 is known`)
    }
    const batch = { ...readHeader(records, start), bytes: records.subarray(start, start + size) }
    if (batch.lastOffsetDelta < 0 || batch.recordCount < 0) {
      return stop(baseOffset, 'a batch ends before it begins')
    }
    batches.push(batch)
    nextOffset = lastOffsetOf(batch) + 1n
    start += size
  }
  if (batches.length === 0 && records.length > 0) {
    return stop(fetchOffset, `the first batch is cut off after ${records.length} bytes`)
  }
  return { batches }
}

const readHeader = (bytes: Buffer, start: number): RecordBatchHeader => {
  const attributes = bytes.readInt16BE(start + 21)
  return {
    baseOffset: bytes.readBigInt64BE(start),
    leaderEpoch: bytes.readInt32BE(start + 12),
    crc: bytes.readUInt32BE(start + 17),
    codec: attributes & codecBits,
    isLogAppendTime: (attributes & logAppendTimeBit) !== 0,
    isTransactional: (attributes & transactionalBit) !== 0,
    isControl: (attributes & controlBit) !== 0,
    lastOffsetDelta: bytes.readInt32BE(start + 23),
    baseTimestamp: bytes.readBigInt64BE(start + 27),
    maxTimestamp: bytes.readBigInt64BE(start + 35),
    producerId: bytes.readBigInt64BE(start + 43),
    recordCount: bytes.readInt32BE(start + 57),
  }
}

import { crc32c } from '@stockpipe/core'
import { readInt64, writeInt64 } from '../protocol/wire-reader.ts'

/** Bytes before the first record of a v2 record batch. */
export const batchHeaderBytes = 61
/** Bytes before what the length field of a batch counts. */
export const batchLengthOverheadBytes = 12

const position = { length: 8, leaderEpoch: 12, magic: 16, crc: 17, attributes: 21, maxTimestamp: 35 } as const
const logAppendTimeBit = 8
const transactionalBit = 16
const controlBit = 32

export const CompressionCodec = { none: 0, gzip: 1, snappy: 2, lz4: 3, zstd: 4 } as const

/** The header of a v2 record batch. */
export interface RecordBatchHeader {
  readonly baseOffset: number
  readonly lastOffset: number
  readonly leaderEpoch: number
  /** The whole batch with its header. */
  readonly sizeBytes: number
  readonly magic: number
  readonly crc: number
  readonly codec: number
  readonly usesLogAppendTime: boolean
  readonly isTransactional: boolean
  readonly isControl: boolean
  readonly baseTimestamp: number
  readonly maxTimestamp: number
  /** -1 when the producer is not idempotent. */
  readonly producerId: number
  readonly producerEpoch: number
  readonly baseSequence: number
  readonly lastSequence: number
  readonly recordCount: number
}

/** Reads the header that begins at `start`; the caller has made sure of its 61 bytes. */
export const readBatchHeader = (bytes: Buffer, start = 0): RecordBatchHeader => {
  const attributes = bytes.readInt16BE(start + position.attributes)
  const baseOffset = readInt64(bytes, start)
  const lastOffsetDelta = bytes.readInt32BE(start + 23)
  const baseSequence = bytes.readInt32BE(start + 53)
  return {
    baseOffset,
    lastOffset: baseOffset + lastOffsetDelta,
    leaderEpoch: bytes.readInt32BE(start + position.leaderEpoch),
    sizeBytes: bytes.readInt32BE(start + position.length) + batchLengthOverheadBytes,
    magic: bytes.readInt8(start + position.magic),
    crc: bytes.readUInt32BE(start + position.crc),
    codec: attributes & 7,
    usesLogAppendTime: (attributes & logAppendTimeBit) !== 0,
    isTransactional: (attributes & transactionalBit) !== 0,
    isControl: (attributes & controlBit) !== 0,
    baseTimestamp: readInt64(bytes, start + 27),
    maxTimestamp: readInt64(bytes, start + position.maxTimestamp),
    producerId: readInt64(bytes, start + 43),
    producerEpoch: bytes.readInt16BE(start + 51),
    baseSequence,
    lastSequence: sequenceAfter(baseSequence, lastOffsetDelta),
    recordCount: bytes.readInt32BE(start + 57),
  }
}

/** Sequence numbers wrap to 0 after 2^31 - 1. */
export const sequenceAfter = (sequence: number, count: number): number => (sequence + count) % 2147483648

/** True when the CRC in the header fits the bytes of the batch that begins at `start`. */
export const hasValidChecksum = (bytes: Buffer, header: RecordBatchHeader, start = 0): boolean =>
  crc32c(bytes, start + position.attributes, start + header.sizeBytes) === header.crc

/** Gives a batch its place in the log; neither field is covered by the CRC. */
export const placeBatch = (batch: Buffer, baseOffset: number, leaderEpoch: number): void => {
  writeInt64(batch, baseOffset, 0)
  batch.writeInt32BE(leaderEpoch, position.leaderEpoch)
}

/** Stamps a batch with the time of the broker, as `message.timestamp.type=LogAppendTime` asks. */
export const stampLogAppendTime = (batch: Buffer, timestampMillis: number): void => {
  batch.writeInt16BE(batch.readInt16BE(position.attributes) | logAppendTimeBit, position.attributes)
  writeInt64(batch, timestampMillis, position.maxTimestamp)
  batch.writeUInt32BE(crc32c(batch, position.attributes), position.crc)
}

/** Puts the largest timestamp of its records into the header of a batch. */
export const setMaxTimestamp = (batch: Buffer, maxTimestamp: number): void => {
  writeInt64(batch, maxTimestamp, position.maxTimestamp)
  batch.writeUInt32BE(crc32c(batch, position.attributes), position.crc)
}

/** The batch with its records compressed by another codec. */
export const recompressed = (batch: Buffer, codec: number, records: Buffer): Buffer => {
  const made = Buffer.concat([batch.subarray(0, batchHeaderBytes), records])
  made.writeInt32BE(made.length - batchLengthOverheadBytes, position.length)
  made.writeInt16BE((batch.readInt16BE(position.attributes) & ~7) | codec, position.attributes)
  made.writeUInt32BE(crc32c(made, position.attributes), position.crc)
  return made
}

/** True for an LZ4 frame whose blocks depend on each other, which Apache Kafka cannot read. */
export const hasDependentLz4Blocks = (batch: Buffer, header: RecordBatchHeader): boolean => {
  if (header.codec !== CompressionCodec.lz4 || batch.length < batchHeaderBytes + 5) return false
  return (batch[batchHeaderBytes + 4]! & 0x20) === 0
}

/** Builds the control batch that ends a transaction on one partition. */
export const controlBatch = (options: {
  producerId: number
  producerEpoch: number
  committed: boolean
  timestampMillis: number
}): Buffer => {
  // One record: key is version 0 and type (0 abort, 1 commit), value is version 0 and coordinator epoch 0.
  const record = Buffer.from([0, 0, 0, 8, 0, 0, 0, options.committed ? 1 : 0, 12, 0, 0, 0, 0, 0, 0, 0])
  const batch = Buffer.alloc(batchHeaderBytes + 1 + record.length)
  batch.writeInt32BE(batch.length - batchLengthOverheadBytes, position.length)
  batch.writeInt8(2, position.magic)
  batch.writeInt16BE(transactionalBit | controlBit, position.attributes)
  writeInt64(batch, options.timestampMillis, 27)
  writeInt64(batch, options.timestampMillis, position.maxTimestamp)
  writeInt64(batch, options.producerId, 43)
  batch.writeInt16BE(options.producerEpoch, 51)
  batch.writeInt32BE(-1, 53)
  batch.writeInt32BE(1, 57)
  batch.writeUInt8(record.length << 1, batchHeaderBytes)
  record.copy(batch, batchHeaderBytes + 1)
  batch.writeUInt32BE(crc32c(batch, position.attributes), position.crc)
  return batch
}

/** True when a control batch is a commit, false when it is an abort. */
export const isCommitMarker = (batch: Buffer, start = 0): boolean => batch[start + batchHeaderBytes + 8] === 1

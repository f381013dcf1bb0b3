import { gzipSync } from 'node:zlib'
import { crc32c } from '@stockpipe/core'
import { compress as lz4 } from 'lz4js'
import { compress as snappy } from 'snappyjs'
import { loadZstd } from '../src/zstd.ts'

export interface RecordToEncode {
  readonly offsetDelta: number
  readonly timestampDelta?: number
  readonly key?: Buffer | null
  readonly value?: Buffer | null
  readonly headers?: readonly (readonly [string, Buffer | null])[]
}

export type CodecName = 'none' | 'gzip' | 'snappy' | 'xerial' | 'lz4' | 'zstd'

export interface BatchToEncode {
  readonly baseOffset: number
  readonly records: readonly RecordToEncode[]
  readonly codec?: CodecName
  /** Of what compaction has left; default the last record's. */
  readonly lastOffsetDelta?: number
  readonly baseTimestamp?: number
  readonly maxTimestamp?: number
  readonly isLogAppendTime?: boolean
  readonly isTransactional?: boolean
  readonly isControl?: boolean
  readonly producerId?: number
  readonly leaderEpoch?: number
  /** Changes the records before they are compressed, and the batch after: its CRC-32C is right all the same. */
  readonly damage?: {
    readonly records?: (bytes: Buffer) => Buffer
    readonly packed?: (bytes: Buffer) => Buffer
  }
}

const { compress: zstd } = await loadZstd()

const xerial = (bytes: Buffer): Buffer => {
  const parts = [Buffer.from('82534e41505059000000000100000001', 'hex')]
  for (let at = 0; at < bytes.length; at += 300) {
    const block = Buffer.from(snappy(bytes.subarray(at, at + 300)))
    const length = Buffer.alloc(4)
    length.writeInt32BE(block.length)
    parts.push(length, block)
  }
  return Buffer.concat(parts)
}

const codecs: Readonly<Record<CodecName, readonly [number, (bytes: Buffer) => Uint8Array]>> = {
  none: [0, (bytes) => bytes],
  gzip: [1, (bytes) => gzipSync(bytes)],
  snappy: [2, (bytes) => snappy(bytes)],
  xerial: [2, xerial],
  lz4: [3, (bytes) => lz4(bytes)],
  zstd: [4, zstd],
}

export const codecNames = Object.keys(codecs) as CodecName[]

export const varint = (value: number | bigint): Buffer => {
  let rest = BigInt.asUintN(64, (BigInt(value) << 1n) ^ (BigInt(value) >> 63n))
  const bytes: number[] = []
  for (; rest >= 128n; rest >>= 7n) bytes.push(Number(rest & 127n) | 128)
  return Buffer.from([...bytes, Number(rest)])
}

const sized = (bytes: Buffer | null): Buffer =>
  bytes === null ? varint(-1) : Buffer.concat([varint(bytes.length), bytes])

const encodeRecord = ({
  offsetDelta,
  timestampDelta = 0,
  key = null,
  value = null,
  headers = [],
}: RecordToEncode): Buffer => {
  const body = Buffer.concat([
    Buffer.from([0]),
    varint(timestampDelta),
    varint(offsetDelta),
    sized(key),
    sized(value),
    varint(headers.length),
    ...headers.flatMap(([name, content]) => [sized(Buffer.from(name)), sized(content)]),
  ])
  return sized(body)
}

/** A v2 record batch as brokers keep it, written from the description of the format. */
export const encodeBatch = (batch: BatchToEncode): Buffer => {
  const [codec, compress] = codecs[batch.codec ?? 'none']
  const { records, damage = {}, baseTimestamp = 0 } = batch
  let plain: Buffer = Buffer.concat(records.map(encodeRecord))
  if (damage.records) plain = damage.records(plain)
  // Without records there is nothing to compress.
  let packed: Buffer = Buffer.from(records.length === 0 ? plain : compress(plain))
  if (damage.packed) packed = damage.packed(packed)
  const bytes = Buffer.concat([Buffer.alloc(61), packed])
  const latest = Math.max(0, ...records.map(({ timestampDelta = 0 }) => timestampDelta))
  bytes.writeBigInt64BE(BigInt(batch.baseOffset), 0)
  bytes.writeInt32BE(bytes.length - 12, 8)
  bytes.writeInt32BE(batch.leaderEpoch ?? -1, 12)
  bytes.writeInt8(2, 16)
  const flags =
    (batch.isLogAppendTime ? 8 : 0) | (batch.isTransactional ? 16 : 0) | (batch.isControl ? 32 : 0)
  bytes.writeInt16BE(codec | flags, 21)
  bytes.writeInt32BE(batch.lastOffsetDelta ?? records.at(-1)?.offsetDelta ?? 0, 23)
  bytes.writeBigInt64BE(BigInt(baseTimestamp), 27)
  bytes.writeBigInt64BE(BigInt(batch.maxTimestamp ?? baseTimestamp + latest), 35)
  bytes.writeBigInt64BE(BigInt(batch.producerId ?? -1), 43)
  bytes.writeInt16BE(batch.producerId === undefined ? -1 : 0, 51)
  bytes.writeInt32BE(-1, 53)
  bytes.writeInt32BE(records.length, 57)
  bytes.writeUInt32BE(crc32c(bytes, 21), 17)
  return bytes
}

/** The marker that ends a transaction. */
export const encodeMarker = (baseOffset: number, producerId: number, kind: 'commit' | 'abort'): Buffer =>
  encodeBatch({
    baseOffset,
    producerId,
    isTransactional: true,
    isControl: true,
    records: [
      { offsetDelta: 0, key: Buffer.from([0, 0, 0, kind === 'abort' ? 0 : 1]), value: Buffer.alloc(6) },
    ],
  })

export interface PartitionToEncode {
  readonly records: Buffer
  readonly aborted?: readonly { readonly producerId: number; readonly firstOffset: number }[]
  readonly highWatermark?: number
}

/** The answer to Fetch version 11 for partitions 0, 1, ... of one topic. */
export const encodeFetchAnswer = (topic: string, partitions: readonly PartitionToEncode[]): Buffer => {
  const int32 = (value: number): Buffer => {
    const bytes = Buffer.alloc(4)
    bytes.writeInt32BE(value)
    return bytes
  }
  const int64 = (value: number): Buffer => {
    const bytes = Buffer.alloc(8)
    bytes.writeBigInt64BE(BigInt(value))
    return bytes
  }
  const name = Buffer.from(topic)
  return Buffer.concat([
    int32(0),
    Buffer.alloc(2),
    int32(0),
    int32(1),
    Buffer.from([name.length >> 8, name.length & 255]),
    name,
    int32(partitions.length),
    ...partitions.flatMap(({ records, aborted = [], highWatermark = 1000 }, partition) => [
      int32(partition),
      Buffer.alloc(2),
      int64(highWatermark),
      int64(highWatermark),
      int64(0),
      int32(aborted.length),
      ...aborted.flatMap(({ producerId, firstOffset }) => [int64(producerId), int64(firstOffset)]),
      int32(-1),
      int32(records.length),
      records,
    ]),
  ])
}

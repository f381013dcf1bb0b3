import { crc32c } from '@stockpipe/core'
import type { BatchCompression } from './compression.ts'
import { batchHeaderBytes } from './record-batch-header.ts'

/** Who writes: the broker knows a repeated batch by it and the batch's sequence number. */
export interface ProducerIdentity {
  readonly id: bigint
  readonly epoch: number
}

/** Attributes, timestamp and offset deltas, lengths and header count take this at most. */
export const recordOverheadBytes = 36

const firstCapacity = 4096

/** A v2 record batch that takes records until it is sealed; they are not touched afterwards. */
export class RecordBatchBuilder {
  #bytes = Buffer.allocUnsafe(firstCapacity)
  #end = batchHeaderBytes
  #count = 0
  #baseTimestamp = 0
  #maxTimestamp = 0

  get count(): number {
    return this.#count
  }

  /** Bytes of the batch when it is not compressed. */
  get byteLength(): number {
    return this.#end
  }

  /** Milliseconds since the epoch of the newest record. */
  get maxTimestamp(): number {
    return this.#maxTimestamp
  }

  /**
   * Appends a record, with the bytes its texts take as UTF-8; answers its timestamp, which is not before the first
   * one of the batch.
   */
  add(
    record: {
      readonly key: string | null
      readonly keyBytes: number
      readonly value: string | Uint8Array
      readonly valueBytes: number
    },
    timestamp: number,
  ): number {
    const { key, keyBytes, value, valueBytes } = record
    if (this.#count === 0) this.#baseTimestamp = timestamp
    const delta = Math.max(0, timestamp - this.#baseTimestamp)
    this.#maxTimestamp = Math.max(this.#maxTimestamp, this.#baseTimestamp + delta)
    const index = this.#count
    const bodyBytes =
      1 +
      varintBytes(2 * delta) +
      varintBytes(2 * index) +
      (key === null ? 1 : varintBytes(2 * keyBytes) + keyBytes) +
      varintBytes(2 * valueBytes) +
      valueBytes +
      1
    this.#reserve(bodyBytes + 5)
    const bytes = this.#bytes
    let end = writeVarint(bytes, this.#end, 2 * bodyBytes)
    bytes[end++] = 0
    end = writeVarint(bytes, end, 2 * delta)
    end = writeVarint(bytes, end, 2 * index)
    // A key length of -1 is no key.
    if (key === null) bytes[end++] = 1
    else {
      end = writeVarint(bytes, end, 2 * keyBytes)
      end += bytes.write(key, end, 'utf8')
    }
    end = writeVarint(bytes, end, 2 * valueBytes)
    if (typeof value === 'string') end += bytes.write(value, end, 'utf8')
    else {
      bytes.set(value, end)
      end += value.length
    }
    bytes[end++] = 0
    this.#end = end
    this.#count += 1
    return this.#baseTimestamp + delta
  }

  /** The batch as it goes over the wire. */
  async seal(
    producer: ProducerIdentity,
    baseSequence: number,
    compression: BatchCompression,
  ): Promise<Buffer> {
    const records = this.#bytes.subarray(batchHeaderBytes, this.#end)
    const compressed = compression.codec === 0 ? records : await compression.compress(records)
    // What does not shrink grows, and could become larger than the topic takes.
    const [packed, codec] =
      compressed.length < records.length ? [compressed, compression.codec] : [records, 0]
    const batch = Buffer.allocUnsafe(batchHeaderBytes + packed.length)
    batch.set(packed, batchHeaderBytes)
    batch.writeBigInt64BE(0n, 0)
    batch.writeInt32BE(batch.length - 12, 8)
    batch.writeInt32BE(-1, 12)
    batch.writeInt8(2, 16)
    batch.writeInt16BE(codec, 21)
    batch.writeInt32BE(this.#count - 1, 23)
    batch.writeBigInt64BE(BigInt(this.#baseTimestamp), 27)
    batch.writeBigInt64BE(BigInt(this.#maxTimestamp), 35)
    batch.writeBigInt64BE(producer.id, 43)
    batch.writeInt16BE(producer.epoch, 51)
    batch.writeInt32BE(baseSequence, 53)
    batch.writeInt32BE(this.#count, 57)
    batch.writeUInt32BE(crc32c(batch, 21), 17)
    return batch
  }

  #reserve(bytes: number): void {
    if (this.#end + bytes <= this.#bytes.length) return
    const grown = Buffer.allocUnsafe(Math.max(this.#bytes.length * 2, this.#end + bytes))
    grown.set(this.#bytes.subarray(0, this.#end))
    this.#bytes = grown
  }
}

/** Sequence numbers wrap to 0 after 2^31 - 1. */
export const sequenceAfter = (sequence: number, count: number): number => (sequence + count) % 2147483648

const varintBytes = (value: number): number => {
  let bytes = 1
  for (let rest = value; rest >= 128; rest = Math.floor(rest / 128)) bytes += 1
  return bytes
}

/** Writes a number that is not negative, already in zigzag form; answers where it ends. */
const writeVarint = (bytes: Buffer, start: number, value: number): number => {
  let end = start
  let rest = value
  while (rest >= 128) {
    bytes[end++] = (rest % 128) | 128
    rest = Math.floor(rest / 128)
  }
  bytes[end++] = rest
  return end
}

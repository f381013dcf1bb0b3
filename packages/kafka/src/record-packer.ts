import { blockMemory, type PackedBytes, type RecordBlock, type TopicPartition } from '@stockpipe/core'
import { MalformedBytesError } from './malformed-bytes.ts'
import type { BlockLimits } from './message-blocks.ts'
import type { RecordBatchHeader } from './record-batch-header.ts'
import { VarintReader } from './varint-reader.ts'

/** No record takes fewer bytes: its length, attributes, two deltas, and lengths of key, value and headers. */
const smallestRecord = 7
const largestDelta = 0xffff_ffff

/** How far the records of a batch are packed. */
export interface BatchProgress {
  /** Records read. */
  index: number
  /** Offset of the last one read, less the base offset. */
  lastDelta: number
}

/** What was taken of a batch. */
export interface TakenRecords {
  /** The offset that did not fit any more; absent when nothing of the batch is left. */
  readonly stoppedAt?: bigint
  /** Bytes read. */
  readonly bytes: number
}

/** Packs records out of the bytes of record batches into one block, without an object for a record. */
export class RecordPacker {
  readonly #log: TopicPartition
  readonly #firstOffset: bigint
  readonly #limits: BlockLimits
  readonly #values: BytesColumn
  readonly #keys: BytesColumn
  #headers: BytesColumn | undefined
  #timestamps: Float64Array
  #offsetDeltas: Uint32Array
  #count = 0

  /** @param expected what is about to be packed, as far as is known */
  constructor(
    log: TopicPartition,
    firstOffset: bigint,
    limits: BlockLimits,
    expected: { readonly records: number; readonly bytes: number },
  ) {
    this.#log = log
    this.#firstOffset = firstOffset
    this.#limits = limits
    const records = Math.min(
      expected.records,
      limits.maxBlockRecords,
      Math.ceil(expected.bytes / smallestRecord),
    )
    this.#timestamps = new Float64Array(blockMemory.take(records * 8))
    this.#offsetDeltas = new Uint32Array(blockMemory.take(records * 4))
    this.#values = new BytesColumn(records, Math.min(expected.bytes, limits.maxBlockBytes * 1.25))
    this.#keys = new BytesColumn(records, Math.min(expected.bytes / 8, limits.maxBlockBytes))
  }

  get count(): number {
    return this.#count
  }

  /**
   * Packs the records in `[from, nextOffset)` of what is left of a batch.
   *
   * When the block is full before that, answers the offset it stopped at and how many bytes it has read; `progress` is
   * where to go on. Throws a `MalformedBytesError`, and has packed nothing then.
   */
  take(
    batch: RecordBatchHeader,
    bytes: Uint8Array,
    progress: BatchProgress,
    from: bigint,
    nextOffset: bigint,
  ): TakenRecords {
    const count = this.#count
    const headers = this.#headers
    const ends = [this.#values.end, this.#keys.end, headers?.end ?? 0] as const
    try {
      return this.#pack(batch, bytes, progress, from, nextOffset)
    } catch (error) {
      this.#count = count
      this.#headers = headers
      this.#values.end = ends[0]
      this.#keys.end = ends[1]
      if (headers) headers.end = ends[2]
      throw error
    }
  }

  #pack(
    batch: RecordBatchHeader,
    bytes: Uint8Array,
    progress: BatchProgress,
    from: bigint,
    nextOffset: bigint,
  ): TakenRecords {
    const values = this.#values
    const keys = this.#keys
    const begin = values.lay(bytes)
    const end = begin + bytes.length
    const reader = new VarintReader(values.bytes, begin)
    const { recordCount, lastOffsetDelta } = batch
    if ((recordCount - progress.index) * smallestRecord > bytes.length) {
      throw new MalformedBytesError(`${recordCount} records do not fit in ${bytes.length} bytes`)
    }
    this.#reserve(recordCount - progress.index)
    const timestamps = this.#timestamps
    const offsetDeltas = this.#offsetDeltas
    const shift = Number(batch.baseOffset - this.#firstOffset)
    const first = Number(from - batch.baseOffset)
    const stop = Number(nextOffset - batch.baseOffset)
    const baseTimestamp = Number(batch.baseTimestamp)
    const appendTime = batch.isLogAppendTime ? Number(batch.maxTimestamp) : undefined
    let { index, lastDelta } = progress
    for (; index < recordCount; index++) {
      const recordStart = reader.at
      const length = reader.varint()
      const recordEnd = reader.at + length
      if (length < 0 || recordEnd > end) throw new MalformedBytesError('a record is cut off')
      reader.at += 1
      const timestampDelta = reader.varlong()
      const offsetDelta = reader.varint()
      if (offsetDelta <= lastDelta || offsetDelta > lastOffsetDelta) {
        throw new MalformedBytesError(`offsets do not ascend within the batch, at its record ${index}`)
      }
      const keyLength = reader.varint()
      const keyStart = reader.at
      if (keyLength > 0) reader.at += keyLength
      if (keyLength < -1 || reader.at >= recordEnd) throw new MalformedBytesError('a key is cut off')
      const valueLength = reader.varint()
      const valueStart = reader.at
      if (valueLength > 0) reader.at += valueLength
      if (valueLength < -1 || reader.at >= recordEnd) throw new MalformedBytesError('a value is cut off')
      const headersStart = reader.at
      const hasHeaders = reader.skipHeaders(recordEnd)
      if (reader.at !== recordEnd) throw new MalformedBytesError('a record does not end where it says')
      if (offsetDelta >= stop) return { bytes: recordStart - begin }
      const delta = shift + offsetDelta
      if (offsetDelta < first) {
        lastDelta = offsetDelta
        continue
      }
      if (this.#isFull() || delta > largestDelta) {
        progress.index = index
        progress.lastDelta = lastDelta
        return { stoppedAt: batch.baseOffset + BigInt(offsetDelta), bytes: recordStart - begin }
      }
      lastDelta = offsetDelta
      const at = this.#count
      timestamps[at] = appendTime ?? baseTimestamp + timestampDelta
      offsetDeltas[at] = delta
      keys.append(at, values.bytes, keyStart, keyLength)
      if (hasHeaders) {
        this.#headers ??= BytesColumn.ofNulls(at, timestamps.length)
        this.#headers.append(at, values.bytes, headersStart, recordEnd - headersStart)
      } else this.#headers?.append(at, values.bytes, headersStart, -1)
      // Last: it moves over what was read.
      values.pull(at, valueStart, valueLength)
      this.#count = at + 1
    }
    if (reader.at !== end) throw new MalformedBytesError(`${end - reader.at} bytes follow the last record`)
    return { bytes: bytes.length }
  }

  finish(nextOffset: bigint): RecordBlock {
    const count = this.#count
    return {
      topic: this.#log.topic,
      partition: this.#log.partition,
      firstOffset: this.#firstOffset,
      nextOffset,
      count,
      values: this.#values.finish(count),
      keys: this.#keys.finish(count),
      timestamps: this.#timestamps.subarray(0, count),
      offsetDeltas: this.#offsetDeltas.subarray(0, count),
      ...(this.#headers ? { headers: this.#headers.finish(count) } : {}),
    }
  }

  #isFull(): boolean {
    const bytes = this.#values.end + this.#keys.end + (this.#headers?.end ?? 0)
    return this.#count >= this.#limits.maxBlockRecords || bytes >= this.#limits.maxBlockBytes
  }

  #reserve(records: number): void {
    const wanted = Math.min(this.#count + records, this.#limits.maxBlockRecords)
    if (wanted <= this.#timestamps.length) return
    const capacity = Math.min(Math.max(wanted, this.#timestamps.length * 2), this.#limits.maxBlockRecords)
    this.#timestamps = grown(this.#timestamps, new Float64Array(blockMemory.take(capacity * 8)))
    this.#offsetDeltas = grown(this.#offsetDeltas, new Uint32Array(blockMemory.take(capacity * 4)))
    this.#values.reserve(capacity)
    this.#keys.reserve(capacity)
    this.#headers?.reserve(capacity)
  }
}

/** Byte strings one after another, a 0x00 after each. */
class BytesColumn {
  bytes: Uint8Array
  end = 0
  #starts: Uint32Array
  #lengths: Int32Array

  constructor(entries: number, bytes: number) {
    this.bytes = new Uint8Array(blockMemory.take(Math.ceil(bytes)))
    this.#starts = new Uint32Array(blockMemory.take(entries * 4))
    this.#lengths = new Int32Array(blockMemory.take(entries * 4))
  }

  /** One whose first `nulls` entries are null. */
  static ofNulls(nulls: number, entries: number): BytesColumn {
    const column = new BytesColumn(entries, 0)
    column.#lengths.fill(-1, 0, nulls)
    return column
  }

  reserve(entries: number): void {
    this.#starts = grown(this.#starts, new Uint32Array(blockMemory.take(entries * 4)))
    this.#lengths = grown(this.#lengths, new Int32Array(blockMemory.take(entries * 4)))
  }

  /** Puts bytes where the next entry begins, for `pull` to make entries of; answers where that is. */
  lay(source: Uint8Array): number {
    this.#room(source.length)
    this.bytes.set(source, this.end)
    return this.end
  }

  /** Makes an entry of bytes that were laid behind the last one; what lies between is overwritten. */
  pull(index: number, start: number, length: number): void {
    const { end } = this
    this.#starts[index] = end
    this.#lengths[index] = length
    if (length < 0) return
    this.bytes.copyWithin(end, start, start + length)
    this.bytes[end + length] = 0
    this.end = end + length + 1
  }

  /** Makes an entry of bytes from elsewhere; null when the length is negative. */
  append(index: number, source: Uint8Array, start: number, length: number): void {
    this.#starts[index] = this.end
    this.#lengths[index] = length
    if (length < 0) return
    this.#room(length + 1)
    const { bytes, end } = this
    if (length > 48) bytes.set(source.subarray(start, start + length), end)
    else for (let at = 0; at < length; at++) bytes[end + at] = source[start + at]!
    bytes[end + length] = 0
    this.end = end + length + 1
  }

  finish(count: number): PackedBytes {
    return {
      bytes: this.bytes.subarray(0, this.end),
      starts: this.#starts.subarray(0, count),
      lengths: this.#lengths.subarray(0, count),
    }
  }

  #room(bytes: number): void {
    const needed = this.end + bytes
    if (needed <= this.bytes.length) return
    this.bytes = grown(this.bytes, new Uint8Array(blockMemory.take(Math.max(needed, this.bytes.length * 2))))
  }
}

const grown = <T extends Uint8Array | Uint32Array | Int32Array | Float64Array>(old: T, larger: T): T => {
  larger.set(old)
  blockMemory.give(old.buffer)
  return larger
}

import { blockMemory } from './block-memory.ts'
import { ConfigurationError } from './errors.ts'
import { greatestDelta, type PackedBytes, type RecordBlock } from './record-block.ts'
import { encodeHeaders, type RecordHeaders } from './record-headers.ts'

/** A record as a Kafka client hands it over. */
export interface RecordToPack {
  readonly offset: bigint
  /** Milliseconds since the epoch. */
  readonly timestampMillis: number
  readonly key: Uint8Array | null
  readonly value: Uint8Array | null
  readonly headers?: RecordHeaders | undefined
}

/** Byte strings one after another in memory that grows by doubling. */
class BytesPacker {
  #bytes = new Uint8Array(0)
  #length = 0
  readonly #starts: number[] = []
  readonly #lengths: number[] = []

  get byteLength(): number {
    return this.#length
  }

  add(bytes: Uint8Array | null): void {
    this.#starts.push(this.#length)
    this.#lengths.push(bytes === null ? -1 : bytes.length)
    if (bytes === null) return
    const needed = this.#length + bytes.length + 1
    if (needed > this.#bytes.length) {
      const grown = new Uint8Array(blockMemory.take(Math.max(needed, this.#bytes.length * 2, 4096)))
      grown.set(this.#bytes.subarray(0, this.#length))
      blockMemory.give(this.#bytes.buffer)
      this.#bytes = grown
    }
    this.#bytes.set(bytes, this.#length)
    this.#length = needed
  }

  finish(): PackedBytes {
    const count = this.#starts.length
    const starts = new Uint32Array(blockMemory.take(count * 4), 0, count)
    const lengths = new Int32Array(blockMemory.take(count * 4), 0, count)
    starts.set(this.#starts)
    lengths.set(this.#lengths)
    return { bytes: this.#bytes.subarray(0, this.#length), starts, lengths }
  }
}

/** Packs records of one topic partition, in ascending order of their offsets, into a block. */
export class RecordBlockBuilder {
  readonly topic: string
  readonly partition: number
  readonly firstOffset: bigint
  readonly #values = new BytesPacker()
  readonly #keys = new BytesPacker()
  readonly #headers = new BytesPacker()
  readonly #timestamps: number[] = []
  readonly #offsetDeltas: number[] = []
  #lastDelta = -1
  #finished = false
  #hasHeaders = false

  /** @param position where the block begins: no record added may have a smaller offset */
  constructor(position: {
    readonly topic: string
    readonly partition: number
    readonly firstOffset: bigint
  }) {
    this.topic = position.topic
    this.partition = position.partition
    this.firstOffset = position.firstOffset
  }

  get count(): number {
    return this.#offsetDeltas.length
  }

  /** Bytes of keys, values and headers so far. */
  get byteLength(): number {
    return this.#values.byteLength + this.#keys.byteLength + this.#headers.byteLength
  }

  /**
   * Throws a `ConfigurationError` when the offset is not above the last one's or too far from the first, and when the
   * block is finished.
   */
  add(record: RecordToPack): void {
    this.#refuseFinished()
    const delta = Number(record.offset - this.firstOffset)
    if (delta <= this.#lastDelta || delta > greatestDelta) {
      throw new ConfigurationError({
        code: 'OFFSET_ORDER',
        message: `Record ${record.offset} of ${this.topic}-${this.partition} cannot follow offset ${this.firstOffset + BigInt(this.#lastDelta)} in one block.`,
        facts: { topic: this.topic, partition: this.partition, offset: record.offset },
      })
    }
    this.#lastDelta = delta
    this.#offsetDeltas.push(delta)
    this.#timestamps.push(record.timestampMillis)
    this.#values.add(record.value)
    this.#keys.add(record.key)
    const headers =
      record.headers && Object.keys(record.headers).length > 0 ? encodeHeaders(record.headers) : null
    if (headers) this.#hasHeaders = true
    this.#headers.add(headers)
  }

  /**
   * The block, in memory of `blockMemory`; the builder is over.
   *
   * @param nextOffset the position after the block; default one past its last record
   * Throws a `ConfigurationError` when it is called again.
   */
  finish(nextOffset: bigint = this.firstOffset + BigInt(this.#lastDelta + 1)): RecordBlock {
    this.#refuseFinished()
    this.#finished = true
    return {
      topic: this.topic,
      partition: this.partition,
      firstOffset: this.firstOffset,
      nextOffset,
      count: this.count,
      values: this.#values.finish(),
      keys: this.#keys.finish(),
      timestamps: Float64Array.from(this.#timestamps),
      offsetDeltas: Uint32Array.from(this.#offsetDeltas),
      ...(this.#hasHeaders ? { headers: this.#headers.finish() } : {}),
    }
  }
  #refuseFinished(): void {
    if (!this.#finished) return
    throw new ConfigurationError({
      code: 'BLOCK_FINISHED',
      message: `The block of ${this.topic}-${this.partition} from offset ${this.firstOffset} is finished; build another.`,
      facts: { topic: this.topic, partition: this.partition, offset: this.firstOffset },
    })
  }
}

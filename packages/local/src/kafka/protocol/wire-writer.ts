import { writeInt64 } from './wire-reader.ts'

/** Byte fields from this size on are handed to the socket as they are instead of being copied. */
const copyLimitBytes = 2048

/** Collects one answer as a few chunks for the socket; large byte fields are never copied. */
export class WireWriter {
  readonly #chunks: Buffer[] = []
  #buffer: Buffer
  #chunkStart = 0
  #position = 0
  /** Whether the version written is a flexible one: compact lengths, and tagged fields behind every structure. */
  isFlexible = false

  constructor(initialBytes = 512) {
    this.#buffer = Buffer.allocUnsafe(initialBytes)
  }

  int8(value: number): void {
    const start = this.#reserve(1)
    this.#buffer.writeInt8(value, start)
  }

  int16(value: number): void {
    const start = this.#reserve(2)
    this.#buffer.writeInt16BE(value, start)
  }

  int32(value: number): void {
    const start = this.#reserve(4)
    this.#buffer.writeInt32BE(value, start)
  }

  int64(value: number): void {
    const start = this.#reserve(8)
    writeInt64(this.#buffer, value, start)
  }

  nullableString(value: string | null): void {
    if (value === null) {
      this.#stringLength(-1)
      return
    }
    const byteLength = Buffer.byteLength(value)
    this.#stringLength(byteLength)
    const start = this.#reserve(byteLength)
    this.#buffer.write(value, start)
  }

  nullableBytes(value: Buffer | null): void {
    if (value === null) {
      this.arrayLength(-1)
      return
    }
    this.arrayLength(value.length)
    this.fixedBytes(value)
  }

  /** The bytes without their length. */
  fixedBytes(value: Buffer): void {
    if (value.length < copyLimitBytes) {
      const start = this.#reserve(value.length)
      value.copy(this.#buffer, start)
      return
    }
    this.#cutChunk()
    this.#chunks.push(value)
  }

  /** The length of an array or of bytes, or -1 for null. */
  arrayLength(length: number): void {
    if (this.isFlexible) this.#unsignedVarint(length + 1)
    else this.int32(length)
  }

  /** No tagged fields, where the version has a place for them. */
  taggedFields(): void {
    if (this.isFlexible) this.#unsignedVarint(0)
  }

  #stringLength(length: number): void {
    if (this.isFlexible) this.#unsignedVarint(length + 1)
    else this.int16(length)
  }

  #unsignedVarint(value: number): void {
    let rest = value
    for (; rest > 0x7f; rest = Math.floor(rest / 128)) this.#byte((rest % 128) + 128)
    this.#byte(rest)
  }

  #byte(value: number): void {
    const start = this.#reserve(1)
    this.#buffer.writeUInt8(value, start)
  }

  /** All that was written, in order. */
  finish(): Buffer[] {
    this.#cutChunk()
    return this.#chunks
  }

  #cutChunk(): void {
    if (this.#position > this.#chunkStart) {
      this.#chunks.push(this.#buffer.subarray(this.#chunkStart, this.#position))
      this.#chunkStart = this.#position
    }
  }

  #reserve(byteCount: number): number {
    if (this.#position + byteCount > this.#buffer.length) {
      this.#cutChunk()
      this.#buffer = Buffer.allocUnsafe(Math.max(this.#buffer.length * 2, byteCount, 1024))
      this.#chunkStart = 0
      this.#position = 0
    }
    const start = this.#position
    this.#position += byteCount
    return start
  }
}

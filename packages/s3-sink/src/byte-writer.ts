/** Bytes that grow at their end. The memory is kept when they are cleared, to be used again. */
export class ByteWriter {
  bytes: Uint8Array
  length = 0

  constructor(capacity = 1024) {
    this.bytes = new Uint8Array(capacity)
  }

  clear(): void {
    this.length = 0
  }

  /** Makes room for `count` more bytes, so that they can be written to `bytes` from `length` on. */
  reserve(count: number): void {
    const needed = this.length + count
    if (needed <= this.bytes.length) return
    const grown = new Uint8Array(Math.max(needed, this.bytes.length * 2))
    grown.set(this.bytes.subarray(0, this.length))
    this.bytes = grown
  }

  byte(value: number): void {
    this.reserve(1)
    this.bytes[this.length++] = value
  }

  /** Little-endian. */
  uint32(value: number): void {
    this.reserve(4)
    this.setUint32(this.length, value)
    this.length += 4
  }

  /** Little-endian, over bytes already there. */
  setUint32(at: number, value: number): void {
    const { bytes } = this
    bytes[at] = value
    bytes[at + 1] = value >>> 8
    bytes[at + 2] = value >>> 16
    bytes[at + 3] = value >>> 24
  }

  /** A non-negative integer up to 2^53, seven bits a byte, the low ones first. */
  varint(value: number): void {
    this.reserve(8)
    let rest = value
    for (; rest >= 128; rest = Math.floor(rest / 128)) this.bytes[this.length++] = (rest % 128) | 128
    this.bytes[this.length++] = rest
  }

  append(source: Uint8Array): void {
    this.reserve(source.length)
    this.bytes.set(source, this.length)
    this.length += source.length
  }

  /** `source[start, end)`. */
  appendRange(source: Uint8Array, start: number, end: number): void {
    this.reserve(end - start)
    const { bytes } = this
    let at = this.length
    // A view costs more than a few bytes.
    if (end - start > 32) bytes.set(source.subarray(start, end), at)
    else for (let from = start; from < end; from += 1) bytes[at++] = source[from]!
    this.length += end - start
  }

  /** A copy of what was written. */
  toBytes(): Uint8Array {
    return this.bytes.slice(0, this.length)
  }
}

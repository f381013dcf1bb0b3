import { MalformedBytesError } from './malformed-bytes.ts'

/** Reads the variable-length numbers of the record format. Whoever reads checks that it has not run past the end. */
export class VarintReader {
  readonly #bytes: Uint8Array
  at: number

  constructor(bytes: Uint8Array, at: number) {
    this.#bytes = bytes
    this.at = at
  }

  /** A zigzag number of 32 bits. */
  varint(): number {
    const bytes = this.#bytes
    const first = bytes[this.at++]!
    if (first < 128) return (first >>> 1) ^ -(first & 1)
    // Most lengths have one byte or two: the rest is apart, so that this is small enough to be inlined.
    const second = bytes[this.at++]!
    const value = (first & 127) | ((second & 127) << 7)
    return second < 128 ? (value >>> 1) ^ -(value & 1) : this.#longVarint(value)
  }

  #longVarint(begin: number): number {
    let value = begin
    for (let shift = 14; shift < 35; shift += 7) {
      const byte = this.#bytes[this.at++]!
      value |= (byte & 127) << shift
      if (byte < 128) return (value >>> 1) ^ -(value & 1)
    }
    throw new MalformedBytesError('a number does not end')
  }

  /** A zigzag number of 64 bits. */
  varlong(): number {
    const bytes = this.#bytes
    const start = this.at
    const first = bytes[this.at++]!
    if (first < 128) return (first >>> 1) ^ -(first & 1)
    const second = bytes[this.at++]!
    const value = (first & 127) | ((second & 127) << 7)
    if (second < 128) return (value >>> 1) ^ -(value & 1)
    this.at = start
    return this.#longVarlong()
  }

  #longVarlong(): number {
    const bytes = this.#bytes
    let value = 0
    const start = this.at
    for (let shift = 0; shift < 28; shift += 7) {
      const byte = bytes[this.at++]!
      value |= (byte & 127) << shift
      if (byte < 128) return (value >>> 1) ^ -(value & 1)
    }
    this.at = start
    let long = 0n
    for (let shift = 0n; shift < 70n; shift += 7n) {
      const byte = bytes[this.at++]
      if (byte === undefined) break
      long |= BigInt(byte & 127) << shift
      if (byte < 128) return Number(BigInt.asIntN(64, (long >> 1n) ^ -(long & 1n)))
    }
    throw new MalformedBytesError('a number does not end')
  }

  /** Moves over the headers of a record, which end at `end` at the latest; answers whether there are any. */
  skipHeaders(end: number): boolean {
    if (this.#bytes[this.at] === 0) {
      this.at += 1
      return false
    }
    const count = this.varint()
    if (count < 0) throw new MalformedBytesError('a record has less than no headers')
    for (let index = 0; index < count; index++) {
      const keyLength = this.varint()
      if (keyLength < 0 || keyLength > end - this.at) throw new MalformedBytesError('a header is cut off')
      this.at += keyLength
      const valueLength = this.varint()
      if (valueLength < -1 || valueLength > end - this.at)
        throw new MalformedBytesError('a header is cut off')
      if (valueLength > 0) this.at += valueLength
    }
    return count > 0
  }
}

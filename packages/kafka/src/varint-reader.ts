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
    let byte = bytes[this.at++]!
    if (byte < 128) return (byte >>> 1) ^ -(byte & 1)
    let value = byte & 127
    for (let shift = 7; shift < 35; shift += 7) {
      byte = bytes[this.at++]!
      value |= (byte & 127) << shift
      if (byte < 128) return (value >>> 1) ^ -(value & 1)
    }
    throw new MalformedBytesError('a number does not end')
  }

  /** A zigzag number of 64 bits. */
  varlong(): number {
    const bytes = this.#bytes
    const start = this.at
    let value = 0
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

import { CellProblem } from './cell-problem.ts'

/**
 * Reads the binary encoding of Avro, value by value, between `at` and `end` and never beyond. What a reading method
 * answers false to is told in `problem`, and the cursor is good for no more of that record.
 */
export class AvroCursor {
  bytes: Uint8Array = new Uint8Array(0)
  view: DataView = new DataView(new ArrayBuffer(0))
  at = 0
  end = 0
  problem: CellProblem | undefined
  /** The whole number read last: two 32-bit words of a two's complement. */
  low = 0
  high = 0
  /** The number read last that a double holds. */
  number = 0
  /** The bytes read last: `source[start, stop)`. */
  source = this.bytes
  start = 0
  stop = 0
  /** Of the text read last, as `hashOf` has it. */
  hash = 0

  /** Goes to another buffer. */
  open(bytes: Uint8Array): void {
    this.bytes = bytes
    this.view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length)
  }

  /** Goes to the record in `[start, end)` of the buffer. */
  begin(start: number, end: number): void {
    this.at = start
    this.end = end
    this.problem = undefined
  }

  fail(reason: string): false {
    this.problem = new CellProblem(reason)
    return false
  }

  /** Adds how one gets to the value that failed, from the one that holds it. */
  failWithin(step: string): false {
    this.problem = this.problem!.within(step)
    return false
  }

  #ended(): false {
    return this.fail('is cut off: the record ends before it does')
  }

  /** Reads a long into `low` and `high`. */
  readLong(): boolean {
    const { bytes, end } = this
    let at = this.at
    if (at >= end) return this.#ended()
    let byte = bytes[at++]!
    let first = byte & 127
    let second = 0
    let third = 0
    if (byte >= 128) {
      for (let shift = 7; ; shift += 7) {
        if (at >= end) return this.#ended()
        byte = bytes[at++]!
        if (shift < 28) first |= (byte & 127) << shift
        else if (shift < 56) second |= (byte & 127) << (shift - 28)
        else if (shift === 63 && byte > 1) return this.fail('is a number of more than 64 bits')
        else third |= (byte & 127) << (shift - 56)
        if (byte < 128) break
      }
    }
    this.at = at
    const low = first | (second << 28)
    const high = (second >>> 4) | (third << 24)
    const sign = -(low & 1)
    this.low = ((low >>> 1) | (high << 31)) ^ sign
    this.high = (high >>> 1) ^ sign
    return true
  }

  /** The long read last as a double, which may not hold it exactly beyond 2^53. */
  get approximate(): number {
    return this.high * 4_294_967_296 + (this.low >>> 0)
  }

  /** The long read last. */
  get exact(): bigint {
    return (BigInt(this.high) << 32n) | BigInt(this.low >>> 0)
  }

  /** Reads an int into `number`. */
  readInt(): boolean {
    if (!this.readLong()) return false
    if (this.high !== this.low >> 31) return this.fail(`is an int of more than 32 bits: ${this.exact}`)
    this.number = this.low
    return true
  }

  /** Reads the index of one of `count` things into `number`. */
  readIndex(count: number, what: string): boolean {
    if (!this.readLong()) return false
    if (this.high !== 0 || this.low < 0 || this.low >= count) {
      return this.fail(`has ${what} ${this.exact}, and the schema has ${count}`)
    }
    this.number = this.low
    return true
  }

  /** Reads one byte into `number`. */
  readByte(): boolean {
    if (this.at >= this.end) return this.#ended()
    this.number = this.bytes[this.at++]!
    return true
  }

  readFloat(): boolean {
    const { at } = this
    if (this.end - at < 4) return this.#ended()
    this.number = this.view.getFloat32(at, true)
    this.at = at + 4
    return true
  }

  readDouble(): boolean {
    const { at } = this
    if (this.end - at < 8) return this.#ended()
    this.number = this.view.getFloat64(at, true)
    this.at = at + 8
    return true
  }

  /** Reads a length and as many bytes. */
  readBytes(): boolean {
    if (!this.readLong()) return false
    if (this.high !== 0 || this.low < 0) return this.fail(`claims ${this.exact} bytes`)
    return this.readFixed(this.low)
  }

  readFixed(length: number): boolean {
    const left = this.end - this.at
    if (length > left) return this.fail(`claims ${length} bytes where ${left} are left`)
    this.source = this.bytes
    this.start = this.at
    this.stop = this.at += length
    return true
  }

  /**
   * Reads the values of an array or map, which stand in blocks that each say how many they are; a block may also say
   * how many bytes it has, which nothing here relies on. Each item has to take a byte at least: the record's length
   * bounds how many are read, whatever a block claims.
   */
  readBlocks(readItem: (cursor: AvroCursor) => boolean): boolean {
    for (;;) {
      if (!this.readLong()) return false
      let count = this.approximate
      if (count === 0) return true
      if (count < 0) {
        count = -count
        if (!this.readLong()) return false
        if (this.high < 0) return this.fail(`has a block of ${this.exact} bytes`)
      }
      for (; count > 0; count--) if (!readItem(this)) return false
    }
  }
}

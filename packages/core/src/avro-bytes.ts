const utf8 = new TextEncoder()

/** Writes the binary encoding of Avro, value after value. */
export class AvroBytes {
  #bytes = new Uint8Array(256)
  #view = new DataView(this.#bytes.buffer)
  #end = 0

  /** Drops what was written. */
  clear(): void {
    this.#end = 0
  }

  /** A copy of what was written. */
  take(): Uint8Array {
    return this.#bytes.slice(0, this.#end)
  }

  #room(length: number): number {
    const start = this.#end
    if (start + length > this.#bytes.length) {
      const grown = new Uint8Array(Math.max(start + length, this.#bytes.length * 2))
      grown.set(this.#bytes.subarray(0, start))
      this.#bytes = grown
      this.#view = new DataView(grown.buffer)
    }
    this.#end = start + length
    return start
  }

  byte(value: number): void {
    this.#bytes[this.#room(1)] = value
  }

  /** An int or a long of at most 32 bits. */
  int(value: number): void {
    let at = this.#room(5)
    let rest = ((value << 1) ^ (value >> 31)) >>> 0
    while (rest > 127) {
      this.#bytes[at++] = (rest & 127) | 128
      rest >>>= 7
    }
    this.#bytes[at++] = rest
    this.#end = at
  }

  long(value: bigint): void {
    if (value === BigInt.asIntN(32, value)) {
      this.int(Number(value))
      return
    }
    let at = this.#room(10)
    let rest = BigInt.asUintN(64, (value << 1n) ^ (value >> 63n))
    while (rest > 127n) {
      this.#bytes[at++] = Number(rest & 127n) | 128
      rest >>= 7n
    }
    this.#bytes[at++] = Number(rest)
    this.#end = at
  }

  float(value: number): void {
    const at = this.#room(4)
    this.#view.setFloat32(at, value, true)
  }

  double(value: number): void {
    const at = this.#room(8)
    this.#view.setFloat64(at, value, true)
  }

  /** Bytes without their length. */
  fixed(value: Uint8Array): void {
    const at = this.#room(value.length)
    this.#bytes.set(value, at)
  }

  bytes(value: Uint8Array): void {
    this.int(value.length)
    this.fixed(value)
  }

  string(value: string): void {
    this.bytes(utf8.encode(value))
  }
}

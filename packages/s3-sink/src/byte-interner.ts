import { type ByteDictionary, StockpipeError } from '@stockpipe/core'

/** Arrow's offsets are signed 32-bit integers: a column of a file holds at most this many bytes. */
const maximumBytes = 2 ** 31 - 1

/** Throws when a column would hold more bytes than Arrow's 32-bit offsets can point into. */
export const checkColumnBytes = (bytes: number): void => {
  if (bytes <= maximumBytes) return
  throw new StockpipeError({
    code: 'COLUMN_TOO_LARGE',
    message: `A column of one flush group would hold ${bytes} bytes, more than the 2 GiB a file can; cut flush groups earlier.`,
  })
}

/** Distinct byte strings, numbered from 0 in the order of their first appearance. */
export class ByteInterner {
  #count = 0
  #offsets = new Int32Array(65)
  #bytes = new Uint8Array(1024)
  #hashes = new Int32Array(64)
  /** Open addressing: entry number + 1, or 0; a power of two, at most half full. */
  #slots = new Int32Array(128)

  get count(): number {
    return this.#count
  }

  /** Memory held. */
  get capacityBytes(): number {
    return (
      this.#offsets.byteLength + this.#bytes.byteLength + this.#hashes.byteLength + this.#slots.byteLength
    )
  }

  /** The number of `source[start, end)`. */
  intern(source: Uint8Array, start: number, end: number): number {
    let hash = -2128831035
    for (let at = start; at < end; at += 1) hash = Math.imul(hash ^ source[at]!, 16777619)
    hash ^= hash >>> 15
    const mask = this.#slots.length - 1
    let slot = hash & mask
    for (let entry = this.#slots[slot]!; entry !== 0; entry = this.#slots[slot]!) {
      if (this.#hashes[entry - 1] === hash && this.#equals(entry - 1, source, start, end)) return entry - 1
      slot = (slot + 1) & mask
    }
    this.#add(source, start, end, hash)
    this.#slots[slot] = this.#count
    if (this.#count * 2 > mask) this.#rehash()
    return this.#count - 1
  }

  /** The entries named, in that order, as a dictionary of their own. */
  select(entries: Int32Array): ByteDictionary {
    const offsets = new Int32Array(entries.length + 1)
    let length = 0
    for (let index = 0; index < entries.length; index += 1) {
      length += this.#offsets[entries[index]! + 1]! - this.#offsets[entries[index]!]!
      offsets[index + 1] = length
    }
    const bytes = new Uint8Array(length)
    for (let index = 0; index < entries.length; index += 1) {
      const entry = entries[index]!
      bytes.set(this.#bytes.subarray(this.#offsets[entry]!, this.#offsets[entry + 1]!), offsets[index]!)
    }
    return { offsets, bytes }
  }

  #equals(entry: number, source: Uint8Array, start: number, end: number): boolean {
    const from = this.#offsets[entry]!
    if (this.#offsets[entry + 1]! - from !== end - start) return false
    for (let at = start; at < end; at += 1) {
      if (this.#bytes[from + at - start] !== source[at]) return false
    }
    return true
  }

  #add(source: Uint8Array, start: number, end: number, hash: number): void {
    const from = this.#offsets[this.#count]!
    const to = from + end - start
    checkColumnBytes(to)
    if (to > this.#bytes.length) {
      const grown = new Uint8Array(Math.max(to, this.#bytes.length * 2))
      grown.set(this.#bytes)
      this.#bytes = grown
    }
    if (this.#count === this.#hashes.length) {
      const offsets = new Int32Array(this.#count * 2 + 1)
      offsets.set(this.#offsets)
      this.#offsets = offsets
      const hashes = new Int32Array(this.#count * 2)
      hashes.set(this.#hashes)
      this.#hashes = hashes
    }
    this.#bytes.set(source.subarray(start, end), from)
    this.#hashes[this.#count] = hash
    this.#count += 1
    this.#offsets[this.#count] = to
  }

  #rehash(): void {
    this.#slots = new Int32Array(this.#slots.length * 2)
    const mask = this.#slots.length - 1
    for (let entry = 0; entry < this.#count; entry += 1) {
      let slot = this.#hashes[entry]! & mask
      while (this.#slots[slot] !== 0) slot = (slot + 1) & mask
      this.#slots[slot] = entry + 1
    }
  }
}

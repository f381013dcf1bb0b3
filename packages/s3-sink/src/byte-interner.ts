import { type ByteDictionary, StockpipeError } from '@stockpipe/core'
import { type ColumnMemory, freshMemory } from './column-memory.ts'
import { rowMemory } from './row-memory.ts'

/** Arrow's offsets are signed 32-bit integers: a column of a file holds at most this many bytes. */
const maximumBytes = 2 ** 31 - 1
/** The first piece of memory for strings; each further one is twice as large, up to the greatest. */
const smallestChunk = 1024
const greatestChunk = 1024 * 1024

/** Throws when a column would hold more bytes than Arrow's 32-bit offsets can point into. */
export const checkColumnBytes = (bytes: number): void => {
  if (bytes <= maximumBytes) return
  throw new StockpipeError({
    code: 'COLUMN_TOO_LARGE',
    message: `A column of one flush group would hold ${bytes} bytes, more than the 2 GiB a file can; cut flush groups earlier.`,
  })
}

/**
 * Distinct byte strings, numbered from 0 in the order of their first appearance. They lie in chunks that are never
 * copied: one large array that grows would leave as much garbage, in sizes that allocators do not use again.
 */
export class ByteInterner {
  #count = 0
  #length = 0
  readonly #chunks: Uint8Array<ArrayBuffer>[] = []
  #chunkBytes = 0
  /** Bytes taken of the last chunk. */
  #taken = 0
  /** Three words an entry: its chunk, where it starts there, its length. */
  #places = new Int32Array(3 * 64)
  #hashes = new Int32Array(64)
  /** Open addressing: entry number + 1, or 0; a power of two, at most half full. */
  #slots = new Int32Array(128)

  get count(): number {
    return this.#count
  }

  /** Memory held. */
  get capacityBytes(): number {
    return this.#chunkBytes + this.#places.byteLength + this.#hashes.byteLength + this.#slots.byteLength
  }

  /** Bytes of an entry. */
  lengthOf(entry: number): number {
    return this.#places[entry * 3 + 2]!
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

  /** The number that an entry of another has here. */
  internFrom(other: ByteInterner, entry: number): number {
    const bytes = other.#bytesOf(entry)
    return this.intern(bytes, 0, bytes.length)
  }

  /** Gives the memory back; the strings are over. */
  release(): void {
    for (const { buffer, byteOffset, byteLength } of this.#chunks.splice(0)) {
      rowMemory.give(new Int32Array(buffer, byteOffset, byteLength >> 2))
    }
    this.#chunkBytes = 0
  }

  /** The entries named, in that order, as a dictionary of their own in that memory. */
  select(entries: Int32Array, memory: ColumnMemory = freshMemory): ByteDictionary {
    const offsets = memory.take((entries.length + 1) * 4).subarray(0, entries.length + 1)
    offsets[0] = 0
    let length = 0
    for (let index = 0; index < entries.length; index += 1) {
      length += this.#places[entries[index]! * 3 + 2]!
      offsets[index + 1] = length
    }
    const words = memory.take(length)
    const bytes = new Uint8Array(words.buffer, words.byteOffset, length)
    for (let index = 0; index < entries.length; index += 1) {
      bytes.set(this.#bytesOf(entries[index]!), offsets[index]!)
    }
    return { offsets, bytes }
  }

  #bytesOf(entry: number): Uint8Array {
    const start = this.#places[entry * 3 + 1]!
    return this.#chunks[this.#places[entry * 3]!]!.subarray(start, start + this.#places[entry * 3 + 2]!)
  }

  #equals(entry: number, source: Uint8Array, start: number, end: number): boolean {
    if (this.#places[entry * 3 + 2] !== end - start) return false
    const chunk = this.#chunks[this.#places[entry * 3]!]!
    const from = this.#places[entry * 3 + 1]!
    for (let at = start; at < end; at += 1) {
      if (chunk[from + at - start] !== source[at]) return false
    }
    return true
  }

  #add(source: Uint8Array, start: number, end: number, hash: number): void {
    const length = end - start
    checkColumnBytes(this.#length + length)
    const chunk = this.#chunkFor(length)
    if (this.#count === this.#hashes.length) {
      this.#places = grown(this.#places)
      this.#hashes = grown(this.#hashes)
    }
    chunk.set(source.subarray(start, end), this.#taken)
    const place = this.#count * 3
    this.#places[place] = this.#chunks.length - 1
    this.#places[place + 1] = this.#taken
    this.#places[place + 2] = length
    this.#hashes[this.#count] = hash
    this.#taken += length
    this.#length += length
    this.#count += 1
  }

  #chunkFor(length: number): Uint8Array {
    const last = this.#chunks.at(-1)
    if (last !== undefined && this.#taken + length <= last.length) return last
    const size = Math.min(greatestChunk, smallestChunk * 2 ** Math.min(20, this.#chunks.length))
    const { buffer, byteOffset, byteLength } = rowMemory.take(Math.max(size, length))
    const chunk = new Uint8Array(buffer, byteOffset, byteLength)
    this.#chunks.push(chunk)
    this.#chunkBytes += chunk.length
    this.#taken = 0
    return chunk
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

const grown = (words: Int32Array): Int32Array<ArrayBuffer> => {
  const twice = new Int32Array(words.length * 2)
  twice.set(words)
  return twice
}

import type { ByteDictionary } from './column-batch.ts'

/**
 * A hash is made of the four-byte words of a string, low byte first, then of the bytes left, each by
 * `hash = Math.imul(rotate(hash, 5) ^ word, hashFactor)`, from 0 on.
 */
export const hashFactor = 0x9e3779b1 | 0

/** The hash of `source[start, end)`. */
export const hashOf = (source: Uint8Array, start: number, end: number): number => {
  let hash = 0
  let at = start
  for (; at + 4 <= end; at += 4) {
    const word = source[at]! | (source[at + 1]! << 8) | (source[at + 2]! << 16) | (source[at + 3]! << 24)
    hash = Math.imul(((hash << 5) | (hash >>> 27)) ^ word, hashFactor)
  }
  for (; at < end; at++) hash = Math.imul(((hash << 5) | (hash >>> 27)) ^ source[at]!, hashFactor)
  return hash
}

/** Spreads what differs in any bit over the low ones. */
const mixed = (hash: number): number => {
  const high = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b)
  return high ^ (high >>> 13)
}

/**
 * Distinct byte strings, numbered from 0 in the order of their first appearance. It lives for one block, so it holds
 * no more than the block's own bytes, however many values differ.
 */
export class StringDictionary {
  #count = 0
  #bytes = new Uint8Array(256)
  /** Where entry `i` begins; where the next one will. */
  #offsets = new Int32Array(65)
  #hashes = new Int32Array(64)
  /** The row that brought entry `i`. */
  #rows = new Int32Array(64)
  /** Open addressing: entry number + 1, or 0; a power of two, at most half full. */
  #slots = new Int32Array(128)

  get count(): number {
    return this.#count
  }

  /** The number of `source[start, end)`. @param row the row that has it: `undo` takes back what it brought */
  intern(source: Uint8Array, start: number, end: number, row: number): number {
    return this.internHashed(source, start, end, hashOf(source, start, end), row)
  }

  /** As `intern`, where the hash is known already. */
  internHashed(source: Uint8Array, start: number, end: number, rawHash: number, row: number): number {
    const hash = mixed(rawHash)
    const slots = this.#slots
    const mask = slots.length - 1
    let slot = hash & mask
    for (let entry = slots[slot]!; entry !== 0; entry = slots[slot]!) {
      if (this.#hashes[entry - 1] === hash && this.#equals(entry - 1, source, start, end)) return entry - 1
      slot = (slot + 1) & mask
    }
    return this.#add(source, start, end, hash, slot, row)
  }

  /** The number of `source[start, end)`, or -1. */
  find(source: Uint8Array, start: number, end: number): number {
    const hash = mixed(hashOf(source, start, end))
    const mask = this.#slots.length - 1
    for (let slot = hash & mask; this.#slots[slot] !== 0; slot = (slot + 1) & mask) {
      const entry = this.#slots[slot]! - 1
      if (this.#hashes[entry] === hash && this.#equals(entry, source, start, end)) return entry
    }
    return -1
  }

  /** Forgets the entries that `row`, the newest, brought. */
  undo(row: number): void {
    while (this.#count > 0 && this.#rows[this.#count - 1] === row) {
      const mask = this.#slots.length - 1
      let slot = this.#hashes[this.#count - 1]! & mask
      while (this.#slots[slot] !== this.#count) slot = (slot + 1) & mask
      // Nothing was put behind the newest entry, so that no search passes over its slot.
      this.#slots[slot] = 0
      this.#count -= 1
    }
  }

  /** What it holds; it is empty from then on. */
  take(): ByteDictionary {
    const dictionary = {
      offsets: this.#offsets.slice(0, this.#count + 1),
      bytes: this.#bytes.slice(0, this.#offsets[this.#count]!),
    }
    // What a block of many distinct values took is not held for those that follow.
    if (this.#slots.length > 8192) this.#slots = new Int32Array(128)
    else if (this.#count > 0) this.#slots.fill(0)
    if (this.#hashes.length > 4096) {
      this.#hashes = new Int32Array(64)
      this.#rows = new Int32Array(64)
      this.#offsets = new Int32Array(65)
    }
    if (this.#bytes.length > 65_536) this.#bytes = new Uint8Array(256)
    this.#count = 0
    return dictionary
  }

  #equals(entry: number, source: Uint8Array, start: number, end: number): boolean {
    const from = this.#offsets[entry]!
    if (this.#offsets[entry + 1]! - from !== end - start) return false
    const bytes = this.#bytes
    const shift = from - start
    for (let at = start; at < end; at++) if (bytes[at + shift] !== source[at]) return false
    return true
  }

  #add(source: Uint8Array, start: number, end: number, hash: number, slot: number, row: number): number {
    const entry = this.#count
    const from = this.#offsets[entry]!
    const to = from + end - start
    if (entry === this.#hashes.length) {
      this.#hashes = grown(this.#hashes, entry * 2)
      this.#rows = grown(this.#rows, entry * 2)
      this.#offsets = grown(this.#offsets, entry * 2 + 1)
    }
    if (to > this.#bytes.length) {
      const bytes = new Uint8Array(Math.max(to, this.#bytes.length * 2))
      bytes.set(this.#bytes.subarray(0, from))
      this.#bytes = bytes
    }
    if (to - from < 64) {
      const bytes = this.#bytes
      for (let at = start; at < end; at++) bytes[from + at - start] = source[at]!
    } else this.#bytes.set(source.subarray(start, end), from)
    this.#offsets[entry + 1] = to
    this.#hashes[entry] = hash
    this.#rows[entry] = row
    this.#slots[slot] = entry + 1
    this.#count = entry + 1
    if (this.#count * 2 > this.#slots.length) this.#rehash()
    return entry
  }

  #rehash(): void {
    const slots = new Int32Array(this.#slots.length * 2)
    const mask = slots.length - 1
    for (let entry = 0; entry < this.#count; entry++) {
      let slot = this.#hashes[entry]! & mask
      while (slots[slot] !== 0) slot = (slot + 1) & mask
      slots[slot] = entry + 1
    }
    this.#slots = slots
  }
}

const grown = (words: Int32Array, length: number): Int32Array<ArrayBuffer> => {
  const larger = new Int32Array(length)
  larger.set(words)
  return larger
}

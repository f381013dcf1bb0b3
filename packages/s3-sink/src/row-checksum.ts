import type { ColumnBatch, ColumnVector } from '@stockpipe/core'
import { isNull } from './validity-buffer.ts'

/** 16 hex digits over what rows hold, the same in whatever order and files they stand. */
export type RowChecksum = string

/**
 * Adds up a hash of each row: two sums of 32 bits, by hashes that share nothing. A row lost, doubled or changed in a
 * single bit shows; that it does not is one chance in 2^64.
 */
export class RowChecksummer {
  #first = 0
  #second = 0
  rows = 0

  add(batch: ColumnBatch): void {
    const hashes = new RowHashes(batch.rows)
    for (const vector of batch.columns) hashes.addColumn(vector)
    for (let row = 0; row < batch.rows; row += 1) {
      this.#first = (this.#first + finished(hashes.first[row]!)) >>> 0
      this.#second = (this.#second + finished(hashes.second[row]!)) >>> 0
    }
    this.rows += batch.rows
  }

  get checksum(): RowChecksum {
    return [this.#first, this.#second].map((sum) => sum.toString(16).padStart(8, '0')).join('')
  }
}

const finished = (hash: number): number => {
  let mixed = hash
  mixed = Math.imul(mixed ^ (mixed >>> 16), 0x85ebca6b)
  mixed = Math.imul(mixed ^ (mixed >>> 13), 0xc2b2ae35)
  return (mixed ^ (mixed >>> 16)) >>> 0
}

/** A hash of each row so far. What stands under a null counts for nothing. */
class RowHashes {
  readonly first: Uint32Array
  readonly second: Uint32Array

  constructor(rows: number) {
    this.first = new Uint32Array(rows).fill(0x9e3779b9)
    this.second = new Uint32Array(rows).fill(0x243f6a88)
  }

  addColumn(vector: ColumnVector): void {
    const add = valueHasher(vector)
    for (let row = 0; row < this.first.length; row += 1) add(row, this, row)
  }

  /** Mixes 32 bits into the hash of a row. */
  mix(row: number, word: number): void {
    const first = Math.imul(this.first[row]! ^ word, 0x01000193)
    this.first[row] = Math.imul((first << 13) | (first >>> 19), 5) + 0x6b64e654
    const second = this.second[row]! + Math.imul(word, 0xcc9e2d51)
    this.second[row] = Math.imul((second << 17) | (second >>> 15), 0x1b873593) ^ 0x27d4eb2f
  }
}

/** Mixes the value at `at` of a vector into the hash of `row`. */
type ValueHasher = (at: number, hashes: RowHashes, row: number) => void

const present = 1
const absent = 0

const valueHasher = (vector: ColumnVector): ValueHasher => {
  const { validity } = vector
  const add = presentHasher(vector)
  return (at, hashes, row) => {
    if (isNull(validity, at)) return hashes.mix(row, absent)
    hashes.mix(row, present)
    add(at, hashes, row)
  }
}

const presentHasher = (vector: ColumnVector): ValueHasher => {
  switch (vector.kind) {
    case 'boolean':
      return (at, hashes, row) => hashes.mix(row, (vector.values[at >> 3]! >> (at & 7)) & 1)
    case 'int8':
    case 'int16':
    case 'int32':
      return (at, hashes, row) => hashes.mix(row, vector.values[at]!)
    case 'float':
      return wordHasher(vector.values, 1)
    case 'double':
    case 'int64':
      return wordHasher(vector.values, 2)
    case 'int128':
      return wordHasher(vector.values, 4)
    case 'dictionary': {
      const { offsets, bytes } = vector.dictionary
      return (at, hashes, row) => {
        const code = vector.codes[at]!
        mixBytes(hashes, row, bytes, offsets[code]!, offsets[code + 1]!)
      }
    }
    case 'binary':
      return (at, hashes, row) =>
        mixBytes(hashes, row, vector.bytes, vector.offsets[at]!, vector.offsets[at + 1]!)
    case 'list': {
      const element = valueHasher(vector.element)
      return (at, hashes, row) => {
        const [from, to] = [vector.offsets[at]!, vector.offsets[at + 1]!]
        hashes.mix(row, to - from)
        for (let index = from; index < to; index += 1) element(index, hashes, row)
      }
    }
    case 'map': {
      const [key, value] = [valueHasher(vector.key), valueHasher(vector.value)]
      return (at, hashes, row) => {
        const [from, to] = [vector.offsets[at]!, vector.offsets[at + 1]!]
        hashes.mix(row, to - from)
        for (let index = from; index < to; index += 1) {
          key(index, hashes, row)
          value(index, hashes, row)
        }
      }
    }
    case 'struct': {
      const fields = vector.fields.map(valueHasher)
      return (at, hashes, row) => {
        for (const field of fields) field(at, hashes, row)
      }
    }
  }
}

/** Bits as they are stored, so that -0 and every NaN count as what they are. */
const wordHasher = (
  { buffer, byteOffset, byteLength }: Float32Array | Float64Array | BigInt64Array,
  count: number,
): ValueHasher => {
  const words = new Int32Array(buffer, byteOffset, byteLength >> 2)
  return (at, hashes, row) => {
    for (let word = at * count; word < (at + 1) * count; word += 1) hashes.mix(row, words[word]!)
  }
}

const mixBytes = (hashes: RowHashes, row: number, bytes: Uint8Array, from: number, to: number): void => {
  hashes.mix(row, to - from)
  let at = from
  for (; at + 4 <= to; at += 4) {
    hashes.mix(row, bytes[at]! | (bytes[at + 1]! << 8) | (bytes[at + 2]! << 16) | (bytes[at + 3]! << 24))
  }
  if (at === to) return
  let rest = 0
  for (let shift = 0; at < to; at += 1, shift += 8) rest |= bytes[at]! << shift
  hashes.mix(row, rest)
}

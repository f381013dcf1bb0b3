import { type ColumnVector, StockpipeError } from '@stockpipe/core'
import { checkColumnBytes } from './byte-interner.ts'
import { type ColumnMemory, freshMemory } from './column-memory.ts'
import { createNestedBuffer } from './nested-buffer.ts'
import { grownCapacity, type RowSelection, rowRange } from './row-selection.ts'
import type { SharedDictionary } from './shared-dictionary.ts'
import { isNull, ValidityBuffer } from './validity-buffer.ts'

/** The values of one column, growing by copies of selected rows. */
export interface ColumnBuffer {
  /** Appends the selected rows of `vector` after the `rows` rows held. */
  append(vector: ColumnVector, selection: RowSelection, rows: number): void
  /** Appends rows `[start, end)` of a buffer of the same column after the `rows` rows held. */
  appendFrom(source: ColumnBuffer, start: number, end: number, rows: number): void
  /** The `rows` rows held, sharing memory with the buffer where it can. */
  vector(rows: number): ColumnVector
  /** Memory held. */
  readonly capacityBytes: number
  /** Gives memory back; the buffer is over, and so is every vector of it. Absent: there is nothing to give back. */
  release?(): void
  /** Bytes the values of rows `[start, end)` themselves take; a string counts as often as it stands in a row. */
  payloadBytes(start: number, end: number): number
}

const mismatch = (expected: string, found: string): StockpipeError =>
  new StockpipeError({
    code: 'COLUMN_KIND_MISMATCH',
    message: `A decoded column is of kind ${found} where the table's column is ${expected}; decoder and table differ.`,
  })

const fixedArrays = {
  int8: Int8Array,
  int16: Int16Array,
  int32: Int32Array,
  int64: BigInt64Array,
  float: Float32Array,
  double: Float64Array,
  int128: BigInt64Array,
} as const

type FixedKind = keyof typeof fixedArrays
const fixedBytes: { readonly [Kind in FixedKind]: number } = {
  int8: 1,
  int16: 2,
  int32: 4,
  int64: 8,
  float: 4,
  double: 8,
  int128: 16,
}

/** Values of a fixed width. Copied as 32-bit words, so that one loop serves every type and no bigint is made. */
class FixedWidthBuffer implements ColumnBuffer {
  readonly #kind: FixedKind
  readonly #memory: ColumnMemory
  readonly #width: number
  readonly #validity = new ValidityBuffer()
  #words: Int32Array<ArrayBuffer>
  /** The same memory. */
  #bytes: Uint8Array

  constructor(kind: FixedKind, memory: ColumnMemory, rows: number) {
    this.#kind = kind
    this.#memory = memory
    this.#width = fixedBytes[kind]
    this.#words = rows > 0 ? memory.take(rows * this.#width) : noWords
    this.#bytes = bytesOf(this.#words)
  }

  get capacityBytes(): number {
    return this.#bytes.length + this.#validity.capacityBytes
  }

  payloadBytes(start: number, end: number): number {
    return (end - start) * this.#width
  }

  append(vector: ColumnVector, selection: RowSelection, rows: number): void {
    if (vector.kind !== this.#kind) throw mismatch(this.#kind, vector.kind)
    this.#validity.append(vector.validity, selection, rows)
    const width = this.#width
    this.#reserve(rows, selection.end - selection.start)
    const { values } = vector
    if (width < 4) {
      const source = new Uint8Array(values.buffer, values.byteOffset, values.byteLength)
      gatherBytes(source, this.#bytes, width, selection, rows)
    } else {
      const source = new Int32Array(values.buffer, values.byteOffset, values.byteLength >> 2)
      gatherWords(source, this.#words, width >> 2, selection, rows)
    }
  }

  appendFrom(source: ColumnBuffer, start: number, end: number, rows: number): void {
    const from = source as FixedWidthBuffer
    this.#validity.appendFrom(from.#validity, start, end, rows)
    this.#reserve(rows, end - start)
    const width = this.#width
    if (width < 4) this.#bytes.set(from.#bytes.subarray(start * width, end * width), rows * width)
    else copyWords(from.#words, (start * width) >> 2, (end * width) >> 2, this.#words, (rows * width) >> 2)
  }

  vector(rows: number): ColumnVector {
    const length = this.#kind === 'int128' ? rows * 2 : rows
    const values = new fixedArrays[this.#kind](this.#words.buffer, this.#words.byteOffset, length)
    return { kind: this.#kind, values, validity: this.#validity.bitmap(rows) } as ColumnVector
  }

  #reserve(rows: number, more: number): void {
    const needed = (rows + more) * this.#width
    if (needed <= this.#bytes.length) return
    const grown = this.#memory.take(grownCapacity(this.#bytes.length, needed))
    grown.set(this.#words)
    this.release()
    this.#words = grown
    this.#bytes = bytesOf(grown)
  }

  release(): void {
    this.#memory.give(this.#words)
    this.#words = noWords
    this.#bytes = bytesOf(noWords)
  }
}

const noWords = new Int32Array(0)

const bytesOf = ({ buffer, byteOffset, byteLength }: Int32Array<ArrayBuffer>): Uint8Array =>
  new Uint8Array(buffer, byteOffset, byteLength)

/** A view costs more than a few words. */
const copyWords = (
  source: Int32Array,
  start: number,
  end: number,
  target: Int32Array,
  begin: number,
): void => {
  if (end - start > 64) target.set(source.subarray(start, end), begin)
  else for (let from = start, at = begin; from < end; from += 1, at += 1) target[at] = source[from]!
}

const gatherBytes = (
  source: Uint8Array,
  target: Uint8Array,
  width: number,
  { order, start, end }: RowSelection,
  rows: number,
): void => {
  let at = rows * width
  for (let index = start; index < end; index += 1) {
    const from = order[index]! * width
    target[at++] = source[from]!
    if (width === 2) target[at++] = source[from + 1]!
  }
}

const gatherWords = (
  source: Int32Array,
  target: Int32Array,
  words: number,
  { order, start, end }: RowSelection,
  rows: number,
): void => {
  let at = rows * words
  if (words === 1) {
    for (let index = start; index < end; index += 1) target[at++] = source[order[index]!]!
  } else if (words === 2) {
    for (let index = start; index < end; index += 1) {
      const from = order[index]! * 2
      target[at++] = source[from]!
      target[at++] = source[from + 1]!
    }
  } else {
    for (let index = start; index < end; index += 1) {
      const from = order[index]! * words
      for (let word = 0; word < words; word += 1) target[at++] = source[from + word]!
    }
  }
}

class BooleanBuffer implements ColumnBuffer {
  readonly #validity = new ValidityBuffer()
  #bits = new Uint8Array(0)

  get capacityBytes(): number {
    return this.#bits.byteLength + this.#validity.capacityBytes
  }

  payloadBytes(start: number, end: number): number {
    return (end - start) / 8
  }

  appendFrom(source: ColumnBuffer, start: number, end: number, rows: number): void {
    this.append(source.vector(end), rowRange(start, end), rows)
  }

  append(vector: ColumnVector, selection: RowSelection, rows: number): void {
    if (vector.kind !== 'boolean') throw mismatch('boolean', vector.kind)
    this.#validity.append(vector.validity, selection, rows)
    const { order, start, end } = selection
    const needed = (rows + end - start + 7) >> 3
    if (needed > this.#bits.length) {
      const grown = new Uint8Array(grownCapacity(this.#bits.length, needed))
      grown.set(this.#bits)
      this.#bits = grown
    }
    for (let index = start; index < end; index += 1) {
      const row = order[index]!
      const at = rows + index - start
      this.#bits[at >> 3]! |= ((vector.values[row >> 3]! >> (row & 7)) & 1) << (at & 7)
    }
  }

  vector(rows: number): ColumnVector {
    const values = this.#bits.subarray(0, (rows + 7) >> 3)
    return { kind: 'boolean', values, validity: this.#validity.bitmap(rows) }
  }
}

class DictionaryBuffer implements ColumnBuffer {
  readonly #shared: SharedDictionary
  readonly #memory: ColumnMemory
  readonly #validity = new ValidityBuffer()
  #codes: Int32Array<ArrayBuffer>

  constructor(shared: SharedDictionary, memory: ColumnMemory, rows: number) {
    this.#shared = shared
    this.#memory = memory
    this.#codes = rows > 0 ? memory.take(rows * 4) : noWords
  }

  get capacityBytes(): number {
    return this.#codes.byteLength + this.#validity.capacityBytes
  }

  payloadBytes(start: number, end: number): number {
    const { validity } = this.#validity
    let bytes = (end - start) * 4
    for (let row = start; row < end; row += 1) {
      if (!isNull(validity, row)) bytes += this.#shared.lengthOf(this.#codes[row]!)
    }
    return bytes
  }

  append(vector: ColumnVector, selection: RowSelection, rows: number): void {
    if (vector.kind !== 'dictionary') throw mismatch('dictionary', vector.kind)
    const { validity, codes } = vector
    this.#validity.append(validity, selection, rows)
    const { order, start, end } = selection
    this.#reserve(rows + end - start)
    for (let index = start; index < end; index += 1) {
      const row = order[index]!
      // What stands under a null is not a code.
      if (isNull(validity, row)) continue
      this.#codes[rows + index - start] = this.#shared.codeOf(codes[row]!)
    }
  }

  appendFrom(source: ColumnBuffer, start: number, end: number, rows: number): void {
    const from = source as DictionaryBuffer
    this.#validity.appendFrom(from.#validity, start, end, rows)
    this.#reserve(rows + end - start)
    if (from.#shared === this.#shared) copyWords(from.#codes, start, end, this.#codes, rows)
    else
      for (let row = start; row < end; row += 1) {
        if (isNull(from.#validity.validity, row)) continue
        this.#codes[rows + row - start] = this.#shared.movedCode(from.#codes[row]!)
      }
  }

  #reserve(needed: number): void {
    if (needed <= this.#codes.length) return
    const grown = this.#memory.take(grownCapacity(this.#codes.length, needed) * 4)
    grown.set(this.#codes)
    this.release()
    this.#codes = grown
  }

  release(): void {
    this.#memory.give(this.#codes)
    this.#codes = noWords
  }

  vector(rows: number): ColumnVector {
    const validity = this.#validity.bitmap(rows)
    const compacted = this.#shared.compact(this.#codes.subarray(0, rows), validity, this.#memory)
    return { kind: 'dictionary', ...compacted, validity }
  }
}

class BinaryBuffer implements ColumnBuffer {
  readonly #validity = new ValidityBuffer()
  #offsets = new Int32Array(1)
  #bytes = new Uint8Array(0)
  #length = 0

  get capacityBytes(): number {
    return this.#offsets.byteLength + this.#bytes.byteLength + this.#validity.capacityBytes
  }

  payloadBytes(start: number, end: number): number {
    return this.#offsets[end]! - this.#offsets[start]! + (end - start) * 4
  }

  appendFrom(source: ColumnBuffer, start: number, end: number, rows: number): void {
    this.append(source.vector(end), rowRange(start, end), rows)
  }

  append(vector: ColumnVector, selection: RowSelection, rows: number): void {
    if (vector.kind !== 'binary') throw mismatch('binary', vector.kind)
    const { validity, offsets, bytes } = vector
    this.#validity.append(validity, selection, rows)
    const { order, start, end } = selection
    const needed = rows + end - start + 1
    if (needed > this.#offsets.length) {
      const grown = new Int32Array(grownCapacity(this.#offsets.length, needed))
      grown.set(this.#offsets)
      this.#offsets = grown
    }
    for (let index = start; index < end; index += 1) {
      const row = order[index]!
      if (!isNull(validity, row)) this.#write(bytes.subarray(offsets[row]!, offsets[row + 1]!))
      this.#offsets[rows + index - start + 1] = this.#length
    }
  }

  vector(rows: number): ColumnVector {
    return {
      kind: 'binary',
      offsets: this.#offsets.subarray(0, rows + 1),
      bytes: this.#bytes.subarray(0, this.#length),
      validity: this.#validity.bitmap(rows),
    }
  }

  #write(value: Uint8Array): void {
    const needed = this.#length + value.length
    checkColumnBytes(needed)
    if (needed > this.#bytes.length) {
      const grown = new Uint8Array(grownCapacity(this.#bytes.length, needed))
      grown.set(this.#bytes.subarray(0, this.#length))
      this.#bytes = grown
    }
    this.#bytes.set(value, this.#length)
    this.#length = needed
  }
}

/**
 * An empty buffer for a column whose vectors are of that kind. Strings and values of a fixed width take their memory
 * from `memory`, and at once that for `rows` rows, where that can be foretold.
 */
export const createColumnBuffer = (
  kind: ColumnVector['kind'],
  dictionary: SharedDictionary | undefined,
  memory: ColumnMemory = freshMemory,
  rows = 0,
): ColumnBuffer => {
  if (kind === 'dictionary') return new DictionaryBuffer(dictionary!, memory, rows)
  if (kind === 'boolean') return new BooleanBuffer()
  if (kind === 'list' || kind === 'map' || kind === 'struct') {
    return createNestedBuffer(kind, (inner) => createColumnBuffer(inner, undefined))
  }
  return kind === 'binary' ? new BinaryBuffer() : new FixedWidthBuffer(kind, memory, rows)
}

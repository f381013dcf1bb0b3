import { type ByteDictionary, type ColumnVector, StockpipeError } from '@stockpipe/core'
import { ByteInterner } from './byte-interner.ts'
import type { ByteWriter } from './byte-writer.ts'
import { bitWidth } from './rle-encoding.ts'
import { shortenedMax, shortenedMin, type ValueBounds, type ValueOrder } from './value-order.ts'
import { WordDictionary } from './word-dictionary.ts'

/** The values of a column chunk that are there, without its nulls, as a Parquet encoding takes them. */
export interface ColumnValues {
  readonly length: number
  readonly order: ValueOrder
  /** The values as codes into distinct ones, where that is smaller; it holds until the next call of any. */
  dictionary(): { readonly codes: Int32Array; readonly entries: ColumnValues } | undefined
  /** Appends values `[from, to)`, plain. */
  writePlain(from: number, to: number, target: ByteWriter): void
  /** Least and greatest of values `[from, to)`; undefined where none of them has an order. */
  bounds(from: number, to: number): ValueBounds | undefined
  /** Up to which value from `from` on a page of `pageBytes` goes, plain; at least one, at most `to`. */
  plainEnd(from: number, to: number, pageBytes: number): number
}

/** A dictionary larger than this slows readers down more than it saves. */
const greatestDictionaryBytes = 1024 * 1024

const isSmaller = (entries: number, dictionaryBytes: number, values: number, plainBytes: number): boolean =>
  dictionaryBytes <= greatestDictionaryBytes &&
  dictionaryBytes + (values * bitWidth(entries)) / 8 < plainBytes

/** Values of 4 or 8 bytes. */
export class WordValues implements ColumnValues {
  readonly length: number
  readonly order: 'int32' | 'int64' | 'float' | 'double'
  readonly #words: Int32Array
  readonly #width: 1 | 2
  readonly #repeats: boolean

  /** @param repeats false: values hardly repeat, so that no dictionary is tried */
  constructor(order: WordValues['order'], words: Int32Array, repeats: boolean) {
    this.order = order
    this.#words = words
    this.#width = order === 'int64' || order === 'double' ? 2 : 1
    this.#repeats = repeats
    this.length = words.length / this.#width
  }

  dictionary(): ReturnType<ColumnValues['dictionary']> {
    if (!this.#repeats) return undefined
    const found = WordDictionary.of(this.#words, this.#width)
    if (found === undefined) return undefined
    const { codes, entries } = found
    const count = entries.length / this.#width
    if (!isSmaller(count, entries.byteLength, this.length, this.#words.byteLength)) return undefined
    return { codes, entries: new WordValues(this.order, entries, false) }
  }

  writePlain(from: number, to: number, target: ByteWriter): void {
    const { buffer, byteOffset } = this.#words
    const bytes = this.#width * 4
    target.append(new Uint8Array(buffer, byteOffset + from * bytes, (to - from) * bytes))
  }

  bounds(from: number, to: number): ValueBounds | undefined {
    switch (this.order) {
      case 'int32':
        return int32Bounds(this.#words, from, to)
      case 'int64':
        return int64Bounds(this.#words, from, to)
      case 'float': {
        const { buffer, byteOffset, length } = this.#words
        return floatBounds(new Float32Array(buffer, byteOffset, length), from, to, (value) =>
          bytesOf(new Float32Array([value])),
        )
      }
      case 'double': {
        const { buffer, byteOffset, length } = this.#words
        return floatBounds(new Float64Array(buffer, byteOffset, length / 2), from, to, (value) =>
          bytesOf(new Float64Array([value])),
        )
      }
    }
  }

  plainEnd(from: number, to: number, pageBytes: number): number {
    return Math.min(to, from + Math.max(1, Math.floor(pageBytes / (this.#width * 4))))
  }
}

/** Decimals of more than 18 digits: 16 bytes, big-endian in the file. */
export class WideDecimalValues implements ColumnValues {
  readonly length: number
  readonly order = 'int128'
  readonly #words: Int32Array

  /** @param words four a value, the low one first */
  constructor(words: Int32Array) {
    this.#words = words
    this.length = words.length / 4
  }

  dictionary(): undefined {
    return undefined
  }

  writePlain(from: number, to: number, target: ByteWriter): void {
    target.reserve((to - from) * 16)
    const { bytes } = target
    let at = target.length
    for (let value = from; value < to; value += 1) {
      for (let index = value * 4 + 3; index >= value * 4; index -= 1) {
        const word = this.#words[index]!
        bytes[at] = word >>> 24
        bytes[at + 1] = word >>> 16
        bytes[at + 2] = word >>> 8
        bytes[at + 3] = word
        at += 4
      }
    }
    target.length = at
  }

  bounds(from: number, to: number): ValueBounds {
    let [min, max] = [from, from]
    for (let value = from + 1; value < to; value += 1) {
      if (this.#compare(value, min) < 0) min = value
      else if (this.#compare(value, max) > 0) max = value
    }
    return { min: this.#bytes(min), max: this.#bytes(max) }
  }

  plainEnd(from: number, to: number, pageBytes: number): number {
    return Math.min(to, from + Math.max(1, Math.floor(pageBytes / 16)))
  }

  #compare(left: number, right: number): number {
    const words = this.#words
    const high = words[left * 4 + 3]! - words[right * 4 + 3]!
    if (high !== 0) return high
    for (let index = 2; index >= 0; index -= 1) {
      const low = (words[left * 4 + index]! >>> 0) - (words[right * 4 + index]! >>> 0)
      if (low !== 0) return low
    }
    return 0
  }

  #bytes(value: number): Uint8Array {
    const bytes = new Uint8Array(16)
    const view = new DataView(bytes.buffer)
    for (let index = 0; index < 4; index += 1) view.setInt32(12 - index * 4, this.#words[value * 4 + index]!)
    return bytes
  }
}

export class BooleanValues implements ColumnValues {
  readonly length: number
  readonly order = 'boolean'
  readonly #bits: Uint8Array

  constructor(bits: Uint8Array, length: number) {
    this.#bits = bits
    this.length = length
  }

  dictionary(): undefined {
    return undefined
  }

  writePlain(from: number, to: number, target: ByteWriter): void {
    const count = (to - from + 7) >> 3
    target.reserve(count)
    target.bytes.fill(0, target.length, target.length + count)
    for (let value = from; value < to; value += 1) {
      if (this.#at(value)) target.bytes[target.length + ((value - from) >> 3)]! |= 1 << ((value - from) & 7)
    }
    target.length += count
  }

  bounds(from: number, to: number): ValueBounds {
    let [min, max] = [1, 0]
    for (let value = from; value < to && min >= max; value += 1) {
      min = Math.min(min, this.#at(value))
      max = Math.max(max, this.#at(value))
    }
    return { min: Uint8Array.of(min), max: Uint8Array.of(max) }
  }

  plainEnd(_from: number, to: number): number {
    return to
  }

  #at(value: number): number {
    return (this.#bits[value >> 3]! >> (value & 7)) & 1
  }
}

/** Strings, JSON text and binary: entries of a dictionary by code, or one after the other. */
export class ByteArrayValues implements ColumnValues {
  readonly length: number
  readonly order = 'bytes'
  readonly #codes: Int32Array | undefined
  readonly #entries: ByteDictionary
  readonly #isText: boolean

  /** @param codes undefined: each entry is a value */
  constructor(codes: Int32Array | undefined, entries: ByteDictionary, isText: boolean) {
    this.#codes = codes
    this.#entries = entries
    this.#isText = isText
    this.length = codes?.length ?? entries.offsets.length - 1
  }

  dictionary(): ReturnType<ColumnValues['dictionary']> {
    const codes = this.#codes
    if (codes === undefined) return undefined
    const { offsets } = this.#entries
    let plainBytes = codes.length * 4
    for (const code of codes) plainBytes += offsets[code + 1]! - offsets[code]!
    const count = offsets.length - 1
    if (!isSmaller(count, offsets[count]! + count * 4, codes.length, plainBytes)) return undefined
    return { codes, entries: new ByteArrayValues(undefined, this.#entries, this.#isText) }
  }

  writePlain(from: number, to: number, target: ByteWriter): void {
    const { offsets, bytes } = this.#entries
    const codes = this.#codes
    for (let value = from; value < to; value += 1) {
      const entry = codes === undefined ? value : codes[value]!
      const [start, end] = [offsets[entry]!, offsets[entry + 1]!]
      target.uint32(end - start)
      target.appendRange(bytes, start, end)
    }
  }

  bounds(from: number, to: number): ValueBounds | undefined {
    const codes = this.#codes
    const met = codes === undefined ? undefined : new Uint8Array(this.#entries.offsets.length - 1)
    let [min, max] = [-1, -1]
    for (let value = from; value < to; value += 1) {
      let entry = value
      if (met !== undefined) {
        entry = codes![value]!
        if (met[entry] === 1) continue
        met[entry] = 1
      }
      if (min < 0 || this.#compare(entry, min) < 0) min = entry
      if (max < 0 || this.#compare(entry, max) > 0) max = entry
    }
    const greatest = shortenedMax(this.#bytes(max), this.#isText)
    return greatest && { min: shortenedMin(this.#bytes(min), this.#isText), max: greatest }
  }

  plainEnd(from: number, to: number, pageBytes: number): number {
    const { offsets } = this.#entries
    let bytes = 0
    let value = from
    for (; value < to && (bytes < pageBytes || value === from); value += 1) {
      const entry = this.#codes === undefined ? value : this.#codes[value]!
      bytes += 4 + offsets[entry + 1]! - offsets[entry]!
    }
    return value
  }

  #bytes(entry: number): Uint8Array {
    return this.#entries.bytes.subarray(this.#entries.offsets[entry]!, this.#entries.offsets[entry + 1]!)
  }

  #compare(left: number, right: number): number {
    const { offsets, bytes } = this.#entries
    let [a, b] = [offsets[left]!, offsets[right]!]
    const [aEnd, bEnd] = [offsets[left + 1]!, offsets[right + 1]!]
    for (; a < aEnd && b < bEnd; a += 1, b += 1) {
      const difference = bytes[a]! - bytes[b]!
      if (difference !== 0) return difference
    }
    return aEnd - a - (bEnd - b)
  }
}

const bytesOf = ({ buffer }: ArrayBufferView): Uint8Array => new Uint8Array(buffer as ArrayBuffer)

const int32Bounds = (words: Int32Array, from: number, to: number): ValueBounds => {
  let min = words[from]!
  let max = min
  for (let value = from + 1; value < to; value += 1) {
    const word = words[value]!
    if (word < min) min = word
    else if (word > max) max = word
  }
  return { min: bytesOf(Int32Array.of(min)), max: bytesOf(Int32Array.of(max)) }
}

/** As two words each, so that no bigint is made. */
const int64Bounds = (words: Int32Array, from: number, to: number): ValueBounds => {
  let minHigh = words[from * 2 + 1]!
  let minLow = words[from * 2]! >>> 0
  let [maxHigh, maxLow] = [minHigh, minLow]
  for (let value = from + 1; value < to; value += 1) {
    const high = words[value * 2 + 1]!
    const low = words[value * 2]! >>> 0
    if (high < minHigh || (high === minHigh && low < minLow)) {
      minHigh = high
      minLow = low
    } else if (high > maxHigh || (high === maxHigh && low > maxLow)) {
      maxHigh = high
      maxLow = low
    }
  }
  return { min: bytesOf(Int32Array.of(minLow, minHigh)), max: bytesOf(Int32Array.of(maxLow, maxHigh)) }
}

/** NaN has no order; a zero may be of either sign, so that it stands for both. */
const floatBounds = (
  values: Float32Array | Float64Array,
  from: number,
  to: number,
  encode: (value: number) => Uint8Array,
): ValueBounds | undefined => {
  let [min, max] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY]
  for (let index = from; index < to; index += 1) {
    const value = values[index]!
    if (value < min) min = value
    if (value > max) max = value
  }
  // An infinity alone leaves one of the two where it began, which is right; NaN alone leaves both.
  if (min > max) return undefined
  return { min: encode(min === 0 ? -0 : min), max: encode(max === 0 ? 0 : max) }
}

const wordsOf = ({ buffer, byteOffset, byteLength }: ArrayBufferView): Int32Array =>
  new Int32Array(buffer, byteOffset, byteLength >> 2)

/** The first `count` values of a vector, which has no nulls, for a leaf of that order. */
export const columnValues = (
  vector: ColumnVector,
  count: number,
  {
    order,
    repeats,
    isText,
  }: { readonly order: ValueOrder; readonly repeats: boolean; readonly isText: boolean },
): ColumnValues => {
  switch (vector.kind) {
    case 'boolean':
      return new BooleanValues(vector.values, count)
    case 'dictionary':
      return new ByteArrayValues(vector.codes.subarray(0, count), vector.dictionary, isText)
    case 'binary': {
      const entries = { offsets: vector.offsets.subarray(0, count + 1), bytes: vector.bytes }
      return isText ? internedTexts(entries) : new ByteArrayValues(undefined, entries, false)
    }
    case 'int128':
      return new WideDecimalValues(wordsOf(vector.values).subarray(0, count * 4))
    case 'int8':
    case 'int16':
      return new WordValues('int32', Int32Array.from(vector.values.subarray(0, count)), repeats)
    case 'int64': {
      const words = wordsOf(vector.values).subarray(0, count * 2)
      // Decimals of up to 9 digits take 4 bytes in the file.
      return order === 'int32'
        ? new WordValues('int32', lowWords(words), repeats)
        : new WordValues('int64', words, repeats)
    }
    case 'int32':
    case 'float':
      return new WordValues(vector.kind, wordsOf(vector.values).subarray(0, count), repeats)
    case 'double':
      return new WordValues('double', wordsOf(vector.values).subarray(0, count * 2), repeats)
    default:
      throw new StockpipeError({
        code: 'COLUMN_KIND_MISMATCH',
        message: `A decoded column of kind ${vector.kind} holds no values itself; decoder and table differ.`,
      })
  }
}

/** Texts of lists, maps and structs come packed: as codes, where they repeat. */
const internedTexts = (entries: ByteDictionary): ByteArrayValues => {
  const { offsets, bytes } = entries
  const interner = new ByteInterner()
  const codes = new Int32Array(offsets.length - 1)
  for (let value = 0; value < codes.length; value += 1) {
    codes[value] = interner.intern(bytes, offsets[value]!, offsets[value + 1]!)
    if (interner.count > codes.length >> 1) return new ByteArrayValues(undefined, entries, true)
  }
  const all = Int32Array.from({ length: interner.count }, (_, entry) => entry)
  return new ByteArrayValues(codes, interner.select(all), true)
}

const lowWords = (words: Int32Array): Int32Array => {
  const low = new Int32Array(words.length >> 1)
  for (let index = 0; index < low.length; index += 1) low[index] = words[index * 2]!
  return low
}

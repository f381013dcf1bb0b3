import type { ColumnVector, Validity } from './column-batch.ts'
import { ColumnBuilder, type StoredValue } from './column-builder.ts'
import type { ColumnType } from './column-type.ts'
import { StringDictionary } from './string-dictionary.ts'

type NumberArray =
  | Int8Array<ArrayBuffer>
  | Int16Array<ArrayBuffer>
  | Int32Array<ArrayBuffer>
  | Float32Array<ArrayBuffer>
  | Float64Array<ArrayBuffer>
type VectorArray = NumberArray | Uint8Array<ArrayBuffer> | BigInt64Array<ArrayBuffer>

/**
 * Takes the values of one column of a block, row by row, straight into the arrays of its vector. The newest row may be
 * written again, after `undo`. A row that is left without a value must be made null.
 */
export abstract class ColumnWriter {
  /** Has the arrays of a vector used again for the next one: what `finish` answers holds until the next `begin`. */
  reusesArrays = false
  #validity: Uint8Array<ArrayBuffer> | null = null
  #capacity = 0

  /** Begins a vector of at most `rows` rows. */
  begin(rows: number): void {
    this.#capacity = rows
    this.#validity = null
    this.allocate(rows)
  }

  setNull(row: number): void {
    this.#validity ??= new Uint8Array((this.#capacity + 7) >> 3).fill(255)
    this.#validity[row >> 3]! &= ~(1 << (row & 7))
    this.clear(row)
  }

  set(row: number, value: StoredValue | null): void {
    if (value === null) this.setNull(row)
    else this.store(row, value)
  }

  /** Takes back what was written for the newest row. */
  undo(row: number): void {
    if (this.#validity) this.#validity[row >> 3]! |= 1 << (row & 7)
  }

  /** The first `rows` rows as a vector that owns its arrays, unless they are used again. */
  abstract finish(rows: number): ColumnVector

  protected abstract allocate(rows: number): void
  protected abstract store(row: number, value: StoredValue): void
  /** Gives a null row the value that vectors hold there. */
  protected abstract clear(row: number): void

  /** Whether an array has to be made for `length` entries. */
  protected lacks(array: { readonly length: number }, length: number): boolean {
    return !this.reusesArrays || array.length < length
  }

  /** The first `length` entries of an array. */
  protected first<Values extends VectorArray>(array: Values, length: number): Values {
    if (array.length === length) return array
    return (this.reusesArrays ? array.subarray(0, length) : array.slice(0, length)) as Values
  }

  /** The first `rows` bits, those beyond them 0. */
  protected bits(bitmap: Uint8Array<ArrayBuffer>, rows: number): Uint8Array<ArrayBuffer> {
    const exact = this.first(bitmap, (rows + 7) >> 3)
    if (rows & 7) exact[exact.length - 1]! &= (1 << (rows & 7)) - 1
    return exact
  }

  protected validity(rows: number): Validity {
    const bitmap = this.#validity && this.bits(this.#validity, rows)
    return bitmap && hasZero(bitmap, rows) ? bitmap : null
  }
}

const hasZero = (bitmap: Uint8Array, rows: number): boolean => {
  for (let index = 0; index < rows >> 3; index++) if (bitmap[index] !== 255) return true
  return (rows & 7) !== 0 && bitmap[rows >> 3] !== (1 << (rows & 7)) - 1
}

export class BooleanWriter extends ColumnWriter {
  values = new Uint8Array(0)

  protected allocate(rows: number): void {
    const length = (rows + 7) >> 3
    if (this.lacks(this.values, length)) this.values = new Uint8Array(length)
  }

  put(row: number, value: boolean): void {
    if (value) this.values[row >> 3]! |= 1 << (row & 7)
    else this.values[row >> 3]! &= ~(1 << (row & 7))
  }

  protected store(row: number, value: StoredValue): void {
    this.put(row, value === 1)
  }

  protected clear(row: number): void {
    this.put(row, false)
  }

  finish(rows: number): ColumnVector {
    return { kind: 'boolean', values: this.bits(this.values, rows), validity: this.validity(rows) }
  }
}

/** Integers of up to 32 bits, dates, floats and doubles. */
export class NumberWriter<Values extends NumberArray = NumberArray> extends ColumnWriter {
  values: Values
  readonly #kind: 'int8' | 'int16' | 'int32' | 'float' | 'double'
  readonly #array: new (
    rows: number,
  ) => Values

  constructor(kind: 'int8' | 'int16' | 'int32' | 'float' | 'double', array: new (rows: number) => Values) {
    super()
    this.#kind = kind
    this.#array = array
    this.values = new array(0)
  }

  protected allocate(rows: number): void {
    if (this.lacks(this.values, rows)) this.values = new this.#array(rows)
  }

  protected store(row: number, value: StoredValue): void {
    this.values[row] = value as number
  }

  protected clear(row: number): void {
    this.values[row] = 0
  }

  finish(rows: number): ColumnVector {
    const values = this.first(this.values, rows)
    return { kind: this.#kind, values, validity: this.validity(rows) } as ColumnVector
  }
}

/** Integers of 64 or 128 bits: `words` has each as two or four 32-bit words, low word first. */
export class WideWriter extends ColumnWriter {
  readonly kind: 'int64' | 'int128'
  values = new BigInt64Array(0)
  words = new Int32Array(0)
  /** 64-bit words a row. */
  readonly #width: number

  constructor(kind: 'int64' | 'int128') {
    super()
    this.kind = kind
    this.#width = kind === 'int64' ? 1 : 2
  }

  protected allocate(rows: number): void {
    if (!this.lacks(this.values, rows * this.#width)) return
    this.values = new BigInt64Array(rows * this.#width)
    this.words = new Int32Array(this.values.buffer)
  }

  protected store(row: number, value: StoredValue): void {
    if (this.#width === 1) this.values[row] = value as bigint
    else {
      this.values[row * 2] = BigInt.asIntN(64, value as bigint)
      this.values[row * 2 + 1] = (value as bigint) >> 64n
    }
  }

  protected clear(row: number): void {
    this.values.fill(0n, row * this.#width, (row + 1) * this.#width)
  }

  finish(rows: number): ColumnVector {
    const values = this.first(this.values, rows * this.#width)
    return { kind: this.kind, values, validity: this.validity(rows) }
  }
}

const utf8 = new TextEncoder()

export class DictionaryWriter extends ColumnWriter {
  readonly dictionary = new StringDictionary()
  codes = new Int32Array(0)

  protected allocate(rows: number): void {
    if (this.lacks(this.codes, rows)) this.codes = new Int32Array(rows)
    // Only after a block that ended in an error.
    if (this.dictionary.count > 0) this.dictionary.take()
  }

  protected store(row: number, value: StoredValue): void {
    const bytes = utf8.encode(value as string)
    this.codes[row] = this.dictionary.intern(bytes, 0, bytes.length, row)
  }

  protected clear(row: number): void {
    this.codes[row] = 0
  }

  override undo(row: number): void {
    super.undo(row)
    this.dictionary.undo(row)
  }

  finish(rows: number): ColumnVector {
    const codes = this.first(this.codes, rows)
    return { kind: 'dictionary', codes, dictionary: this.dictionary.take(), validity: this.validity(rows) }
  }
}

export class BinaryWriter extends ColumnWriter {
  bytes = new Uint8Array(0)
  /** Row `i` is `bytes[offsets[i], offsets[i + 1])`. */
  offsets = new Int32Array(1)

  protected allocate(rows: number): void {
    if (this.lacks(this.bytes, 256)) this.bytes = new Uint8Array(256)
    if (this.lacks(this.offsets, rows + 1)) this.offsets = new Int32Array(rows + 1)
  }

  /** Room for `length` bytes of the row; answers where they begin. */
  reserve(row: number, length: number): number {
    const start = this.offsets[row]!
    if (start + length > this.bytes.length) {
      const grown = new Uint8Array(Math.max(start + length, this.bytes.length * 2))
      grown.set(this.bytes.subarray(0, start))
      this.bytes = grown
    }
    this.offsets[row + 1] = start + length
    return start
  }

  protected store(row: number, value: StoredValue): void {
    const start = this.reserve(row, (value as Uint8Array).length)
    this.bytes.set(value as Uint8Array, start)
  }

  protected clear(row: number): void {
    this.offsets[row + 1] = this.offsets[row]!
  }

  finish(rows: number): ColumnVector {
    return {
      kind: 'binary',
      offsets: this.first(this.offsets, rows + 1),
      bytes: this.first(this.bytes, this.offsets[rows]!),
      validity: this.validity(rows),
    }
  }
}

/** A column of a type that has no arrays of its own here: its values are kept until the end. */
export class ValueWriter extends ColumnWriter {
  readonly #type: ColumnType
  #values: (StoredValue | null)[] = []

  constructor(type: ColumnType) {
    super()
    this.#type = type
  }

  protected allocate(): void {
    this.#values = []
  }

  protected store(row: number, value: StoredValue): void {
    this.#values[row] = value
  }

  protected clear(row: number): void {
    this.#values[row] = null
  }

  finish(rows: number): ColumnVector {
    const builder = new ColumnBuilder(this.#type)
    for (let row = 0; row < rows; row++) builder.append(this.#values[row]!)
    this.#values = []
    return builder.finish()
  }
}

/** The writer of a column's vector. */
export const createColumnWriter = (type: ColumnType): ColumnWriter => {
  switch (type.kind) {
    case 'boolean':
      return new BooleanWriter()
    case 'int8':
      return new NumberWriter('int8', Int8Array)
    case 'int16':
      return new NumberWriter('int16', Int16Array)
    case 'int32':
    case 'date':
      return new NumberWriter('int32', Int32Array)
    case 'float':
      return new NumberWriter('float', Float32Array)
    case 'double':
      return new NumberWriter('double', Float64Array)
    case 'int64':
    case 'timestamp':
    case 'epochNanos':
      return new WideWriter('int64')
    case 'decimal':
      return new WideWriter(type.precision <= 18 ? 'int64' : 'int128')
    case 'string':
    case 'json':
      return new DictionaryWriter()
    case 'binary':
      return new BinaryWriter()
    default:
      return new ValueWriter(type)
  }
}

import type { ByteDictionary, ColumnVector, Validity } from './column-batch.ts'
import type { ColumnType } from './column-type.ts'

/**
 * A value as a column stores it: number for booleans (0 or 1), small integers, floats and dates (days);
 * bigint for int64, timestamps (milliseconds), epochNanos and unscaled decimals; string for strings and JSON;
 * an array for lists and, with a value a field, for structs; a `Map` for maps.
 */
export type StoredValue =
  | number
  | bigint
  | string
  | Uint8Array
  | readonly (StoredValue | null)[]
  | ReadonlyMap<StoredValue, StoredValue | null>

/** Gathers the values of one column, then lays them out as a vector. */
export class ColumnBuilder {
  readonly #type: ColumnType
  #values: (StoredValue | null)[] = []
  #nulls = 0

  constructor(type: ColumnType) {
    this.#type = type
  }

  append(value: StoredValue | null): void {
    if (value === null) this.#nulls += 1
    this.#values.push(value)
  }

  finish(): ColumnVector {
    const values = this.#values
    const validity = this.#nulls === 0 ? null : validityOf(values)
    this.#values = []
    this.#nulls = 0
    const { kind } = this.#type
    return kind === 'string' || kind === 'json'
      ? { kind: 'dictionary', ...dictionaryOf(values), validity }
      : vectorOf(this.#type, values, validity)
  }
}

const validityOf = (values: readonly unknown[]): Validity => {
  const bitmap = new Uint8Array(Math.ceil(values.length / 8))
  for (let row = 0; row < values.length; row++) {
    if (values[row] !== null) bitmap[row >> 3]! |= 1 << (row & 7)
  }
  return bitmap
}

const numbers = <A extends Int8Array | Int16Array | Int32Array | Float32Array | Float64Array>(
  array: A,
  values: readonly (StoredValue | null)[],
): A => {
  for (let row = 0; row < values.length; row++) {
    const value = values[row]
    if (value !== null) array[row] = value as number
  }
  return array
}

const bigints = (values: readonly (StoredValue | null)[]): BigInt64Array => {
  const array = new BigInt64Array(values.length)
  for (let row = 0; row < values.length; row++) {
    const value = values[row]
    if (value !== null) array[row] = value as bigint
  }
  return array
}

const words = (values: readonly (StoredValue | null)[]): BigInt64Array => {
  const array = new BigInt64Array(values.length * 2)
  for (let row = 0; row < values.length; row++) {
    const value = values[row]
    if (value === null) continue
    array[row * 2] = BigInt.asIntN(64, value as bigint)
    array[row * 2 + 1] = (value as bigint) >> 64n
  }
  return array
}

/** Within lists, maps and structs strings are packed: a dictionary of each would have to be merged batch by batch. */
const vectorOf = (
  type: ColumnType,
  values: readonly (StoredValue | null)[],
  validity: Validity,
): ColumnVector => {
  const rows = values.length
  switch (type.kind) {
    case 'boolean': {
      const bitmap = new Uint8Array(Math.ceil(rows / 8))
      for (let row = 0; row < rows; row++) if (values[row] === 1) bitmap[row >> 3]! |= 1 << (row & 7)
      return { kind: 'boolean', values: bitmap, validity }
    }
    case 'int8':
      return { kind: 'int8', values: numbers(new Int8Array(rows), values), validity }
    case 'int16':
      return { kind: 'int16', values: numbers(new Int16Array(rows), values), validity }
    case 'int32':
    case 'date':
      return { kind: 'int32', values: numbers(new Int32Array(rows), values), validity }
    case 'float':
      return { kind: 'float', values: numbers(new Float32Array(rows), values), validity }
    case 'double':
      return { kind: 'double', values: numbers(new Float64Array(rows), values), validity }
    case 'int64':
    case 'timestamp':
    case 'epochNanos':
      return { kind: 'int64', values: bigints(values), validity }
    case 'decimal':
      return type.precision <= 18
        ? { kind: 'int64', values: bigints(values), validity }
        : { kind: 'int128', values: words(values), validity }
    case 'string':
    case 'json':
      return {
        kind: 'binary',
        ...packed(values.map((text) => (text === null ? null : textEncoder.encode(text as string)))),
        validity,
      }
    case 'binary':
      return { kind: 'binary', ...packed(values as readonly (Uint8Array | null)[]), validity }
    case 'list': {
      const lists = values as readonly (readonly (StoredValue | null)[] | null)[]
      const elements = lists.flatMap((list) => list ?? [])
      const offsets = offsetsOf(lists, (list) => list.length)
      return { kind: 'list', offsets, element: presentOrNull(type.element.type, elements), validity }
    }
    case 'map': {
      const maps = values as readonly (ReadonlyMap<StoredValue, StoredValue | null> | null)[]
      const keys = maps.flatMap((map) => (map ? [...map.keys()] : []))
      const mapValues = maps.flatMap((map) => (map ? [...map.values()] : []))
      return {
        kind: 'map',
        offsets: offsetsOf(maps, (map) => map.size),
        key: vectorOf(type.key, keys, null),
        value: presentOrNull(type.value.type, mapValues),
        validity,
      }
    }
    case 'struct': {
      const structs = values as readonly (readonly (StoredValue | null)[] | null)[]
      const fields = type.fields.map((field, index) =>
        presentOrNull(
          field.type,
          structs.map((struct) => struct?.[index] ?? null),
        ),
      )
      return { kind: 'struct', fields, validity }
    }
  }
}

const presentOrNull = (type: ColumnType, values: readonly (StoredValue | null)[]): ColumnVector =>
  vectorOf(type, values, values.includes(null) ? validityOf(values) : null)

const offsetsOf = <T>(values: readonly (T | null)[], lengthOf: (value: T) => number): Int32Array => {
  const offsets = new Int32Array(values.length + 1)
  let end = 0
  values.forEach((value, index) => {
    if (value !== null) end += lengthOf(value)
    offsets[index + 1] = end
  })
  return offsets
}

const packed = (values: readonly (Uint8Array | null)[]): ByteDictionary => {
  const offsets = new Int32Array(values.length + 1)
  let length = 0
  for (let index = 0; index < values.length; index++) {
    length += values[index]?.length ?? 0
    offsets[index + 1] = length
  }
  const bytes = new Uint8Array(length)
  for (let index = 0; index < values.length; index++) {
    const value = values[index]
    if (value) bytes.set(value, offsets[index]!)
  }
  return { offsets, bytes }
}

const textEncoder = new TextEncoder()

const dictionaryOf = (
  values: readonly (StoredValue | null)[],
): { readonly codes: Int32Array; readonly dictionary: ByteDictionary } => {
  const codes = new Int32Array(values.length)
  const known = new Map<string, number>()
  for (let row = 0; row < values.length; row++) {
    const value = values[row]
    if (value === null) continue
    let code = known.get(value as string)
    if (code === undefined) {
      code = known.size
      known.set(value as string, code)
    }
    codes[row] = code
  }
  return { codes, dictionary: packed(Array.from(known.keys(), (text) => textEncoder.encode(text))) }
}

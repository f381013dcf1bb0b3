/** Thrift's compact protocol, as far as Parquet's metadata needs it, read to a tree. */

/** Integers are exact up to 2^53. */
export type ThriftValue = boolean | number | Uint8Array | ThriftList | ThriftStruct

export interface ThriftList {
  readonly elementType: number
  readonly items: readonly ThriftValue[]
}

export interface ThriftField {
  readonly type: number
  readonly value: ThriftValue
}

/** Fields by their number, ascending. */
export type ThriftStruct = Map<number, ThriftField>

const types = {
  true: 1,
  false: 2,
  byte: 3,
  i16: 4,
  i32: 5,
  i64: 6,
  double: 7,
  binary: 8,
  list: 9,
  set: 10,
  struct: 12,
} as const

/** Reads one struct. Throws a `RangeError` that says what is wrong with the bytes. */
export const readThrift = (bytes: Uint8Array): ThriftStruct => new CompactReader(bytes).struct()

class CompactReader {
  readonly #bytes: Uint8Array
  #at = 0

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes
  }

  struct(): ThriftStruct {
    const struct: ThriftStruct = new Map()
    let field = 0
    for (let header = this.#byte(); header !== 0; header = this.#byte()) {
      const delta = header >> 4
      const type = header & 15
      field = delta === 0 ? this.#integer() : field + delta
      // A boolean of a struct lies in its type.
      const value = type === types.true || type === types.false ? type === types.true : this.#value(type)
      struct.set(field, { type, value })
    }
    return struct
  }

  #value(type: number): ThriftValue {
    switch (type) {
      case types.true:
      case types.false:
        return this.#byte() === types.true
      case types.byte:
        return this.#byte()
      case types.i16:
      case types.i32:
      case types.i64:
        return this.#integer()
      case types.double:
        return this.#take(8)
      case types.binary:
        return this.#take(this.#varint())
      case types.list:
      case types.set:
        return this.#list()
      case types.struct:
        return this.struct()
      default:
        throw new RangeError(`it has a field of type ${type}`)
    }
  }

  #list(): ThriftList {
    const header = this.#byte()
    const count = header >> 4 === 15 ? this.#varint() : header >> 4
    const items: ThriftValue[] = []
    for (let index = 0; index < count; index += 1) items.push(this.#value(header & 15))
    return { elementType: header & 15, items }
  }

  #integer(): number {
    const raw = this.#varint()
    return raw % 2 === 0 ? raw / 2 : -(raw + 1) / 2
  }

  #varint(): number {
    let value = 0
    for (let scale = 1; ; scale *= 128) {
      const byte = this.#byte()
      value += (byte & 127) * scale
      if (byte < 128) return value
    }
  }

  #byte(): number {
    return this.#take(1)[0]!
  }

  #take(length: number): Uint8Array {
    if (this.#at + length > this.#bytes.length) throw new RangeError('it ends too soon')
    this.#at += length
    return this.#bytes.subarray(this.#at - length, this.#at)
  }
}

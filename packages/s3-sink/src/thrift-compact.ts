/** Thrift's compact protocol, as far as Parquet's metadata needs it: read to a tree and written from one. */

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

export const thriftInteger = (value: number): ThriftField => ({ type: types.i64, value })
export const thriftText = (text: string): ThriftField => ({
  type: types.binary,
  value: new TextEncoder().encode(text),
})
export const thriftStructs = (items: readonly ThriftStruct[]): ThriftField => ({
  type: types.list,
  value: { elementType: types.struct, items },
})

/** Reads one struct. Throws a `RangeError` that says what is wrong with the bytes. */
export const readThrift = (bytes: Uint8Array): ThriftStruct => new CompactReader(bytes).struct()

/** The bytes of a struct. */
export const writeThrift = (struct: ThriftStruct): Uint8Array => {
  const writer = new CompactWriter()
  writer.struct(struct)
  return writer.bytes()
}

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

class CompactWriter {
  #bytes = new Uint8Array(4096)
  #length = 0

  bytes(): Uint8Array {
    return this.#bytes.slice(0, this.#length)
  }

  struct(struct: ThriftStruct): void {
    let last = 0
    for (const [field, { type, value }] of struct) {
      const header = typeof value === 'boolean' ? (value ? types.true : types.false) : type
      const delta = field - last
      if (delta > 0 && delta <= 15) this.#byte((delta << 4) | header)
      else {
        this.#byte(header)
        this.#integer(field)
      }
      if (typeof value !== 'boolean') this.#value(type, value)
      last = field
    }
    this.#byte(0)
  }

  #value(type: number, value: ThriftValue): void {
    if (typeof value === 'boolean') this.#byte(value ? types.true : types.false)
    else if (typeof value === 'number') {
      if (type === types.byte) this.#byte(value)
      else this.#integer(value)
    } else if (value instanceof Uint8Array) {
      if (type === types.binary) this.#varint(value.length)
      this.#append(value)
    } else if (value instanceof Map) this.struct(value)
    else this.#list(value)
  }

  #list({ elementType, items }: ThriftList): void {
    if (items.length < 15) this.#byte((items.length << 4) | elementType)
    else {
      this.#byte(0xf0 | elementType)
      this.#varint(items.length)
    }
    for (const item of items) this.#value(elementType, item)
  }

  #integer(value: number): void {
    this.#varint(value < 0 ? -value * 2 - 1 : value * 2)
  }

  #varint(value: number): void {
    let rest = value
    for (; rest >= 128; rest = Math.floor(rest / 128)) this.#byte((rest % 128) | 128)
    this.#byte(rest)
  }

  #byte(byte: number): void {
    this.#reserve(1)
    this.#bytes[this.#length] = byte
    this.#length += 1
  }

  #append(bytes: Uint8Array): void {
    this.#reserve(bytes.length)
    this.#bytes.set(bytes, this.#length)
    this.#length += bytes.length
  }

  #reserve(length: number): void {
    if (this.#length + length <= this.#bytes.length) return
    const grown = new Uint8Array(Math.max(this.#bytes.length * 2, this.#length + length))
    grown.set(this.#bytes.subarray(0, this.#length))
    this.#bytes = grown
  }
}

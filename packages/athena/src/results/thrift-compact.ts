/** Members of a struct by their numbers; the compact protocol of Thrift, in which Parquet writes what it says of itself. */
export type ThriftStruct = Map<number, ThriftValue>

export type ThriftValue =
  | { readonly type: 'boolean'; readonly value: boolean }
  | { readonly type: 'byte' | 'i16' | 'i32' | 'i64' | 'double'; readonly value: number }
  | { readonly type: 'binary'; readonly value: Uint8Array }
  | { readonly type: 'list'; readonly value: readonly ThriftValue[]; readonly of: number }
  | { readonly type: 'map'; readonly value: undefined }
  | { readonly type: 'struct'; readonly value: ThriftStruct }

/** Numbers of the types in the protocol. */
const codes = {
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
  map: 11,
  struct: 12,
} as const

const integers = { [codes.i16]: 'i16', [codes.i32]: 'i32', [codes.i64]: 'i64' } as const

/** Depth of structs and lists; those of Parquet have 6. */
const deepest = 20

/** Reads structs out of bytes. Throws an `Error` where they are none. */
export class ThriftReader {
  readonly #bytes: Uint8Array
  #at: number

  constructor(bytes: Uint8Array, at = 0) {
    this.#bytes = bytes
    this.#at = at
  }

  /** Where the next one begins. */
  get at(): number {
    return this.#at
  }

  struct(depth = 0): ThriftStruct {
    if (depth > deepest) throw new Error('its metadata is nested too deep')
    const members: ThriftStruct = new Map()
    let id = 0
    for (;;) {
      const head = this.#byte()
      if (head === 0) return members
      id = head >> 4 === 0 ? this.#integer() : id + (head >> 4)
      members.set(id, this.#value(head & 15, depth, true))
    }
  }

  #value(code: number, depth: number, isMember: boolean): ThriftValue {
    switch (code) {
      case codes.true:
      case codes.false:
        return { type: 'boolean', value: (isMember ? code : this.#byte()) === codes.true }
      case codes.byte:
        return { type: 'byte', value: (this.#byte() << 24) >> 24 }
      case codes.i16:
      case codes.i32:
      case codes.i64:
        return { type: integers[code], value: this.#integer() }
      case codes.double: {
        const at = this.#take(8)
        const { buffer, byteOffset } = this.#bytes
        return { type: 'double', value: new DataView(buffer, byteOffset + at).getFloat64(0, true) }
      }
      case codes.binary: {
        const length = this.#unsigned()
        const at = this.#take(length)
        return { type: 'binary', value: this.#bytes.subarray(at, at + length) }
      }
      case codes.list:
      case codes.set: {
        const head = this.#byte()
        const of = head & 15
        const length = head >> 4 === 15 ? this.#unsigned() : head >> 4
        const value: ThriftValue[] = []
        for (let index = 0; index < length; index++) value.push(this.#value(of, depth + 1, false))
        return { type: 'list', value, of }
      }
      case codes.map: {
        const length = this.#unsigned()
        const types = length === 0 ? 0 : this.#byte()
        for (let index = 0; index < length; index++) {
          this.#value(types >> 4, depth + 1, false)
          this.#value(types & 15, depth + 1, false)
        }
        return { type: 'map', value: undefined }
      }
      case codes.struct:
        return { type: 'struct', value: this.struct(depth + 1) }
      default:
        throw new Error(`its metadata has a value of type ${code}`)
    }
  }

  #take(length: number): number {
    const at = this.#at
    if (at + length > this.#bytes.length) throw new Error('its metadata is cut')
    this.#at += length
    return at
  }

  #byte(): number {
    return this.#bytes[this.#take(1)]!
  }

  #unsigned(): number {
    let value = 0
    for (let scale = 1; ; scale *= 128) {
      const byte = this.#byte()
      value += (byte & 127) * scale
      if (byte < 128) return value
      if (scale > 2 ** 63) throw new Error('its metadata has a number of too many digits')
    }
  }

  #integer(): number {
    const value = this.#unsigned()
    return value % 2 === 0 ? value / 2 : -(value + 1) / 2
  }
}

/** The bytes of a struct; maps are left out. */
export const thriftBytes = (struct: ThriftStruct): Uint8Array => {
  const bytes: number[] = []
  writeStruct(bytes, struct)
  return Uint8Array.from(bytes)
}

const writeStruct = (bytes: number[], struct: ThriftStruct): void => {
  let before = 0
  for (const [id, member] of [...struct].sort(([left], [right]) => left - right)) {
    if (member.type === 'map') continue
    const code = member.type === 'boolean' ? (member.value ? codes.true : codes.false) : codes[member.type]
    if (id - before < 16) {
      bytes.push(((id - before) << 4) | code)
    } else {
      bytes.push(code)
      writeInteger(bytes, id)
    }
    before = id
    if (member.type !== 'boolean') writeValue(bytes, member)
  }
  bytes.push(0)
}

const writeValue = (bytes: number[], one: ThriftValue): void => {
  switch (one.type) {
    case 'boolean':
      bytes.push(one.value ? codes.true : codes.false)
      return
    case 'byte':
      bytes.push(one.value & 255)
      return
    case 'i16':
    case 'i32':
    case 'i64':
      writeInteger(bytes, one.value)
      return
    case 'double':
      bytes.push(...new Uint8Array(Float64Array.of(one.value).buffer))
      return
    case 'binary':
      writeUnsigned(bytes, one.value.length)
      for (const byte of one.value) bytes.push(byte)
      return
    case 'list':
      bytes.push((Math.min(one.value.length, 15) << 4) | one.of)
      if (one.value.length >= 15) writeUnsigned(bytes, one.value.length)
      for (const element of one.value) writeValue(bytes, element)
      return
    case 'struct':
      writeStruct(bytes, one.value)
      return
    case 'map':
      throw new TypeError('maps are not written')
  }
}

const writeInteger = (bytes: number[], value: number): void =>
  writeUnsigned(bytes, value < 0 ? -2 * value - 1 : 2 * value)

const writeUnsigned = (bytes: number[], value: number): void => {
  let left = value
  for (; left >= 128; left = Math.floor(left / 128)) bytes.push((left % 128) | 128)
  bytes.push(left)
}

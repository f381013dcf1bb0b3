/** A value of the Thrift compact protocol: a struct is a map from field id to value. */
export type ThriftValue = boolean | number | bigint | Uint8Array | readonly ThriftValue[] | ThriftStruct
export type ThriftStruct = ReadonlyMap<number, ThriftValue>

/** Reads Thrift's compact protocol. Throws a RangeError when the bytes end early or are not Thrift. */
export class ThriftCompactReader {
  readonly #bytes: Buffer
  #at = 0

  constructor(bytes: Buffer) {
    this.#bytes = bytes
  }

  /** Reads a struct, up to and with the field `lastField` when given; what follows is left unread. */
  readStruct(lastField = Number.POSITIVE_INFINITY): ThriftStruct {
    const fields = new Map<number, ThriftValue>()
    let id = 0
    for (;;) {
      const header = this.#byte()
      if (header === 0) return fields
      const delta = header >> 4
      id = delta === 0 ? Number(this.#zigzag()) : id + delta
      fields.set(id, this.#value(header & 0x0f, false))
      if (id >= lastField) return fields
    }
  }

  #value(type: number, inList: boolean): ThriftValue {
    switch (type) {
      case 1:
      case 2:
        // In a field the type itself is the value; in a list every element is a byte.
        return inList ? this.#byte() === 1 : type === 1
      case 3:
        return this.#bytes.readInt8(this.#advance(1))
      case 4:
      case 5:
        return Number(this.#zigzag())
      case 6:
        return this.#zigzag()
      case 7:
        return this.#bytes.readDoubleLE(this.#advance(8))
      case 8: {
        const length = Number(this.#varint())
        const start = this.#advance(length)
        return this.#bytes.subarray(start, start + length)
      }
      case 9:
      case 10:
        return this.#list()
      case 11:
        return this.#map()
      case 12:
        return this.readStruct()
      default:
        throw new RangeError(`unknown Thrift type ${type} at byte ${this.#at}`)
    }
  }

  #list(): readonly ThriftValue[] {
    const header = this.#byte()
    const size = header >> 4 === 15 ? Number(this.#varint()) : header >> 4
    if (size > this.#bytes.length) throw new RangeError(`a Thrift list of ${size} elements does not fit`)
    return Array.from({ length: size }, () => this.#value(header & 0x0f, true))
  }

  /** A map as a list of its keys and values in turn; Parquet metadata has none that matter. */
  #map(): readonly ThriftValue[] {
    const size = Number(this.#varint())
    if (size === 0) return []
    if (size > this.#bytes.length) throw new RangeError(`a Thrift map of ${size} entries does not fit`)
    const types = this.#byte()
    return Array.from({ length: size * 2 }, (_, at) =>
      this.#value(at % 2 === 0 ? types >> 4 : types & 0x0f, true),
    )
  }

  #zigzag(): bigint {
    const value = this.#varint()
    return (value >> 1n) ^ -(value & 1n)
  }

  #varint(): bigint {
    let value = 0n
    for (let shift = 0n; shift < 70n; shift += 7n) {
      const byte = this.#byte()
      value |= BigInt(byte & 0x7f) << shift
      if (byte < 0x80) return value
    }
    throw new RangeError('a Thrift varint is longer than 10 bytes')
  }

  #byte(): number {
    return this.#bytes.readUInt8(this.#advance(1))
  }

  #advance(length: number): number {
    const start = this.#at
    if (length < 0 || start + length > this.#bytes.length) throw new RangeError('Thrift data ends early')
    this.#at = start + length
    return start
  }
}

import { ByteWriter } from './byte-writer.ts'

/** Types of list elements in Thrift's compact protocol. */
export const thriftElements = { boolean: 1, integer: 5, long: 6, binary: 8, struct: 12 } as const

const types = { true: 1, false: 2, byte: 3, i16: 4, i32: 5, i64: 6, binary: 8, list: 9, struct: 12 } as const
const utf8 = new TextEncoder()

/** Writes Thrift's compact protocol field by field. Numbers of fields ascend within a struct; integers are exact up to 2^52. */
export class ThriftWriter {
  readonly #out: ByteWriter
  /** Number of the last field of each open struct, outermost first. */
  readonly #last: number[] = []

  constructor(out = new ByteWriter()) {
    this.#out = out
  }

  toBytes(): Uint8Array {
    return this.#out.toBytes()
  }

  /** Begins the outermost struct, or one that is an element of a list. */
  begin(): void {
    this.#last.push(0)
  }

  end(): void {
    this.#last.pop()
    this.#out.byte(0)
  }

  /** Begins a struct in a field; `end` ends it. */
  struct(field: number): void {
    this.#header(field, types.struct)
    this.begin()
  }

  emptyStruct(field: number): void {
    this.struct(field)
    this.end()
  }

  boolean(field: number, value: boolean): void {
    this.#header(field, value ? types.true : types.false)
  }

  int8(field: number, value: number): void {
    this.#header(field, types.byte)
    this.#out.byte(value)
  }

  int16(field: number, value: number): void {
    this.#header(field, types.i16)
    this.integer(value)
  }

  int32(field: number, value: number): void {
    this.#header(field, types.i32)
    this.integer(value)
  }

  int64(field: number, value: number): void {
    this.#header(field, types.i64)
    this.integer(value)
  }

  binary(field: number, value: Uint8Array): void {
    this.#header(field, types.binary)
    this.bytes(value)
  }

  text(field: number, value: string): void {
    this.binary(field, utf8.encode(value))
  }

  /** Begins a list in a field; its elements follow. */
  list(field: number, element: number, count: number): void {
    this.#header(field, types.list)
    if (count < 15) this.#out.byte((count << 4) | element)
    else {
      this.#out.byte(0xf0 | element)
      this.#out.varint(count)
    }
  }

  /** A boolean as an element of a list. */
  flag(value: boolean): void {
    this.#out.byte(value ? types.true : types.false)
  }

  /** An integer as an element of a list. */
  integer(value: number): void {
    this.#out.varint(value < 0 ? -value * 2 - 1 : value * 2)
  }

  /** Bytes as an element of a list. */
  bytes(value: Uint8Array): void {
    this.#out.varint(value.length)
    this.#out.append(value)
  }

  #header(field: number, type: number): void {
    const depth = this.#last.length - 1
    const delta = field - this.#last[depth]!
    this.#last[depth] = field
    if (delta > 0 && delta <= 15) this.#out.byte((delta << 4) | type)
    else {
      this.#out.byte(type)
      this.integer(field)
    }
  }
}

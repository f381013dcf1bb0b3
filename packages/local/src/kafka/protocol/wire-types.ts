import { MalformedFrameError, type WireReader } from './wire-reader.ts'
import type { WireWriter } from './wire-writer.ts'

/** How one value of the protocol is read and written, in each version of its API. */
export interface WireType<Value> {
  read(reader: WireReader, version: number): Value
  write(writer: WireWriter, value: Value, version: number): void
}

/** The TypeScript value of a wire type. */
export type WireValue<Type> = Type extends WireType<infer Value> ? Value : never

type WireFields = Record<string, WireType<unknown>>
type OptionalNames<Fields extends WireFields> = {
  [Name in keyof Fields]: undefined extends WireValue<Fields[Name]> ? Name : never
}[keyof Fields]
type StructValue<Fields extends WireFields> = {
  [Name in Exclude<keyof Fields, OptionalNames<Fields>>]: WireValue<Fields[Name]>
} & { [Name in OptionalNames<Fields>]?: WireValue<Fields[Name]> }

export const int8: WireType<number> = {
  read: (reader) => reader.int8(),
  write: (writer, value) => writer.int8(value),
}

export const int16: WireType<number> = {
  read: (reader) => reader.int16(),
  write: (writer, value) => writer.int16(value),
}

export const int32: WireType<number> = {
  read: (reader) => reader.int32(),
  write: (writer, value) => writer.int32(value),
}

/** Held as a number: offsets, timestamps and producer ids stay below 2^53. */
export const int64: WireType<number> = {
  read: (reader) => reader.int64(),
  write: (writer, value) => writer.int64(value),
}

export const boolean: WireType<boolean> = {
  read: (reader) => reader.int8() !== 0,
  write: (writer, value) => writer.int8(value ? 1 : 0),
}

export const nullableString: WireType<string | null> = {
  read: (reader) => reader.nullableString(),
  write: (writer, value) => writer.nullableString(value),
}

export const string: WireType<string> = {
  read: (reader) => notNull(reader.nullableString()),
  write: (writer, value) => writer.nullableString(value),
}

export const nullableBytes: WireType<Buffer | null> = {
  read: (reader) => reader.nullableBytes(),
  write: (writer, value) => writer.nullableBytes(value),
}

export const bytes: WireType<Buffer> = {
  read: (reader) => notNull(reader.nullableBytes()),
  write: (writer, value) => writer.nullableBytes(value),
}

/** 16 bytes, as the text Apache Kafka shows: base64url without padding. */
export const uuid: WireType<string> = {
  read: (reader) => reader.fixedBytes(16).toString('base64url'),
  write: (writer, value) => writer.fixedBytes(Buffer.from(value, 'base64url')),
}

export const nullableArrayOf = <Value>(element: WireType<Value>): WireType<Value[] | null> => ({
  read(reader, version) {
    const length = reader.arrayLength()
    if (length === -1) return null
    const values: Value[] = []
    for (let index = 0; index < length; index++) values.push(element.read(reader, version))
    return values
  },
  write(writer, values, version) {
    writer.arrayLength(values === null ? -1 : values.length)
    for (const value of values ?? []) element.write(writer, value, version)
  },
})

export const arrayOf = <Value>(element: WireType<Value>): WireType<Value[]> => {
  const nullable = nullableArrayOf(element)
  return {
    read: (reader, version) => notNull(nullable.read(reader, version)),
    write: (writer, values, version) => nullable.write(writer, values, version),
  }
}

/** Fields one after the other, in the order they are written down. */
export const struct = <Fields extends WireFields>(fields: Fields): WireType<StructValue<Fields>> => {
  const entries = Object.entries(fields)
  return {
    read(reader, version) {
      const value: Record<string, unknown> = {}
      for (const [name, type] of entries) value[name] = type.read(reader, version)
      reader.skipTaggedFields()
      return value as StructValue<Fields>
    },
    write(writer, value, version) {
      for (const [name, type] of entries) {
        type.write(writer, (value as Record<string, unknown>)[name], version)
      }
      writer.taggedFields()
    },
  }
}

/** A field that exists from version `first` to `last`; elsewhere it reads as `absent` and is not written. */
export const between = <Value>(
  first: number,
  last: number,
  type: WireType<Value>,
  absent: Value,
): WireType<Value> => ({
  read: (reader, version) => (version >= first && version <= last ? type.read(reader, version) : absent),
  write(writer, value, version) {
    if (version >= first && version <= last) type.write(writer, value, version)
  },
})

/** A field that exists from version `first` on. */
export const since = <Value>(first: number, type: WireType<Value>, absent: Value): WireType<Value> =>
  between(first, Number.POSITIVE_INFINITY, type, absent)

/** A field of an answer that is written as `fallback` unless it is given. */
export const optional = <Value>(type: WireType<Value>, fallback: Value): WireType<Value | undefined> => ({
  read: (reader, version) => type.read(reader, version),
  write: (writer, value, version) => type.write(writer, value ?? fallback, version),
})

const notNull = <Value>(value: Value | null): Value => {
  if (value === null) throw new MalformedFrameError('A field that may not be null is null.')
  return value
}

import { isUtf8 } from 'node:buffer'
import type { AvroCursor } from './avro-cursor.ts'
import { decimalReader, greatestScale } from './avro-decimal.ts'
import type { AvroEncoding } from './avro-encoding.ts'
import { type AvroWordsReader, millisReader, nanosReader, type UnitsPerSecond } from './avro-instant.ts'
import { type AvroEnum, type AvroSchema, avroTypeName } from './avro-schema.ts'
import type { ColumnType, NestedKind } from './column-type.ts'
import { earliestMillis, latestMillis } from './instant.ts'
import { hashFactor, hashOf } from './string-dictionary.ts'

export type ScalarType = Exclude<ColumnType, { readonly kind: NestedKind }>

/** Reads a value where the cursor keeps it; false: the cursor says why not. */
type Read = (cursor: AvroCursor) => boolean

/** How values of a scalar type are read, by what holds the value that was read. */
export type AvroScalarReader =
  /** `cursor.number`; booleans are 0 or 1. */
  | { readonly holds: 'number'; readonly read: Read }
  /** 32-bit words, low word first. */
  | { readonly holds: 'words'; readonly words: 2 | 4; readonly read: AvroWordsReader }
  /** UTF-8 in `cursor.source`, its hash in `cursor.hash`. */
  | { readonly holds: 'text'; readonly read: Read }
  /** Bytes in `cursor.source`. */
  | { readonly holds: 'bytes'; readonly read: Read }

const words = (read: AvroWordsReader, count: 2 | 4 = 2): AvroScalarReader => ({
  holds: 'words',
  words: count,
  read,
})

const readText: Read = (cursor) => {
  if (!cursor.readBytes()) return false
  const { bytes, view, start, stop } = cursor
  let hash = 0
  let all = 0
  let at = start
  for (; at + 4 <= stop; at += 4) {
    const word = view.getInt32(at, true)
    all |= word
    hash = Math.imul(((hash << 5) | (hash >>> 27)) ^ word, hashFactor)
  }
  all |= all >>> 8
  all |= all >>> 16
  for (; at < stop; at++) {
    const byte = bytes[at]!
    all |= byte
    hash = Math.imul(((hash << 5) | (hash >>> 27)) ^ byte, hashFactor)
  }
  cursor.hash = hash
  return (all & 128) === 0 || isUtf8(bytes.subarray(start, stop)) || cursor.fail('is not UTF-8')
}

const utf8 = new TextDecoder('utf-8', { ignoreBOM: true })

/** The text read last. */
export const textOf = ({ source, start, stop }: AvroCursor): string =>
  utf8.decode(source.subarray(start, stop))

const readJson: Read = (cursor) => {
  if (!readText(cursor)) return false
  const text = textOf(cursor)
  try {
    JSON.parse(text)
    return true
  } catch {
    const shown = text.length > 40 ? `${text.slice(0, 40)}...` : text
    return cursor.fail(`takes JSON text, and this is not: ${JSON.stringify(shown)}`)
  }
}

const symbolReader = ({ symbols }: AvroEnum): Read => {
  const texts = symbols.map((symbol) => Buffer.from(symbol))
  const hashes = texts.map((text) => hashOf(text, 0, text.length))
  return (cursor) => {
    if (!cursor.readIndex(texts.length, 'symbol')) return false
    cursor.source = texts[cursor.number]!
    cursor.start = 0
    cursor.stop = cursor.source.length
    cursor.hash = hashes[cursor.number]!
    return true
  }
}

const readUuid: Read = (cursor) => {
  if (!cursor.readFixed(16)) return false
  const { bytes, start, stop } = cursor
  const hex = Buffer.from(bytes.buffer, bytes.byteOffset + start, stop - start).toString('hex')
  cursor.source = Buffer.from(hex.replace(/^(.{8})(.{4})(.{4})(.{4})/, '$1-$2-$3-$4-'))
  cursor.start = 0
  cursor.stop = cursor.source.length
  cursor.hash = hashOf(cursor.source, 0, cursor.stop)
  return true
}

const readBoolean: Read = (cursor) =>
  cursor.readByte() &&
  (cursor.number <= 1 || cursor.fail(`is neither true nor false: a byte ${cursor.number}`))

const smallReader = (bits: 8 | 16): Read => {
  const limit = 2 ** (bits - 1)
  return (cursor) => {
    if (!cursor.readInt()) return false
    const { number } = cursor
    return (number >= -limit && number < limit) || cursor.fail(`does not fit ${bits} bits: ${number}`)
  }
}

const millisPerDay = 86_400_000n
const firstDay = Number(earliestMillis / millisPerDay)
const lastDay = Number(latestMillis / millisPerDay)

const readDate: Read = (cursor) => {
  if (!cursor.readInt()) return false
  const { number } = cursor
  return (
    (number >= firstDay && number <= lastDay) ||
    cursor.fail(`lies outside the years 0001 to 9999: ${number} days`)
  )
}

const int64Reader =
  (mode: 'number' | undefined): AvroWordsReader =>
  (cursor, target, index) => {
    if (!cursor.readLong()) return false
    if (mode === 'number' && Math.abs(cursor.approximate) > Number.MAX_SAFE_INTEGER) {
      return cursor.fail(`is beyond 2^53 - 1 in a column of mode 'number': ${cursor.exact}`)
    }
    target[index] = cursor.low
    target[index + 1] = cursor.high
    return true
  }

/** Reads an int as a long: a value of more than 32 bits is none. */
const intAsLong =
  (readLong: AvroWordsReader): AvroWordsReader =>
  (cursor, target, index) => {
    const { at } = cursor
    if (!cursor.readInt()) return false
    cursor.at = at
    return readLong(cursor, target, index)
  }

const readLongAsNumber: Read = (cursor) => {
  if (!cursor.readLong()) return false
  cursor.number = cursor.approximate
  return true
}

const bytesReader = (schema: AvroSchema): Read | undefined => {
  if (schema.type === 'bytes') return (cursor) => cursor.readBytes()
  if (schema.type === 'fixed') return (cursor) => cursor.readFixed(schema.bytes)
  return undefined
}

const formatUnits = {
  'epoch-seconds': 1,
  'epoch-millis': 1e3,
  'epoch-micros': 1e6,
  'epoch-nanos': 1e9,
} as const
const logicalUnits = { millis: 1e3, micros: 1e6, nanos: 1e9 } as const

/**
 * The reader of a schema's values for a column type; a text says why there is none.
 *
 * @param path names the value in the encoding: `legs.price`
 */
export const avroScalarReader = (
  type: ScalarType,
  schema: AvroSchema,
  path: string,
  { timestamps }: Pick<AvroEncoding, 'timestamps'>,
): AvroScalarReader | string => {
  const takes = (what: string): string => `takes ${what}, not ${avroTypeName(schema)}`
  switch (type.kind) {
    case 'boolean':
      return schema.type === 'boolean' ? { holds: 'number', read: readBoolean } : takes('boolean')
    case 'int8':
    case 'int16':
      if (schema.type !== 'int') return takes('int')
      return { holds: 'number', read: smallReader(type.kind === 'int8' ? 8 : 16) }
    case 'int32':
      if (schema.type !== 'int') return takes('int (declare it t.int64() for a long)')
      return { holds: 'number', read: (cursor) => cursor.readInt() }
    case 'int64':
      if (schema.type === 'long') return words(int64Reader(type.mode))
      return schema.type === 'int' ? words(intAsLong(int64Reader(type.mode))) : takes('int or long')
    case 'double':
      if (schema.type === 'double') return { holds: 'number', read: (cursor) => cursor.readDouble() }
      return floatReader(schema) ?? takes('int, long, float or double')
    case 'float':
      return floatReader(schema) ?? takes('int, long or float')
    case 'decimal': {
      const readBytes = bytesReader(schema)
      const logical = 'logical' in schema ? schema.logical : undefined
      if (!readBytes || logical?.kind !== 'decimal') return takes('bytes or fixed of logical type decimal')
      if (logical.scale > greatestScale) {
        return `takes decimals of up to ${greatestScale} digits after the point, not ${logical.scale}`
      }
      const count = type.precision <= 18 ? 2 : 4
      return words(decimalReader(type, logical.scale, readBytes, count), count)
    }
    case 'string':
      if (schema.type === 'string' || schema.type === 'bytes') return { holds: 'text', read: readText }
      if (schema.type === 'enum') return { holds: 'text', read: symbolReader(schema) }
      if (schema.type === 'fixed' && schema.logical?.kind === 'uuid') return { holds: 'text', read: readUuid }
      return takes('string, bytes, enum or uuid')
    case 'json':
      return schema.type === 'string' ? { holds: 'text', read: readJson } : takes('string')
    case 'binary': {
      const read = schema.type === 'string' ? readText : bytesReader(schema)
      return read ? { holds: 'bytes', read } : takes('bytes, fixed or string')
    }
    case 'date':
      return schema.type === 'int' && schema.logical?.kind === 'date'
        ? { holds: 'number', read: readDate }
        : takes('int of logical type date')
    case 'timestamp':
    case 'epochNanos': {
      const units = unitsOf(schema, timestamps[path])
      if (units === undefined) {
        return takes('long of a logical type timestamp, or int or long whose unit avro({ timestamps }) says')
      }
      const read =
        type.kind === 'timestamp' ? millisReader(units, type.floor === 'millis') : nanosReader(units)
      return words(schema.type === 'int' ? intAsLong(read) : read)
    }
  }
}

const floatReader = (schema: AvroSchema): AvroScalarReader | undefined => {
  switch (schema.type) {
    case 'int':
      return { holds: 'number', read: (cursor) => cursor.readInt() }
    case 'long':
      return { holds: 'number', read: readLongAsNumber }
    case 'float':
      return { holds: 'number', read: (cursor) => cursor.readFloat() }
    default:
      return undefined
  }
}

const unitsOf = (
  schema: AvroSchema,
  format: AvroEncoding['timestamps'][string],
): UnitsPerSecond | undefined => {
  if (schema.type !== 'long' && schema.type !== 'int') return undefined
  if (schema.logical?.kind === 'timestamp') return logicalUnits[schema.logical.unit]
  return schema.logical === undefined && format ? formatUnits[format] : undefined
}

import type { AvroCursor } from './avro-cursor.ts'
import { type AvroSchema, takesBytes } from './avro-schema.ts'

/** Passes over a value; false: the cursor says why not. */
export type AvroSkipper = (cursor: AvroCursor) => boolean

/** Records within each other, in a value that is skipped: those of a recursive type come as deep as bytes claim. */
const maximumDepth = 256

const skipBlocksWithoutBytes: AvroSkipper = (cursor) => {
  for (;;) {
    if (!cursor.readLong()) return false
    if (cursor.low === 0 && cursor.high === 0) return true
    if (cursor.high < 0 && !cursor.readLong()) return false
  }
}

/** Passes over values of a schema, recursive ones too. */
export const avroSkipper = (schema: AvroSchema): AvroSkipper => {
  const records = new Map<AvroSchema, AvroSkipper>()
  let depth = 0

  const skipperOf = (inner: AvroSchema): AvroSkipper => {
    switch (inner.type) {
      case 'null':
        return () => true
      case 'boolean':
        return (cursor) => cursor.readByte()
      case 'int':
        return (cursor) => cursor.readInt()
      case 'long':
        return (cursor) => cursor.readLong()
      case 'float':
        return (cursor) => cursor.readFixed(4)
      case 'double':
        return (cursor) => cursor.readFixed(8)
      case 'bytes':
      case 'string':
        return (cursor) => cursor.readBytes()
      case 'fixed':
        return (cursor) => cursor.readFixed(inner.bytes)
      case 'enum':
        return (cursor) => cursor.readIndex(inner.symbols.length, 'symbol')
      case 'union': {
        const branches = inner.branches.map(skipperOf)
        return (cursor) =>
          cursor.readIndex(branches.length, 'union branch') && branches[cursor.number]!(cursor)
      }
      case 'array': {
        if (!takesBytes(inner.items)) return skipBlocksWithoutBytes
        const skipItem = skipperOf(inner.items)
        return (cursor) => cursor.readBlocks(skipItem)
      }
      case 'map': {
        const skipValue = skipperOf(inner.values)
        return (cursor) => cursor.readBlocks((entry) => entry.readBytes() && skipValue(entry))
      }
      case 'record': {
        const known = records.get(inner)
        if (known) return known
        const fields: AvroSkipper[] = []
        const skip: AvroSkipper = (cursor) => {
          if (depth === maximumDepth) return cursor.fail(`is nested deeper than ${maximumDepth} levels`)
          depth += 1
          const skipped = fields.every((skipField) => skipField(cursor))
          depth -= 1
          return skipped
        }
        records.set(inner, skip)
        for (const field of inner.fields) fields.push(skipperOf(field.schema))
        return skip
      }
    }
  }

  return skipperOf(schema)
}

import type { AvroCursor } from './avro-cursor.ts'
import {
  type AvroResolution,
  enterRecord,
  notNullable,
  nullabilityOf,
  refuseSchema,
  slotsOf,
} from './avro-resolution.ts'
import { type AvroScalarReader, avroScalarReader, textOf } from './avro-scalar.ts'
import { type AvroSchema, avroTypeName, takesBytes } from './avro-schema.ts'
import { avroSkipper } from './avro-skip.ts'
import { CellProblem, keyStep } from './cell-problem.ts'
import type { StoredValue } from './column-builder.ts'
import type { ColumnType, MapKeyType, NestedValue, StructField } from './column-type.ts'
import { jsonCellReader } from './json-cell.ts'

/** Reads a value; undefined: the cursor says why not. */
export type AvroValueReader = (cursor: AvroCursor) => StoredValue | null | undefined

const nestedScratch = new BigInt64Array(2)
const nestedWords = new Int32Array(nestedScratch.buffer)

/** Values as they stand in lists, maps and structs. */
const scalarValueReader = (scalar: AvroScalarReader): AvroValueReader => {
  switch (scalar.holds) {
    case 'number':
      return (cursor) => (scalar.read(cursor) ? cursor.number : undefined)
    case 'words':
      return (cursor) => {
        if (!scalar.read(cursor, nestedWords, 0)) return undefined
        const low = nestedScratch[0]!
        return scalar.words === 2 ? low : (nestedScratch[1]! << 64n) | BigInt.asUintN(64, low)
      }
    case 'text':
      return (cursor) => (scalar.read(cursor) ? textOf(cursor) : undefined)
    case 'bytes':
      return (cursor) => (scalar.read(cursor) ? cursor.source.slice(cursor.start, cursor.stop) : undefined)
  }
}

/** The reader of a value that is there, of a schema that is no union. */
export const presentReader = (
  type: ColumnType,
  schema: AvroSchema,
  path: string,
  resolution: AvroResolution,
): AvroValueReader => {
  switch (type.kind) {
    case 'list':
      return listReader(type.element, schema, path, resolution)
    case 'map':
      return mapReader(type.key, type.value, schema, path, resolution)
    case 'struct':
      return structReader(type.fields, schema, path, resolution)
    default: {
      const scalar = avroScalarReader(type, schema, path, resolution.encoding)
      return scalarValueReader(typeof scalar === 'string' ? refuseSchema(resolution, path, scalar) : scalar)
    }
  }
}

const valueReader = (
  { type, nullable }: NestedValue,
  schema: AvroSchema,
  path: string,
  resolution: AvroResolution,
): AvroValueReader => {
  const { present, branches, nullBranch } = nullabilityOf(schema, path, resolution)
  const readNull: AvroValueReader = (cursor) => {
    if (nullable) return null
    cursor.fail(notNullable)
    return undefined
  }
  const read = present ? presentReader(type, present, path, resolution) : readNull
  if (branches === 0) return read
  return (cursor) => {
    if (!cursor.readIndex(branches, 'union branch')) return undefined
    return cursor.number === nullBranch ? readNull(cursor) : read(cursor)
  }
}

const listReader = (
  element: NestedValue,
  schema: AvroSchema,
  path: string,
  resolution: AvroResolution,
): AvroValueReader => {
  if (schema.type !== 'array')
    return refuseSchema(resolution, path, `takes array, not ${avroTypeName(schema)}`)
  if (!takesBytes(schema.items)) {
    return refuseSchema(
      resolution,
      path,
      `is an ${avroTypeName(schema)}, whose elements take no bytes: a few bytes could claim any number of them`,
    )
  }
  const read = valueReader(element, schema.items, path, resolution)
  let elements: (StoredValue | null)[] = []
  const readItem = (cursor: AvroCursor): boolean => {
    const value = read(cursor)
    if (value === undefined) return cursor.failWithin(`[${elements.length}]`)
    elements.push(value)
    return true
  }
  return (cursor) => {
    elements = []
    return cursor.readBlocks(readItem) ? elements : undefined
  }
}

const mapReader = (
  keyType: MapKeyType,
  value: NestedValue,
  schema: AvroSchema,
  path: string,
  resolution: AvroResolution,
): AvroValueReader => {
  if (schema.type !== 'map') return refuseSchema(resolution, path, `takes map, not ${avroTypeName(schema)}`)
  const readValue = valueReader(value, schema.values, path, resolution)
  const readText = scalarValueReader(
    avroScalarReader({ kind: 'string' }, { type: 'string' }, path, resolution.encoding) as AvroScalarReader,
  )
  // Keys that are no strings stand as their text, as in JSON.
  const keyOf = jsonCellReader({ name: path, type: keyType }, { names: {}, timestamps: {} })
  let entries = new Map<StoredValue, StoredValue | null>()
  const readEntry = (cursor: AvroCursor): boolean => {
    const text = readText(cursor) as string | undefined
    if (text === undefined) return cursor.failWithin(`[key ${entries.size}]`)
    const key = keyOf({ kind: 'string', text })
    if (key instanceof CellProblem) {
      cursor.fail(`has a key that ${key.reason}`)
      return cursor.failWithin(keyStep(text))
    }
    if (entries.has(key)) {
      cursor.fail(`is a key that the map has already: ${key}`)
      return cursor.failWithin(keyStep(text))
    }
    const read = readValue(cursor)
    if (read === undefined) return cursor.failWithin(keyStep(text))
    entries.set(key, read)
    return true
  }
  return (cursor) => {
    entries = new Map()
    return cursor.readBlocks(readEntry) ? entries : undefined
  }
}

const structReader = (
  fields: readonly StructField[],
  schema: AvroSchema,
  path: string,
  resolution: AvroResolution,
): AvroValueReader => {
  if (schema.type !== 'record')
    return refuseSchema(resolution, path, `takes record, not ${avroTypeName(schema)}`)
  const inner = enterRecord(schema, path, resolution)
  const slots = slotsOf(schema, fields, `${path}.`, resolution)
  const steps = schema.fields.map((field, index) => {
    const slot = slots[index]!
    const target = fields[slot]
    return target
      ? { slot, name: target.name, read: valueReader(target, field.schema, `${path}.${target.name}`, inner) }
      : { slot: -1, name: field.name, skip: avroSkipper(field.schema) }
  })
  return (cursor) => {
    const values: (StoredValue | null)[] = new Array(fields.length).fill(null)
    for (const { slot, name, read, skip } of steps) {
      const value = read ? read(cursor) : skip!(cursor) ? null : undefined
      if (value === undefined) {
        cursor.failWithin(`.${name}`)
        return undefined
      }
      if (slot >= 0) values[slot] = value
    }
    return values
  }
}

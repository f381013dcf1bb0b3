import type { AvroCursor } from './avro-cursor.ts'
import type { AvroEncoding } from './avro-encoding.ts'
import { type AvroScalarReader, avroScalarReader, textOf } from './avro-scalar.ts'
import { type AvroField, type AvroRecord, type AvroSchema, avroTypeName, takesBytes } from './avro-schema.ts'
import { type AvroSkipper, avroSkipper } from './avro-skip.ts'
import { CellProblem, keyStep } from './cell-problem.ts'
import type { StoredValue } from './column-builder.ts'
import type { ColumnDefinition, ColumnType, MapKeyType, NestedValue, StructField } from './column-type.ts'
import {
  BinaryWriter,
  BooleanWriter,
  type ColumnWriter,
  DictionaryWriter,
  NumberWriter,
  WideWriter,
} from './column-writer.ts'
import { ConfigurationError } from './errors.ts'
import { jsonCellReader } from './json-cell.ts'
import { nearestName } from './nearest-name.ts'
import type { RowFault } from './row-decoder.ts'

/** Reads a value; undefined: the cursor says why not. */
type ValueReader = (cursor: AvroCursor) => StoredValue | null | undefined
/** Reads a value into the row of a column; false: the cursor says why not. */
type CellReader = (cursor: AvroCursor, row: number) => boolean

/** What is resolved: a schema that was written with, and the encoding of the topic whose table reads. */
interface Resolution {
  /** How a refusal begins. */
  readonly where: string
  readonly encoding: Pick<AvroEncoding, 'names' | 'timestamps'>
  /** Records that hold the one in hand. */
  readonly within: readonly AvroRecord[]
}

const refuse = ({ where }: Resolution, path: string, reason: string): never => {
  throw new ConfigurationError({ code: 'AVRO_SCHEMA_UNSUITED', message: `${where}: '${path}' ${reason}.` })
}

/** A schema without its null: one that is null only has no `present`. */
interface Nullability {
  readonly present: AvroSchema | undefined
  /** Branches of the union, 0 where there is none. */
  readonly branches: number
  /** The branch that is null, or -1. */
  readonly nullBranch: number
}

const nullabilityOf = (schema: AvroSchema, path: string, resolution: Resolution): Nullability => {
  if (schema.type === 'null') return { present: undefined, branches: 0, nullBranch: -1 }
  if (schema.type !== 'union') return { present: schema, branches: 0, nullBranch: -1 }
  const { branches } = schema
  const present = branches.filter(({ type }) => type !== 'null')
  if (present.length > 1) {
    refuse(resolution, path, `is a ${avroTypeName(schema)}; a column has one type, beside null`)
  }
  return {
    present: present[0],
    branches: branches.length,
    nullBranch: branches.findIndex(({ type }) => type === 'null'),
  }
}

const notNullable = 'is null and not nullable'

const nestedScratch = new BigInt64Array(2)
const nestedWords = new Int32Array(nestedScratch.buffer)

/** Values as they stand in lists, maps and structs. */
const scalarValueReader = (scalar: AvroScalarReader): ValueReader => {
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

const presentReader = (
  type: ColumnType,
  schema: AvroSchema,
  path: string,
  resolution: Resolution,
): ValueReader => {
  switch (type.kind) {
    case 'list':
      return listReader(type.element, schema, path, resolution)
    case 'map':
      return mapReader(type.key, type.value, schema, path, resolution)
    case 'struct':
      return structReader(type.fields, schema, path, resolution)
    default: {
      const scalar = avroScalarReader(type, schema, path, resolution.encoding)
      return scalarValueReader(typeof scalar === 'string' ? refuse(resolution, path, scalar) : scalar)
    }
  }
}

const valueReader = (
  { type, nullable }: NestedValue,
  schema: AvroSchema,
  path: string,
  resolution: Resolution,
): ValueReader => {
  const { present, branches, nullBranch } = nullabilityOf(schema, path, resolution)
  const readNull: ValueReader = (cursor) => {
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
  resolution: Resolution,
): ValueReader => {
  if (schema.type !== 'array') return refuse(resolution, path, `takes array, not ${avroTypeName(schema)}`)
  if (!takesBytes(schema.items)) {
    return refuse(
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
  resolution: Resolution,
): ValueReader => {
  if (schema.type !== 'map') return refuse(resolution, path, `takes map, not ${avroTypeName(schema)}`)
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
  resolution: Resolution,
): ValueReader => {
  if (schema.type !== 'record') return refuse(resolution, path, `takes record, not ${avroTypeName(schema)}`)
  const inner = enter(schema, path, resolution)
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

const enter = (record: AvroRecord, path: string, resolution: Resolution): Resolution => {
  if (resolution.within.includes(record)) {
    refuse(
      resolution,
      path,
      `is of the recursive type ${record.name}; a column holds no value of its own type`,
    )
  }
  return { ...resolution, within: [...resolution.within, record] }
}

/** For each field of a record the position of the column or struct field it goes to, or -1. */
const slotsOf = (
  { name: recordName, fields }: AvroRecord,
  targets: readonly { readonly name: string; readonly nullable: boolean }[],
  prefix: string,
  resolution: Resolution,
): number[] => {
  const slots: number[] = new Array(fields.length).fill(-1)
  targets.forEach(({ name, nullable }, slot) => {
    const path = prefix + name
    const member = resolution.encoding.names[path] ?? name
    const named = fields.findIndex((field) => field.name === member)
    const found = named >= 0 ? named : fields.findIndex(({ aliases }) => aliases.includes(member))
    if (found < 0) {
      if (nullable) return
      const near = nearestName(
        member,
        fields.map((field) => field.name),
      )
      refuse(
        resolution,
        path,
        `is not nullable, and ${recordName} has no field "${member}"${near === undefined ? '' : `; is it "${near}"? Then say so in names`}`,
      )
    }
    if (slots[found] !== -1) {
      refuse(
        resolution,
        path,
        `is the field "${fields[found]!.name}", as '${prefix}${targets[slots[found]!]!.name}' is`,
      )
    }
    slots[found] = slot
  })
  return slots
}

/** Reads values of a schema into a column's writer. */
const cellReader = (
  column: ColumnDefinition,
  { schema }: AvroField,
  writer: ColumnWriter,
  resolution: Resolution,
): CellReader => {
  const { present, branches, nullBranch } = nullabilityOf(schema, column.name, resolution)
  const readNull: CellReader = (cursor, row) => {
    if (!column.nullable) return cursor.fail(notNullable)
    writer.setNull(row)
    return true
  }
  const read = present ? presentCellReader(column, present, writer, resolution) : readNull
  if (branches === 0) return read
  return (cursor, row) => {
    if (!cursor.readIndex(branches, 'union branch')) return false
    return cursor.number === nullBranch ? readNull(cursor, row) : read(cursor, row)
  }
}

const presentCellReader = (
  { name, type }: ColumnDefinition,
  schema: AvroSchema,
  writer: ColumnWriter,
  resolution: Resolution,
): CellReader => {
  if (type.kind === 'list' || type.kind === 'map' || type.kind === 'struct') {
    const read = presentReader(type, schema, name, resolution)
    return (cursor, row) => {
      const value = read(cursor)
      if (value === undefined) return false
      writer.set(row, value)
      return true
    }
  }
  const given = avroScalarReader(type, schema, name, resolution.encoding)
  const scalar = typeof given === 'string' ? refuse(resolution, name, given) : given
  if (scalar.holds === 'words' && writer instanceof WideWriter) {
    const { read, words } = scalar
    return (cursor, row) => read(cursor, writer.words, row * words)
  }
  if (scalar.holds === 'text' && writer instanceof DictionaryWriter) {
    const { read } = scalar
    return (cursor, row) => {
      if (!read(cursor)) return false
      const { source, start, stop, hash } = cursor
      writer.codes[row] = writer.dictionary.internHashed(source, start, stop, hash, row)
      return true
    }
  }
  if (scalar.holds === 'bytes' && writer instanceof BinaryWriter) {
    const { read } = scalar
    return (cursor, row) => {
      if (!read(cursor)) return false
      const { source, start, stop } = cursor
      const to = writer.reserve(row, stop - start)
      writer.bytes.set(source.subarray(start, stop), to)
      return true
    }
  }
  if (scalar.holds === 'number' && writer instanceof NumberWriter) {
    const { read } = scalar
    return (cursor, row) => {
      if (!read(cursor)) return false
      writer.values[row] = cursor.number
      return true
    }
  }
  if (scalar.holds === 'number' && writer instanceof BooleanWriter) {
    const { read } = scalar
    return (cursor, row) => {
      if (!read(cursor)) return false
      writer.put(row, cursor.number === 1)
      return true
    }
  }
  throw new Error(`no writer of ${type.kind} takes ${scalar.holds}`)
}

/** Reads the record at a cursor, to its end, into a row; answers why it cannot. Columns it lacks become null. */
export type AvroRowReader = (cursor: AvroCursor, row: number) => RowFault | undefined

/**
 * Resolves a schema that values were written with, and the columns of a table.
 *
 * @param where how a refusal begins
 * @param writers of the columns, by position
 *
 * Throws a `ConfigurationError` `AVRO_SCHEMA_UNSUITED` that names the column where they do not fit each other.
 */
export const createAvroRowReader = (
  schema: AvroSchema,
  columns: readonly ColumnDefinition[],
  encoding: Pick<AvroEncoding, 'names' | 'timestamps'>,
  writers: readonly ColumnWriter[],
  where: string,
): AvroRowReader => {
  if (schema.type !== 'record') {
    throw new ConfigurationError({
      code: 'AVRO_SCHEMA_UNSUITED',
      message: `${where}: it is a schema of ${avroTypeName(schema)}, and only a record has columns.`,
    })
  }
  const resolution: Resolution = { where, encoding, within: [schema] }
  const passed = columns.flatMap((column, index) =>
    column.metadata ? [] : [{ column, writer: writers[index]! }],
  )
  const slots = slotsOf(
    schema,
    passed.map(({ column }) => column),
    '',
    resolution,
  )
  const names: string[] = []
  const known: boolean[] = []
  const steps: CellReader[] = schema.fields.map((field, index) => {
    const target = passed[slots[index]!]
    names.push(target?.column.name ?? field.name)
    known.push(target !== undefined)
    if (target) return cellReader(target.column, field, target.writer, resolution)
    const skip: AvroSkipper = avroSkipper(field.schema)
    return (cursor) => skip(cursor)
  })
  const absent = passed.filter((_, slot) => !slots.includes(slot)).map(({ writer }) => writer)
  return (cursor, row) => {
    for (let index = 0; index < steps.length; index++) {
      if (steps[index]!(cursor, row)) continue
      const name = names[index]!
      const reason = cursor.problem!.of(name)
      return known[index] ? { column: name, reason } : { reason: `the field ${reason}` }
    }
    const left = cursor.end - cursor.at
    if (left > 0)
      return { reason: `${left} bytes are left after the record: it was written with another schema` }
    for (const writer of absent) writer.setNull(row)
    return undefined
  }
}

import type { AvroCursor } from './avro-cursor.ts'
import type { AvroEncoding } from './avro-encoding.ts'
import { type AvroResolution, notNullable, nullabilityOf, refuseSchema, slotsOf } from './avro-resolution.ts'
import { avroScalarReader } from './avro-scalar.ts'
import { type AvroField, type AvroSchema, avroTypeName } from './avro-schema.ts'
import { avroSkipper } from './avro-skip.ts'
import { presentReader } from './avro-value-reader.ts'
import type { ColumnDefinition } from './column-type.ts'
import {
  BinaryWriter,
  BooleanWriter,
  type ColumnWriter,
  DictionaryWriter,
  NumberWriter,
  WideWriter,
} from './column-writer.ts'
import { ConfigurationError } from './errors.ts'
import type { RowFault } from './row-decoder.ts'

/** Reads a value into the row of a column; false: the cursor says why not. */
type CellReader = (cursor: AvroCursor, row: number) => boolean

/** Reads values of a schema into a column's writer. */
const cellReader = (
  column: ColumnDefinition,
  { schema }: AvroField,
  writer: ColumnWriter,
  resolution: AvroResolution,
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
  resolution: AvroResolution,
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
  const scalar = typeof given === 'string' ? refuseSchema(resolution, name, given) : given
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
  const resolution: AvroResolution = { where, encoding, within: [schema] }
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
    const skip = avroSkipper(field.schema)
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

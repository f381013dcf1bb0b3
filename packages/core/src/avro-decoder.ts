import { AvroCursor } from './avro-cursor.ts'
import type { AvroEncoding } from './avro-encoding.ts'
import { type AvroFrameReader, confluentFrames, glueFrames } from './avro-framing.ts'
import { type AvroRowReader, createAvroRowReader } from './avro-row-reader.ts'
import type { AvroSchema } from './avro-schema.ts'
import { parseAvroSchema } from './avro-schema-parser.ts'
import { avroSchemaOf } from './avro-table-schema.ts'
import { CellProblem } from './cell-problem.ts'
import type { ColumnWriter } from './column-writer.ts'
import type { Decoder, DecoderOptions, DecoderSchemas } from './decoder.ts'
import { StockpipeError } from './errors.ts'
import { noValue } from './json-reference.ts'
import type { RecordBlock } from './record-block.ts'
import { recordFact } from './record-fact.ts'
import { createRowDecoder, type ExactRowReader, type RowFault, type RowScanner } from './row-decoder.ts'
import type { TableDefinition } from './table.ts'

/** Says why the record that was scanned last is none: a value is read in one way only. */
const faultReader = (
  { columns }: TableDefinition,
  scanned: { fault: RowFault | undefined },
): ExactRowReader => ({
  row: [],
  read(block, index) {
    if (block.values.lengths[index]! < 0) return noValue
    if (scanned.fault) return scanned.fault
    for (const { name, metadata } of columns) {
      const fact = metadata && recordFact(block, index, metadata)
      if (fact instanceof CellProblem) return { column: name, reason: fact.of(name) }
    }
    throw new Error('a record that has no fault was to be rejected')
  },
})

/** The schema that plain values are written with. */
export const plainSchemaOf = (table: TableDefinition, encoding: AvroEncoding): AvroSchema =>
  parseAvroSchema(encoding.schema ?? avroSchemaOf(table, encoding))

const createPlainDecoder = (
  table: TableDefinition,
  encoding: AvroEncoding,
  options: DecoderOptions,
): Decoder => {
  const cursor = new AvroCursor()
  const scanned: { fault: RowFault | undefined } = { fault: undefined }
  return createRowDecoder(table.columns, {
    ...options,
    exact: faultReader(table, scanned),
    text: false,
    scanner(writers): RowScanner {
      const where = `The Avro schema cannot be read as table ${table.name}`
      const readRow = createAvroRowReader(
        plainSchemaOf(table, encoding),
        table.columns,
        encoding,
        writers,
        where,
      )
      return (bytes, _view, start, end, row) => {
        if (cursor.bytes !== bytes) cursor.open(bytes)
        cursor.begin(start, end)
        scanned.fault = readRow(cursor, row)
        return scanned.fault === undefined
      }
    },
  })
}

/** What became of a schema: the reader of its values, or why they are rejected. */
type Known = AvroRowReader | string

const createFramedDecoder = (
  table: TableDefinition,
  encoding: AvroEncoding,
  frames: AvroFrameReader,
  options: DecoderOptions,
): Decoder => {
  const cursor = new AvroCursor()
  const scanned: { fault: RowFault | undefined } = { fault: undefined }
  const known = new Map<string, Known>()
  /** Ids the registry does not know: asked again for the next block, since a later answer may differ. */
  const unknown = new Set<string>()
  let writers: readonly ColumnWriter[] = []

  const scan: RowScanner = (bytes, _view, start, end, row) => {
    scanned.fault = faultOf(bytes, start, end, row)
    return scanned.fault === undefined
  }
  const faultOf = (bytes: Uint8Array, start: number, end: number, row: number): RowFault | undefined => {
    const id = frames.idAt(bytes, start, end)
    if (id === undefined) return { reason: frames.missing }
    const reader = known.get(id)
    if (reader === undefined) {
      if (unknown.has(id)) return { reason: `the registry has no schema ${id}` }
      throw new StockpipeError({
        code: 'SCHEMA_NOT_GIVEN',
        message: `Records of schema ${id} are decoded before its text was given; ask missing() and give what it names.`,
      })
    }
    if (typeof reader === 'string') return { reason: reader }
    const reason = frames.open(cursor, bytes, start, end)
    return reason === undefined ? reader(cursor, row) : { reason }
  }
  const decoder = createRowDecoder(table.columns, {
    ...options,
    exact: faultReader(table, scanned),
    text: false,
    scanner(given) {
      writers = given
      return scan
    },
  })

  const schemas: DecoderSchemas = {
    missing({ values, count }: RecordBlock) {
      const missing = new Set<string>()
      for (let index = 0; index < count; index++) {
        const start = values.starts[index]!
        const id = frames.idAt(values.bytes, start, start + values.lengths[index]!)
        if (id !== undefined && !known.has(id) && !unknown.has(id)) missing.add(id)
      }
      return [...missing]
    },
    give(id, registered) {
      if (registered === null) {
        unknown.add(id)
        return
      }
      const where = `schema ${id} cannot be read as table ${table.name}`
      try {
        const schema = parseAvroSchema(registered.schema, registered.references)
        known.set(id, createAvroRowReader(schema, table.columns, encoding, writers, where))
      } catch (error) {
        if (!StockpipeError.isInstance(error)) throw error
        const message = error.message.replace(/\.$/, '')
        known.set(id, error.code === 'AVRO_SCHEMA_INVALID' ? `${where}: ${message}` : message)
      }
    },
  }
  return {
    schemas,
    decode(block) {
      const decoded = decoder.decode(block)
      unknown.clear()
      return decoded
    },
  }
}

/**
 * A decoder of values in the binary encoding of Avro, from their bytes straight into columns.
 *
 * Throws a `ConfigurationError` when the schema that the encoding states cannot be read as the table.
 */
export const createAvroDecoder = (
  table: TableDefinition,
  encoding: AvroEncoding,
  options: DecoderOptions = {},
): Decoder => {
  switch (encoding.framing) {
    case 'plain':
      return createPlainDecoder(table, encoding, options)
    case 'confluent':
      return createFramedDecoder(table, encoding, confluentFrames(), options)
    case 'glue':
      return createFramedDecoder(table, encoding, glueFrames(), options)
  }
}

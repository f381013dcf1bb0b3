import { AvroBytes } from './avro-bytes.ts'
import { type AvroCellWriter, avroRecordWriter } from './avro-cell-writer.ts'
import { plainSchemaOf } from './avro-decoder.ts'
import type { AvroEncoding } from './avro-encoding.ts'
import { columnValueProblem } from './column-value.ts'
import { ConfigurationError } from './errors.ts'
import { type RecordEncoder, rejectRow, rowKey } from './record-encoder.ts'
import { validateRow } from './row-validation.ts'
import type { TopicDefinition } from './topic.ts'

/** What stands before the values of our own producer. */
const headerOf = (topic: TopicDefinition, { framing, schemaId }: AvroEncoding): Uint8Array => {
  if (framing === 'plain') return new Uint8Array(0)
  if (schemaId === undefined) {
    throw new ConfigurationError({
      code: 'AVRO_SCHEMA_ID_MISSING',
      message: `Topic ${topic.name}: to write values with the framing "${framing}", register the schema (\`avroSchemaOf(table)\`, or your own as \`schema\`) and state its id: avro({ framing, schemaId }).`,
    })
  }
  if (framing === 'glue')
    return Buffer.concat([Buffer.of(3, 0), Buffer.from(schemaId.replaceAll('-', ''), 'hex')])
  const header = Buffer.alloc(5)
  header.writeInt32BE(Number(schemaId), 1)
  return header
}

/**
 * An encoder for a topic whose values are Avro.
 *
 * Throws a `ConfigurationError` for a schema that does not hold every row of the table, and for a framing without a
 * schema id.
 */
export const createAvroEncoder = (
  topic: TopicDefinition,
  encoding: AvroEncoding,
): RecordEncoder<unknown, Uint8Array> => {
  const { table } = topic
  const columns = table.columns.filter(({ metadata }) => !metadata)
  const header = headerOf(topic, encoding)
  const where = `Topic ${topic.name}: rows of table ${table.name} cannot be written with its Avro schema`
  const write: AvroCellWriter = avroRecordWriter(plainSchemaOf(table, encoding), columns, '', {
    where,
    encoding,
    within: [],
  })
  const keyOf = rowKey(topic)
  const bytes = new AvroBytes()
  return {
    encode(row) {
      if (typeof row !== 'object' || row === null) return rejectRow(topic, row)
      const given = row as Readonly<Record<string, unknown>>
      let present = 0
      for (const column of columns) {
        const cell = given[column.name]
        if (cell === undefined || cell === null) {
          if (!column.nullable) return rejectRow(topic, row)
          if (cell === null) present += 1
        } else if (columnValueProblem(column.type, cell) !== undefined) return rejectRow(topic, row)
        else present += 1
      }
      if (present !== Object.keys(given).length && validateRow(table, row).length > 0)
        return rejectRow(topic, row)
      bytes.clear()
      bytes.fixed(header)
      write(bytes, given)
      return { key: keyOf(given), value: bytes.take() }
    },
  }
}

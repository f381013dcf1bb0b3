import { plainSchemaOf } from './avro-decoder.ts'
import type { AvroEncoding, AvroInstantFormat } from './avro-encoding.ts'
import { createAvroRowReader } from './avro-row-reader.ts'
import { innermostType, typeAtPath, visitStructs } from './column-path.ts'
import { createColumnWriter } from './column-writer.ts'
import { ConfigurationError } from './errors.ts'
import { checkMembers, checkNames } from './json-encoding-check.ts'
import type { TableDefinition } from './table.ts'

const formats: Readonly<Record<AvroInstantFormat, true>> = {
  'epoch-seconds': true,
  'epoch-millis': true,
  'epoch-micros': true,
  'epoch-nanos': true,
}

/** An Avro encoding as a topic keeps it. Throws a `ConfigurationError` when it does not suit the table. */
export const checkAvroEncoding = (
  topic: string,
  table: TableDefinition,
  value: AvroEncoding,
): AvroEncoding => {
  const { framing, schema, schemaId } = value
  if (framing !== 'plain' && framing !== 'confluent' && framing !== 'glue') {
    throw new ConfigurationError({
      code: 'AVRO_FRAMING_UNKNOWN',
      message: `Topic ${topic}: the framing of Avro is plain, confluent or glue, not '${String(framing)}'.`,
    })
  }
  const { names, timestamps } = checkNames(topic, table, value)
  const passed = table.columns.filter(({ metadata }) => !metadata)
  checkMembers(topic, names, '', passed)
  for (const { name, type } of passed) {
    visitStructs(type, name, (path, fields) => checkMembers(topic, names, `${path}.`, fields))
  }
  for (const [path, format] of Object.entries(timestamps)) {
    if (format !== undefined && Object.hasOwn(formats, format)) continue
    throw new ConfigurationError({
      code: 'TIMESTAMP_FORMAT_UNSUITED',
      message: `Topic ${topic}: '${path}', a ${innermostType(typeAtPath(table, path)).kind}, is an int or long in Avro; its unit is ${Object.keys(formats).join(', ')}, not '${format}'.`,
    })
  }
  const checked: AvroEncoding = Object.freeze({
    encoding: 'avro',
    framing,
    ...(schema === undefined ? {} : { schema }),
    ...(schemaId === undefined ? {} : { schemaId }),
    names,
    timestamps: timestamps as AvroEncoding['timestamps'],
  })
  if (framing === 'plain' || schema !== undefined) {
    const writers = table.columns.map(({ type }) => createColumnWriter(type))
    const where = `Topic ${topic}: its Avro schema cannot be read as table ${table.name}`
    createAvroRowReader(plainSchemaOf(table, checked), table.columns, checked, writers, where)
  }
  return checked
}

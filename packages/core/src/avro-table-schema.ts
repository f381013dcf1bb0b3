import type { AvroEncoding } from './avro-encoding.ts'
import type { ColumnDefinition, ColumnType, NestedValue, StructField } from './column-type.ts'
import { ConfigurationError } from './errors.ts'
import type { TableDefinition } from './table.ts'

type Json = string | { readonly [member: string]: unknown } | readonly Json[]

const namePattern = /^[A-Za-z_][A-Za-z0-9_]*$/

const typeOf = (type: ColumnType, path: string, place: Place): Json => {
  switch (type.kind) {
    case 'boolean':
    case 'float':
    case 'double':
    case 'string':
      return type.kind
    case 'int8':
    case 'int16':
    case 'int32':
      return 'int'
    case 'int64':
      return 'long'
    case 'decimal':
      return { type: 'bytes', logicalType: 'decimal', precision: type.precision, scale: type.scale }
    case 'binary':
      return 'bytes'
    case 'date':
      return { type: 'int', logicalType: 'date' }
    case 'timestamp':
      return { type: 'long', logicalType: 'timestamp-millis' }
    case 'epochNanos':
      return { type: 'long', logicalType: 'timestamp-nanos' }
    case 'json':
      return 'string'
    case 'list':
      return { type: 'array', items: nullableOf(type.element, path, place) }
    case 'map':
      return { type: 'map', values: nullableOf(type.value, path, place) }
    case 'struct':
      return recordOf(`${place.table}.${path}`, type.fields, `${path}.`, place)
  }
}

interface Place {
  readonly table: string
  readonly names: AvroEncoding['names']
}

const nullableOf = ({ type, nullable }: NestedValue, path: string, place: Place): Json => {
  const schema = typeOf(type, path, place)
  return nullable ? ['null', schema] : schema
}

const recordOf = (
  name: string,
  fields: readonly (StructField | ColumnDefinition)[],
  prefix: string,
  place: Place,
): Json => ({
  type: 'record',
  name,
  fields: fields.map((field) => {
    const path = prefix + field.name
    const member = place.names[path] ?? field.name
    if (!namePattern.test(member)) {
      throw new ConfigurationError({
        code: 'AVRO_NAME_INVALID',
        message: `Table ${place.table}: '${path}' cannot be the Avro field "${member}": a name is letters, digits and underscores, and begins with no digit.`,
      })
    }
    const schema = nullableOf(field, path, place)
    return field.nullable ? { name: member, type: schema, default: null } : { name: member, type: schema }
  }),
})

/**
 * The JSON text of the Avro schema for rows of a table: facts of the record are left out, nullable columns are unions
 * with null, int8 and int16 are int, timestamps of milliseconds and nanoseconds, decimals bytes, JSON is string, and the
 * keys of a map stand as their text.
 *
 * Throws a `ConfigurationError` for a name of `names` that Avro does not allow.
 */
export const avroSchemaOf = (
  table: TableDefinition,
  { names = {} }: { readonly names?: AvroEncoding['names'] } = {},
): string =>
  JSON.stringify(
    recordOf(
      table.name,
      table.columns.filter(({ metadata }) => !metadata),
      '',
      { table: table.name, names },
    ),
  )

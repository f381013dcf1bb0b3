import type { ColumnType } from '@stockpipe/core'

/** The Glue (Hive) type of a column: `bigint`, `decimal(18,4)`, `array<struct<price:double>>`. */
export const glueColumnType = (type: ColumnType): string => {
  switch (type.kind) {
    case 'boolean':
    case 'float':
    case 'double':
    case 'string':
    case 'binary':
    case 'date':
    case 'timestamp':
      return type.kind
    case 'int8':
      return 'tinyint'
    case 'int16':
      return 'smallint'
    case 'int32':
      return 'int'
    case 'int64':
    case 'epochNanos':
      return 'bigint'
    case 'json':
      return 'string'
    case 'decimal':
      return `decimal(${type.precision},${type.scale})`
    case 'list':
      return `array<${glueColumnType(type.element.type)}>`
    case 'map':
      return `map<${glueColumnType(type.key)},${glueColumnType(type.value.type)}>`
    case 'struct':
      return `struct<${type.fields.map((field) => `${field.name}:${glueColumnType(field.type)}`).join(',')}>`
  }
}

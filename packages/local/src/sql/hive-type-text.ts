import type { TrinoType } from './trino-type.ts'

/** The type of a Hive table's column that holds a Trino type, as the catalog spells it; undefined where there is none. */
export function hiveTypeText(type: TrinoType): string | undefined {
  switch (type.kind) {
    case 'boolean':
    case 'tinyint':
    case 'smallint':
    case 'bigint':
    case 'double':
    case 'date':
      return type.kind
    case 'integer':
      return 'int'
    case 'real':
      return 'float'
    case 'varbinary':
      return 'binary'
    case 'varchar':
      return type.length === undefined ? 'string' : `varchar(${type.length})`
    case 'decimal':
      return `decimal(${type.precision},${type.scale})`
    case 'timestamp':
      // A Hive table's timestamp counts milliseconds.
      return type.precision === 3 ? 'timestamp' : undefined
    case 'array': {
      const element = hiveTypeText(type.element)
      return element && `array<${element}>`
    }
    case 'map': {
      const key = hiveTypeText(type.key)
      const value = hiveTypeText(type.value)
      return key && value && `map<${key},${value}>`
    }
    case 'row': {
      const fields = type.fields.map((field) => {
        const text = hiveTypeText(field.type)
        return text && field.name && `${field.name.toLowerCase()}:${text}`
      })
      return fields.some((field) => !field) ? undefined : `struct<${fields.join(',')}>`
    }
    default:
      return undefined
  }
}

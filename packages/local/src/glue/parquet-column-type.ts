import type { GlueColumn } from './catalog-model.ts'
import type { ParquetField } from './parquet-footer.ts'

/** A Parquet field that no Glue type reads rightly. */
export class UnreadableFieldError extends Error {
  override readonly name = 'UnreadableFieldError'
}

/** The Glue columns of a Parquet schema, names folded to lower case. @throws UnreadableFieldError */
export function glueColumnsOf(fields: readonly ParquetField[]): readonly GlueColumn[] {
  return fields.map((field) => ({ Name: field.name.toLowerCase(), Type: glueTypeOf(field) }))
}

/** The Hive type Athena reads a field with. @throws UnreadableFieldError where it would be wrong or refused */
export function glueTypeOf(field: ParquetField): string {
  // A repeated field outside a LIST is a list of itself, by Parquet's rules for old writers.
  if (field.repetition === 'REPEATED') return `array<${elementType(field)}>`
  return elementType(field)
}

function elementType(field: ParquetField): string {
  return field.physicalType === undefined ? groupType(field) : primitiveType(field)
}

function groupType(field: ParquetField): string {
  const [only] = field.children
  if (field.annotation?.name === 'LIST' && only?.repetition === 'REPEATED') return listType(field.name, only)
  if (field.annotation?.name === 'MAP' && only !== undefined) {
    const [key, value] = only.children
    if (key !== undefined && value !== undefined) return `map<${glueTypeOf(key)},${glueTypeOf(value)}>`
  }
  if (field.children.length === 0) throw unreadable(field, 'a group without fields')
  return `struct<${field.children.map((child) => `${child.name.toLowerCase()}:${glueTypeOf(child)}`).join(',')}>`
}

/** Three-level lists hold the element within the repeated group; older ones repeat the element itself. */
function listType(listName: string, repeated: ParquetField): string {
  const [only] = repeated.children
  const isElement =
    repeated.physicalType !== undefined ||
    repeated.children.length !== 1 ||
    repeated.name === 'array' ||
    repeated.name === `${listName}_tuple`
  return `array<${isElement || only === undefined ? elementType(repeated) : glueTypeOf(only)}>`
}

function primitiveType(field: ParquetField): string {
  const { annotation, physicalType } = field
  if (annotation?.precision !== undefined) {
    if (annotation.precision > 38) throw unreadable(field, `decimal of ${annotation.precision} digits`)
    return `decimal(${annotation.precision},${annotation.scale})`
  }
  switch (annotation?.name) {
    case 'FLOAT16':
    case 'INTERVAL':
    case 'UNKNOWN':
      throw unreadable(field, annotation.name)
    case 'STRING':
    case 'ENUM':
    case 'JSON':
      return 'string'
    case 'DATE':
      return 'date'
    case 'TIMESTAMP':
      return 'timestamp'
  }
  if (annotation?.bits !== undefined) return integerType(field, annotation)
  switch (physicalType) {
    case 'BOOLEAN':
      return 'boolean'
    case 'INT32':
      return 'int'
    case 'INT64':
      return 'bigint'
    case 'INT96':
      return 'timestamp'
    case 'FLOAT':
      return 'float'
    case 'DOUBLE':
      return 'double'
    default:
      return 'binary'
  }
}

function integerType(field: ParquetField, annotation: { bits: number; signed: boolean }): string {
  const { bits, signed } = annotation
  // The engine ignores signedness: the next wider type holds small unsigned values, 32 and 64 bits turn negative.
  if (!signed && bits >= 32)
    throw unreadable(field, `UINT_${bits}, whose large values Athena reads as negative`)
  const width = signed ? bits : bits * 2
  return width <= 8 ? 'tinyint' : width <= 16 ? 'smallint' : width <= 32 ? 'int' : 'bigint'
}

const unreadable = (field: ParquetField, what: string): UnreadableFieldError =>
  new UnreadableFieldError(`column '${field.name}' is ${what}; Athena has no type that reads it`)

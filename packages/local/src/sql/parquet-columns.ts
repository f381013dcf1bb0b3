import { decimalToVarchar, roundTimestamp } from './cast-rules.ts'
import { failure, notSupported } from './query-failure.ts'
import { duckDbType, type RowField, type TrinoType, typeText } from './trino-type.ts'
import { quoteString } from './typed-expression.ts'

/** A column of a Parquet file, or a field of one. */
export interface FileColumn {
  readonly name: string
  /** The type DuckDB reads it as. */
  readonly duckDbType: string
  /** As the file declares it, for errors: `INT64 TIMESTAMP(...)`. */
  readonly declared: string
  /** Of a group that is a row. */
  readonly fields?: readonly FileColumn[]
  /** The element of a list, or the key and the value of a map, where they are laid out in three levels. */
  readonly items?: readonly FileColumn[]
}

/** A file's columns by lower-cased name; two names that differ only in case are both kept. */
export type FileSchema = ReadonlyMap<string, readonly FileColumn[]>

const integers = ['TINYINT', 'SMALLINT', 'INTEGER', 'BIGINT', 'UTINYINT', 'USMALLINT']

/**
 * SQL that reads a table's column from a file as its declared type; NULL where the file has no such column.
 * Throws HIVE_BAD_DATA where Trino does not read the file's type as the table's.
 */
export function columnInFile(name: string, type: TrinoType, schema: FileSchema, uri: string): string {
  const found = schema.get(name.toLowerCase()) ?? []
  const target = duckDbType(type)
  if (found.length === 0) return `CAST(NULL AS ${target})`
  if (found.length > 1)
    throw failure(
      'HIVE_BAD_DATA',
      `The columns ${found.map((column) => column.name).join(', ')} of ${uri} differ only in case`,
    )
  const column = found[0]!
  const value = `f.${quoteName(column.name)}`
  const sql = readAs(value, column, type)
  if (sql === undefined) {
    throw failure(
      'HIVE_BAD_DATA',
      `Unsupported Trino column type (${typeText(type)}) for Parquet column ([${column.name}] ${column.declared}) in ${uri}`,
    )
  }
  return sql
}

/** `depth` is that of lambdas around the value. */
function readAs(value: string, column: FileColumn, type: TrinoType, depth = 0): string | undefined {
  const from = column.duckDbType
  const target = duckDbType(type)
  const cast = from === target ? value : `CAST(${value} AS ${target})`
  const isInteger = integers.includes(from)
  const isDecimal = from.startsWith('DECIMAL(')
  switch (type.kind) {
    case 'tinyint':
    case 'smallint':
    case 'integer':
    case 'bigint':
      return isInteger ? cast : undefined
    case 'decimal':
      return isInteger || isDecimal ? cast : undefined
    case 'double':
      return from === 'DOUBLE' || from === 'FLOAT' || isInteger ? cast : undefined
    case 'real':
      return from === 'FLOAT' ? cast : undefined
    case 'boolean':
      return from === 'BOOLEAN' ? cast : undefined
    case 'date':
      return from === 'DATE' ? cast : undefined
    case 'varbinary':
      if (from === 'VARCHAR') return `encode(${value})`
      return from === 'BLOB' ? cast : undefined
    case 'varchar':
      if (isDecimal && type.length === undefined) return decimalToVarchar(value, ...decimalDigits(from))
      if (from !== 'VARCHAR') return isInteger && type.length === undefined ? cast : undefined
      return type.length === undefined ? value : `substring(${value}, 1, ${type.length})`
    case 'timestamp':
      return readTimestamp(value, column, type.precision)
    case 'array':
    case 'map':
    case 'row':
      return readNested(value, column, type, depth)
    default:
      throw notSupported(`columns of type ${typeText(type)}`)
  }
}

function decimalDigits(type: string): [precision: number, scale: number] {
  const [, precision, scale] = /^DECIMAL\((\d+),(\d+)\)$/.exec(type)!
  return [Number(precision), Number(scale)]
}

/** What is within arrays and maps is read as it is, but for text that is cut: a conversion there has no rule. */
function readNested(value: string, column: FileColumn, type: TrinoType, depth: number): string | undefined {
  const target = duckDbType(type)
  if (column.duckDbType === target) return cut(value, type)
  // Names in the file may be of another case.
  if (column.duckDbType.toLowerCase() === target.toLowerCase()) {
    return cut(`CAST(${value} AS ${target})`, type)
  }
  if (type.kind === 'row' && column.fields !== undefined) {
    return readRow(value, column.fields, type.fields, depth)
  }
  const [first, second] = column.items ?? []
  if (type.kind === 'array' && first !== undefined && second === undefined) {
    return readItems(value, first, type.element, depth)
  }
  if (type.kind === 'map' && first !== undefined && second !== undefined) {
    const keys = `map_keys(${value})`
    if (readItems(keys, first, type.key, depth) === keys) {
      const values = readItems(`map_values(${value})`, second, type.value, depth)
      return values && `CASE WHEN ${value} IS NULL THEN NULL ELSE map(${keys}, ${values}) END`
    }
  }
  const kind = /\]$|^LIST/.test(column.duckDbType) ? 'array' : /^MAP/.test(column.duckDbType) ? 'map' : 'row'
  const isNested = /\]$|^(?:LIST|MAP|STRUCT)/.test(column.duckDbType)
  if (!isNested || kind !== type.kind) return undefined
  throw notSupported(`columns of type ${typeText(type)} over files with ${column.duckDbType}`)
}

function readItems(list: string, item: FileColumn, type: TrinoType, depth: number): string | undefined {
  const name = `x${depth}`
  const sql = readWithin(name, item, type, depth + 1)
  return sql === undefined || sql === name ? sql && list : `list_transform(${list}, lambda ${name}: ${sql})`
}

/** Unlike those of columns, numbers within arrays, maps and rows are not read as text, nor integers as doubles. */
function readWithin(value: string, column: FileColumn, type: TrinoType, depth: number): string | undefined {
  const isInteger = integers.includes(column.duckDbType)
  const isNumber = isInteger || column.duckDbType.startsWith('DECIMAL(')
  if ((type.kind === 'varchar' && isNumber) || (type.kind === 'double' && isInteger)) return undefined
  return readAs(value, column, type, depth)
}

/** Fields are found by name; NULL where the file has none, as for columns. */
function readRow(
  value: string,
  found: readonly FileColumn[],
  fields: readonly RowField[],
  depth: number,
): string | undefined {
  const items: string[] = []
  for (const field of fields) {
    // Fields of a table have names.
    const fieldName = field.name ?? ''
    const named = found.filter(({ name }) => name.toLowerCase() === fieldName.toLowerCase())
    if (named.length > 1) return undefined
    const [column] = named
    const item =
      column === undefined
        ? `CAST(NULL AS ${duckDbType(field.type)})`
        : // With a dot, the name of a lambda could be that of a column.
          readWithin(`struct_extract(${value}, ${quoteString(column.name)})`, column, field.type, depth)
    if (item === undefined) return undefined
    items.push(`${quoteName(fieldName)} := ${item}`)
  }
  return `CASE WHEN ${value} IS NULL THEN NULL ELSE struct_pack(${items.join(', ')}) END`
}

const quoteName = (name: string): string => `"${name.replaceAll('"', '""')}"`

/** SQL that cuts text of a bounded length wherever it is within a value. */
function cut(value: string, type: TrinoType, depth = 0): string {
  if (!holdsBoundedVarchar(type)) return value
  const item = `cut${depth}`
  switch (type.kind) {
    case 'array':
      return `list_transform(${value}, lambda ${item}: ${cut(item, type.element, depth + 1)})`
    case 'map': {
      // Two keys could become one.
      if (holdsBoundedVarchar(type.key)) throw notSupported(`columns of type ${typeText(type)}`)
      const cutItem = cut(item, type.value, depth + 1)
      return `map(map_keys(${value}), list_transform(map_values(${value}), lambda ${item}: ${cutItem}))`
    }
    case 'row': {
      const fields = type.fields.map(({ name = '', type: fieldType }) => {
        return `${quoteName(name)} := ${cut(`${value}.${quoteName(name)}`, fieldType, depth)}`
      })
      return `CASE WHEN ${value} IS NULL THEN NULL ELSE struct_pack(${fields.join(', ')}) END`
    }
    case 'varchar':
      return `substring(${value}, 1, ${type.length})`
    default:
      return value
  }
}

/** Some of its values would have to be cut. */
function holdsBoundedVarchar(type: TrinoType): boolean {
  switch (type.kind) {
    case 'array':
      return holdsBoundedVarchar(type.element)
    case 'map':
      return holdsBoundedVarchar(type.key) || holdsBoundedVarchar(type.value)
    case 'row':
      return type.fields.some((field) => holdsBoundedVarchar(field.type))
    default:
      return type.kind === 'varchar' && type.length !== undefined
  }
}

function readTimestamp(value: string, column: FileColumn, precision: number): string | undefined {
  if (!/^TIMESTAMP/.test(column.duckDbType)) return undefined
  // DuckDB cuts INT96 to microseconds, and a number of nanoseconds is cut here: below, as halves of a millisecond round up.
  const isFiner = /NANOS=Nano|INT96/.test(column.declared)
  if (isFiner && precision > 3) throw notSupported(`columns of type timestamp(${precision}) over nanoseconds`)
  if (column.duckDbType === 'TIMESTAMP_NS') return roundTimestamp(floorOfNanos(value), precision)
  // Whether a file says UTC or not, its wall clock is what the table shows.
  const timestamp = column.duckDbType === 'TIMESTAMP' ? value : `CAST(${value} AS TIMESTAMP)`
  if (/TIMESTAMP_MILLIS|MILLIS=Milli/.test(column.declared)) return timestamp
  return roundTimestamp(timestamp, precision)
}

/** A cast would cut towards 1970. */
const floorOfNanos = (value: string): string =>
  `make_timestamp((epoch_ns(${value}) - (epoch_ns(${value}) % 1000 + 1000) % 1000) // 1000)`

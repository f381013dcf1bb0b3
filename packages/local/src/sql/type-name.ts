import {
  arrayType,
  bigintType,
  booleanType,
  boundedVarchar,
  dateType,
  decimalType,
  doubleType,
  integerType,
  realType,
  type TrinoType,
  timestampType,
  varbinaryType,
  varcharType,
  zonedTimestampType,
} from './trino-type.ts'

const plainTypes: Readonly<Record<string, TrinoType>> = {
  boolean: booleanType,
  tinyint: { kind: 'tinyint' },
  smallint: { kind: 'smallint' },
  integer: integerType,
  int: integerType,
  bigint: bigintType,
  real: realType,
  double: doubleType,
  varchar: varcharType,
  varbinary: varbinaryType,
  date: dateType,
}

/** A type of the DML by name and parameters, `undefined` where Trino has no such type. */
export function namedType(
  name: string,
  parameters: readonly number[],
  withTimeZone = false,
): TrinoType | undefined {
  const [first, second] = parameters
  if (name === 'decimal') {
    const precision = first ?? 38
    const scale = second ?? 0
    return precision >= 1 && precision <= 38 && scale <= precision ? decimalType(precision, scale) : undefined
  }
  if (name === 'timestamp' || name === 'time') {
    const precision = first ?? 3
    if (precision > 12) return undefined
    // DuckDB counts microseconds.
    const text = `${name}(${precision})${withTimeZone ? ' with time zone' : ''}`
    if (precision > 6 || (name === 'time' && withTimeZone)) return { kind: 'unsupported', text }
    if (name === 'time') return { kind: 'time', precision }
    return withTimeZone ? zonedTimestampType(precision, 'UTC') : timestampType(precision)
  }
  if (name === 'varchar' && first !== undefined) return boundedVarchar(first)
  if (name === 'char') return { kind: 'unsupported', text: `char(${first ?? 1})` }
  if (parameters.length > 0) return undefined
  return (
    plainTypes[name] ??
    (['json', 'uuid', 'ipaddress'].includes(name) ? { kind: 'unsupported', text: name } : undefined)
  )
}

/** The Trino type of a Hive type as the catalog declares it; what cannot be read here is `unsupported`. */
export function hiveType(text: string): TrinoType {
  const lower = text.trim().toLowerCase()
  const array = /^array<(.*)>$/.exec(lower)
  if (array !== null) {
    const element = hiveType(array[1]!)
    return element.kind === 'unsupported' ? { kind: 'unsupported', text: lower } : arrayType(element)
  }
  const match = /^([a-z]+)(?:\(\s*(\d+)\s*(?:,\s*(\d+)\s*)?\))?$/.exec(lower)
  const unsupported: TrinoType = { kind: 'unsupported', text: lower }
  if (match === null) return unsupported
  const parameters = match
    .slice(2)
    .flatMap((parameter) => (parameter === undefined ? [] : [Number(parameter)]))
  switch (match[1]) {
    case 'string':
      return varcharType
    case 'float':
      return realType
    case 'binary':
      return varbinaryType
    case 'timestamp':
      return timestampType(3)
    case 'decimal':
      return namedType('decimal', parameters.length === 0 ? [10, 0] : parameters) ?? unsupported
    case 'boolean':
    case 'tinyint':
    case 'smallint':
    case 'int':
    case 'integer':
    case 'bigint':
    case 'double':
    case 'date':
    case 'varchar':
      return namedType(match[1], parameters) ?? unsupported
    default:
      return unsupported
  }
}

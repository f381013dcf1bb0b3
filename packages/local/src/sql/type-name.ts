import {
  arrayType,
  bigintType,
  booleanType,
  boundedVarchar,
  dateType,
  decimalType,
  doubleType,
  integerType,
  jsonType,
  mapType,
  realType,
  rowType,
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
  json: jsonType,
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
    (['uuid', 'ipaddress'].includes(name) ? { kind: 'unsupported', text: name } : undefined)
  )
}

/** The Trino type of a Hive type as the catalog declares it; what cannot be read here is `unsupported`. */
export function hiveType(text: string): TrinoType {
  const lower = text.trim().toLowerCase()
  const nested = nestedHiveType(lower)
  if (nested !== undefined) return nested
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

/** An array, map or struct; undefined where the text is none. */
function nestedHiveType(text: string): TrinoType | undefined {
  const match = /^(array|map|struct)<(.*)>$/.exec(text)
  if (match === null) return undefined
  const unsupported: TrinoType = { kind: 'unsupported', text }
  const parts = partsOf(match[2]!)
  if (match[1] === 'struct') {
    const fields = parts.map((part) => {
      const colon = part.indexOf(':')
      return { name: part.slice(0, colon).trim(), type: hiveType(part.slice(colon + 1)) }
    })
    const known = fields.every(({ name, type }) => name !== '' && type.kind !== 'unsupported')
    return known ? rowType(fields) : unsupported
  }
  const types = parts.map(hiveType)
  if (types.some(({ kind }) => kind === 'unsupported')) return unsupported
  const [first, second] = types
  if (match[1] === 'array' && types.length === 1) return arrayType(first!)
  return match[1] === 'map' && types.length === 2 ? mapType(first!, second!) : unsupported
}

/** What stands between the commas that are in no brackets. */
function partsOf(text: string): string[] {
  const parts: string[] = []
  let depth = 0
  let start = 0
  for (let at = 0; at < text.length; at++) {
    const character = text[at]!
    if ('<('.includes(character)) depth += 1
    else if ('>)'.includes(character)) depth -= 1
    else if (character === ',' && depth === 0) {
      parts.push(text.slice(start, at))
      start = at + 1
    }
  }
  return [...parts, text.slice(start)]
}

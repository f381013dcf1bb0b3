/** A type of Trino's. `length` undefined is unbounded varchar; a zone is known when the statement is read. */
export type TrinoType =
  | {
      readonly kind:
        | 'unknown'
        | 'boolean'
        | 'tinyint'
        | 'smallint'
        | 'integer'
        | 'bigint'
        | 'real'
        | 'double'
        | 'varbinary'
        | 'json'
        | 'date'
        | 'interval day to second'
        | 'interval year to month'
    }
  | { readonly kind: 'decimal'; readonly precision: number; readonly scale: number }
  | { readonly kind: 'varchar'; readonly length?: number | undefined }
  | { readonly kind: 'timestamp' | 'time'; readonly precision: number }
  | { readonly kind: 'timestamp with time zone'; readonly precision: number; readonly zone: string }
  | { readonly kind: 'array'; readonly element: TrinoType }
  | { readonly kind: 'map'; readonly key: TrinoType; readonly value: TrinoType }
  | { readonly kind: 'row'; readonly fields: readonly RowField[] }
  /** A type that may be declared but not used here; `text` is how Trino names it. */
  | { readonly kind: 'unsupported'; readonly text: string }

/** A field of a row; one without a name is found by its place only. */
export interface RowField {
  readonly name?: string | undefined
  readonly type: TrinoType
}

export type TypeKind = TrinoType['kind']

export const unknownType: TrinoType = { kind: 'unknown' }
export const booleanType: TrinoType = { kind: 'boolean' }
export const integerType: TrinoType = { kind: 'integer' }
export const bigintType: TrinoType = { kind: 'bigint' }
export const realType: TrinoType = { kind: 'real' }
export const doubleType: TrinoType = { kind: 'double' }
export const varcharType: TrinoType = { kind: 'varchar' }
export const varbinaryType: TrinoType = { kind: 'varbinary' }
export const jsonType: TrinoType = { kind: 'json' }
export const dateType: TrinoType = { kind: 'date' }
export const dayIntervalType: TrinoType = { kind: 'interval day to second' }
export const monthIntervalType: TrinoType = { kind: 'interval year to month' }

export function decimalType(precision: number, scale: number): TrinoType & { kind: 'decimal' } {
  return { kind: 'decimal', precision, scale }
}
export function boundedVarchar(length: number): TrinoType {
  return { kind: 'varchar', length }
}
export function timestampType(precision: number): TrinoType {
  return { kind: 'timestamp', precision }
}
export function arrayType(element: TrinoType): TrinoType & { kind: 'array' } {
  return { kind: 'array', element }
}
export function mapType(key: TrinoType, value: TrinoType): TrinoType & { kind: 'map' } {
  return { kind: 'map', key, value }
}
export function rowType(fields: readonly RowField[]): TrinoType & { kind: 'row' } {
  return { kind: 'row', fields }
}
export function zonedTimestampType(precision: number, zone: string): TrinoType {
  return { kind: 'timestamp with time zone', precision, zone }
}

/** Trino's text of a type, such as `decimal(38,4)`. */
export function typeText(type: TrinoType): string {
  switch (type.kind) {
    case 'decimal':
      return `decimal(${type.precision},${type.scale})`
    case 'varchar':
      return type.length === undefined ? 'varchar' : `varchar(${type.length})`
    case 'timestamp':
    case 'time':
      return `${type.kind}(${type.precision})`
    case 'timestamp with time zone':
      return `timestamp(${type.precision}) with time zone`
    case 'array':
      return `array(${typeText(type.element)})`
    case 'map':
      return `map(${typeText(type.key)}, ${typeText(type.value)})`
    case 'row':
      return `row(${type.fields.map(fieldText).join(', ')})`
    case 'unsupported':
      return type.text
    default:
      return type.kind
  }
}

function fieldText({ name, type }: RowField): string {
  return name === undefined ? typeText(type) : `${name} ${typeText(type)}`
}

export function sameType(a: TrinoType, b: TrinoType): boolean {
  if (a.kind === 'array' && b.kind === 'array') return sameType(a.element, b.element)
  if (a.kind === 'map' && b.kind === 'map') return sameType(a.key, b.key) && sameType(a.value, b.value)
  if (a.kind === 'row' && b.kind === 'row') {
    return (
      a.fields.length === b.fields.length &&
      a.fields.every(
        (field, i) => field.name === b.fields[i]!.name && sameType(field.type, b.fields[i]!.type),
      )
    )
  }
  return (
    typeText(a) === typeText(b) && (a.kind !== 'timestamp with time zone' || a.zone === (b as typeof a).zone)
  )
}

/** The names DuckDB knows a row's fields by: their own, or their places where those do not tell them apart. */
export function fieldCarriers(fields: readonly RowField[]): readonly string[] {
  // JavaScript moves a member whose name is a number to the front.
  const names = fields.flatMap(({ name }) => (name === undefined || /^\d*$/.test(name) ? [] : [name]))
  const apart = new Set(names.map((name) => name.toLowerCase())).size === fields.length
  return apart ? names : fields.map((_, i) => `f${i + 1}`)
}

/**
 * The DuckDB type that carries a Trino type: intervals as counts of milliseconds and months, a timestamp with
 * time zone as the UTC instant (its zone is part of the static type), JSON as its text, an untyped NULL as INTEGER.
 */
export function duckDbType(type: TrinoType): string {
  switch (type.kind) {
    case 'decimal':
      return `DECIMAL(${type.precision},${type.scale})`
    case 'varbinary':
      return 'BLOB'
    case 'real':
      return 'FLOAT'
    case 'json':
      return 'VARCHAR'
    case 'timestamp':
    case 'timestamp with time zone':
      return 'TIMESTAMP'
    case 'interval day to second':
      return 'BIGINT'
    case 'interval year to month':
    case 'unknown':
      return 'INTEGER'
    case 'array':
      return `${duckDbType(type.element)}[]`
    case 'map':
      return `MAP(${duckDbType(type.key)}, ${duckDbType(type.value)})`
    case 'row':
      return `STRUCT(${fieldCarriers(type.fields)
        .map((name, i) => `${quoteName(name)} ${duckDbType(type.fields[i]!.type)}`)
        .join(', ')})`
    case 'unsupported':
      throw new Error(`no DuckDB type carries ${type.text}`)
    default:
      return type.kind.toUpperCase()
  }
}

function quoteName(name: string): string {
  return `"${name.replaceAll('"', '""')}"`
}

/** True of arrays, maps and rows: they have no order here, and are not compared. */
export function isNested(type: TrinoType): boolean {
  return type.kind === 'array' || type.kind === 'map' || type.kind === 'row'
}

/** True where the test holds of the type or of one within it. */
export function someType(type: TrinoType, test: (type: TrinoType) => boolean): boolean {
  if (test(type)) return true
  switch (type.kind) {
    case 'array':
      return someType(type.element, test)
    case 'map':
      return someType(type.key, test) || someType(type.value, test)
    case 'row':
      return type.fields.some((field) => someType(field.type, test))
    default:
      return false
  }
}

const integerDigits: Partial<Record<TypeKind, number>> = { tinyint: 3, smallint: 5, integer: 10, bigint: 19 }
const numericOrder: readonly TypeKind[] = [
  'tinyint',
  'smallint',
  'integer',
  'bigint',
  'decimal',
  'real',
  'double',
]

export function isInteger(type: TrinoType): boolean {
  return integerDigits[type.kind] !== undefined
}
export function isNumeric(type: TrinoType): boolean {
  return numericOrder.includes(type.kind)
}
export function isFloating(type: TrinoType): type is TrinoType & { kind: 'real' | 'double' } {
  return type.kind === 'real' || type.kind === 'double'
}

/** The decimal an integer becomes beside a decimal: bigint is decimal(19,0). */
export function asDecimal(type: TrinoType): (TrinoType & { kind: 'decimal' }) | undefined {
  if (type.kind === 'decimal') return type
  const digits = integerDigits[type.kind]
  return digits === undefined ? undefined : decimalType(digits, 0)
}

/** The type both become in a comparison, CASE, UNION or VALUES; undefined where Trino has none. */
export function commonType(a: TrinoType, b: TrinoType): TrinoType | undefined {
  if (a.kind === 'unsupported' || b.kind === 'unsupported') return undefined
  if (a.kind === 'unknown') return b
  if (b.kind === 'unknown' || sameType(a, b)) return a
  if (isNumeric(a) && isNumeric(b)) return commonNumericType(a, b)
  if (a.kind === 'varchar' && b.kind === 'varchar') {
    return a.length === undefined || b.length === undefined
      ? varcharType
      : boundedVarchar(Math.max(a.length, b.length))
  }
  if (a.kind === 'array' && b.kind === 'array') {
    const element = commonType(a.element, b.element)
    return element && arrayType(element)
  }
  if (a.kind === 'map' && b.kind === 'map') {
    const key = commonType(a.key, b.key)
    const value = commonType(a.value, b.value)
    return key && value && mapType(key, value)
  }
  if (a.kind === 'row' && b.kind === 'row') return commonRowType(a, b)
  if (a.kind === 'time' && b.kind === 'time')
    return { kind: 'time', precision: Math.max(a.precision, b.precision) }
  return commonTimestampType(a, b)
}

/** A name stays where both sides have it. */
function commonRowType(
  a: TrinoType & { kind: 'row' },
  b: TrinoType & { kind: 'row' },
): TrinoType | undefined {
  if (a.fields.length !== b.fields.length) return undefined
  const fields = a.fields.flatMap((field, i): RowField[] => {
    const other = b.fields[i]!
    const type = commonType(field.type, other.type)
    if (type === undefined) return []
    return [{ type, ...(field.name === other.name && { name: field.name }) }]
  })
  return fields.length === a.fields.length ? rowType(fields) : undefined
}

function commonNumericType(a: TrinoType, b: TrinoType): TrinoType {
  if (a.kind === 'decimal' || b.kind === 'decimal') {
    const x = asDecimal(a)
    const y = asDecimal(b)
    if (x !== undefined && y !== undefined) {
      const scale = Math.max(x.scale, y.scale)
      const whole = Math.max(x.precision - x.scale, y.precision - y.scale)
      return decimalType(Math.min(38, whole + scale), scale)
    }
  }
  return numericOrder.indexOf(a.kind) > numericOrder.indexOf(b.kind) ? a : b
}

function commonTimestampType(a: TrinoType, b: TrinoType): TrinoType | undefined {
  const precision = (type: TrinoType): number | undefined =>
    type.kind === 'date'
      ? 0
      : type.kind === 'timestamp' || type.kind === 'timestamp with time zone'
        ? type.precision
        : undefined
  const x = precision(a)
  const y = precision(b)
  if (x === undefined || y === undefined) return undefined
  const zoned = [a, b].filter((type) => type.kind === 'timestamp with time zone')
  if (zoned.length === 0) return timestampType(Math.max(x, y))
  // The session's zone is UTC; two different zones in one column have no static zone.
  const zones = new Set(zoned.map((type) => type.zone))
  if (zoned.length < 2) zones.add('UTC')
  return zones.size === 1 ? zonedTimestampType(Math.max(x, y), [...zones][0]!) : undefined
}

/** True where Trino converts `from` to `to` without a CAST. */
export function isCoercible(from: TrinoType, to: TrinoType): boolean {
  if (from.kind === 'decimal' && to.kind === 'decimal') {
    return from.scale <= to.scale && from.precision - from.scale <= to.precision - to.scale
  }
  const common = commonType(from, to)
  return common !== undefined && sameType(common, to)
}

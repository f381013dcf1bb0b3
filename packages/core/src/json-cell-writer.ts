import type { ColumnType, StructField } from './column-type.ts'
import { mapEntries } from './column-value.ts'
import { Decimal } from './decimal.ts'
import type { JsonCellEncoding } from './json-cell.ts'
import type { InstantFormat } from './json-encoding.ts'

/** Writes a value that fits its column as JSON. */
export type CellWriter = (value: unknown) => string

const instantWriter = (format: InstantFormat, nanosPerValue: bigint): CellWriter => {
  const nanosOf = (value: unknown): bigint =>
    value instanceof Date ? BigInt(value.getTime()) * 1_000_000n : (value as bigint) * nanosPerValue
  switch (format) {
    case 'iso8601':
      return (value) => `"${isoOf(nanosOf(value))}"`
    case 'epoch-seconds':
      return (value) => trimmed(Decimal.of(nanosOf(value), 9))
    case 'epoch-millis':
      return (value) =>
        value instanceof Date ? String(value.getTime()) : trimmed(Decimal.of(nanosOf(value), 6))
    case 'epoch-micros':
      return (value) => trimmed(Decimal.of(nanosOf(value), 3))
    case 'epoch-nanos':
      return (value) => nanosOf(value).toString()
  }
}

const trimmed = (decimal: Decimal): string =>
  decimal.scale === 0 ? decimal.toString() : decimal.toString().replace(/\.?0+$/, '')

const isoOf = (nanos: bigint): string => {
  const fraction = ((nanos % 1_000_000_000n) + 1_000_000_000n) % 1_000_000_000n
  const millis = Number((nanos - fraction) / 1_000_000n)
  const seconds = new Date(millis).toISOString().slice(0, -5)
  const digits = fraction
    .toString()
    .padStart(9, '0')
    .replace(/(?:000)+$/, '')
  return digits === '' ? `${seconds}Z` : `${seconds}.${digits}Z`
}

const base64Of = (bytes: Uint8Array): string => {
  let binary = ''
  for (const byte of bytes) binary += String.fromCharCode(byte)
  return btoa(binary)
}

/** The writer of one column's values. */
export const jsonCellWriter = (
  column: { readonly name: string; readonly type: ColumnType },
  encoding: JsonCellEncoding,
): CellWriter => typeWriter(column.type, column.name, encoding)

/** @param path names the value in the encoding: `legs.price` */
const typeWriter = (type: ColumnType, path: string, encoding: JsonCellEncoding): CellWriter => {
  switch (type.kind) {
    case 'boolean':
    case 'int8':
    case 'int16':
    case 'int32':
    case 'int64':
    case 'json':
      return String
    case 'float':
    case 'double':
      return (value) =>
        Number.isFinite(value) ? (Object.is(value, -0) ? '-0' : String(value)) : `"${value}"`
    case 'decimal':
      return (value) => `"${value instanceof Decimal ? value.toString() : (value as string)}"`
    case 'string':
      return JSON.stringify
    case 'date':
      return (value) => `"${value}"`
    case 'binary':
      return (value) => `"${base64Of(value as Uint8Array)}"`
    case 'timestamp':
      return instantWriter(encoding.timestamps[path] ?? 'iso8601', 1_000_000n)
    case 'epochNanos':
      return instantWriter(encoding.timestamps[path] ?? 'epoch-nanos', 1n)
    case 'list': {
      const write = nullableWriter(typeWriter(type.element.type, path, encoding))
      return (value) => `[${(value as readonly unknown[]).map(write).join(',')}]`
    }
    case 'map': {
      const write = nullableWriter(typeWriter(type.value.type, path, encoding))
      return (value) =>
        `{${Array.from(mapEntries(type.key, value) ?? [], ([key, member]) => `${JSON.stringify(String(key))}:${write(member)}`).join(',')}}`
    }
    case 'struct':
      return structWriter(type.fields, path, encoding)
  }
}

const nullableWriter =
  (write: CellWriter): CellWriter =>
  (value) =>
    value === null || value === undefined ? 'null' : write(value)

const structWriter = (
  fields: readonly StructField[],
  path: string,
  encoding: JsonCellEncoding,
): CellWriter => {
  const members = fields.map((field) => {
    const at = `${path}.${field.name}`
    return {
      name: field.name,
      prefix: `${JSON.stringify(encoding.names[at] ?? field.name)}:`,
      write: typeWriter(field.type, at, encoding),
    }
  })
  return (value) => {
    const given = value as Readonly<Record<string, unknown>>
    const written: string[] = []
    for (const { name, prefix, write } of members) {
      const member = given[name]
      if (member !== null && member !== undefined) written.push(prefix + write(member))
    }
    return `{${written.join(',')}}`
  }
}

import type { ColumnDefinition } from './column-type.ts'
import { columnValueProblem } from './column-value.ts'
import { Decimal } from './decimal.ts'
import { SchemaMismatchError } from './errors.ts'
import type { ColumnRecord, InputOf, PartitionRecord } from './infer.ts'
import type { InstantFormat } from './json-encoding.ts'
import { validateRow } from './row-validation.ts'
import type { TopicDefinition } from './topic.ts'

/** A row as a Kafka record: key and value as text. */
export interface EncodedRecord {
  readonly key: string | null
  readonly value: string
}

/** Turns rows of a topic into records. */
export interface RecordEncoder<Row> {
  /** Throws a `SchemaMismatchError` that names the column when the row does not fit the table. */
  encode(row: Row): EncodedRecord
}

type CellWriter = (value: unknown) => string

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

const cellWriter = (column: ColumnDefinition, format: InstantFormat | undefined): CellWriter => {
  switch (column.type.kind) {
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
      return instantWriter(format ?? 'iso8601', 1_000_000n)
    case 'epochNanos':
      return instantWriter(format ?? 'epoch-nanos', 1n)
  }
}

const keyText = (column: ColumnDefinition, value: unknown): string =>
  value instanceof Date
    ? value.toISOString()
    : value instanceof Uint8Array
      ? new TextDecoder().decode(value)
      : value instanceof Decimal && column.type.kind === 'decimal'
        ? value.rescale(column.type.scale, 'down').toString()
        : String(value)

/** An encoder for a topic whose values are JSON objects. */
export const createEncoder = <Columns extends ColumnRecord, Partitions extends PartitionRecord>(
  topic: TopicDefinition<Columns, Partitions>,
): RecordEncoder<InputOf<Columns>> => {
  const fields = topic.table.columns
    .filter((column) => !column.metadata)
    .map((column) => ({
      column,
      prefix: `${JSON.stringify(topic.value.names[column.name] ?? column.name)}:`,
      write: cellWriter(column, topic.value.timestamps[column.name]),
    }))
  const key = topic.key === undefined ? undefined : topic.table.column(topic.key)
  const reject = (row: unknown): never => {
    const issue = validateRow(topic.table, row)[0]
    throw new SchemaMismatchError({
      code: 'ROW_INVALID',
      message: `A row for topic ${topic.name} does not fit table ${topic.table.name}: ${issue?.message ?? 'it is not an object'}.`,
      facts: { topic: topic.name, column: issue?.path?.[0] },
    })
  }
  return {
    encode(row) {
      if (typeof row !== 'object' || row === null) return reject(row)
      const given = row as Readonly<Record<string, unknown>>
      let value = '{'
      let present = 0
      for (const { column, prefix, write } of fields) {
        const cell = given[column.name]
        if (cell === undefined || cell === null) {
          if (!column.nullable) return reject(row)
          if (cell === null) present += 1
          continue
        }
        if (columnValueProblem(column.type, cell) !== undefined) return reject(row)
        present += 1
        value += value === '{' ? prefix + write(cell) : `,${prefix}${write(cell)}`
      }
      if (present !== Object.keys(given).length && validateRow(topic.table, row).length > 0)
        return reject(row)
      const keyValue = key && given[key.name]
      return {
        key: key && keyValue !== undefined && keyValue !== null ? keyText(key, keyValue) : null,
        value: `${value}}`,
      }
    },
  }
}

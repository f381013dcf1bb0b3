import type { ColumnDefinition } from './column-type.ts'
import { Decimal } from './decimal.ts'
import { SchemaMismatchError } from './errors.ts'
import { validateRow } from './row-validation.ts'
import type { TopicDefinition } from './topic.ts'

/** A row as a Kafka record: its key as text, its value as text (UTF-8 on the wire) or as bytes. */
export interface EncodedRecord<Value extends string | Uint8Array = string | Uint8Array> {
  readonly key: string | null
  readonly value: Value
}

/** Turns rows of a topic into records. */
export interface RecordEncoder<Row, Value extends string | Uint8Array = string | Uint8Array> {
  /** Throws a `SchemaMismatchError` that names the column when the row does not fit the table. */
  encode(row: Row): EncodedRecord<Value>
}

/** The text of a key: one for all the ways in which a producer may pass the same value, since partitions follow from it. */
const keyText = ({ type }: ColumnDefinition, value: unknown): string => {
  if (type.kind === 'timestamp') {
    return (value instanceof Date ? value : new Date(Number(value as bigint))).toISOString()
  }
  if (type.kind === 'decimal') {
    const decimal = Decimal.isDecimal(value) ? value : Decimal.parse(value as string)
    return decimal.rescale(type.scale, 'down').toString()
  }
  return String(value)
}

/** Reads the record key of a row that fits the table. */
export const rowKey = (
  topic: TopicDefinition,
): ((row: Readonly<Record<string, unknown>>) => string | null) => {
  if (topic.key === undefined) return () => null
  const column = topic.table.column(topic.key)
  return (row) => {
    const value = row[column.name]
    return value === undefined || value === null ? null : keyText(column, value)
  }
}

/** Throws what is wrong with a row that does not fit the table. */
export const rejectRow = (topic: TopicDefinition, row: unknown): never => {
  const issue = validateRow(topic.table, row)[0]
  throw new SchemaMismatchError({
    code: 'ROW_INVALID',
    message: `A row for topic ${topic.name} does not fit table ${topic.table.name}: ${issue?.message ?? 'it is not an object'}.`,
    facts: { topic: topic.name, column: issue?.path?.[0] },
  })
}

import type { ColumnDefinition } from './column-type.ts'
import { columnValueProblem } from './column-value.ts'
import { Decimal } from './decimal.ts'
import { SchemaMismatchError } from './errors.ts'
import type { ColumnRecord, InputOf, PartitionRecord } from './infer.ts'
import { jsonCellWriter } from './json-cell-writer.ts'
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

/** An encoder for a topic whose values are JSON objects. */
export const createEncoder = <Columns extends ColumnRecord, Partitions extends PartitionRecord>(
  topic: TopicDefinition<Columns, Partitions>,
): RecordEncoder<InputOf<Columns>> => {
  const fields = topic.table.columns
    .filter((column) => !column.metadata)
    .map((column) => ({
      column,
      prefix: `${JSON.stringify(topic.value.names[column.name] ?? column.name)}:`,
      write: jsonCellWriter(column, topic.value),
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

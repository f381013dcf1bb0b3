import { columnValueProblem } from './column-value.ts'
import { jsonCellWriter } from './json-cell-writer.ts'
import type { JsonEncoding } from './json-encoding.ts'
import { type RecordEncoder, rejectRow, rowKey } from './record-encoder.ts'
import { validateRow } from './row-validation.ts'
import type { TopicDefinition } from './topic.ts'

/** An encoder for a topic whose values are JSON objects. */
export const createJsonEncoder = (
  topic: TopicDefinition,
  encoding: JsonEncoding,
): RecordEncoder<unknown, string> => {
  const fields = topic.table.columns
    .filter((column) => !column.metadata)
    .map((column) => ({
      column,
      prefix: `${JSON.stringify(encoding.names[column.name] ?? column.name)}:`,
      write: jsonCellWriter(column, encoding),
    }))
  const keyOf = rowKey(topic)
  return {
    encode(row) {
      if (typeof row !== 'object' || row === null) return rejectRow(topic, row)
      const given = row as Readonly<Record<string, unknown>>
      let value = '{'
      let present = 0
      for (const { column, prefix, write } of fields) {
        const cell = given[column.name]
        if (cell === undefined || cell === null) {
          if (!column.nullable) return rejectRow(topic, row)
          if (cell === null) present += 1
          continue
        }
        if (columnValueProblem(column.type, cell) !== undefined) return rejectRow(topic, row)
        present += 1
        value += value === '{' ? prefix + write(cell) : `,${prefix}${write(cell)}`
      }
      if (present !== Object.keys(given).length && validateRow(topic.table, row).length > 0)
        return rejectRow(topic, row)
      return { key: keyOf(given), value: `${value}}` }
    },
  }
}

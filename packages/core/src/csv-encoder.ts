import type { ColumnDefinition } from './column-type.ts'
import { columnValueProblem } from './column-value.ts'
import type { CsvEncoding } from './csv-encoding.ts'
import { csvColumns } from './csv-encoding-check.ts'
import { SchemaMismatchError } from './errors.ts'
import { type CellWriter, jsonCellWriter } from './json-cell-writer.ts'
import { type RecordEncoder, rejectRow, rowKey } from './record-encoder.ts'
import { validateRow } from './row-validation.ts'
import type { TopicDefinition } from './topic.ts'

/** The writer of a column's values as text: what stands in a JSON string, or JSON text where that is no string. */
const textWriter = (column: ColumnDefinition, encoding: CsvEncoding): CellWriter => {
  if (column.type.kind === 'string') return String
  const write = jsonCellWriter(column, encoding)
  if (column.type.kind === 'json') return write
  return (value) => {
    const text = write(value)
    return text.startsWith('"') ? text.slice(1, -1) : text
  }
}

/** An encoder for a topic whose values are lines of CSV. */
export const createCsvEncoder = (
  topic: TopicDefinition,
  encoding: CsvEncoding,
): RecordEncoder<unknown, string> => {
  const { table } = topic
  const { delimiter, quote, nullText } = encoding
  const columns = csvColumns(table, encoding)
  const cells = columns.map((column) => column && { column, write: textWriter(column, encoding) })
  const absent = table.columns.filter((column) => !column.metadata && !columns.includes(column))
  const keyOf = rowKey(topic)
  const quoted = (text: string): string => quote + text.replaceAll(quote, quote + quote) + quote
  const isPlain = (text: string): boolean =>
    text !== nullText &&
    !text.includes(delimiter) &&
    !text.includes(quote) &&
    !text.includes('\n') &&
    !text.includes('\r')
  // A row that would be taken for something else has its first cell of a column quoted.
  const header = columns.map((column) => column?.name ?? nullText).join(delimiter)
  const firstNamed = columns.findIndex((column) => column !== undefined)

  const reject = (row: Readonly<Record<string, unknown>>): never => {
    const column = absent.find(({ name }) => row[name] !== undefined && row[name] !== null)
    if (!column || validateRow(table, row).length > 0) return rejectRow(topic, row)
    throw new SchemaMismatchError({
      code: 'ROW_INVALID',
      message: `A row for topic ${topic.name} has a value for '${column.name}', which is no cell of the topic's CSV.`,
      facts: { topic: topic.name, column: column.name },
    })
  }
  return {
    encode(row) {
      if (typeof row !== 'object' || row === null) return rejectRow(topic, row)
      const given = row as Readonly<Record<string, unknown>>
      let present = 0
      const texts: string[] = []
      for (const cell of cells) {
        const value = cell && given[cell.column.name]
        if (cell === undefined || value === undefined || value === null) {
          if (cell && !cell.column.nullable) return reject(given)
          if (value === null) present += 1
          texts.push(nullText)
          continue
        }
        if (columnValueProblem(cell.column.type, value) !== undefined) return reject(given)
        present += 1
        const text = cell.write(value)
        texts.push(isPlain(text) && (texts.length > 0 || !text.startsWith('\ufeff')) ? text : quoted(text))
      }
      for (const { name } of absent) {
        if (given[name] === null) present += 1
        else if (given[name] !== undefined) return reject(given)
      }
      if (present !== Object.keys(given).length && validateRow(table, row).length > 0) return reject(given)
      let value = texts.join(delimiter)
      if (value === header) {
        texts[firstNamed] = quoted(texts[firstNamed]!)
        value = texts.join(delimiter)
      }
      return { key: keyOf(given), value }
    },
  }
}

import { type CellProblem, unsuited } from './cell-problem.ts'
import type { StoredValue } from './column-builder.ts'
import type { ColumnDefinition } from './column-type.ts'
import type { CsvEncoding } from './csv-encoding.ts'
import { jsonCellReader } from './json-cell.ts'
import { JsonReader, JsonSyntaxProblem } from './json-reader.ts'

/** Turns the text of a cell, without its quotes, into what the column stores, or says why it cannot. */
export type CsvCellReader = (text: string) => StoredValue | null | CellProblem

/** The reader of a column's cells. What a text means is what it means as a JSON string; `nullText` is dealt with before it. */
export const csvCellReader = (column: ColumnDefinition, encoding: CsvEncoding): CsvCellReader => {
  const read = jsonCellReader(column, encoding)
  const { kind } = column.type
  switch (kind) {
    case 'boolean':
      return (text) => read({ kind: text === 'true' || text === 'false' ? text : 'string', text })
    case 'json':
    case 'list':
    case 'map':
    case 'struct': {
      const reader = new JsonReader()
      return (text) => {
        const token = reader.readValue(text)
        if (token instanceof JsonSyntaxProblem) return unsuited('JSON text', { kind: 'string', text })
        return token.kind === 'null' && kind !== 'json' ? null : read(token)
      }
    }
    default:
      return (text) => read({ kind: 'string', text })
  }
}

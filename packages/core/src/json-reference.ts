import { CellProblem } from './cell-problem.ts'
import type { StoredValue } from './column-builder.ts'
import type { ColumnDefinition } from './column-type.ts'
import type { Decoder } from './decoder.ts'
import { jsonCellReader } from './json-cell.ts'
import type { JsonEncoding } from './json-encoding.ts'
import { JsonReader, type JsonToken } from './json-reader.ts'
import { packedAt, type RecordBlock } from './record-block.ts'
import { recordFact } from './record-fact.ts'
import { createReferenceDecoder } from './reference-decoder.ts'
import type { ExactRowReader, RowFault } from './row-decoder.ts'
import type { TableDefinition } from './table.ts'

export const notUtf8: RowFault = { reason: 'the value is not UTF-8' }
export const noValue: RowFault = { reason: 'the record has no value (a tombstone)' }

/** Reads the JSON object of one record at a time, exactly. */
export class JsonRowReader implements ExactRowReader {
  readonly row: (StoredValue | null)[]
  readonly #columns: readonly ColumnDefinition[]
  readonly #utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })
  readonly #reader = new JsonReader()
  readonly #cellReaders
  readonly #tokens: (JsonToken | undefined)[]
  readonly #keep: (name: string, token: JsonToken) => void

  constructor({ columns }: TableDefinition, encoding: JsonEncoding) {
    this.#columns = columns
    this.row = new Array(columns.length)
    this.#tokens = new Array(columns.length)
    const slotOf = new Map<string, number>()
    this.#cellReaders = columns.map((column, index) => {
      if (!column.metadata) slotOf.set(encoding.names[column.name] ?? column.name, index)
      return jsonCellReader(column, encoding)
    })
    this.#keep = (name, token) => {
      const slot = slotOf.get(name)
      if (slot !== undefined) this.#tokens[slot] = token
    }
  }

  read(block: RecordBlock, index: number): RowFault | undefined {
    const bytes = packedAt(block.values, index)
    if (bytes === null) return noValue
    let text: string
    try {
      text = this.#utf8.decode(bytes)
    } catch {
      return notUtf8
    }
    const tokens = this.#tokens.fill(undefined)
    const problem = this.#reader.readObject(text, this.#keep)
    if (problem) return problem
    const columns = this.#columns
    for (let slot = 0; slot < columns.length; slot++) {
      const column = columns[slot]!
      const token = tokens[slot]
      const value = column.metadata
        ? recordFact(block, index, column.metadata)
        : token === undefined || (token.kind === 'null' && column.type.kind !== 'json')
          ? null
          : this.#cellReaders[slot]!(token)
      if (value instanceof CellProblem) {
        return { column: column.name, reason: value.of(column.name) }
      }
      if (value === null && !column.nullable) {
        return {
          column: column.name,
          reason: `'${column.name}' is ${token ? 'null' : 'missing'} and not nullable`,
        }
      }
      this.row[slot] = value
    }
    return undefined
  }
}

/** The decoder that reads every record exactly: what `createJsonDecoder` has to equal. */
export const createReferenceJsonDecoder = (table: TableDefinition, encoding: JsonEncoding): Decoder =>
  createReferenceDecoder(table.columns, new JsonRowReader(table, encoding))

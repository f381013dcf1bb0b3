import { CellProblem } from './cell-problem.ts'
import type { StoredValue } from './column-builder.ts'
import type { ColumnDefinition } from './column-type.ts'
import { type CsvCellReader, csvCellReader } from './csv-cell.ts'
import type { CsvEncoding } from './csv-encoding.ts'
import { csvColumns } from './csv-encoding-check.ts'
import { type CsvCell, CsvSyntaxProblem, readCsvLine } from './csv-line.ts'
import type { Decoder } from './decoder.ts'
import { notUtf8, noValue } from './json-reference.ts'
import { packedAt, type RecordBlock } from './record-block.ts'
import { recordFact } from './record-fact.ts'
import { createReferenceDecoder } from './reference-decoder.ts'
import type { ExactRowReader, RowFault } from './row-decoder.ts'
import type { TableDefinition } from './table.ts'

const fault = (reason: string, column?: ColumnDefinition): RowFault =>
  column ? { column: column.name, reason } : { reason }

const cellCount = (count: number): string => (count === 1 ? '1 cell' : `${count} cells`)

/** Reads the line of CSV of one record at a time, exactly. */
export class CsvRowReader implements ExactRowReader {
  readonly row: (StoredValue | null)[]
  readonly #columns: readonly ColumnDefinition[]
  /** The column of each cell. */
  readonly #cells: readonly (ColumnDefinition | undefined)[]
  readonly #encoding: CsvEncoding
  readonly #readers: readonly CsvCellReader[]
  readonly #utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })

  constructor(table: TableDefinition, encoding: CsvEncoding) {
    this.#columns = table.columns
    this.#cells = csvColumns(table, encoding)
    this.#encoding = encoding
    this.#readers = table.columns.map((column) => csvCellReader(column, encoding))
    this.row = new Array(table.columns.length)
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
    if (text.startsWith('\ufeff')) return fault('the value begins with a byte order mark')
    const cells = readCsvLine(text, this.#encoding)
    if (cells instanceof CsvSyntaxProblem) return fault(cells.reason, this.#cells[cells.cell])
    return this.#countFault(cells) ?? this.#readCells(block, index, cells)
  }

  #countFault(cells: readonly CsvCell[]): RowFault | undefined {
    const expected = this.#cells
    const count = `the value has ${cellCount(cells.length)}, not ${expected.length}`
    if (cells.length > expected.length) return fault(count)
    if (cells.length < expected.length) {
      const column = expected.slice(cells.length).find((missing) => missing !== undefined)
      return fault(column ? `${count}: '${column.name}' is missing` : count, column)
    }
    const isHeader = cells.every(
      ({ text, quoted }, cell) => expected[cell] === undefined || (!quoted && text === expected[cell].name),
    )
    return isHeader ? fault('the value is a header line: the names of the columns') : undefined
  }

  #readCells(block: RecordBlock, index: number, cells: readonly CsvCell[]): RowFault | undefined {
    for (let slot = 0; slot < this.#columns.length; slot++) {
      const column = this.#columns[slot]!
      const cell = cells[this.#cells.indexOf(column)]
      const value = column.metadata
        ? recordFact(block, index, column.metadata)
        : cell === undefined || (!cell.quoted && cell.text === this.#encoding.nullText)
          ? null
          : this.#readers[slot]!(cell.text)
      if (value instanceof CellProblem) return fault(value.of(column.name), column)
      if (value === null && !column.nullable)
        return fault(`'${column.name}' is null and not nullable`, column)
      this.row[slot] = value
    }
    return undefined
  }
}

/** The decoder that reads every record exactly: what `createCsvDecoder` has to equal. */
export const createReferenceCsvDecoder = (table: TableDefinition, encoding: CsvEncoding): Decoder =>
  createReferenceDecoder(table.columns, new CsvRowReader(table, encoding))

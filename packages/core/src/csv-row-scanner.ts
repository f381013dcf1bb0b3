import { CellProblem } from './cell-problem.ts'
import type { ColumnDefinition } from './column-type.ts'
import type { ColumnWriter } from './column-writer.ts'
import { csvCellReader } from './csv-cell.ts'
import { type CsvSeparators, csvCellScanner, csvSkipScanner } from './csv-cell-scanner.ts'
import type { CsvEncoding } from './csv-encoding.ts'
import type { RowScanner } from './row-decoder.ts'

const utf8 = new TextEncoder()

const startsWith = (bytes: Uint8Array, text: Uint8Array, start: number): boolean => {
  for (let index = 0; index < text.length; index++) {
    if (bytes[start + index] !== text[index]) return false
  }
  return true
}

/** Looks for header lines: false only for what is none. Undefined for tables that reject each of them for its cells. */
const headerTest = (
  cells: readonly (ColumnDefinition | undefined)[],
  encoding: CsvEncoding,
  { delimiter, quote }: CsvSeparators,
): ((bytes: Uint8Array, start: number, end: number) => boolean) | undefined => {
  const isRow = cells.every(
    (column) =>
      column === undefined ||
      column.name === encoding.nullText ||
      !(csvCellReader(column, encoding)(column.name) instanceof CellProblem),
  )
  if (!isRow) return undefined
  const names = cells.map((column) => column && utf8.encode(column.name))
  return (bytes, start, end) => {
    let at = start
    for (const name of names) {
      if (name) {
        if (!startsWith(bytes, name, at)) return false
        at += name.length
        if (at !== end && bytes[at] !== delimiter) return false
      } else {
        while (at < end && bytes[at] !== delimiter) if (bytes[at++] === quote) return true
      }
      at += 1
    }
    return true
  }
}

/** A scanner of lines of CSV. @param cells the column and the writer of each cell; undefined for a cell to skip */
export const createCsvRowScanner = (
  cells: readonly ({ readonly column: ColumnDefinition; readonly writer: ColumnWriter } | undefined)[],
  encoding: CsvEncoding,
): RowScanner => {
  const separators = {
    delimiter: encoding.delimiter.charCodeAt(0),
    quote: encoding.quote.charCodeAt(0),
  }
  const { delimiter } = separators
  const nullText = utf8.encode(encoding.nullText)
  const scans = cells.map((cell) =>
    cell ? csvCellScanner(cell.column, cell.writer, encoding, separators) : csvSkipScanner(separators),
  )
  const setNulls = cells.map((cell) => {
    if (!cell) return () => {}
    const { column, writer } = cell
    return column.nullable ? (row: number) => writer.setNull(row) : undefined
  })
  const isHeader = headerTest(
    cells.map((cell) => cell?.column),
    encoding,
    separators,
  )
  const count = cells.length

  return (bytes, view, start, valueEnd, row) => {
    let end = valueEnd
    if (end > start && bytes[end - 1] === 10) {
      end -= 1
      if (end > start && bytes[end - 1] === 13) end -= 1
    }
    // A byte order mark.
    if (bytes[start] === 0xef && bytes[start + 1] === 0xbb && bytes[start + 2] === 0xbf) return false
    if (isHeader?.(bytes, start, end)) return false
    let at = start
    for (let cell = 0; cell < count; cell++) {
      if (cell > 0) {
        if (at === end) return false
        at += 1
      }
      const afterNull = at + nullText.length
      if (
        (afterNull === end || (afterNull < end && bytes[afterNull] === delimiter)) &&
        startsWith(bytes, nullText, at)
      ) {
        const setNull = setNulls[cell]
        if (setNull === undefined) return false
        setNull(row)
        at = afterNull
        continue
      }
      at = scans[cell]!(bytes, view, at, end, row)
      if (at < 0) return false
    }
    return at === end
  }
}

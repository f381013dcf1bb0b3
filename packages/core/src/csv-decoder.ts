import type { CsvEncoding } from './csv-encoding.ts'
import { csvColumns } from './csv-encoding-check.ts'
import { CsvRowReader } from './csv-reference.ts'
import { createCsvRowScanner } from './csv-row-scanner.ts'
import type { Decoder, DecoderOptions } from './decoder.ts'
import { createRowDecoder } from './row-decoder.ts'
import type { TableDefinition } from './table.ts'

/**
 * A decoder of values that are lines of CSV, from their bytes straight into columns. What is odd goes to the exact
 * reader, cell by cell or record by record; that reader alone rejects.
 */
export const createCsvDecoder = (
  table: TableDefinition,
  encoding: CsvEncoding,
  options: DecoderOptions = {},
): Decoder =>
  createRowDecoder(table.columns, {
    ...options,
    exact: new CsvRowReader(table, encoding),
    text: true,
    scanner(writers) {
      const cells = csvColumns(table, encoding)
      const scanLine = createCsvRowScanner(
        cells.map((column) => column && { column, writer: writers[table.columns.indexOf(column)]! }),
        encoding,
      )
      const absent = table.columns.flatMap((column, slot) =>
        column.metadata || cells.includes(column) ? [] : [writers[slot]!],
      )
      if (absent.length === 0) return scanLine
      return (bytes, view, start, end, row) => {
        if (!scanLine(bytes, view, start, end, row)) return false
        for (const writer of absent) writer.setNull(row)
        return true
      }
    },
  })

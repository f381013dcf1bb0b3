import { createReadStream } from 'node:fs'
import { ConfigurationError, type RecordSource } from '@stockpipe/core'
import { CsvError, parse } from 'csv-parse'
import { fileName, fileUnreadable, lineUnfit, mapRow } from './file-failure.ts'
import { recordBatches } from './record-batches.ts'

export interface ReplayCsvOptions<Name extends string, Row> {
  /** The columns the rows are made from. With a header line each must be in it; without one, they are its fields in order. */
  readonly columns: readonly Name[]
  /** Makes a row from a record; what it throws is reported with file and line. */
  readonly row: (record: { readonly [Column in Name]: string }, line: number) => Row
  /** Whether the first line names the columns. Default true. */
  readonly header?: boolean
  /** Default `,`. */
  readonly delimiter?: string
  /** Default `"`. */
  readonly quote?: string
  /** Rows a batch. Default 1,000. */
  readonly batchRows?: number
  /** Read the file once more beforehand, so that progress knows the total. Default false. */
  readonly countRecords?: boolean
}

interface CsvLine {
  readonly fields: readonly string[]
  readonly line: number
}

/**
 * The records of a CSV file as a source: RFC 4180 quoting, any line ending, with or without a byte order mark,
 * in constant memory. Empty lines are skipped; an empty file is a source of no records.
 *
 * Reading throws a `StockpipeError` `FILE_UNREADABLE`, or a `SchemaMismatchError` that names file and line: a column
 * missing from the header, a record with more or fewer fields (a file cut short ends in one), a quote never closed.
 */
export const replayCsv = <const Name extends string, Row>(
  file: string | URL,
  options: ReplayCsvOptions<Name, Row>,
): RecordSource<Row> => {
  const { columns, row, header = true, batchRows = 1000 } = options
  if (columns.length === 0 || new Set(columns).size !== columns.length) {
    throw new ConfigurationError({
      code: 'CSV_COLUMNS_INVALID',
      message: `Replaying ${fileName(file)}: name at least one column and none twice, not [${columns.join(', ')}].`,
    })
  }
  async function* records(signal?: AbortSignal): AsyncGenerator<() => Row> {
    let places: readonly number[] | undefined = header ? undefined : columns.map((_, index) => index)
    for await (const { fields, line } of csvLines(file, options, signal)) {
      if (places === undefined) {
        places = placesOf(file, columns, fields, line)
        continue
      }
      const found = places
      yield () => {
        const record = {} as Record<Name, string>
        for (const [index, column] of columns.entries()) record[column] = fields[found[index]!]!
        return mapRow(file, line, () => row(record, line))
      }
    }
  }
  return {
    async *read(readOptions = {}) {
      let total: number | undefined
      if (options.countRecords) {
        total = header ? -1 : 0
        for await (const _ of csvLines(file, options, readOptions.signal)) total += 1
        total = Math.max(total, 0)
      }
      yield* recordBatches(records(readOptions.signal), batchRows, total, readOptions)
    },
  }
}

const placesOf = (
  file: string | URL,
  columns: readonly string[],
  header: readonly string[],
  line: number,
): readonly number[] =>
  columns.map((column) => {
    const place = header.indexOf(column)
    if (place >= 0) return place
    throw lineUnfit(file, line, `the header has no column "${column}"; it has ${header.join(', ')}.`, {
      code: 'CSV_COLUMN_MISSING',
    })
  })

async function* csvLines(
  file: string | URL,
  options: Pick<ReplayCsvOptions<string, unknown>, 'columns' | 'header' | 'delimiter' | 'quote'>,
  signal?: AbortSignal,
): AsyncGenerator<CsvLine> {
  const input = createReadStream(file)
  const parser = parse({
    bom: true,
    delimiter: options.delimiter ?? ',',
    quote: options.quote ?? '"',
    info: true,
    skip_empty_lines: true,
    relax_column_count: true,
  })
  input.on('error', (error) => parser.destroy(error))
  let width = options.header === false ? options.columns.length : undefined
  try {
    for await (const parsed of input.pipe(parser)) {
      signal?.throwIfAborted()
      const { record, info } = parsed as { record: string[]; info: { lines: number } }
      width ??= record.length
      if (record.length !== width) {
        throw lineUnfit(
          file,
          info.lines,
          `${record.length} fields where ${width} are expected; a file cut short ends like this.`,
          { code: 'CSV_FIELD_COUNT' },
        )
      }
      yield { fields: record, line: info.lines }
    }
  } catch (error) {
    if (error instanceof CsvError) {
      throw lineUnfit(file, Number(error['lines'] ?? 0), `is not CSV: ${error.message}.`, {
        code: 'CSV_SYNTAX',
        cause: error,
      })
    }
    if ((error as NodeJS.ErrnoException).syscall !== undefined) throw fileUnreadable(file, error)
    throw error
  } finally {
    input.destroy()
    parser.destroy()
  }
}

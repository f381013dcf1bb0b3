import type { ColumnInfo } from '@aws-sdk/client-athena'
import { type ColumnType, type Decimal, SchemaMismatchError, type StandardSchemaV1 } from '@stockpipe/core'
import type { AnswerType, ZonedTimestamp } from './answer-column.ts'
import type { ResultPage, TextRow } from './result-pages.ts'
import { matchColumns } from './result-shape.ts'
import { type QueryColumns, type StatedAnswerColumn, statedColumns } from './stated-column.ts'
import { valueDecoder } from './value-decoder.ts'

/**
 * What values are when nobody has stated columns: integers are numbers and `bigint` a bigint, decimals `Decimal`,
 * timestamps a `Date` (with more than three digits after the second, nanoseconds), varbinary bytes, intervals
 * milliseconds (bigint) or months (number). Dates, times, UUIDs and JSON are text; so are arrays, maps and rows, of which Athena does not
 * tell what they hold.
 */
export type DecodedValue =
  | string
  | number
  | bigint
  | boolean
  | Date
  | Decimal
  | Uint8Array
  | ZonedTimestamp
  | null

/** A row by the names of its columns. */
export type DecodedRow = Record<string, DecodedValue>

type DecodeRow = (cells: TextRow, rowNumber: number) => Record<string, unknown>

const decoderOf = (
  columns: readonly StatedAnswerColumn[],
  infos: readonly ColumnInfo[],
  queryExecutionId: string,
): DecodeRow => {
  const positions = matchColumns(columns, infos, queryExecutionId)
  const decoders = columns.map((column, index) =>
    valueDecoder(column, queryExecutionId, infos[positions[index]!]?.Type),
  )
  return (cells, rowNumber) => {
    const row: Record<string, unknown> = {}
    columns.forEach(({ name }, index) => {
      const value = decoders[index]!(cells[positions[index]!] ?? null, rowNumber)
      // Assigning to this name would set the row's prototype.
      if (name === '__proto__') Object.defineProperty(row, name, { value, enumerable: true })
      else row[name] = value
    })
    return row
  }
}

async function* decodedBy(
  pages: AsyncIterable<ResultPage>,
  queryExecutionId: string,
  columnsOf: (infos: readonly ColumnInfo[]) => readonly StatedAnswerColumn[],
): AsyncGenerator<Record<string, unknown>[], void> {
  let decode: DecodeRow | undefined
  let rowNumber = 0
  for await (const page of pages) {
    const decodeRow = (decode ??= decoderOf(columnsOf(page.columns), page.columns, queryExecutionId))
    yield page.rows.map((cells) => decodeRow(cells, ++rowNumber))
  }
}

/** The pages of an answer, decoded to the stated columns, which are compared with those of the first page. */
export const statedRows = (
  pages: AsyncIterable<ResultPage>,
  queryExecutionId: string,
  columns: QueryColumns,
): AsyncGenerator<Record<string, unknown>[], void> => {
  const stated = statedColumns(columns)
  return decodedBy(pages, queryExecutionId, () => stated)
}

/** The pages of an answer, decoded by the types Athena tells. Throws a `SchemaMismatchError` for two columns of one name. */
export const decodedRows = (
  pages: AsyncIterable<ResultPage>,
  queryExecutionId: string,
): AsyncGenerator<Record<string, unknown>[], void> =>
  decodedBy(pages, queryExecutionId, (infos) => infos.map(described))

const scalars: Readonly<Record<string, (ColumnType | AnswerType)['kind']>> = {
  boolean: 'boolean',
  tinyint: 'int8',
  smallint: 'int16',
  integer: 'int32',
  int: 'int32',
  bigint: 'int64',
  float: 'float',
  real: 'float',
  double: 'double',
  varbinary: 'binary',
  binary: 'binary',
  date: 'date',
  'timestamp with time zone': 'timestampWithTimeZone',
  time: 'time',
  'time with time zone': 'time',
  'interval day to second': 'intervalDayToSecond',
  'interval year to month': 'intervalYearToMonth',
  uuid: 'uuid',
}

const described = (info: ColumnInfo): StatedAnswerColumn => {
  const answered = (info.Type ?? '').toLowerCase()
  return { name: info.Name ?? '', type: typeOf(answered, info), nullable: true }
}

const typeOf = (answered: string, { Precision: precision = 0, Scale: scale = 0 }: ColumnInfo) => {
  if (answered === 'decimal') return { kind: 'decimal', precision, scale } as const
  if (answered === 'timestamp') return { kind: precision > 3 ? 'timestampNanos' : 'timestamp' } as const
  return { kind: scalars[answered] ?? 'text' } as ColumnType | AnswerType
}

/** Rows as a schema makes them. Throws a `SchemaMismatchError` for the first row that it refuses. */
export async function* validatedRows<Schema extends StandardSchemaV1>(
  pages: AsyncIterable<readonly Record<string, unknown>[]>,
  queryExecutionId: string,
  schema: Schema,
): AsyncGenerator<StandardSchemaV1.InferOutput<Schema>[], void> {
  let rowNumber = 0
  for await (const page of pages) {
    const rows: StandardSchemaV1.InferOutput<Schema>[] = []
    for (const row of page) {
      rowNumber += 1
      const validated = schema['~standard'].validate(row)
      const result = validated instanceof Promise ? await validated : validated
      if (result.issues) throw refusedRow(result.issues, rowNumber, queryExecutionId)
      rows.push(result.value as StandardSchemaV1.InferOutput<Schema>)
    }
    yield rows
  }
}

/** Issues that are told of one row. */
const issuesTold = 5

const refusedRow = (
  issues: readonly StandardSchemaV1.Issue[],
  row: number,
  queryExecutionId: string,
): SchemaMismatchError => {
  const told = issues.slice(0, issuesTold).map((issue) => {
    const path = (issue.path ?? []).map((segment) =>
      String(typeof segment === 'object' ? segment.key : segment),
    )
    return {
      column: path[0],
      text: path.length === 0 ? issue.message : `column '${path.join('.')}': ${issue.message}`,
    }
  })
  const more = issues.length > issuesTold ? `; and ${issues.length - issuesTold} more` : ''
  return new SchemaMismatchError({
    code: 'RESULT_ROW',
    message: `Row ${row} of query ${queryExecutionId} does not fit the schema: ${told.map(({ text }) => text).join('; ')}${more}. Select what the schema wants, or mend the schema.`,
    facts: { queryExecutionId, row, column: told[0]?.column },
  })
}

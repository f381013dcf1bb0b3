import { randomUUID } from 'node:crypto'
import { mkdir, rm } from 'node:fs/promises'
import { join } from 'node:path'
import type { DuckDBConnection } from '@duckdb/node-api'
import type { AnalysisSession } from './analysis-session.ts'
import { coerce } from './cast-rules.ts'
import type { FileLayout, WrittenColumn, WrittenFile, WrittenQuery } from './query-engine.ts'
import { failure, notSupported, typeMismatch } from './query-failure.ts'
import type { QueryOutput } from './scope.ts'
import { duckDbType, type TrinoType, typeText } from './trino-type.ts'
import { hiveType } from './type-name.ts'
import { failing, nullOf, quoteString, type TypedExpression } from './typed-expression.ts'
import { plainValue, valueText } from './value-text.ts'

/** The table of the connection that holds the rows to be written. */
export const rowsTable = 'rows_to_write'
const partitionsTable = 'partitions_to_write'

/** As many files as Athena writes at a time. */
const maximumPartitions = 100

/** The rows of a statement with the types of the table they go to: c0, c1, ..., then k0, k1, ... */
export interface RowsToWrite {
  readonly sql: string
  readonly columnTypes: readonly TrinoType[]
  readonly keyTypes: readonly TrinoType[]
}

/**
 * Converts a query's columns to those of the files as INSERT does. Throws TYPE_MISMATCH where Trino converts nothing
 * by itself, NOT_SUPPORTED for keys that cannot be written.
 */
export function rowsToWrite(session: AnalysisSession, output: QueryOutput, layout: FileLayout): RowsToWrite {
  const source = session.alias('w')
  const columnTypes = layout.columns.map(({ hiveType: text }) => writtenType(text))
  const keyTypes = layout.partitionKeys.map(({ hiveType: text }) => writtenType(text))
  const targets = [
    ...layout.columns.map((column, i) => ({ ...column, type: columnTypes[i]!, sqlName: `c${i}` })),
    ...layout.partitionKeys.map((key, i) => ({ ...key, type: keyTypes[i]!, sqlName: `k${i}` })),
  ]
  const given = targets.filter(({ from }) => from !== undefined)
  if (given.length !== output.columns.length) throw mismatch(given, output)
  const items = targets.map(({ from, type, sqlName }) => {
    const value =
      from === undefined
        ? nullOf(type)
        : converted(session, { type: output.columns[from]!.type, sql: `"${source}"."c${from}"` }, type)
    if (value === undefined) throw mismatch(given, output)
    // Hive has no empty partition value: it is that of NULL.
    const sql = sqlName.startsWith('k') && type.kind === 'varchar' ? `nullif(${value.sql}, '')` : value.sql
    return `CAST(${sql} AS ${duckDbType(type)}) AS "${sqlName}"`
  })
  for (const type of keyTypes) refuseKeyType(type)
  return { sql: `SELECT ${items.join(', ')} FROM (${output.sql}) AS "${source}"`, columnTypes, keyTypes }
}

function writtenType(text: string): TrinoType {
  const type = hiveType(text)
  if (type.kind === 'unsupported') throw notSupported(`writing columns of type ${text}`)
  return type
}

/** What Trino makes of a value on its way into a column: texts may be cut, but not what they say. */
function converted(
  session: AnalysisSession,
  value: TypedExpression,
  type: TrinoType,
): TypedExpression | undefined {
  if (type.kind !== 'varchar' || value.type.kind !== 'varchar' || type.length === undefined) {
    return coerce(session, value, type)
  }
  if (value.type.length !== undefined && value.type.length <= type.length) return { ...value, type }
  const message = `Cannot truncate non-space characters when casting from ${typeText(value.type)} to ${typeText(type)} on INSERT`
  const tooLong = failing(session, 'INVALID_CAST_ARGUMENT', message, type)
  const sql = `CASE WHEN length(rtrim(${value.sql}, ' ')) > ${type.length} THEN ${tooLong} ELSE substring(${value.sql}, 1, ${type.length}) END`
  return { type, sql }
}

function mismatch(
  given: readonly (WrittenColumn & { readonly type: TrinoType })[],
  output: QueryOutput,
): ReturnType<typeof typeMismatch> {
  const inOrder = [...given].sort((left, right) => (left.from ?? 0) - (right.from ?? 0))
  const table = inOrder.map(({ type }) => typeText(type)).join(', ')
  const query = output.columns.map(({ type }) => typeText(type)).join(', ')
  return typeMismatch(`Insert query has mismatched column types: Table: [${table}], Query: [${query}]`, {
    line: 1,
    column: 1,
  })
}

function refuseKeyType(type: TrinoType): void {
  const known = ['varchar', 'boolean', 'tinyint', 'smallint', 'integer', 'bigint', 'date', 'decimal']
  if (!known.includes(type.kind)) throw notSupported(`partition keys of type ${typeText(type)}`)
}

/** Writes the rows of `rowsTable` into a new directory, a file for each partition. */
export async function writeRows(options: {
  readonly connection: DuckDBConnection
  readonly rows: RowsToWrite
  readonly layout: FileLayout
  readonly scannedBytes: number
  readonly directory: string
  readonly signal: AbortSignal
}): Promise<WrittenQuery> {
  const { connection, rows, layout, signal, scannedBytes } = options
  await refuseEmptyCollections(connection, rows)
  const partitions = await partitionsOf(connection, rows, signal)
  const directory = join(options.directory, randomUUID())
  await mkdir(directory, { recursive: true })
  const dispose = (): Promise<void> => rm(directory, { recursive: true, force: true })
  try {
    const files: WrittenFile[] = []
    let rowCount = 0
    for (const [index, partitionValues] of partitions.entries()) {
      const filePath = join(directory, `${index}.parquet`)
      signal.throwIfAborted()
      const written = await connection.run(
        `COPY (${fileSql(rows, layout, index)}) TO ${quoteString(filePath)} (${formatOptions(layout)})`,
      )
      rowCount += written.rowsChanged
      if (written.rowsChanged > 0) files.push({ filePath, partitionValues })
    }
    signal.throwIfAborted()
    return { files, rowCount, scannedBytes, [Symbol.asyncDispose]: dispose }
  } catch (error) {
    await dispose()
    throw error
  }
}

function fileSql(rows: RowsToWrite, layout: FileLayout, partition: number): string {
  const items = layout.columns.map(({ name }, i) => {
    const column = `CAST("c${i}" AS ${fileType(rows.columnTypes[i]!)})`
    return `${column} AS "${name.replaceAll('"', '""')}"`
  })
  const select = `SELECT ${items.join(', ')} FROM "${rowsTable}"`
  if (rows.keyTypes.length === 0) return select
  const conditions = rows.keyTypes.map(
    (_, i) =>
      `"k${i}" IS NOT DISTINCT FROM (SELECT "k${i}" FROM "${partitionsTable}" WHERE "i" = ${partition})`,
  )
  return `${select} WHERE ${conditions.join(' AND ')}`
}

/** The DuckDB type whose Parquet column every reader of Hive tables takes: a timestamp counts milliseconds. */
function fileType(type: TrinoType): string {
  switch (type.kind) {
    case 'timestamp':
      return 'TIMESTAMP_MS'
    case 'array':
      return `${fileType(type.element)}[]`
    case 'map':
      return `MAP(${fileType(type.key)}, ${fileType(type.value)})`
    case 'row':
      return `STRUCT(${type.fields.map((field) => `${quoteField(field.name)} ${fileType(field.type)}`).join(', ')})`
    default:
      return duckDbType(type)
  }
}

function formatOptions({ compression, compressionLevel }: FileLayout): string {
  const level = compressionLevel === undefined ? '' : `, COMPRESSION_LEVEL ${compressionLevel}`
  return `FORMAT parquet, COMPRESSION ${compression}${level}`
}

/** The values of the partitions the rows are of, as the catalog writes them; one without values where there are no keys. */
async function partitionsOf(
  connection: DuckDBConnection,
  { keyTypes }: RowsToWrite,
  signal: AbortSignal,
): Promise<readonly (readonly (string | null)[])[]> {
  if (keyTypes.length === 0) return [[]]
  const keys = keyTypes.map((_, i) => `"k${i}"`).join(', ')
  signal.throwIfAborted()
  await connection.run(
    `CREATE TEMP TABLE "${partitionsTable}" AS SELECT row_number() OVER (ORDER BY ${keys}) - 1 AS "i", ${keys}
      FROM (SELECT DISTINCT ${keys} FROM "${rowsTable}" LIMIT ${maximumPartitions + 1})`,
  )
  const reader = await connection.runAndReadAll(`SELECT ${keys} FROM "${partitionsTable}" ORDER BY "i"`)
  const values = reader
    .getRows()
    .map((row) => row.map((value, i) => valueText(plainValue(value), keyTypes[i]!)))
  if (values.length > maximumPartitions) {
    throw failure(
      'HIVE_TOO_MANY_OPEN_PARTITIONS',
      `Exceeded limit of ${maximumPartitions} open writers for partitions/buckets`,
    )
  }
  for (const value of values.flat()) refuseUnprintable(value)
  return values
}

function refuseUnprintable(value: string | null): void {
  if (value === null || /^[\x20-\x7e]*$/.test(value)) return
  const hex = Buffer.from(value).toString('hex').toUpperCase().match(/../g)?.join(' ')
  throw failure(
    'HIVE_INVALID_PARTITION_VALUE',
    `Hive partition keys can only contain printable ASCII characters (0x20 - 0x7E). Invalid value: ${hex}`,
  )
}

/** Athena writes no Parquet file that holds an empty array or map. */
async function refuseEmptyCollections(connection: DuckDBConnection, rows: RowsToWrite): Promise<void> {
  const tests = rows.columnTypes.flatMap((type, i) => hasEmpty(`"c${i}"`, type, 0) ?? [])
  if (tests.length === 0) return
  const reader = await connection.runAndReadAll(
    `SELECT 1 FROM "${rowsTable}" WHERE ${tests.join(' OR ')} LIMIT 1`,
  )
  if (reader.getRows().length === 0) return
  throw failure(
    'GENERIC_INTERNAL_ERROR',
    'Parquet record is malformed: empty fields are illegal, the field should be omitted completely instead',
  )
}

/** SQL that is true where a value holds an empty array or map; undefined where its type has none. */
function hasEmpty(sql: string, type: TrinoType, depth: number): string | undefined {
  const within = (collection: string, inner: TrinoType): string => {
    const item = `x${depth}`
    const test = hasEmpty(item, inner, depth + 1)
    return test === undefined ? '' : ` OR len(list_filter(${collection}, lambda ${item}: ${test})) > 0`
  }
  switch (type.kind) {
    case 'array':
      return `(len(${sql}) = 0${within(sql, type.element)})`
    case 'map':
      return `(cardinality(${sql}) = 0${within(`map_values(${sql})`, type.value)})`
    case 'row': {
      const tests = type.fields.flatMap(
        ({ name, type: inner }) => hasEmpty(`(${sql}).${quoteField(name)}`, inner, depth) ?? [],
      )
      return tests.length === 0 ? undefined : `(${tests.join(' OR ')})`
    }
    default:
      return undefined
  }
}

/** A Hive table's structs have names for all their fields. */
const quoteField = (name = ''): string => `"${name.replaceAll('"', '""')}"`

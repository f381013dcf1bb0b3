import { ConfigurationError, SchemaMismatchError } from '@stockpipe/core'
import type { AthenaCall } from '../athena-request.ts'
import { QueryNotStoppedError } from '../errors.ts'
import type { EndedQuery } from '../query-execution.ts'
import { resultPages } from '../result-pages.ts'
import { matchColumns } from '../result-shape.ts'
import type { BoundStatement } from '../sql-parameters.ts'
import { type StatedColumn, typeText } from '../stated-column.ts'
import { valueDecoder } from '../value-decoder.ts'
import { type ColumnData, isValid, type OpenedParquet, type ParquetBatch } from './column-data.ts'
import { valuesOf } from './column-values.ts'
import { ResultReadError, resultReadError } from './result-read-error.ts'
import {
  parseStoredLocation,
  type ResultStore,
  type StoredLocation,
  type StoredObject,
  UnreadableObject,
} from './result-store.ts'
import { resumedObject } from './resumed-object.ts'
import { describedType, helperColumns, unloadStatement } from './unload-statement.ts'

export interface UnloadOptions {
  readonly call: AthenaCall
  readonly store: ResultStore
  /** `s3://bucket/prefix/`; each query writes beneath it. */
  readonly location: string
  readonly statement: BoundStatement
  readonly stated: readonly StatedColumn[]
  readonly run: (statement: BoundStatement) => Promise<EndedQuery>
}

/** Rows of one batch, by column. */
export interface UnloadedBatch {
  readonly length: number
  /** Of each stated column, in their order. */
  readonly columns: readonly ColumnData[]
}

/** A query that was run as UNLOAD. */
export interface UnloadedAnswer {
  readonly query: EndedQuery
  /** Its rows, once; the files are deleted when that ends, however it does. */
  batches(): AsyncGenerator<UnloadedBatch, void>
}

/** How long files are deleted for, in milliseconds. */
const deletionMillis = 30_000

/**
 * Runs a query as UNLOAD to a place of its own.
 *
 * Throws what `run` throws, once what was written is deleted. The batches throw a `ResultReadError` for files that cannot
 * be read, a `SchemaMismatchError` for columns that are not as stated.
 */
export const runUnload = async (options: UnloadOptions): Promise<UnloadedAnswer> => {
  const { call, store, location, statement, stated, run } = options
  const place = `${location}${Buffer.from(call.runtime.randomBytes(16)).toString('hex')}/`
  const folder = parseStoredLocation(place)!
  const cleanUp = () => deleteAll(call, store, folder)
  let query: EndedQuery
  try {
    query = await run(unloadStatement(statement, stated, place))
  } catch (error) {
    // What still runs would write on.
    if (!(error instanceof QueryNotStoppedError)) await cleanUp()
    throw error
  }
  return {
    query,
    async *batches() {
      try {
        yield* readBatches(options, query, folder)
      } finally {
        await cleanUp()
      }
    },
  }
}

async function* readBatches(
  { call, store, stated }: UnloadOptions,
  query: EndedQuery,
  folder: StoredLocation,
): AsyncGenerator<UnloadedBatch, void> {
  const files = await filesOf(call, store, query, folder)
  const { millis } = helperColumns(stated)
  const names = stated.map(({ name }) => millis.get(name) ?? name.toLowerCase())
  let rows = 0
  for (const file of files) {
    const parquet = await openFile(call, store, file)
    if (rows === 0) await requireColumns(call, parquet, file, stated, query.QueryExecutionId)
    for await (const batch of readable(call, file, parquet.batches(names))) {
      rows += batch.rows
      yield { length: batch.rows, columns: names.map((name) => batch.columns.get(name)!) }
    }
  }
  for await (const { updateCount = 0 } of resultPages(call, query)) {
    if (updateCount > 0 && updateCount !== rows) throw rowsMissing(query, folder, updateCount, rows)
    break
  }
}

/**
 * What an UNLOAD wrote, by its manifest: a file that is gone is missed, and one that a writer left which gave up is not
 * read. Where the manifest cannot be read, the folder is what there is.
 */
const filesOf = async (
  call: AthenaCall,
  store: ResultStore,
  query: EndedQuery,
  folder: StoredLocation,
): Promise<readonly StoredObject[]> => {
  const files = new Map<string, StoredObject>()
  try {
    for await (const object of store.list(folder, call.signal)) files.set(object.key, object)
  } catch (error) {
    if (call.signal?.aborted) throw call.signal.reason
    throw notListed(folder, error)
  }
  const keys = (await manifestKeys(call, store, query)) ?? [...files.keys()]
  return keys.sort().flatMap((key) => {
    const file = files.get(key)
    if (!file) throw fileMissing(query, folder, key)
    return file.size === 0 ? [] : [file]
  })
}

/** The keys in the manifest, a location a line; undefined for one that is not so. */
const manifestKeys = async (
  call: AthenaCall,
  store: ResultStore,
  { Statistics: statistics }: EndedQuery,
): Promise<string[] | undefined> => {
  const location = parseStoredLocation(statistics?.DataManifestLocation)
  if (!location) return undefined
  const chunks: Uint8Array[] = []
  try {
    for await (const bytes of resumedObject(call, store, location)) chunks.push(bytes)
  } catch (error) {
    if (error instanceof UnreadableObject && error.reason === 'unavailable') return undefined
    throw error instanceof UnreadableObject ? resultReadError(location, 0, error) : error
  }
  const lines = Buffer.concat(chunks).toString('utf8').split(/\r?\n/).filter(Boolean)
  const keys = lines.flatMap((line) => parseStoredLocation(line.replace(/^"(.*)"$/, '$1'))?.key ?? [])
  return keys.length === lines.length ? keys : undefined
}

const openFile = async (call: AthenaCall, store: ResultStore, file: StoredObject): Promise<OpenedParquet> => {
  const { size, etag } = file
  const read = async (start: number, end: number): Promise<Uint8Array> => {
    const whole = new Uint8Array(end - start)
    let read = 0
    try {
      for await (const bytes of resumedObject(call, store, file, { start, end, etag })) {
        whole.set(bytes, read)
        read += bytes.length
      }
    } catch (error) {
      throw error instanceof UnreadableObject ? resultReadError(file, start, error) : error
    }
    return whole
  }
  try {
    return await store.openParquet({ size, read })
  } catch (error) {
    throw unreadable(call, file, error)
  }
}

/** Errors of the Parquet library say which file they are of. */
async function* readable(
  call: AthenaCall,
  file: StoredObject,
  batches: AsyncGenerator<ParquetBatch, void>,
): AsyncGenerator<ParquetBatch, void> {
  try {
    yield* batches
  } catch (error) {
    throw unreadable(call, file, error)
  }
}

const unreadable = (call: AthenaCall, file: StoredLocation, error: unknown): unknown => {
  if (call.signal?.aborted) return call.signal.reason
  if (error instanceof ResultReadError || error instanceof ConfigurationError) return error
  return new ResultReadError({
    code: 'RESULT_MALFORMED',
    message: `The file s3://${file.bucket}/${file.key} of an UNLOAD cannot be read as Parquet: ${error instanceof Error ? error.message : String(error)}. Set resultPath to csv or pages.`,
    cause: error,
    facts: { bucket: file.bucket, key: file.key },
  })
}

/** Throws a `SchemaMismatchError` as any other path does. */
const requireColumns = async (
  call: AthenaCall,
  parquet: OpenedParquet,
  file: StoredObject,
  stated: readonly StatedColumn[],
  queryExecutionId: string,
): Promise<void> => {
  if (parquet.rows === 0) return
  const { millis, types } = helperColumns(stated)
  const described: string[] = []
  for await (const { columns } of readable(call, file, parquet.batches(types, 1))) {
    for (const name of types) {
      const data = columns.get(name)
      const read = data && valuesOf({ kind: 'string' }, data)
      described.push(...String(read?.(0)).split('\n'))
    }
    break
  }
  const own = new Set([...stated.map(({ name }) => name.toLowerCase()), ...millis.values(), ...types])
  const others = parquet.columns.filter(({ name }) => !own.has(name))
  const infos = [
    ...stated.map(({ name }, index) => describedType(name, described[index] ?? 'unknown')),
    ...others.map(({ name, type }) => describedType(name, type.toLowerCase())),
  ]
  // The files have such text without the blanks that fill it up.
  const padded = infos.filter(({ Type: type }) => type === 'char')
  if (padded.length > 0) {
    throw new SchemaMismatchError({
      code: 'RESULT_COLUMNS',
      message: `The answer of query ${queryExecutionId} has columns of the type char, which UNLOAD writes without their blanks: ${padded.map(({ Name: name }) => name).join(', ')}. CAST them to varchar, or set resultPath to csv or pages.`,
      facts: { queryExecutionId },
    })
  }
  matchColumns(stated, infos, queryExecutionId)
}

/** Makes rows of batches. */
export const rowsOfBatches = (
  stated: readonly StatedColumn[],
  queryExecutionId: string,
): ((batch: UnloadedBatch) => Record<string, unknown>[]) => {
  const nulls = stated.map((column) => valueDecoder(column, queryExecutionId))
  let rowNumber = 0
  return ({ length: count, columns }) => {
    const rows = Array.from({ length: count }, (): Record<string, unknown> => ({}))
    for (const [at, { name, type }] of stated.entries()) {
      const data = columns[at]!
      const read = valuesOf(type, data)
      if (!read) throw otherType(stated[at]!, data, queryExecutionId)
      for (let index = 0; index < count; index++) {
        const value = isValid(data, index) ? read(index) : nulls[at]!(null, rowNumber + index + 1)
        if (value === undefined) throw otherValue(stated[at]!, rowNumber + index + 1, queryExecutionId)
        rows[index]![name] = value
      }
    }
    rowNumber += count
    return rows
  }
}

const otherType = ({ name, type }: StatedColumn, data: ColumnData, queryExecutionId: string) =>
  new SchemaMismatchError({
    code: 'RESULT_COLUMNS',
    message: `The answer of query ${queryExecutionId} does not fit the stated columns: column '${name}' is ${data.type} in the files of UNLOAD and ${typeText(type)} as stated. Set resultPath to csv or pages.`,
    facts: { queryExecutionId, column: name },
  })

const otherValue = ({ name, type }: StatedColumn, row: number, queryExecutionId: string) =>
  new SchemaMismatchError({
    code: 'RESULT_VALUE',
    message: `Row ${row} of query ${queryExecutionId}: column '${name}' holds a value which ${typeText(type)} cannot hold exactly.`,
    facts: { queryExecutionId, row, column: name },
  })

const notListed = (folder: StoredLocation, cause: unknown) =>
  new ResultReadError({
    code: 'RESULT_UNREADABLE',
    message: `The files of an UNLOAD at s3://${folder.bucket}/${folder.key} cannot be listed: ${cause instanceof Error ? cause.message.replace(/\.?\s*$/, '') : String(cause)}. Allow s3:ListBucket on the bucket, or set resultPath to csv or pages.`,
    cause,
    facts: { bucket: folder.bucket, key: folder.key },
  })

const fileMissing = (
  { QueryExecutionId: queryExecutionId }: EndedQuery,
  { bucket }: StoredLocation,
  key: string,
) =>
  new ResultReadError({
    code: 'RESULT_ROWS',
    message: `Query ${queryExecutionId} wrote s3://${bucket}/${key}, which is gone: run it again, or set resultPath to csv or pages.`,
    facts: { queryExecutionId, bucket, key },
  })

const rowsMissing = (query: EndedQuery, folder: StoredLocation, written: number, read: number) =>
  new ResultReadError({
    code: 'RESULT_ROWS',
    message: `Query ${query.QueryExecutionId} wrote ${written} rows to s3://${folder.bucket}/${folder.key} and ${read} are there: run it again, or set resultPath to csv or pages.`,
    facts: { queryExecutionId: query.QueryExecutionId, written, read },
  })

/** Deletes what an UNLOAD wrote; what cannot be deleted is told as a warning of the process: the rows are not at stake. */
const deleteAll = async (call: AthenaCall, store: ResultStore, folder: StoredLocation): Promise<void> => {
  const late = new AbortController()
  const timer = call.runtime.setTimer(
    () => late.abort(new Error(`${deletionMillis} ms have passed`)),
    deletionMillis,
  )
  try {
    const files: StoredObject[] = []
    for await (const object of store.list(folder, late.signal)) files.push(object)
    if (files.length > 0) await store.delete(files, late.signal)
  } catch (error) {
    process.emitWarning(
      `Files of an UNLOAD are left at s3://${folder.bucket}/${folder.key}: ${error instanceof Error ? error.message : String(error)}. Delete them, or let a lifecycle rule do it.`,
      { code: 'STOCKPIPE_UNLOAD_FILES_LEFT' },
    )
  } finally {
    timer.cancel()
  }
}

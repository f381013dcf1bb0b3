import type { ColumnInfo } from '@aws-sdk/client-athena'
import { ConfigurationError } from '@stockpipe/core'
import type { AthenaCall } from '../athena-request.ts'
import type { EndedQuery } from '../query-execution.ts'
import { type ResultPage, resultPages, type TextRow } from '../result-pages.ts'
import { CsvRows, MalformedCsv, unpinned } from './csv-rows.ts'
import { ResultReadError } from './result-read-error.ts'
import {
  parseStoredLocation,
  type ResultStore,
  type StoredLocation,
  UnreadableObject,
} from './result-store.ts'
import { resumedObject } from './resumed-object.ts'

/** Where the rows of an answer are read from. */
export type ResultPath = 'pages' | 'csv' | 'unload'

export interface AnswerSource {
  readonly store: ResultStore | undefined
  /** Undefined lets the size of the answer decide. */
  readonly path: ResultPath | undefined
}

/**
 * The rows of an ended query as text. The first page comes from Athena, which has the types; where more follow, they come
 * from the CSV object of the result, if there is a store to read it by and Athena keeps it there in the clear. An object
 * that cannot be read, or does not begin with the first page, is left alone unless `path` asks for it.
 *
 * Throws an `AthenaRequestError`, a `ResultReadError` for an object that cannot be read to its end, a `ConfigurationError`
 * for a path that the answer does not have.
 */
export async function* answerPages(
  call: AthenaCall,
  query: EndedQuery,
  { store, path }: AnswerSource,
): AsyncGenerator<ResultPage, void> {
  const object = path === 'pages' || store === undefined ? undefined : csvObject(query)
  if (path === 'csv') requireObject(query, object)
  let isFirst = true
  for await (const page of resultPages(call, query)) {
    yield page
    if (isFirst && !page.isLast && store !== undefined && typeof object === 'object') {
      let isUsable = true
      for await (const rest of csvPages(call, store, object, page, path === 'csv')) {
        isUsable = rest !== 'unusable'
        if (rest !== 'unusable') yield rest
      }
      if (isUsable) return
    }
    isFirst = false
  }
}

/** The CSV object of a query's result; a text says why there is none to read. */
const csvObject = (query: EndedQuery): StoredLocation | string => {
  if (query.ManagedQueryResultsConfiguration?.Enabled) {
    return 'its work group manages results, which are in no bucket'
  }
  const { OutputLocation: output, EncryptionConfiguration: encryption } = query.ResultConfiguration ?? {}
  if (encryption?.EncryptionOption === 'CSE_KMS') return 'its result is encrypted for the client (CSE_KMS)'
  if (!output?.endsWith('.csv')) return 'its result is no CSV object in S3'
  return parseStoredLocation(output) ?? 'its result is no CSV object in S3'
}

const requireObject = (
  { QueryExecutionId: queryExecutionId }: EndedQuery,
  object: StoredLocation | string | undefined,
): void => {
  if (typeof object === 'string') {
    throw new ConfigurationError({
      code: 'RESULT_PATH',
      message: `The rows of query ${queryExecutionId} cannot be read by the resultPath csv: ${object}. Leave resultPath out, or set it to pages.`,
      facts: { queryExecutionId },
    })
  }
}

/** Throws a `ConfigurationError` for a path that there cannot be, before a query is run for it. */
export const requireResultPath = (
  path: ResultPath | undefined,
  store: ResultStore | undefined,
  hasColumns: boolean,
): void => {
  if ((path === 'csv' || path === 'unload') && store === undefined) throw noResultStore(path)
  if (path === 'unload' && !hasColumns) throw needsColumns()
}

const needsColumns = (): ConfigurationError =>
  new ConfigurationError({
    code: 'RESULT_PATH',
    message: 'The resultPath unload reads typed rows: state their columns, or leave resultPath out.',
  })

const noResultStore = (path: ResultPath): ConfigurationError =>
  new ConfigurationError({
    code: 'RESULT_STORE_MISSING',
    message: `The resultPath ${path} reads objects of S3: npm install @aws-sdk/client-s3 and give createAthena a resultStore, s3ResultStore(new S3Client()) of @stockpipe/athena/results.`,
  })

/**
 * The rows behind the first page; `unusable` as the first value where the object cannot be read or is not as the page
 * says. With `isAsked` that is an error.
 */
async function* csvPages(
  call: AthenaCall,
  store: ResultStore,
  location: StoredLocation,
  first: ResultPage,
  isAsked: boolean,
): AsyncGenerator<ResultPage | 'unusable', void> {
  const { columns } = first
  const known = new KnownRows(columns, first.rows)
  const texts = columns.flatMap((info, index) => (isKeptAsText(info) ? [index] : []))
  const pageOf = (rows: readonly TextRow[]): ResultPage => {
    for (const row of rows as (string | null)[][]) {
      for (const index of texts) {
        const cell = row[index]
        if (typeof cell === 'string') row[index] = unpinned(cell)
      }
    }
    return { columns, rows, updateCount: undefined, isLast: false }
  }
  const csv = new CsvRows()
  try {
    for await (const bytes of resumedObject(call, store, location)) {
      const rows = known.without(csv.push(bytes))
      if (rows.length > 0) yield pageOf(rows)
    }
    const rows = known.without(csv.end())
    if (known.left > 0) throw new MalformedCsv(known.met + 1, 'is missing')
    if (rows.length > 0) yield pageOf(rows)
  } catch (error) {
    const isOfObject = error instanceof UnreadableObject || error instanceof MalformedCsv
    if (!isOfObject) throw error
    const mayGoOn =
      !isAsked && known.left > 0 && !(error instanceof UnreadableObject && error.reason === 'other')
    if (mayGoOn) yield 'unusable'
    else throw unusable(location, error)
  }
}

/** The rows that are there already: the header and the first page, which the object has to begin with. */
class KnownRows {
  readonly #names: readonly (readonly string[])[]
  readonly #rows: readonly TextRow[]
  #met = 0

  constructor(columns: readonly ColumnInfo[], rows: readonly TextRow[]) {
    this.#names = columns.map(({ Name = '', Label = '' }) => [Name, Label])
    this.#rows = rows
  }

  /** Rows of the object met so far, of those that are there. */
  get met(): number {
    return this.#met
  }

  get left(): number {
    return this.#rows.length + 1 - this.#met
  }

  /** Throws a `MalformedCsv` for a row that is another. */
  without(rows: readonly TextRow[]): readonly TextRow[] {
    if (this.left === 0) return rows
    const known = rows.slice(0, this.left)
    for (const row of known) {
      if (!this.#isNext(row)) throw new MalformedCsv(this.#met + 1, 'is not the one that Athena gives')
      this.#met += 1
    }
    return rows.slice(known.length)
  }

  #isNext(row: TextRow): boolean {
    if (row.length !== this.#names.length) return false
    if (this.#met === 0) return row.every((cell, index) => this.#names[index]!.includes(cell ?? ''))
    return row.every((cell, index) => cell === this.#rows[this.#met - 1]![index])
  }
}

/** Values that stay text once they are decoded. */
const isKeptAsText = ({ Type: type = '' }: ColumnInfo): boolean =>
  !/^(boolean|tinyint|smallint|int|integer|bigint|float|real|double|decimal|date|timestamp|varbinary)$/i.test(
    type,
  )

const unusable = (location: StoredLocation, cause: Error): ResultReadError =>
  new ResultReadError({
    code: cause instanceof MalformedCsv ? 'RESULT_MALFORMED' : 'RESULT_UNREADABLE',
    message: `The result s3://${location.bucket}/${location.key} cannot be read: ${cause.message.replace(/\.?\s*$/, '')}. Allow s3:GetObject on it, or set resultPath to pages.`,
    retryable: cause instanceof UnreadableObject && cause.passing,
    cause,
    facts: { bucket: location.bucket, key: location.key },
  })

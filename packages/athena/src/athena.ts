import { ConfigurationError, type Runtime, systemRuntime } from '@stockpipe/core'
import type { AthenaCall, AthenaSender } from './athena-request.ts'
import { type EndedQuery, type QuerySettings, runStatement } from './query-execution.ts'
import { type ResultPage, resultPages, type TextRow } from './result-pages.ts'
import { columnInfoText, matchColumns } from './result-shape.ts'
import type { SqlValue } from './sql-literal.ts'
import { type BoundStatement, bindParameters } from './sql-parameters.ts'
import { SqlFragment } from './sql-template.ts'
import { type QueryColumns, type QueryRow, statedColumns } from './stated-column.ts'
import { valueDecoder } from './value-decoder.ts'

export interface AthenaOptions {
  /** An `AthenaClient`, or anything with its `send`. */
  readonly client: AthenaSender
  /** The database of tables named without one. */
  readonly database: string
  /** The data catalog. Default the account's Glue catalog. */
  readonly catalog?: string
  /** Default the account's `primary`. */
  readonly workGroup?: string
  /** `s3://bucket/prefix/` for results; leave out where the work group sets it or manages results. */
  readonly outputLocation?: string
  readonly runtime?: Runtime
  /** How often a query's state is asked for: from `initialMillis` (default 100) growing to `maximumMillis` (2,000). */
  readonly poll?: { readonly initialMillis?: number; readonly maximumMillis?: number }
}

/** A statement and the values of its `?`. */
export interface StatementOptions {
  /** SQL text, or what the `sql` template makes. */
  readonly sql: string | SqlFragment
  /** Values for the `?` of a text, in order; each becomes a typed literal. */
  readonly parameters?: readonly SqlValue[]
  /** Aborting stops the query on Athena and rejects with `signal.reason`. */
  readonly signal?: AbortSignal
}

export interface QueryOptions<Columns extends QueryColumns> extends StatementOptions {
  /** What the query answers: `{ ticker: t.string(), vwap: t.decimal(38, 4) }`, or a bound table for `SELECT *`. */
  readonly columns: Columns
}

/** What every ended query tells of itself. */
export interface QueryFacts {
  readonly queryExecutionId: string
  /** What Athena charges for. */
  readonly scannedBytes: number
  /** From start to end, waiting in the queue included. */
  readonly executionMillis: number
}

export interface QueryResult<Row> extends QueryFacts {
  readonly rows: readonly Row[]
}

export interface TextResult extends QueryFacts {
  /** Names and types as Athena words them: `decimal(38,4)`, `bigint`. */
  readonly columns: readonly { readonly name: string; readonly type: string }[]
  /** Text as Athena renders it, null for NULL. */
  readonly rows: readonly TextRow[]
  /** Rows written by an INSERT or CTAS. */
  readonly updateCount: number | undefined
}

/** A typed way to run SQL on Athena; `createAthena` makes it. */
export interface Athena {
  /**
   * Runs a query, waits, and decodes every row to the stated columns.
   *
   * Throws a `QueryFailedError` when the query fails, a `SchemaMismatchError` when the answer is not as stated, an
   * `AthenaRequestError` when Athena refuses a call, a `ConfigurationError` for values that are no SQL.
   */
  query<const Columns extends QueryColumns>(
    options: QueryOptions<Columns>,
  ): Promise<QueryResult<QueryRow<Columns>>>
  /** As `query`, one row after the other, fetched page by page: memory holds one page of 1,000 rows. */
  stream<const Columns extends QueryColumns>(
    options: QueryOptions<Columns>,
  ): AsyncGenerator<QueryRow<Columns>, void>
  /** Runs any statement and answers text, for tools that do not know the columns. Throws as `query` does. */
  queryText(options: StatementOptions): Promise<TextResult>
}

/** Makes an `Athena` over an SDK client. */
export const createAthena = (options: AthenaOptions): Athena => {
  const settings: QuerySettings = options
  const callOf = (signal: AbortSignal | undefined): AthenaCall => ({
    client: options.client,
    runtime: options.runtime ?? systemRuntime,
    signal,
  })
  return {
    async query({ columns, ...statement }) {
      const call = callOf(statement.signal)
      const query = await runStatement(call, settings, boundStatement(statement))
      const rows: QueryRow<typeof columns>[] = []
      for await (const page of typedPages(call, query, columns)) {
        for (const row of page) rows.push(row)
      }
      return { rows, ...queryFacts(query) }
    },
    async *stream({ columns, ...statement }) {
      const call = callOf(statement.signal)
      const query = await runStatement(call, settings, boundStatement(statement))
      for await (const page of typedPages(call, query, columns)) yield* page
    },
    async queryText(statement) {
      const call = callOf(statement.signal)
      const query = await runStatement(call, settings, boundStatement(statement))
      let columns: ResultPage['columns'] = []
      let updateCount: number | undefined
      const rows: TextRow[] = []
      for await (const page of resultPages(call, query)) {
        columns = page.columns
        updateCount ??= page.updateCount
        for (const row of page.rows) rows.push(row)
      }
      const named = columns.map((info) => ({ name: info.Name ?? '', type: columnInfoText(info) }))
      return { columns: named, rows, updateCount, ...queryFacts(query) }
    },
  }
}

const boundStatement = ({ sql, parameters }: StatementOptions): BoundStatement => {
  if (!(sql instanceof SqlFragment)) return bindParameters(sql, parameters ?? [])
  if (parameters !== undefined && parameters.length > 0) {
    throw new ConfigurationError({
      code: 'PARAMETERS_TWICE',
      message: 'A sql`...` template carries its own values; leave out `parameters`.',
    })
  }
  return bindParameters(sql.sql, sql.parameters)
}

const queryFacts = (query: EndedQuery): QueryFacts => ({
  queryExecutionId: query.QueryExecutionId,
  scannedBytes: query.Statistics?.DataScannedInBytes ?? 0,
  executionMillis:
    query.Statistics?.TotalExecutionTimeInMillis ?? query.Statistics?.EngineExecutionTimeInMillis ?? 0,
})

/** The decoded pages of an answer; the columns are compared on the first. */
async function* typedPages<Columns extends QueryColumns>(
  call: AthenaCall,
  query: EndedQuery,
  columns: Columns,
): AsyncGenerator<QueryRow<Columns>[], void> {
  const stated = statedColumns(columns)
  const decoders = stated.map((column) => valueDecoder(column, query.QueryExecutionId))
  let order: readonly number[] | undefined
  let rowNumber = 0
  for await (const page of resultPages(call, query)) {
    order ??= matchColumns(stated, page.columns, query.QueryExecutionId)
    const positions = order
    yield page.rows.map((cells) => {
      rowNumber += 1
      const row: Record<string, unknown> = {}
      stated.forEach(({ name }, index) => {
        row[name] = decoders[index]!(cells[positions[index]!] ?? null, rowNumber)
      })
      return row as QueryRow<Columns>
    })
  }
}

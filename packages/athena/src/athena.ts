import { ConfigurationError, type Runtime, type StandardSchemaV1 } from '@stockpipe/core'
import type { AthenaSender } from './athena-request.ts'
import { type CatalogTable, catalogDatabases, catalogTables } from './catalog-tables.ts'
import { endableRows } from './endable-rows.ts'
import { requireNumber } from './number-setting.ts'
import { queryDollars } from './query-cost.ts'
import { type EndedQuery, QueryRunner, type ResultEncryption } from './query-execution.ts'
import type { PollSettings } from './query-poller.ts'
import type { TextRow } from './result-pages.ts'
import { type DecodedRow, decodedRows, statedRows, validatedRows } from './result-rows.ts'
import { columnInfoText } from './result-shape.ts'
import { answerPages, type ResultPath, requireResultPath } from './results/answer-pages.ts'
import { type AnswerPart, answerParts } from './results/answer-parts.ts'
import type { ResultStore } from './results/result-store.ts'
import { unloadedPages, unloadedRows } from './results/unloaded-rows.ts'
import type { SqlValue } from './sql-literal.ts'
import { type BoundStatement, bindParameters } from './sql-parameters.ts'
import { type QuotedText, SqlFragment } from './sql-template.ts'
import { type QueryColumns, type QueryRow, statedColumns } from './stated-column.ts'

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
  /** How often the states of queries are asked for; all that run at once are asked for together. */
  readonly poll?: PollSettings
  /**
   * Queries under way at once; the others wait. Default as many as Athena takes, which is learned from its refusals
   * (`CONCURRENT_QUERY_LIMIT_EXCEEDED`).
   */
  readonly maxConcurrentQueries?: number
  /** Default of `StatementOptions.onAbort`. */
  readonly onAbort?: 'stop' | 'leave'
  /** Default of `StatementOptions.maxScannedBytes`. */
  readonly maxScannedBytes?: number
  /** Default of `StatementOptions.reuseMaxAgeMinutes`. */
  readonly reuseMaxAgeMinutes?: number
  /** How the files of results are encrypted; leave out where the work group says so. */
  readonly encryption?: ResultEncryption
  /**
   * Where the CSV objects of results are read, `s3ResultStore(new S3Client())` of `@stockpipe/athena/results`: answers of
   * more than a page come from there, several times as fast. Default none: all rows come in pages.
   */
  readonly resultStore?: ResultStore
  /**
   * `s3://bucket/prefix/` for the files of UNLOAD, which are deleted once they are read. Default `unload/` beneath
   * `outputLocation`.
   */
  readonly unloadLocation?: string
  /** What `QueryFacts.dollars` is counted by. Default 5, the list price of most regions. */
  readonly dollarsPerTerabyte?: number
}

/** A statement and the values of its `?`. */
export interface StatementOptions {
  /** SQL text, or what the `sql` template makes. */
  readonly sql: string | SqlFragment
  /** Values for the `?` of a text, in order; each becomes a typed literal. */
  readonly parameters?: readonly SqlValue[]
  /** Where names stand in a text that comes from a template, as spreading one tells: `{ ...sql`...`, columns }`. */
  readonly quoted?: readonly QuotedText[]
  /** Aborting rejects with `signal.reason`, once the query has ended on Athena. */
  readonly signal?: AbortSignal
  /** For how long the query may wait and run, in milliseconds; reading its rows is not counted. Default for ever. */
  readonly timeoutMillis?: number
  /**
   * What becomes of a query that is given up, by the signal, the time-out, or an iterator that is ended: `stop` (the
   * default) sends StopQueryExecution and waits until it has ended, `leave` lets it run.
   */
  readonly onAbort?: 'stop' | 'leave'
  /**
   * A query seen to have scanned more is stopped. Athena tells while a query runs, so a short one may be through by then;
   * a limit that holds for all is a work group's (`BytesScannedCutoffPerQuery`, 10 MB at least). Default none.
   */
  readonly maxScannedBytes?: number
  /** Athena may answer a SELECT with a result it had so many minutes ago at most, 0 to 10,080. Default never. */
  readonly reuseMaxAgeMinutes?: number
  /**
   * Where the rows are read from: `pages` of Athena, 1,000 rows a call, the `csv` object of the result, or Parquet files
   * that an `unload` of the query writes, in no order. Default the object for what a first page leaves, where there is a
   * `resultStore` and the result is an object that it can read; for `expectedRows` an unload.
   */
  readonly resultPath?: ResultPath
  /**
   * How many rows the answer may have, where that is known. From 1,000,000 on it comes by UNLOAD, where the statement asks for
   * no order and the stated columns are of plain types.
   */
  readonly expectedRows?: number
  /** Told the id of the query as soon as it is known; again for each run of one that is run again. */
  readonly onStart?: (queryExecutionId: string) => void
  /** Told what the query cost as soon as it has succeeded, before its rows are read. */
  readonly onFacts?: (facts: QueryFacts) => void
}

export interface QueryOptions<Columns extends QueryColumns> extends StatementOptions {
  /** What the query answers: `{ ticker: t.string(), vwap: t.decimal(38, 4) }`, or a bound table for `SELECT *`. */
  readonly columns: Columns
  readonly schema?: undefined
}

export interface SchemaQueryOptions<Schema extends StandardSchemaV1> extends StatementOptions {
  /** What rows are checked and changed by: a Standard Schema, of zod, valibot, arktype and others. */
  readonly schema: Schema
  readonly columns?: undefined
}

export interface DecodedQueryOptions extends StatementOptions {
  readonly columns?: undefined
  readonly schema?: undefined
}

/** What every ended query tells of itself. */
export interface QueryFacts {
  readonly queryExecutionId: string
  /** What Athena charges for. */
  readonly scannedBytes: number
  /** From start to end, waiting in the queue included. */
  readonly executionMillis: number
  /** The rows are those of an earlier query. */
  readonly reused: boolean
  /** What Athena charges for it, by `dollarsPerTerabyte`; not what S3, Glue or reserved capacity cost. */
  readonly dollars: number
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

export interface ExecuteResult extends QueryFacts {
  /** Rows written by an INSERT or CREATE TABLE AS, where Athena tells. */
  readonly updateCount: number | undefined
}

/** A typed way to run SQL on Athena; `createAthena` makes it. */
export interface Athena {
  /**
   * Runs a query, waits, and decodes every row to the stated columns.
   *
   * Throws a `QueryFailedError` when the query fails, a `SchemaMismatchError` when the answer is not as stated, an
   * `AthenaRequestError` when Athena refuses a call, a `ConfigurationError` for values that are no SQL or limits that are no numbers, a
   * `QueryTimedOutError` after `timeoutMillis`, a `ScanLimitError` past `maxScannedBytes`, a `QueryNotStoppedError` when a query that was given up may still run.
   */
  query<const Columns extends QueryColumns>(
    options: QueryOptions<Columns>,
  ): Promise<QueryResult<QueryRow<Columns>>>
  /**
   * Runs a query without stated columns: rows are decoded by the types Athena tells (`DecodedRow`), then checked by the
   * schema, whose output they are. A row that it refuses is a `SchemaMismatchError`. Throws as above.
   */
  query<Schema extends StandardSchemaV1>(
    options: SchemaQueryOptions<Schema>,
  ): Promise<QueryResult<StandardSchemaV1.InferOutput<Schema>>>
  /** The same without a schema. A row type that the caller says is not checked. */
  query<Row extends object = DecodedRow>(options: DecodedQueryOptions): Promise<QueryResult<Row>>
  /**
   * As `query`, one row after the other, fetched page by page: memory holds one page of 1,000 rows. Its `return()`
   * gives a query up that still runs.
   */
  stream<const Columns extends QueryColumns>(
    options: QueryOptions<Columns>,
  ): AsyncGenerator<QueryRow<Columns>, void>
  stream<Schema extends StandardSchemaV1>(
    options: SchemaQueryOptions<Schema>,
  ): AsyncGenerator<StandardSchemaV1.InferOutput<Schema>, void>
  stream<Row extends object = DecodedRow>(options: DecodedQueryOptions): AsyncGenerator<Row, void>
  /** Runs DDL, INSERT, CREATE TABLE AS or UNLOAD. Throws as `query` does. */
  execute(options: StatementOptions): Promise<ExecuteResult>
  /** Runs any statement and answers text, for tools that do not know the columns. Throws as `query` does. */
  queryText(options: StatementOptions): Promise<TextResult>
  /** As `queryText`, some rows at a time; the first may have none. Its `return()` gives up what still runs. */
  textPages(options: StatementOptions): AsyncGenerator<TextResult, void>
  /** The databases of the data catalog, page by page. Throws an `AthenaRequestError` when Athena refuses. */
  databases(options?: { readonly signal?: AbortSignal }): AsyncGenerator<string, void>
  /**
   * The tables of a database (default that of the client) with their columns, page by page. Throws an
   * `AthenaRequestError` when Athena refuses.
   */
  tables(options?: {
    readonly database?: string
    readonly signal?: AbortSignal
  }): AsyncGenerator<CatalogTable, void>
}

/** Makes an `Athena` over an SDK client. Throws a `ConfigurationError` for settings that cannot be. */
export const createAthena = (options: AthenaOptions): Athena => {
  const runner = new QueryRunner(options)
  requireNumber('dollarsPerTerabyte', options.dollarsPerTerabyte, 0)
  requireNumber('maxScannedBytes', options.maxScannedBytes, 0)
  const { dollarsPerTerabyte, resultStore } = options
  const runBound = async (
    bound: BoundStatement,
    statement: StatementOptions,
    reuseMaxAgeMinutes: number | undefined,
  ) => {
    const query = await runner.run(bound, {
      ...statement,
      onAbort: statement.onAbort ?? options.onAbort,
      maxScannedBytes: statement.maxScannedBytes ?? options.maxScannedBytes,
      reuseMaxAgeMinutes,
    })
    statement.onFacts?.(queryFacts(query))
    return query
  }
  const reuseOf = (statement: StatementOptions) => statement.reuseMaxAgeMinutes ?? options.reuseMaxAgeMinutes
  const run = (statement: StatementOptions) =>
    runBound(boundStatement(statement), statement, reuseOf(statement))
  const pagesOf = (query: EndedQuery, { resultPath, signal }: StatementOptions) =>
    answerPages(runner.call(signal), query, { store: resultStore, path: resultPath })
  const unloadLocation =
    options.unloadLocation ??
    (options.outputLocation && `${options.outputLocation.replace(/\/?$/, '/')}unload/`)
  const queryFacts = (query: EndedQuery): QueryFacts => ({
    queryExecutionId: query.QueryExecutionId,
    scannedBytes: query.Statistics?.DataScannedInBytes ?? 0,
    executionMillis:
      query.Statistics?.TotalExecutionTimeInMillis ?? query.Statistics?.EngineExecutionTimeInMillis ?? 0,
    reused: query.Statistics?.ResultReuseInformation?.ReusedPreviousResult ?? false,
    dollars: queryDollars(query, dollarsPerTerabyte),
  })
  const rowPages = (query: EndedQuery, statement: AnyQueryOptions) => {
    const { columns, schema } = statement
    const pages = pagesOf(query, statement)
    if (columns) return statedRows(pages, query.QueryExecutionId, columns)
    const decoded = decodedRows(pages, query.QueryExecutionId)
    return schema ? validatedRows(decoded, query.QueryExecutionId, schema) : decoded
  }
  /** The query, run, and its rows. */
  const answerOf = async (statement: AnyQueryOptions) => {
    const { columns, resultPath, expectedRows, signal } = statement
    requireResultPath(resultPath, resultStore, columns !== undefined)
    const unloaded =
      columns &&
      (await unloadedRows({
        call: runner.call(signal),
        statement: boundStatement(statement),
        stated: statedColumns(columns),
        run: (bound) => runBound(bound, statement, undefined),
        path: resultPath,
        expectedRows,
        store: resultStore,
        location: unloadLocation,
        mayReuse: reuseOf(statement) !== undefined,
      }))
    if (unloaded) return { query: unloaded.query, pages: unloadedPages(unloaded), batches: unloaded.batches }
    const query = await run(statement)
    return { query, pages: rowPages(query, statement) }
  }
  const athena: Athena = {
    async query(statement: AnyQueryOptions) {
      const { query, pages } = await answerOf(statement)
      const rows: unknown[] = []
      for await (const page of pages) {
        for (const row of page) rows.push(row)
      }
      return { rows: rows as never[], ...queryFacts(query) }
    },
    stream(statement: AnyQueryOptions) {
      return endableRows(statement.signal, async function* (signal) {
        const { pages } = await answerOf({ ...statement, signal })
        for await (const page of pages) yield* page as never[]
      })
    },
    async execute(statement) {
      const query = await run(statement)
      let updateCount: number | undefined
      if (tellsCount(query)) {
        for await (const page of pagesOf(query, { ...statement, resultPath: 'pages' })) {
          updateCount = page.updateCount
          break
        }
      }
      return { updateCount, ...queryFacts(query) }
    },
    async queryText(statement) {
      let answer: TextResult | undefined
      const rows: TextRow[] = []
      for await (const page of athena.textPages(statement)) {
        answer ??= page
        for (const row of page.rows) rows.push(row)
      }
      return { ...answer!, rows }
    },
    textPages(statement) {
      return endableRows(statement.signal, async function* (signal) {
        requireResultPath(statement.resultPath, resultStore, false)
        const query = await run({ ...statement, signal })
        for await (const { columns: infos, rows, updateCount } of pagesOf(query, { ...statement, signal })) {
          const columns = infos.map((info) => ({ name: info.Name ?? '', type: columnInfoText(info) }))
          yield { columns, rows, updateCount, ...queryFacts(query) }
        }
      })
    },
    databases: ({ signal } = {}) => catalogDatabases(runner.call(signal), options.catalog),
    tables: ({ database = options.database, signal } = {}) =>
      catalogTables(runner.call(signal), database, options.catalog),
  }
  return Object.assign(athena, {
    [answerParts](statement: AnyQueryOptions) {
      return endableRows(statement.signal, async function* (signal): AsyncGenerator<AnswerPart, void> {
        const { query, pages, batches } = await answerOf({ ...statement, signal })
        const queryExecutionId = query.QueryExecutionId
        if (!batches) for await (const rows of pages) yield { rows: rows as Record<string, unknown>[] }
        else for await (const batch of batches()) yield { ...batch, queryExecutionId }
      })
    },
  })
}

interface AnyQueryOptions extends StatementOptions {
  readonly columns?: QueryColumns | undefined
  readonly schema?: StandardSchemaV1 | undefined
}

const boundStatement = ({ sql, parameters, quoted }: StatementOptions): BoundStatement => {
  const text: unknown = sql instanceof SqlFragment ? sql.sql : sql
  if (typeof text !== 'string' || text.trim() === '') {
    throw new ConfigurationError({
      code: 'SQL_MISSING',
      message: 'There is no statement to run: pass { sql }, a text or what the sql template makes.',
    })
  }
  if (!(sql instanceof SqlFragment)) return bindParameters(sql, parameters ?? [], quoted)
  if (parameters !== undefined && parameters.length > 0) {
    throw new ConfigurationError({
      code: 'PARAMETERS_TWICE',
      message: 'A sql`...` template carries its own values; leave out `parameters`.',
    })
  }
  return bindParameters(sql.sql, sql.parameters, sql.quoted)
}

/** A statement whose answer may say how many rows were written. */
const tellsCount = ({ StatementType: type, SubstatementType: substatement }: EndedQuery): boolean =>
  (type !== 'DDL' && type !== 'UTILITY') || substatement === 'CREATE_TABLE_AS_SELECT'

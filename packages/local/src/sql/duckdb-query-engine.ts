import type { DuckDBConnection, DuckDBPreparedStatement } from '@duckdb/node-api'
import { untilAborted } from '@stockpipe/core'
import { AnalysisSession } from './analysis-session.ts'
import { queryErrorFrom } from './duckdb-errors.ts'
import { DuckDbSession } from './duckdb-session.ts'
import { rowsTable, rowsToWrite, writeRows } from './duckdb-writer.ts'
import { ExecutionPlaces } from './execution-places.ts'
import { maximumSqlLength } from './expression-analyzer.ts'
import { hiveTypeText } from './hive-type-text.ts'
import { ParquetSchemas } from './parquet-schemas.ts'
import { parseStatement } from './parser.ts'
import { prunedFiles } from './pruned-files.ts'
import { analyzeQuery } from './query-analyzer.ts'
import type {
  DescribedColumn,
  QueryDescription,
  QueryEngine,
  QueryResult,
  RowSink,
  RunQueryOptions,
  WriteQueryOptions,
  WrittenQuery,
} from './query-engine.ts'
import { notSupported } from './query-failure.ts'
import type { QueryOutput } from './scope.ts'
import type { TableScan } from './table-scan.ts'
import { duckDbType, type TrinoType, typeText } from './trino-type.ts'
import { plainValue, valueText } from './value-text.ts'
import { resolveRelations } from './view-expansion.ts'

export interface QueryEngineOptions {
  /** Where queries spill what does not fit in memory. */
  readonly dataDirectory: string
  /** DuckDB's memory, such as `256MB` (the default), for all queries together. */
  readonly memoryLimit?: string
  /** The most an answer that no `rowSink` takes may be in memory, in bytes; 256 MiB by default. */
  readonly answerLimitBytes?: number
  /** The only directories queries can read. */
  readonly allowedDirectories: readonly string[]
}

/**
 * An engine that answers Trino's SQL with DuckDB, or refuses by name what it has no rule for.
 * DuckDB is loaded at the first query.
 */
export function createQueryEngine(options: QueryEngineOptions): QueryEngine {
  return new DuckDbQueryEngine({ memoryLimit: '256MB', answerLimitBytes: 256 * 1024 * 1024, ...options })
}

class DuckDbQueryEngine implements QueryEngine {
  readonly #options: Required<QueryEngineOptions>
  readonly #schemas = new ParquetSchemas()
  readonly #running = new Set<Promise<unknown>>()
  readonly #closing = new AbortController()
  readonly #places = new ExecutionPlaces()
  #session: Promise<DuckDbSession> | undefined

  constructor(options: Required<QueryEngineOptions>) {
    this.#options = options
  }

  checkSyntax(sql: string): void {
    try {
      parseStatement(sql)
    } catch (error) {
      throw queryErrorFrom(error)
    }
  }

  run(options: RunQueryOptions & { readonly rowSink?: RowSink }): Promise<QueryResult> {
    return this.#guard(options, (signal) => this.#run(options, signal))
  }

  describe(options: RunQueryOptions): Promise<QueryDescription> {
    return this.#guard(options, async () => {
      const { analysis, output, relations } = await analyzed(options)
      const scans = analysis.scansOf(output).map((scan) => ({
        table: `${scan.table.database}.${scan.table.name}`,
        columns: scan.usedNames,
      }))
      return { columns: describedColumns(output), relations, scans }
    })
  }

  write(options: WriteQueryOptions): Promise<WrittenQuery> {
    return this.#guard(options, (signal) => this.#write(options, signal))
  }

  #guard<Result>(options: RunQueryOptions, work: (signal: AbortSignal) => Promise<Result>): Promise<Result> {
    return untilAborted([this.#closing.signal, options.signal], async (signal) => {
      signal.throwIfAborted()
      const running = work(signal)
      const ended = running.then(
        () => undefined,
        () => undefined,
      )
      this.#running.add(ended)
      void ended.then(() => this.#running.delete(ended))
      try {
        return await Promise.race([running, stoppedLate(signal, ended)])
      } catch (error) {
        signal.throwIfAborted()
        throw queryErrorFrom(error)
      }
    })
  }

  async close(): Promise<void> {
    this.#closing.abort(new Error('The query engine is closed'))
    await Promise.allSettled(this.#running)
    const session = await this.#session?.catch(() => undefined)
    this.#session = undefined
    session?.close()
  }

  async #run(
    options: RunQueryOptions & { readonly rowSink?: RowSink },
    signal: AbortSignal,
  ): Promise<QueryResult> {
    const { analysis, output } = await analyzed(options)
    refuseUnsupported(output)
    return this.#connected(signal, (session, connection) =>
      this.#execute(session, connection, analysis, output, signal, options.rowSink),
    )
  }

  async #write(options: WriteQueryOptions, signal: AbortSignal): Promise<WrittenQuery> {
    const { analysis, output } = await analyzed(options)
    const layout = options.layoutOf(describedColumns(output))
    refuseUnsupported(output)
    const rows = rowsToWrite(analysis, output, layout)
    return this.#connected(signal, async (session, connection) => {
      session.register(connection, analysis.functions)
      const { scans, scannedBytes } = await this.#prepareScans(
        session,
        connection,
        analysis.scansOf(output),
        signal,
      )
      const { refusals } = session
      await this.#prepare(connection, scans, output)
      signal.throwIfAborted()
      await connection.run(`CREATE TEMP TABLE "${rowsTable}" AS ${withDefinitions(scans, rows.sql)}`)
      refuseDoubtful(session, rows.sql, refusals)
      return writeRows({ connection, rows, layout, scannedBytes, signal, directory: session.writeDirectory })
    })
  }

  /** Runs what interrupts its connection when the query is stopped; only so many at a time. */
  async #connected<Result>(
    signal: AbortSignal,
    work: (session: DuckDbSession, connection: DuckDBConnection) => Promise<Result>,
  ): Promise<Result> {
    signal.throwIfAborted()
    const release = await this.#places.take(signal)
    try {
      const session = await this.#open()
      const connection = await session.connect()
      let again: NodeJS.Timeout | undefined
      const interrupt = (): void => {
        connection.interrupt()
        // A statement that is only about to start does not see it.
        again = setInterval(() => connection.interrupt(), 50)
      }
      signal.addEventListener('abort', interrupt)
      try {
        signal.throwIfAborted()
        return await work(session, connection)
      } finally {
        signal.removeEventListener('abort', interrupt)
        clearInterval(again)
        connection.closeSync()
      }
    } finally {
      release()
    }
  }

  async #open(): Promise<DuckDbSession> {
    this.#session ??= DuckDbSession.open(this.#options)
    try {
      return await this.#session
    } catch (error) {
      // The next query tries again.
      this.#session = undefined
      throw error
    }
  }

  async #execute(
    session: DuckDbSession,
    connection: DuckDBConnection,
    analysis: AnalysisSession,
    output: QueryOutput,
    signal: AbortSignal,
    rowSink: RowSink | undefined,
  ): Promise<QueryResult> {
    session.register(connection, analysis.functions)
    const { scans, scannedBytes } = await this.#prepareScans(
      session,
      connection,
      analysis.scansOf(output),
      signal,
    )
    const { refusals } = session
    const prepared = await this.#prepare(connection, scans, output)
    const types = output.columns.map(({ type }) => type)
    const limit = this.#options.answerLimitBytes
    const columns = output.columns.map(({ name, type }, i) => ({
      name: name ?? `_col${i}`,
      type: typeText(type),
    }))
    rowSink?.begin(columns)
    const rows = await readRows(await prepared.stream(), types, limit, signal, rowSink)
    refuseDoubtful(session, output.sql, refusals)
    return { columns, rows, scannedBytes }
  }

  async #prepareScans(
    session: DuckDbSession,
    connection: DuckDBConnection,
    wanted: readonly TableScan[],
    signal: AbortSignal,
  ): Promise<{ scans: readonly string[]; scannedBytes: number }> {
    const scans: string[] = []
    let scannedBytes = 0
    for (const scan of wanted) {
      const { sql, bytes } = await this.#prepareScan(session, connection, scan)
      scans.push(`"${scan.sqlName}" AS NOT MATERIALIZED (${sql})`)
      scannedBytes += bytes
      signal.throwIfAborted()
    }
    return { scans, scannedBytes }
  }

  /** Prepares a statement. The second net: a type DuckDB sees otherwise means a rule is missing. */
  async #prepare(
    connection: DuckDBConnection,
    scans: readonly string[],
    output: QueryOutput,
  ): Promise<DuckDBPreparedStatement> {
    const sql = withDefinitions(scans, output.sql)
    if (sql.length > maximumSqlLength) throw notSupported('statements as large as this one')
    const prepared = await connection.prepare(sql)
    output.columns.forEach(({ type }, i) => {
      const planned = String(prepared.columnType(i))
      if (planned !== duckDbType(type)) {
        throw notSupported(`this statement: column ${i + 1} would be ${planned}, not ${typeText(type)}`)
      }
    })
    return prepared
  }

  async #prepareScan(
    session: DuckDbSession,
    connection: DuckDBConnection,
    scan: TableScan,
  ): Promise<{ sql: string; bytes: number }> {
    const files = await prunedFiles(session, connection, scan, await scan.listFiles())
    const schemas = await this.#schemas.read(connection, files)
    const fileTable = `files_${scan.sqlName}`
    if (files.length > 0 && scan.needsFileTable) {
      const keys = scan.table.partitionKeys.map((_, i) => `, "k${i}" VARCHAR`).join('')
      await connection.run(`CREATE TEMP TABLE "${fileTable}" ("file" VARCHAR, "uri" VARCHAR${keys})`)
      const appender = await connection.createAppender(fileTable, 'main', 'temp')
      for (const file of files) {
        for (const value of [file.filePath, ...scan.fileFacts(file)]) {
          if (value === null) appender.appendNull()
          else appender.appendVarchar(value)
        }
        appender.endRow()
      }
      appender.closeSync()
    }
    const sql = scan.sql(
      files.map((file) => ({ file, schema: schemas.get(file.filePath)! })),
      fileTable,
    )
    return { sql, bytes: files.reduce((sum, file) => sum + file.size, 0) }
  }
}

/** Rejects a while after a query was stopped, should it not have ended: DuckDB does not interrupt its planning. */
function stoppedLate(signal: AbortSignal, ended: Promise<unknown>): Promise<never> {
  return new Promise((_, reject) => {
    const stop = (): void => {
      const timer = setTimeout(() => reject(signal.reason), 500)
      void ended.then(() => clearTimeout(timer))
    }
    signal.addEventListener('abort', stop)
    void ended.then(() => signal.removeEventListener('abort', stop))
  })
}

interface AnalyzedQuery {
  readonly analysis: AnalysisSession
  readonly output: QueryOutput
  readonly relations: readonly string[]
}

async function analyzed(options: RunQueryOptions): Promise<AnalyzedQuery> {
  const { query, tables: references } = parseStatement(options.sql, options.parameters)
  const { database, resolver } = options
  const tables = await resolveRelations(references, database, resolver)
  const analysis = new AnalysisSession({ tables, database, startMillis: Date.now() })
  const relations = [...tables].flatMap(([name, relation]) => (relation === undefined ? [] : [name]))
  return { analysis, output: analyzeQuery(query, analysis), relations }
}

function describedColumns({ columns }: QueryOutput): readonly DescribedColumn[] {
  return columns.map(({ name, type }) => ({ name, type: typeText(type), hiveType: hiveTypeText(type) }))
}

function refuseUnsupported({ columns }: QueryOutput): void {
  for (const { name, type } of columns) {
    if (type.kind === 'unsupported') throw notSupported(`the type ${typeText(type)} of column ${name}`)
  }
}

/** Where another query raised it meanwhile, this one is refused for nothing; only TRY is in doubt at all. */
function refuseDoubtful(session: DuckDbSession, sql: string, refusals: number): void {
  if (sql.includes('TRY(') && session.refusals !== refusals) throw notSupported('a value met in TRY')
}

/** Puts common table expressions before the statement's own. */
function withDefinitions(definitions: readonly string[], sql: string): string {
  if (definitions.length === 0) return sql
  const [separator, rest] = sql.startsWith('WITH ') ? [', ', sql.slice('WITH '.length)] : [' ', sql]
  return `WITH ${definitions.join(', ')}${separator}${rest}`
}

async function readRows(
  result: Awaited<ReturnType<Awaited<ReturnType<DuckDBConnection['prepare']>>['stream']>>,
  types: readonly TrinoType[],
  limitBytes: number,
  signal: AbortSignal,
  rowSink: RowSink | undefined,
): Promise<(string | null)[][]> {
  let rows: (string | null)[][] = []
  let bytes = 0
  while (true) {
    signal.throwIfAborted()
    const chunk = await result.fetchChunk()
    if (chunk === null || chunk.rowCount === 0) return rows
    const columns = types.map((_, i) => chunk.getColumnVector(i))
    for (let row = 0; row < chunk.rowCount; row++) {
      const texts = columns.map((column, i) => valueText(plainValue(column.getItem(row)), types[i]!))
      // As many as the strings and the array take in memory.
      bytes += texts.reduce((sum, text) => sum + 16 + (text?.length ?? 0), 32)
      rows.push(texts)
    }
    if (rowSink === undefined) {
      if (bytes > limitBytes) throw notSupported(`answers of more than ${limitBytes} bytes`)
      continue
    }
    await rowSink.add(rows)
    rows = []
  }
}

import type { DuckDBConnection } from '@duckdb/node-api'
import { AnalysisSession, tableName } from './analysis-session.ts'
import { queryErrorFrom } from './duckdb-errors.ts'
import { DuckDbSession } from './duckdb-session.ts'
import { ParquetSchemas } from './parquet-schemas.ts'
import { parseStatement } from './parser.ts'
import { analyzeQuery } from './query-analyzer.ts'
import type { QueryEngine, QueryResult, ResolvedTable, RunQueryOptions } from './query-engine.ts'
import { notSupported } from './query-failure.ts'
import type { QueryOutput } from './scope.ts'
import type { TableScan } from './table-scan.ts'
import { duckDbType, type TrinoType, typeText } from './trino-type.ts'
import { plainValue, valueText } from './value-text.ts'

/** Some rules repeat an operand in SQL: nested often enough, they would not end. */
const maximumSqlLength = 8_000_000

export interface QueryEngineOptions {
  /** Where queries spill what does not fit in memory. */
  readonly dataDirectory: string
  /** DuckDB's memory, such as `256MB` (the default), for all queries together. */
  readonly memoryLimit?: string
  /** The only directories queries can read. */
  readonly allowedDirectories: readonly string[]
}

/**
 * An engine that answers Trino's SQL with DuckDB, or refuses by name what it has no rule for.
 * DuckDB is loaded at the first query.
 */
export function createQueryEngine(options: QueryEngineOptions): QueryEngine {
  return new DuckDbQueryEngine({ memoryLimit: '256MB', ...options })
}

class DuckDbQueryEngine implements QueryEngine {
  readonly #options: Required<QueryEngineOptions>
  readonly #schemas = new ParquetSchemas()
  readonly #running = new Set<Promise<unknown>>()
  readonly #closing = new AbortController()
  #session: Promise<DuckDbSession> | undefined

  constructor(options: Required<QueryEngineOptions>) {
    this.#options = options
  }

  async run(options: RunQueryOptions): Promise<QueryResult> {
    const signals = [this.#closing.signal, ...(options.signal === undefined ? [] : [options.signal])]
    const signal = AbortSignal.any(signals)
    signal.throwIfAborted()
    const running = this.#run(options, signal)
    this.#running.add(running)
    try {
      return await running
    } catch (error) {
      signal.throwIfAborted()
      throw queryErrorFrom(error)
    } finally {
      this.#running.delete(running)
    }
  }

  async close(): Promise<void> {
    this.#closing.abort(new Error('The query engine is closed'))
    await Promise.allSettled(this.#running)
    const session = await this.#session?.catch(() => undefined)
    this.#session = undefined
    session?.close()
  }

  async #run(options: RunQueryOptions, signal: AbortSignal): Promise<QueryResult> {
    const { query, tables } = parseStatement(options.sql, options.parameters)
    const resolved = new Map<string, ResolvedTable | undefined>()
    for (const reference of tables) {
      const { database, table } = tableName(reference, options.database)
      const key = `${database}.${table}`
      if (!resolved.has(key)) resolved.set(key, await options.resolver.resolveTable(database, table))
    }
    const analysis = new AnalysisSession({
      tables: resolved,
      database: options.database,
      startMillis: Date.now(),
    })
    const output = analyzeQuery(query, analysis)
    for (const { name, type } of output.columns) {
      if (type.kind === 'unsupported') throw notSupported(`the type ${typeText(type)} of column ${name}`)
    }
    signal.throwIfAborted()
    const session = await this.#open()
    const connection = await session.connect()
    const interrupt = (): void => connection.interrupt()
    signal.addEventListener('abort', interrupt)
    try {
      return await this.#execute(session, connection, analysis, output, signal)
    } finally {
      signal.removeEventListener('abort', interrupt)
      connection.closeSync()
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
  ): Promise<QueryResult> {
    const scans: string[] = []
    let scannedBytes = 0
    for (const scan of analysis.scans) {
      const { sql, bytes } = await this.#prepareScan(connection, scan)
      scans.push(`"${scan.sqlName}" AS NOT MATERIALIZED (${sql})`)
      scannedBytes += bytes
      signal.throwIfAborted()
    }
    session.register(connection, analysis.functions)
    const refusals = session.refusals
    const sql = withDefinitions(scans, output.sql)
    if (sql.length > maximumSqlLength) throw notSupported('statements as large as this one')
    const prepared = await connection.prepare(sql)
    const types = output.columns.map(({ type }) => type)
    types.forEach((type, i) => {
      const planned = String(prepared.columnType(i))
      // The second net: a type DuckDB sees otherwise means a rule is missing.
      if (planned !== duckDbType(type)) {
        throw notSupported(`this statement: column ${i + 1} would be ${planned}, not ${typeText(type)}`)
      }
    })
    const rows = await readRows(await prepared.stream(), types, signal)
    // Where another query raised it meanwhile, this one is refused for nothing; only TRY is in doubt at all.
    if (sql.includes('TRY(') && session.refusals !== refusals) throw notSupported('a value met in TRY')
    return {
      columns: output.columns.map(({ name, type }, i) => ({
        name: name ?? `_col${i}`,
        type: typeText(type),
      })),
      rows,
      scannedBytes,
    }
  }

  async #prepareScan(connection: DuckDBConnection, scan: TableScan): Promise<{ sql: string; bytes: number }> {
    const files = await scan.listFiles()
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

/** Puts common table expressions before the statement's own. */
function withDefinitions(definitions: readonly string[], sql: string): string {
  if (definitions.length === 0) return sql
  const [separator, rest] = sql.startsWith('WITH ') ? [', ', sql.slice('WITH '.length)] : [' ', sql]
  return `WITH ${definitions.join(', ')}${separator}${rest}`
}

async function readRows(
  result: Awaited<ReturnType<Awaited<ReturnType<DuckDBConnection['prepare']>>['stream']>>,
  types: readonly TrinoType[],
  signal: AbortSignal,
): Promise<(string | null)[][]> {
  const rows: (string | null)[][] = []
  while (true) {
    signal.throwIfAborted()
    const chunk = await result.fetchChunk()
    if (chunk === null || chunk.rowCount === 0) return rows
    const columns = types.map((_, i) => chunk.getColumnVector(i))
    for (let row = 0; row < chunk.rowCount; row++) {
      rows.push(columns.map((column, i) => valueText(plainValue(column.getItem(row)), types[i]!)))
    }
  }
}

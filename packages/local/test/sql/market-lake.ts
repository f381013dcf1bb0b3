import { copyFileSync, mkdirSync, mkdtempSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { DuckDBInstance } from '@duckdb/node-api'
import { createQueryEngine } from '../../src/sql/duckdb-query-engine.ts'
import {
  type CatalogColumn,
  type QueryEngine,
  QueryError,
  type QueryResult,
  type ResolvedTable,
  type TableFile,
} from '../../src/sql/query-engine.ts'

/** A lake of test tables in a temporary directory, and an engine that reads it. */
export class TestLake implements AsyncDisposable {
  readonly directory = mkdtempSync(join(tmpdir(), 'lake-'))
  readonly engine: QueryEngine
  readonly #tables = new Map<string, ResolvedTable>()
  readonly resolver = {
    resolveTable: async (database: string, name: string) =>
      database === 'market' ? this.#tables.get(name) : undefined,
  }
  /** The files the last query listed. */
  listed: TableFile[] = []

  constructor(memoryLimit?: string) {
    this.engine = createQueryEngine({
      dataDirectory: join(this.directory, 'data'),
      allowedDirectories: [join(this.directory, 'bucket')],
      ...(memoryLimit !== undefined && { memoryLimit }),
    })
  }

  /** Writes the rows of a DuckDB SELECT as one Parquet file. */
  async file(
    path: string,
    select: string,
    partitionValues: readonly (string | null)[] = [],
  ): Promise<TableFile> {
    return (await this.files([{ path, select, partitionValues }]))[0]!
  }

  async files(
    files: readonly { path: string; select: string; partitionValues: readonly (string | null)[] }[],
  ): Promise<TableFile[]> {
    const instance = await DuckDBInstance.create(':memory:', { threads: '1' })
    const connection = await instance.connect()
    await connection.run("SET TimeZone = 'UTC'")
    const written: TableFile[] = []
    for (const { path, select, partitionValues } of files) {
      const filePath = join(this.directory, 'bucket', path)
      mkdirSync(dirname(filePath), { recursive: true })
      await connection.run(`COPY (${select}) TO '${filePath.replaceAll("'", "''")}' (FORMAT parquet)`)
      written.push({ filePath, uri: `s3://lake/${path}`, size: statSync(filePath).size, partitionValues })
    }
    connection.closeSync()
    instance.closeSync()
    return written
  }

  /** Takes a Parquet file that is there already. */
  copy(path: string, from: string): TableFile {
    const filePath = join(this.directory, 'bucket', path)
    mkdirSync(dirname(filePath), { recursive: true })
    copyFileSync(from, filePath)
    return { filePath, uri: `s3://lake/${path}`, size: statSync(filePath).size, partitionValues: [] }
  }

  table(
    name: string,
    columns: Readonly<Record<string, string>>,
    partitionKeys: Readonly<Record<string, string>>,
    files: readonly TableFile[],
  ): void {
    const asColumns = (record: Readonly<Record<string, string>>): CatalogColumn[] =>
      Object.entries(record).map(([column, type]) => ({ name: column, type }))
    this.#tables.set(name, {
      database: 'market',
      name,
      columns: asColumns(columns),
      partitionKeys: asColumns(partitionKeys),
      listFiles: async (keep) => {
        const kept = files.filter(({ partitionValues }) => keep(partitionValues))
        this.listed.push(...kept)
        return kept
      },
    })
  }

  query(
    sql: string,
    options: { parameters?: readonly string[]; signal?: AbortSignal } = {},
  ): Promise<QueryResult> {
    this.listed = []
    return this.engine.run({ sql, database: 'market', resolver: this.resolver, ...options })
  }

  /** The one value of `SELECT expression`. */
  async value(expression: string): Promise<string | null> {
    const { rows } = await this.query(`SELECT ${expression}`)
    if (rows.length !== 1) throw new Error(`${rows.length} rows: ${expression}`)
    return rows[0]![0]!
  }

  async typeOf(expression: string): Promise<string> {
    return (await this.query(`SELECT ${expression}`)).columns[0]!.type
  }

  /** The name and sentence of the error a query ends with. */
  async failureOf(sql: string, parameters?: readonly string[]): Promise<string> {
    try {
      await this.query(sql, { ...(parameters && { parameters }) })
    } catch (error) {
      if (!(error instanceof QueryError)) throw error
      if (!error.message.startsWith(`${error.errorName}: `)) throw new Error('no name', { cause: error })
      return error.message
    }
    throw new Error(`answered: ${sql}`)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.engine.close()
    rmSync(this.directory, { recursive: true })
  }
}

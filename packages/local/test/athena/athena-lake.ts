import { mkdirSync, mkdtempSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { type DuckDBConnection, DuckDBInstance } from '@duckdb/node-api'
import { createAthenaService } from '../../src/athena/athena-service.ts'
import { parquetFormat } from '../../src/glue/catalog-model.ts'
import { createGlueService, type GlueService } from '../../src/glue/glue-service.ts'
import type { JsonService } from '../../src/http/json-service.ts'
import { createQueryEngine } from '../../src/sql/duckdb-query-engine.ts'
import { FolderStorage } from '../glue/folder-storage.ts'

type Columns = Readonly<Record<string, string>>

/** Glue and Athena over a folder, without sockets: the bucket is `lake`, the database `market`. */
export class AthenaLake implements AsyncDisposable {
  readonly storage: FolderStorage
  readonly glue: GlueService
  readonly #directory: string
  readonly #athena: JsonService
  readonly #writer: DuckDBConnection

  private constructor(parts: {
    readonly directory: string
    readonly storage: FolderStorage
    readonly glue: GlueService
    readonly athena: JsonService
    readonly writer: DuckDBConnection
  }) {
    this.#directory = parts.directory
    this.storage = parts.storage
    this.glue = parts.glue
    this.#athena = parts.athena
    this.#writer = parts.writer
  }

  static async open(
    createStorage = (root: string): FolderStorage => new FolderStorage(root),
  ): Promise<AthenaLake> {
    const directory = mkdtempSync(join(tmpdir(), 'athena-lake-'))
    const storage = createStorage(join(directory, 'objects'))
    for (const bucket of ['lake', 'results']) await storage.createBucket(bucket)
    const glue = await createGlueService({ dataDirectory: directory, storage })
    await glue.handle('CreateDatabase', { DatabaseInput: { Name: 'market' } })
    const athena = await createAthenaService({
      dataDirectory: directory,
      storage,
      catalog: glue.catalog,
      queryEngine: createQueryEngine({
        dataDirectory: join(directory, 'duckdb'),
        allowedDirectories: [storage.root],
      }),
    })
    const writer = await (await DuckDBInstance.create(':memory:', { threads: '1' })).connect()
    return new AthenaLake({ directory, storage, glue, athena, writer })
  }

  /** The path of an object as a file. */
  pathOf(key: string): string {
    return join(this.storage.root, 'lake', key)
  }

  /** Writes the rows of a DuckDB SELECT as one Parquet object and answers its size. */
  async write(key: string, select: string): Promise<number> {
    mkdirSync(dirname(this.pathOf(key)), { recursive: true })
    await this.#writer.run(`COPY (${select}) TO '${this.pathOf(key)}' (FORMAT parquet)`)
    return statSync(this.pathOf(key)).size
  }

  async createTable(Name: string, columns: Columns, keys: Columns, Parameters: Columns = {}): Promise<void> {
    await this.glue.handle('CreateTable', {
      DatabaseName: 'market',
      TableInput: {
        Name,
        TableType: 'EXTERNAL_TABLE',
        PartitionKeys: columnList(keys),
        StorageDescriptor: descriptorOf(columns, `s3://lake/${Name}/`),
        Parameters,
      },
    })
  }

  /** Adds a partition that declares `columns` itself. */
  async addPartition(TableName: string, Values: readonly string[], columns: Columns, path: string) {
    await this.glue.handle('CreatePartition', {
      DatabaseName: 'market',
      TableName,
      PartitionInput: { Values, StorageDescriptor: descriptorOf(columns, `s3://lake/${path}`) },
    })
  }

  /** Runs a query; throws what it failed with. */
  async query(sql: string) {
    const started = await this.#athena.handle('StartQueryExecution', {
      QueryString: sql,
      QueryExecutionContext: { Database: 'market' },
      ResultConfiguration: { OutputLocation: 's3://results/' },
    })
    const id = { QueryExecutionId: started['QueryExecutionId'] }
    for (;;) {
      const { QueryExecution } = (await this.#athena.handle('GetQueryExecution', id)) as {
        QueryExecution: {
          Status: { State: string; StateChangeReason?: string }
          Statistics: { DataScannedInBytes: number }
        }
      }
      const { State, StateChangeReason } = QueryExecution.Status
      if (State === 'FAILED') throw new Error(StateChangeReason)
      if (State === 'SUCCEEDED') {
        return { rows: await this.#rows(id), scannedBytes: QueryExecution.Statistics.DataScannedInBytes }
      }
      await new Promise((resolve) => setTimeout(resolve, 2))
    }
  }

  async #rows(id: Readonly<Record<string, unknown>>): Promise<(string | null)[][]> {
    const { ResultSet } = (await this.#athena.handle('GetQueryResults', id)) as {
      ResultSet: { Rows: { Data: { VarCharValue?: string }[] }[] }
    }
    // The first row names the columns.
    return ResultSet.Rows.slice(1).map((row) => row.Data.map((cell) => cell.VarCharValue ?? null))
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#writer.closeSync()
    await this.#athena.close()
    await this.glue.close()
    rmSync(this.#directory, { recursive: true })
  }
}

const columnList = (columns: Columns) => Object.entries(columns).map(([Name, Type]) => ({ Name, Type }))

const descriptorOf = (columns: Columns, Location: string) => ({
  ...parquetFormat,
  Columns: columnList(columns),
  Location,
})

import { mkdtempSync, rmSync } from 'node:fs'
import { readdir } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createAthenaService } from '../../src/athena/athena-service.ts'
import { Catalog } from '../../src/glue/catalog.ts'
import type { JsonService } from '../../src/http/json-service.ts'
import { createQueryEngine } from '../../src/sql/duckdb-query-engine.ts'
import { FolderStorage } from '../glue/folder-storage.ts'

export interface ExecutionOutput {
  readonly Query: string
  readonly StatementType: string
  readonly SubstatementType: string
  readonly Status: {
    readonly State: string
    readonly StateChangeReason?: string
    readonly AthenaError?: Record<string, unknown>
  }
  readonly Statistics: {
    readonly DataScannedInBytes: number
    readonly DataManifestLocation?: string
    readonly ResultReuseInformation: { readonly ReusedPreviousResult: boolean }
  }
  readonly ResultConfiguration: { readonly OutputLocation: string }
}

/** Athena over its real engine, a catalog and buckets `lake` and `results`, all in a temporary directory. */
export class LocalAthena implements AsyncDisposable {
  readonly directory = mkdtempSync(join(tmpdir(), 'athena-'))
  readonly storage = new FolderStorage(join(this.directory, 's3'))
  readonly catalog = new Catalog(join(this.directory, 'glue'))
  service: JsonService | undefined

  static async open(options: { readonly timeoutMillis?: number } = {}): Promise<LocalAthena> {
    const athena = new LocalAthena()
    for (const bucket of ['lake', 'results']) await athena.storage.createBucket(bucket)
    athena.service = await athena.openService(options)
    await athena.run('create database market')
    return athena
  }

  openService(options: { readonly timeoutMillis?: number } = {}): Promise<JsonService> {
    return createAthenaService({
      dataDirectory: join(this.directory, 'athena'),
      storage: this.storage,
      catalog: this.catalog,
      queryEngine: async () =>
        createQueryEngine({
          dataDirectory: this.directory,
          allowedDirectories: [join(this.directory, 's3')],
        }),
      ...options,
    })
  }

  call(operation: string, input: Record<string, unknown>): Promise<Readonly<Record<string, unknown>>> {
    return this.service!.handle(operation, input)
  }

  async start(QueryString: string, more: Record<string, unknown> = {}): Promise<string> {
    const { QueryExecutionId } = await this.call('StartQueryExecution', {
      QueryString,
      QueryExecutionContext: { Database: 'market' },
      ResultConfiguration: { OutputLocation: 's3://results/out/' },
      ...more,
    })
    return QueryExecutionId as string
  }

  async execution(QueryExecutionId: string): Promise<ExecutionOutput> {
    const { QueryExecution } = await this.call('GetQueryExecution', { QueryExecutionId })
    return QueryExecution as ExecutionOutput
  }

  async ended(id: string): Promise<ExecutionOutput> {
    for (;;) {
      const execution = await this.execution(id)
      if (!['QUEUED', 'RUNNING'].includes(execution.Status.State)) return execution
      await new Promise((resolve) => setTimeout(resolve, 2))
    }
  }

  /** Runs a statement to its end; throws its reason where it did not succeed. */
  async run(
    sql: string,
    more: Record<string, unknown> = {},
  ): Promise<ExecutionOutput & { readonly id: string }> {
    const id = await this.start(sql, more)
    const execution = await this.ended(id)
    if (execution.Status.State === 'SUCCEEDED') return { ...execution, id }
    throw new Error(execution.Status.StateChangeReason)
  }

  /** The rows of a query, without the names. */
  async rows(
    sql: string,
    more: Record<string, unknown> = {},
  ): Promise<readonly (readonly (string | null)[])[]> {
    return (await this.allRows(sql, more)).slice(1)
  }

  /** The lines of a statement that answers with text. */
  async lines(sql: string): Promise<readonly (string | null)[]> {
    return (await this.allRows(sql)).map((row) => row[0] ?? null)
  }

  /** How many rows a statement has written. */
  async updateCount(sql: string, more: Record<string, unknown> = {}): Promise<unknown> {
    const { id: QueryExecutionId } = await this.run(sql, more)
    const { UpdateCount } = await this.call('GetQueryResults', { QueryExecutionId })
    return UpdateCount
  }

  /** Why a statement failed. */
  async failure(sql: string, more: Record<string, unknown> = {}): Promise<string> {
    return this.run(sql, more).then(
      () => {
        throw new Error(`answered: ${sql}`)
      },
      (error: Error) => error.message,
    )
  }

  /** The keys of a bucket beneath a prefix. */
  async keys(bucket: string, prefix = ''): Promise<string[]> {
    const keys: string[] = []
    for await (const object of this.storage.listObjects(bucket, prefix)) keys.push(object.key)
    return keys
  }

  /** What statements that write have left on their way. */
  filesInFlight(): Promise<string[]> {
    return readdir(join(this.directory, 'athena-spill', 'written')).catch(() => [])
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.service?.close()
    this.catalog.close()
    rmSync(this.directory, { recursive: true })
  }

  async allRows(sql: string, more: Record<string, unknown> = {}): Promise<(string | null)[][]> {
    const { id: QueryExecutionId } = await this.run(sql, more)
    const { ResultSet } = await this.call('GetQueryResults', { QueryExecutionId })
    const { Rows } = ResultSet as { Rows: { Data: { VarCharValue?: string }[] }[] }
    return Rows.map((row) => row.Data.map((datum) => datum.VarCharValue ?? null))
  }
}

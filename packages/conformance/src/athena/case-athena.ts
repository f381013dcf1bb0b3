import {
  AthenaClient,
  CreateWorkGroupCommand,
  GetQueryExecutionCommand,
  GetQueryResultsCommand,
  type GetQueryResultsCommandOutput,
  type QueryExecution,
  type Row,
  StartQueryExecutionCommand,
  type StartQueryExecutionCommandInput,
  type WorkGroupConfiguration,
} from '@aws-sdk/client-athena'
import { GlueClient } from '@aws-sdk/client-glue'
import { CreateBucketCommand, ListObjectsV2Command, S3Client } from '@aws-sdk/client-s3'
import { describe, it } from 'vitest'

/** An Athena under test, with the catalog it asks and the store it reads and writes. */
export interface AthenaSubject {
  readonly endpoints: { readonly athena: string; readonly glue: string; readonly s3: string }
  readonly region: string
  readonly accessKeyId: string
  readonly secretAccessKey: string
}

/** What can be asked for by itself: an engine of another answers `sql` and `catalog`, whatever is around it. */
export type AthenaPart = 'sql' | 'catalog' | 'writing' | 'service'

/**
 * Where an Athena is known not to do what Amazon's does, a sentence each. A concept (`result reuse`) is left out; a case
 * (`views > are shown`) must fail, so that the list cannot outlive what it says.
 */
export type AthenaDifferences = Readonly<Record<string, string>>

/** What a statement is started with, beside its text. */
export type Asked = Omit<Partial<StartQueryExecutionCommandInput>, 'QueryString'> & {
  /** The database that names without one are of. */
  readonly database?: string
}

/** The cells of a row; null where there is no value. */
export type Cells = readonly (string | null)[]

/** The service under test, open between the first case and the last, and the unmodified clients that speak to it. */
export class CaseAthena {
  readonly #start: () => Promise<AthenaSubject & AsyncDisposable>
  readonly #differences: AthenaDifferences
  readonly #named = new Set<string>()
  #clients: { readonly athena: AthenaClient; readonly glue: GlueClient; readonly s3: S3Client } | undefined
  #subject: (AthenaSubject & AsyncDisposable) | undefined
  #made = 0

  constructor(start: () => Promise<AthenaSubject & AsyncDisposable>, differences: AthenaDifferences) {
    this.#start = start
    this.#differences = differences
  }

  async open(): Promise<void> {
    const unknown = Object.keys(this.#differences).filter((name) => !this.#named.has(name))
    if (unknown.length > 0) throw new Error(`No case or concept is named: ${unknown.join('; ')}`)
    this.#subject = await this.#start()
    const { endpoints, region, accessKeyId, secretAccessKey } = this.#subject
    // They never try again: what a case sees is the first answer.
    const connection = { region, credentials: { accessKeyId, secretAccessKey }, maxAttempts: 1 }
    this.#clients = {
      athena: new AthenaClient({ ...connection, endpoint: endpoints.athena }),
      glue: new GlueClient({ ...connection, endpoint: endpoints.glue }),
      s3: new S3Client({ ...connection, endpoint: endpoints.s3, forcePathStyle: true }),
    }
    for (const Bucket of ['lake', 'results']) await this.s3.send(new CreateBucketCommand({ Bucket }))
  }

  async close(): Promise<void> {
    for (const client of Object.values(this.#clients ?? {})) client.destroy()
    await this.#subject?.[Symbol.asyncDispose]()
  }

  get client(): AthenaClient {
    return this.#open().athena
  }

  get glue(): GlueClient {
    return this.#open().glue
  }

  get s3(): S3Client {
    return this.#open().s3
  }

  /** The cases of one concept; they run side by side and share nothing but what they only read. */
  concept(
    name: string,
    define: (athenaCase: (title: string, run: () => Promise<void>) => void) => void,
  ): void {
    this.#named.add(name)
    const absent = this.#differences[name]
    const suite = absent === undefined ? describe.concurrent : describe.skip
    suite(absent === undefined ? name : `${name} (${absent})`, () => {
      define((title, run) => {
        this.#named.add(`${name} > ${title}`)
        const difference = this.#differences[`${name} > ${title}`]
        if (difference === undefined) it(title, run)
        else it.fails(`${title} (${difference})`, run)
      })
    })
  }

  /** A name of the case's own, such as `trades_7`. */
  name(kind: string): string {
    this.#made += 1
    return `${kind}_${this.#made}`
  }

  /** A database of the case's own. */
  async database(): Promise<string> {
    const name = this.name('market')
    await this.run(`CREATE DATABASE ${name}`)
    return name
  }

  /** A place in the lake of the case's own, which ends with a slash. */
  place(): string {
    return `s3://lake/${this.name('place')}/`
  }

  /** A work group of the case's own. */
  async workGroup(Configuration: WorkGroupConfiguration = {}): Promise<string> {
    const Name = this.name('group')
    await this.client.send(new CreateWorkGroupCommand({ Name, Configuration }))
    return Name
  }

  /** Starts a statement and answers its id. */
  async start(QueryString: string, { database, ...asked }: Asked = {}): Promise<string> {
    const { QueryExecutionId } = await this.client.send(
      new StartQueryExecutionCommand({
        QueryString,
        QueryExecutionContext: { Database: database },
        ResultConfiguration: { OutputLocation: 's3://results/' },
        ...asked,
      }),
    )
    return QueryExecutionId ?? ''
  }

  async execution(QueryExecutionId: string): Promise<QueryExecution> {
    const { QueryExecution } = await this.client.send(new GetQueryExecutionCommand({ QueryExecutionId }))
    return QueryExecution ?? {}
  }

  /** Waits until a statement is in one of these states. */
  async reaches(id: string, ...states: readonly string[]): Promise<QueryExecution> {
    for (let waitMillis = 4; ; waitMillis = Math.min(waitMillis * 1.5, 500)) {
      const execution = await this.execution(id)
      if (states.includes(execution.Status?.State ?? '')) return execution
      await new Promise((resolve) => setTimeout(resolve, waitMillis))
    }
  }

  /** Runs a statement to its end, whatever that is. */
  async ended(sql: string, asked: Asked = {}): Promise<QueryExecution> {
    return this.reaches(await this.start(sql, asked), 'SUCCEEDED', 'FAILED', 'CANCELLED')
  }

  /** Runs a statement that must succeed. */
  async run(sql: string, asked: Asked = {}): Promise<QueryExecution & { readonly id: string }> {
    const execution = await this.ended(sql, asked)
    const { State, StateChangeReason } = execution.Status ?? {}
    if (State !== 'SUCCEEDED') throw new Error(`${StateChangeReason} (${State}): ${sql}`)
    return { ...execution, id: execution.QueryExecutionId ?? '' }
  }

  /** Why a statement fails, which it must. */
  async failure(sql: string, asked: Asked = {}): Promise<string> {
    const { Status } = await this.ended(sql, asked)
    if (Status?.State !== 'FAILED') throw new Error(`${Status?.State}, and not FAILED: ${sql}`)
    return Status.StateChangeReason ?? ''
  }

  /** The first page of what a statement answers. */
  async answer(sql: string, asked: Asked = {}): Promise<GetQueryResultsCommandOutput> {
    const { id: QueryExecutionId } = await this.run(sql, asked)
    return this.client.send(new GetQueryResultsCommand({ QueryExecutionId }))
  }

  /** The rows of a query, without the names of its columns. */
  async rows(sql: string, asked: Asked = {}): Promise<Cells[]> {
    const { ResultSet } = await this.answer(sql, asked)
    return (ResultSet?.Rows ?? []).slice(1).map(cellsOf)
  }

  /** The lines of a statement that answers with text, which have no names above them. */
  async lines(sql: string, asked: Asked = {}): Promise<string[]> {
    const { ResultSet } = await this.answer(sql, asked)
    return (ResultSet?.Rows ?? []).map((row) =>
      cellsOf(row)
        .map((cell) => cell ?? '')
        .join('\t'),
    )
  }

  /** How many bytes a query has read, and its rows. */
  async scan(sql: string, asked: Asked = {}): Promise<{ readonly bytes: number; readonly rows: Cells[] }> {
    const { id: QueryExecutionId, Statistics } = await this.run(sql, asked)
    const { ResultSet } = await this.client.send(new GetQueryResultsCommand({ QueryExecutionId }))
    const rows = (ResultSet?.Rows ?? []).slice(1).map(cellsOf)
    return { bytes: Statistics?.DataScannedInBytes ?? Number.NaN, rows }
  }

  /** Writes the rows of a query as Parquet files to a place, and leaves no table of them. */
  async write(location: string, query: string): Promise<void> {
    const database = await this.#scratch()
    const table = this.name('written')
    await this.run(
      `CREATE TABLE ${table} WITH (format = 'PARQUET', external_location = '${location}') AS ${query}`,
      { database },
    )
    await this.run(`DROP TABLE ${table}`, { database })
  }

  /** The keys of the objects of a place, sorted. */
  async keys(location: string): Promise<string[]> {
    const [, Bucket = '', Prefix = ''] = /^s3:\/\/([^/]+)\/(.*)$/.exec(location) ?? []
    const { Contents = [] } = await this.s3.send(new ListObjectsV2Command({ Bucket, Prefix }))
    return Contents.map(({ Key = '' }) => Key).sort()
  }

  #scratchMade: Promise<string> | undefined
  #scratch(): Promise<string> {
    return (this.#scratchMade ??= this.database())
  }

  #open() {
    if (!this.#clients) throw new Error('The service under test has not started.')
    return this.#clients
  }
}

/** The texts of a row. */
export const cellsOf = (row: Row): Cells => (row.Data ?? []).map((cell) => cell.VarCharValue ?? null)

/** What a refused request looks like to a client. */
export const invalidRequest = (AthenaErrorCode = 'INVALID_INPUT') => ({
  name: 'InvalidRequestException',
  AthenaErrorCode,
  $metadata: { httpStatusCode: 400 },
})

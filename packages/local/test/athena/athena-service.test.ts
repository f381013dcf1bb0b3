import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { createAthenaService } from '../../src/athena/athena-service.ts'
import { Catalog } from '../../src/glue/catalog.ts'
import type { JsonService } from '../../src/http/json-service.ts'
import { QueryError, type QueryResult } from '../../src/sql/query-engine.ts'
import { FolderStorage } from '../glue/folder-storage.ts'
import { FakeQueryEngine, oneRow, type Query, untilAborted } from './fake-query-engine.ts'

let directory: string
let storage: FolderStorage
let catalog: Catalog
let athena: JsonService
let engine: FakeQueryEngine
let answer: (options: Query) => Promise<QueryResult> | QueryResult

const open = () =>
  createAthenaService({
    dataDirectory: directory,
    storage,
    catalog,
    queryEngine: async () => engine,
    concurrency: 2,
  })
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'athena-'))
  storage = new FolderStorage(join(directory, 'objects'))
  await storage.createBucket('results')
  catalog = new Catalog(directory)
  answer = () => oneRow
  engine = new FakeQueryEngine((options) => answer(options))
  athena = await open()
})
afterEach(async () => {
  await athena.close()
  catalog.close()
  await rm(directory, { recursive: true })
})

const start = async (QueryString: string, more: Record<string, unknown> = {}): Promise<string> => {
  const ResultConfiguration = { OutputLocation: 's3://results/out' }
  const output = await athena.handle('StartQueryExecution', { QueryString, ResultConfiguration, ...more })
  return output['QueryExecutionId'] as string
}

interface Execution {
  Status: { State: string; StateChangeReason?: string; AthenaError?: Record<string, unknown> }
  Statistics: Record<string, number>
  ResultConfiguration: { OutputLocation: string }
  [member: string]: unknown
}
const get = async (id: string): Promise<Execution> =>
  (await athena.handle('GetQueryExecution', { QueryExecutionId: id }))['QueryExecution'] as never

async function ended(id: string): Promise<Execution> {
  for (;;) {
    const execution = await get(id)
    if (!['QUEUED', 'RUNNING'].includes(execution.Status.State)) return execution
    await new Promise((resolve) => setTimeout(resolve, 2))
  }
}
async function reaches(id: string, state: string): Promise<void> {
  while ((await get(id)).Status.State !== state) await new Promise((resolve) => setTimeout(resolve, 2))
}

interface Results {
  ResultSet: {
    Rows: { Data: { VarCharValue?: string }[] }[]
    ResultSetMetadata: { ColumnInfo: Record<string, unknown>[] }
  }
  NextToken?: string
}
const results = async (id: string, more: Record<string, unknown> = {}): Promise<Results> =>
  (await athena.handle('GetQueryResults', { QueryExecutionId: id, ...more })) as never

describe('a query', () => {
  it('goes from QUEUED over RUNNING to SUCCEEDED, with its result in S3', async () => {
    let release: (() => void) | undefined
    answer = () =>
      new Promise((resolve) => {
        release = () => resolve(oneRow)
      })
    const id = await start('select 1 as one;', { QueryExecutionContext: { Database: 'Market' } })
    expect((await get(id)).Status.State).toBe('QUEUED')
    await reaches(id, 'RUNNING')
    await expect(results(id)).rejects.toThrowError(/not yet finished. Current state: RUNNING/)
    while (release === undefined) await new Promise((resolve) => setTimeout(resolve, 2))
    release()
    const execution = await ended(id)
    expect(execution).toMatchObject({
      QueryExecutionId: id,
      Query: 'select 1 as one;',
      StatementType: 'DML',
      SubstatementType: 'SELECT',
      WorkGroup: 'primary',
      Status: { State: 'SUCCEEDED' },
      ResultConfiguration: { OutputLocation: `s3://results/out/${id}.csv` },
      QueryExecutionContext: { Database: 'market', Catalog: 'AwsDataCatalog' },
      Statistics: { DataScannedInBytes: 7 },
    })
    expect(engine.asked[0]).toMatchObject({ sql: 'select 1 as one', database: 'market' })
    expect(await readFile(join(directory, `objects/results/out/${id}.csv`), 'utf8')).toBe('"one"\n"1"\n')
    expect(await storage.findObject('results', `out/${id}.csv.metadata`)).toBeDefined()
  })

  it('keeps NULL apart from the empty string and pages with the header on page 1 only', async () => {
    const rows = Array.from({ length: 2500 }, (_, at) => [
      `a "${at}",\n`,
      at % 2 === 0 ? null : '',
      String(at),
    ])
    const columns = [
      { name: 'text', type: 'varchar' },
      { name: 'maybe', type: 'varchar(5)' },
      { name: 'px', type: 'decimal(18,4)' },
    ]
    answer = () => ({ columns, rows, scannedBytes: 0 })
    const id = await start('select * from t')
    await ended(id)
    const first = await results(id)
    expect(first.ResultSet.ResultSetMetadata.ColumnInfo).toMatchObject([
      { Name: 'text', Type: 'varchar', Precision: 2147483647, Scale: 0, Nullable: 'UNKNOWN' },
      { Name: 'maybe', Type: 'varchar', Precision: 5 },
      { Name: 'px', Type: 'decimal', Precision: 18, Scale: 4 },
    ])
    expect(first.ResultSet.Rows).toHaveLength(1000)
    expect(first.ResultSet.Rows[0]).toEqual({
      Data: [{ VarCharValue: 'text' }, { VarCharValue: 'maybe' }, { VarCharValue: 'px' }],
    })
    const read = first.ResultSet.Rows.slice(1)
    for (let NextToken = first.NextToken; NextToken !== undefined; ) {
      const page = await results(id, { NextToken, MaxResults: 700 })
      read.push(...page.ResultSet.Rows)
      NextToken = page.NextToken
    }
    expect(read.map((row) => row.Data.map((datum) => datum.VarCharValue ?? null))).toEqual(rows)
  })

  it('hands its rows on as they come: what is large lies in a file, which is gone when it ends, however it does', async () => {
    const inFlight = () => readdir(join(directory, 'results-in-flight'))
    const columns = [{ name: 'text', type: 'varchar' }]
    const batch = Array.from({ length: 2048 }, (_, at) => [`${at} ${'x'.repeat(1000)}`])
    const notYet = (): void => undefined
    let end = notYet
    answer = async ({ rowSink, signal }) => {
      rowSink?.begin(columns)
      for (let count = 0; count < 3; count += 1) await rowSink?.add(batch)
      signal?.throwIfAborted()
      await new Promise<void>((resolve, reject) => {
        end = resolve
        signal?.addEventListener('abort', () => reject(signal.reason))
      })
      return { columns, rows: [['last']], scannedBytes: 0 }
    }
    const id = await start('select text')
    await vi.waitUntil(async () => (await inFlight()).length === 1, { timeout: 20_000 })
    await vi.waitUntil(() => end !== notYet, { timeout: 20_000 })
    end()
    await ended(id)
    await vi.waitUntil(async () => (await inFlight()).length === 0, { timeout: 20_000 })
    const { filePath } = (await storage.findObject('results', `out/${id}.csv`))!
    const lines = (await readFile(filePath, 'utf8')).split('\n')
    expect(lines).toHaveLength(1 + 3 * 2048 + 1 + 1)
    expect([lines[0], lines[2049], lines.at(-2)]).toEqual(['"text"', lines[1], '"last"'])
    const stopped = await start('select text')
    await vi.waitUntil(async () => (await inFlight()).length === 1, { timeout: 20_000 })
    await athena.handle('StopQueryExecution', { QueryExecutionId: stopped })
    await vi.waitUntil(async () => (await inFlight()).length === 0, { timeout: 20_000 })
    expect(await storage.findObject('results', `out/${stopped}.csv`)).toBeUndefined()
  }, 60_000)

  it('fails with the reason and category of the engine', async () => {
    answer = () => {
      throw new QueryError('TABLE_NOT_FOUND', "TABLE_NOT_FOUND: line 1:15: Table 'x' does not exist")
    }
    const failed = await ended(await start('select * from x'))
    expect(failed.Status).toMatchObject({
      State: 'FAILED',
      StateChangeReason: "TABLE_NOT_FOUND: line 1:15: Table 'x' does not exist",
      AthenaError: { ErrorCategory: 2, ErrorType: 1110, Retryable: false },
    })
    await expect(results(failed['QueryExecutionId'] as string)).rejects.toThrowError(
      /Final query state: FAILED/,
    )
    answer = () => {
      throw new TypeError('a defect of ours')
    }
    expect((await ended(await start('select 2'))).Status).toMatchObject({ AthenaError: { ErrorCategory: 1 } })
  })

  it('is stopped: its signal is aborted and it stays CANCELLED', async () => {
    answer = untilAborted
    const id = await start('select 1')
    await reaches(id, 'RUNNING')
    await athena.handle('StopQueryExecution', { QueryExecutionId: id })
    expect((await get(id)).Status).toMatchObject({
      State: 'CANCELLED',
      StateChangeReason: /cancelled by user/,
    })
    expect(engine.asked[0]?.signal?.aborted).toBe(true)
    await athena.handle('StopQueryExecution', { QueryExecutionId: id })
    await new Promise((resolve) => setTimeout(resolve, 10))
    expect((await get(id)).Status.State).toBe('CANCELLED')
  })

  it('waits QUEUED while as many as the limit run, and can be stopped there', async () => {
    answer = untilAborted
    const first = await start('select 1')
    const second = await start('select 2')
    const third = await start('select 3')
    const fourth = await start('select 4')
    await reaches(first, 'RUNNING')
    await reaches(second, 'RUNNING')
    await athena.handle('StopQueryExecution', { QueryExecutionId: third })
    expect((await get(fourth)).Status.State).toBe('QUEUED')
    // Which of two that run side by side asks the engine first is open.
    await vi.waitUntil(() => engine.asked.length === 2)
    expect(engine.asked.map((one) => one.sql).sort()).toEqual(['select 1', 'select 2'])
    await athena.handle('StopQueryExecution', { QueryExecutionId: first })
    await reaches(fourth, 'RUNNING')
    await vi.waitUntil(() => engine.asked.length === 3)
    expect(engine.asked.at(-1)?.sql).toBe('select 4')
  })

  it('is refused where 1,000 wait already, as too many', async () => {
    answer = untilAborted
    const running = await Promise.all([start('select 1'), start('select 2')])
    for (const id of running) await reaches(id, 'RUNNING')
    const waiting = await start('select 3')
    for (let more = 1; more < 1000; more += 1) await start('select 4')
    await expect(start('select 5')).rejects.toMatchObject({
      name: 'TooManyRequestsException',
      members: { Reason: 'CONCURRENT_QUERY_LIMIT_EXCEEDED' },
    })
    await athena.handle('StopQueryExecution', { QueryExecutionId: waiting })
    expect((await get(await start('select 5'))).Status.State).toBe('QUEUED')
  }, 60_000)

  it('is not started twice by one client token, nor for another question', async () => {
    const ClientRequestToken = 't'.repeat(32)
    const ids = await Promise.all([
      start('select 1', { ClientRequestToken }),
      start('select 1', { ClientRequestToken }),
    ])
    expect(ids[0]).toBe(ids[1])
    await ended(ids[0] as string)
    expect(engine.asked).toHaveLength(1)
    await expect(start('select 2', { ClientRequestToken })).rejects.toThrowError(
      /Idempotent parameters do not match/,
    )
    await expect(start('select 2', { ClientRequestToken: 'short' })).rejects.toMatchObject({
      name: 'InvalidRequestException',
    })
  })

  it('is known after a restart with its results, and one cut off by it is FAILED', async () => {
    const done = await start('select 1')
    await ended(done)
    answer = untilAborted
    const cut = await start('select 2')
    await reaches(cut, 'RUNNING')
    const again = await open()
    const { QueryExecutions } = await again.handle('BatchGetQueryExecution', {
      QueryExecutionIds: [done, cut],
    })
    expect((QueryExecutions as Execution[]).map((one) => one.Status.State)).toEqual(['SUCCEEDED', 'FAILED'])
    const { ResultSet } = (await again.handle('GetQueryResults', {
      QueryExecutionId: done,
    })) as unknown as Results
    expect(ResultSet.Rows).toHaveLength(2)
    await again.close()
  })

  it('hands its parameters on as they are, and refuses those out of bounds', async () => {
    await ended(await start('select ?', { ExecutionParameters: ["'a''b'", '1'] }))
    expect(engine.asked[0]?.parameters).toEqual(["'a''b'", '1'])
    for (const ExecutionParameters of [[], [''], ['x'.repeat(1025)]]) {
      await expect(start('select ?', { ExecutionParameters })).rejects.toMatchObject({
        name: 'InvalidRequestException',
      })
    }
  })

  it.each([
    ['selec 1', /line 1:1: mismatched input 'selec'/],
    ['-- nothing', /mismatched input '<EOF>'/],
  ])('%j is refused at once as malformed', async (sql, message) => {
    await expect(start(sql)).rejects.toMatchObject({
      name: 'InvalidRequestException',
      message: expect.stringMatching(message),
      members: { AthenaErrorCode: 'MALFORMED_QUERY' },
    })
  })

  it.each(['UPDATE t SET a = 1', 'delete from t', 'MERGE INTO t USING s ON true', 'VACUUM t'])(
    '%j fails as not supported, by name',
    async (sql) => {
      const { Status } = await ended(await start(sql))
      expect(Status).toMatchObject({ State: 'FAILED', StateChangeReason: /^NOT_SUPPORTED: The statement / })
      expect(Status.StateChangeReason).toContain(sql.split(' ', 1)[0]?.toUpperCase())
      expect(engine.asked).toEqual([])
    },
  )
})

describe('a DDL statement', () => {
  it('answers its lines from a text file, without a header row', async () => {
    const created = await ended(await start('CREATE DATABASE desk'))
    expect(created).toMatchObject({ StatementType: 'DDL', SubstatementType: 'CREATE_DATABASE' })
    const answered = await results(created['QueryExecutionId'] as string)
    expect(answered.ResultSet).toEqual({ Rows: [], ResultSetMetadata: { ColumnInfo: [] } })
    await ended(await start('CREATE DATABASE second'))
    const shown = await ended(await start('SHOW DATABASES'))
    expect(shown.ResultConfiguration.OutputLocation).toMatch(/\.txt$/)
    const { ResultSet } = await results(shown['QueryExecutionId'] as string)
    expect(ResultSet.Rows).toEqual([
      { Data: [{ VarCharValue: 'desk' }] },
      { Data: [{ VarCharValue: 'second' }] },
    ])
    expect(ResultSet.ResultSetMetadata.ColumnInfo).toMatchObject([{ Name: 'database_name', Type: 'string' }])
    expect(engine.asked).toEqual([])
  })

  it('fails in the words of Hive', async () => {
    const { Status } = await ended(await start('DROP TABLE x'))
    expect(Status).toMatchObject({
      State: 'FAILED',
      StateChangeReason: 'FAILED: SemanticException [Error 10001]: Table not found x',
      AthenaError: { ErrorCategory: 2, ErrorType: 1003 },
    })
  })
})

describe('the place of results', () => {
  it('is required, must be S3, and its bucket must exist', async () => {
    await expect(start('select 1', { ResultConfiguration: undefined })).rejects.toThrowError(
      /^No output location provided. An output location is required/,
    )
    const at = (OutputLocation: string) => start('select 1', { ResultConfiguration: { OutputLocation } })
    await expect(at('/tmp/x')).rejects.toMatchObject({ name: 'InvalidRequestException' })
    await expect(at('s3://absent/')).rejects.toThrowError(/Unable to verify\/create output bucket absent/)
  })

  it("is the work group's where that is enforced, and kept over a restart", async () => {
    const Configuration = { ResultConfiguration: { OutputLocation: 's3://results/group/' } }
    await athena.handle('CreateWorkGroup', { Name: 'desk', Configuration })
    const enforced = await ended(await start('select 1', { WorkGroup: 'desk' }))
    expect(enforced.ResultConfiguration.OutputLocation).toMatch(/^s3:\/\/results\/group\//)
    const ConfigurationUpdates = { EnforceWorkGroupConfiguration: false }
    await athena.handle('UpdateWorkGroup', { WorkGroup: 'desk', ConfigurationUpdates })
    const own = await ended(await start('select 1', { WorkGroup: 'desk' }))
    expect(own.ResultConfiguration.OutputLocation).toMatch(/^s3:\/\/results\/out\//)
    const again = await open()
    const { WorkGroups } = await again.handle('ListWorkGroups', {})
    expect((WorkGroups as { Name: string }[]).map((group) => group.Name)).toEqual(['desk', 'primary'])
    await again.close()
  })
})

it('a query over the bytes its work group allows is cancelled without a result', async () => {
  answer = () => ({ ...oneRow, scannedBytes: 10_000_001 })
  await athena.handle('CreateWorkGroup', {
    Name: 'small',
    Configuration: { BytesScannedCutoffPerQuery: 10_000_000 },
  })
  const execution = await ended(await start('select 1', { WorkGroup: 'small' }))
  expect(execution.Status).toMatchObject({ State: 'CANCELLED', StateChangeReason: /Bytes scanned limit/ })
  expect(await storage.findObject('results', `out/${execution['QueryExecutionId']}.csv`)).toBeUndefined()
})

it('queries are listed newest first, paged', async () => {
  const ids: string[] = []
  for (let at = 0; at < 5; at += 1) ids.push(await start(`select ${at}`))
  const first = await athena.handle('ListQueryExecutions', { MaxResults: 3 })
  const second = await athena.handle('ListQueryExecutions', { MaxResults: 3, NextToken: first['NextToken'] })
  expect([...(first['QueryExecutionIds'] as []), ...(second['QueryExecutionIds'] as [])]).toEqual(
    ids.reverse(),
  )
  expect(second['NextToken']).toBeUndefined()
})

it('shows the catalog', async () => {
  catalog.createDatabase({ Name: 'market' })
  catalog.createTable('market', { Name: 'bars', PartitionKeys: [{ Name: 'year', Type: 'int' }] })
  const where = { CatalogName: 'AwsDataCatalog', DatabaseName: 'market' }
  expect(await athena.handle('ListTableMetadata', where)).toMatchObject({
    TableMetadataList: [{ Name: 'bars' }],
  })
  await expect(athena.handle('GetTableMetadata', { ...where, TableName: 'x' })).rejects.toMatchObject({
    name: 'MetadataException',
    // PyAthena tells a table that is missing from other trouble by these words.
    message: expect.stringMatching(
      /\(Service: AmazonDataCatalog; Status Code: 400; Error Code: EntityNotFoundException; [^()]*\)$/,
    ),
  })
})

it('names an operation the local stack does not have', async () => {
  await expect(athena.handle('CreateNotebook', {})).rejects.toMatchObject({
    name: 'UnsupportedOperationException',
    message: expect.stringContaining('athena:CreateNotebook'),
  })
})

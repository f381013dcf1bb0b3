import { readFile } from 'node:fs/promises'
import {
  AthenaClient,
  GetQueryExecutionCommand,
  GetQueryResultsCommand,
  InvalidRequestException,
  paginateGetQueryResults,
  StartQueryExecutionCommand,
  StopQueryExecutionCommand,
} from '@aws-sdk/client-athena'
import { GetObjectCommand, PutObjectCommand } from '@aws-sdk/client-s3'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { stackOfFile } from '../stack/stack-of-file.ts'

const { s3, connection } = await stackOfFile('lake', 'results')
const athena = new AthenaClient(connection)

beforeAll(async () => {
  for (const dt of ['2024-03-08', '2024-03-09', '2024-03-10']) {
    const file = new URL(`../golden/data/trades/dt=${dt}/part-0.parquet`, import.meta.url)
    const Key = `trades/dt=${dt}/part-0.parquet`
    await s3.send(new PutObjectCommand({ Bucket: 'lake', Key, Body: await readFile(file) }))
  }
  await run('create database golden')
  await run(`create external table golden.trades (id bigint, ts timestamp, symbol string, px decimal(18,4), size bigint)
    partitioned by (dt string) stored as parquet location 's3://lake/trades/'`)
  await run('msck repair table trades')
})
afterAll(() => athena.destroy())

const start = async (QueryString: string, more: { ExecutionParameters?: string[] } = {}): Promise<string> => {
  const { QueryExecutionId } = await athena.send(
    new StartQueryExecutionCommand({
      QueryString,
      QueryExecutionContext: { Database: 'golden' },
      ResultConfiguration: { OutputLocation: 's3://results/athena/' },
      ...more,
    }),
  )
  return QueryExecutionId ?? ''
}

async function run(sql: string, more: { ExecutionParameters?: string[] } = {}) {
  const QueryExecutionId = await start(sql, more)
  for (;;) {
    const { QueryExecution } = await athena.send(new GetQueryExecutionCommand({ QueryExecutionId }))
    const status = QueryExecution?.Status
    if (status?.State === 'SUCCEEDED') return QueryExecution
    if (status?.State === 'FAILED' || status?.State === 'CANCELLED') throw new Error(status.StateChangeReason)
    await new Promise((resolve) => setTimeout(resolve, 10))
  }
}

async function rowsOf(QueryExecutionId: string | undefined) {
  const rows: (string | null)[][] = []
  const pages = paginateGetQueryResults({ client: athena, pageSize: 50 }, { QueryExecutionId })
  for await (const page of pages) {
    for (const row of page.ResultSet?.Rows ?? [])
      rows.push((row.Data ?? []).map((one) => one.VarCharValue ?? null))
  }
  return rows
}

describe('the AWS SDK against the embedded Athena', () => {
  it('counts the rows of repaired partitions and reads only the partition asked for', async () => {
    const all = await run('select dt, count(*) as n from trades group by dt order by dt')
    expect(await rowsOf(all?.QueryExecutionId)).toEqual([
      ['dt', 'n'],
      ['2024-03-08', '40'],
      ['2024-03-09', '40'],
      ['2024-03-10', '40'],
    ])
    const sql = 'select count(*) as n from trades where dt = ?'
    const one = await run(sql, { ExecutionParameters: ["'2024-03-09'"] })
    expect(await rowsOf(one?.QueryExecutionId)).toEqual([['n'], ['40']])
    const scanned = (execution: typeof all): number => execution?.Statistics?.DataScannedInBytes ?? 0
    expect(scanned(one)).toBeGreaterThan(0)
    expect(scanned(one)).toBeLessThan(scanned(all) / 2)
  })

  it('pages a result of 120 rows and leaves the same in S3', async () => {
    const execution = await run('select id, px, symbol from trades order by id')
    const rows = await rowsOf(execution?.QueryExecutionId)
    expect(rows).toHaveLength(121)
    const Key = `athena/${execution?.QueryExecutionId}.csv`
    const { Body } = await s3.send(new GetObjectCommand({ Bucket: 'results', Key }))
    const lines = ((await Body?.transformToString()) ?? '').trimEnd().split('\n')
    expect(lines).toEqual(rows.map((row) => row.map((cell) => (cell === null ? '' : `"${cell}"`)).join(',')))
    expect(execution?.ResultConfiguration?.OutputLocation).toBe(`s3://results/${Key}`)
  })

  it('reads a projected table without any partition in the catalog', async () => {
    await run(`create external table projected (id bigint) partitioned by (dt string) stored as parquet
      location 's3://lake/trades/' tblproperties ('projection.enabled'='true', 'projection.dt.type'='date',
      'projection.dt.format'='yyyy-MM-dd', 'projection.dt.range'='2024-03-09,NOW')`)
    const execution = await run('select count(*) as n, min(dt) as first from projected')
    expect(await rowsOf(execution?.QueryExecutionId)).toEqual([
      ['n', 'first'],
      ['80', '2024-03-09'],
    ])
  })

  it('stops a query that would run for hours within a second, and answers the next one', async () => {
    const QueryExecutionId = await start(
      `select count(*) as n from trades a cross join trades b cross join trades c cross join trades d
       cross join trades e cross join trades f where a.size + b.size * c.size > d.size + e.size - f.size`,
    )
    const state = async () =>
      (await athena.send(new GetQueryExecutionCommand({ QueryExecutionId }))).QueryExecution?.Status?.State
    while ((await state()) === 'QUEUED') await new Promise((resolve) => setTimeout(resolve, 10))
    await new Promise((resolve) => setTimeout(resolve, 200))
    expect(await state()).toBe('RUNNING')
    const stopped = Date.now()
    await athena.send(new StopQueryExecutionCommand({ QueryExecutionId }))
    expect(await state()).toBe('CANCELLED')
    const next = await run('select 1 as one')
    expect(await rowsOf(next?.QueryExecutionId)).toEqual([['one'], ['1']])
    expect(Date.now() - stopped).toBeLessThan(1000)
  })

  it('throws the exceptions of the SDK and fails in the words of the engine', async () => {
    await expect(
      athena.send(new GetQueryResultsCommand({ QueryExecutionId: 'absent' })),
    ).rejects.toBeInstanceOf(InvalidRequestException)
    await expect(run('select * from absent')).rejects.toThrowError(/^TABLE_NOT_FOUND: line 1:15/)
    await expect(run('merge into trades using trades on true')).rejects.toThrowError(
      /^NOT_SUPPORTED: The statement MERGE/,
    )
  })
})

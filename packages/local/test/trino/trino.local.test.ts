import {
  AthenaClient,
  GetQueryExecutionCommand,
  GetQueryResultsCommand,
  type QueryExecution,
  StartQueryExecutionCommand,
  StopQueryExecutionCommand,
} from '@aws-sdk/client-athena'
import { CreateBucketCommand } from '@aws-sdk/client-s3'
import { expect, it, vi } from 'vitest'
import { startLocalStack } from '../../src/local-stack.ts'
import { s3ClientFor } from '../stack/s3-client.ts'
import { column, page, startFakeTrino } from './fake-trino.ts'

const limit = { timeout: 60_000 }

it('Athena passes queries to Trino and answers as ever; Hive DDL stays with the stack', limit, async () => {
  const columns = [column('name', 'varchar'), column('px', 'double')]
  await using trino = await startFakeTrino((sql) => {
    if (sql.includes('endless')) return []
    if (sql.includes('nope')) {
      const message = "line 1:15: Table 'awsdatacatalog.market.nope' does not exist"
      return [`"error":${JSON.stringify({ message, errorName: 'TABLE_NOT_FOUND', errorType: 'USER_ERROR' })}`]
    }
    if (/^(CREATE TABLE|INSERT)/.test(sql)) {
      return [`"updateType":"INSERT","updateCount":3,${page([column('rows', 'bigint')], '[[3]]')}`]
    }
    if (sql.startsWith('EXPLAIN'))
      return [page([column('Query Plan', 'varchar')], '[["Fragment 0\\n  Output"]]')]
    return [page(columns, '[["a",1.5],[null,1.0E7]]')]
  })
  await using stack = await startLocalStack({
    httpPort: 0,
    kafkaPort: 0,
    athenaEngine: { trino: trino.origin },
  })
  const s3 = s3ClientFor(stack)
  await s3.send(new CreateBucketCommand({ Bucket: 'results' }))
  s3.destroy()
  const { endpoint, region, accessKeyId, secretAccessKey } = stack.aws
  const athena = new AthenaClient({ endpoint, region, credentials: { accessKeyId, secretAccessKey } })
  const start = async (QueryString: string): Promise<string> => {
    const { QueryExecutionId } = await athena.send(
      new StartQueryExecutionCommand({
        QueryString,
        QueryExecutionContext: { Database: 'market' },
        ResultConfiguration: { OutputLocation: 's3://results/' },
      }),
    )
    return QueryExecutionId!
  }
  const inState = (QueryExecutionId: string, ...states: string[]): Promise<QueryExecution> =>
    vi.waitFor(async () => {
      const { QueryExecution: query } = await athena.send(new GetQueryExecutionCommand({ QueryExecutionId }))
      expect(states).toContain(query?.Status?.State)
      return query!
    }, limit)
  const ends = ['SUCCEEDED', 'FAILED', 'CANCELLED']

  const query = await inState(await start('SELECT name, px FROM t;'), ...ends)
  expect(query.Status).toMatchObject({ State: 'SUCCEEDED' })
  expect(query.Statistics?.DataScannedInBytes).toBe(42)
  const results = await athena.send(new GetQueryResultsCommand({ QueryExecutionId: query.QueryExecutionId }))
  expect(results.ResultSet?.Rows?.map((row) => row.Data?.map((cell) => cell.VarCharValue))).toEqual([
    ['name', 'px'],
    ['a', '1.5'],
    [undefined, '1.0E7'],
  ])
  expect(results.ResultSet?.ResultSetMetadata?.ColumnInfo?.map((info) => info.Type)).toEqual([
    'varchar',
    'double',
  ])

  const failed = await inState(await start('SELECT * FROM nope'), ...ends)
  expect(failed.Status).toMatchObject({
    State: 'FAILED',
    StateChangeReason: "TABLE_NOT_FOUND: line 1:15: Table 'awsdatacatalog.market.nope' does not exist",
    AthenaError: { ErrorCategory: 2 },
  })

  const written = await inState(await start('CREATE TABLE u AS SELECT 1 AS x'), ...ends)
  expect(written.Status).toMatchObject({ State: 'SUCCEEDED' })
  const inserted = await inState(await start('INSERT INTO u SELECT 2;'), ...ends)
  expect(
    await athena.send(new GetQueryResultsCommand({ QueryExecutionId: inserted.QueryExecutionId })),
  ).toMatchObject({ UpdateCount: 3 })
  const explained = await inState(await start('EXPLAIN SELECT 1'), ...ends)
  const plan = await athena.send(new GetQueryResultsCommand({ QueryExecutionId: explained.QueryExecutionId }))
  expect(plan.ResultSet?.Rows?.map((row) => row.Data?.[0]?.VarCharValue)).toEqual(['Fragment 0', '  Output'])
  const unloaded = await inState(
    await start("UNLOAD (SELECT 1 AS x) TO 's3://results/u/' WITH (format = 'PARQUET')"),
    ...ends,
  )
  expect(unloaded.Status?.StateChangeReason).toContain('UNLOAD where queries are passed to Trino')

  const endless = await start('SELECT endless')
  await inState(endless, 'RUNNING')
  await vi.waitFor(() => expect(trino.asked).toHaveLength(6), limit)
  await athena.send(new StopQueryExecutionCommand({ QueryExecutionId: endless }))
  expect((await inState(endless, ...ends)).Status?.State).toBe('CANCELLED')
  await vi.waitFor(() => expect(trino.cancelled).toHaveLength(1), limit)

  const ddl = await inState(await start('CREATE DATABASE market'), ...ends)
  expect(ddl.Status?.State).toBe('SUCCEEDED')
  expect(trino.asked.map(({ sql }) => sql)).toEqual([
    'SELECT name, px FROM t',
    'SELECT * FROM nope',
    'CREATE TABLE u AS SELECT 1 AS x',
    'INSERT INTO u SELECT 2',
    'EXPLAIN SELECT 1',
    'SELECT endless',
  ])
  athena.destroy()
})

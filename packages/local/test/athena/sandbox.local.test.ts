import {
  AthenaClient,
  GetQueryExecutionCommand,
  GetQueryResultsCommand,
  StartQueryExecutionCommand,
  StopQueryExecutionCommand,
} from '@aws-sdk/client-athena'
import { GetObjectCommand, PutObjectCommand } from '@aws-sdk/client-s3'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { stackOfFile } from '../stack/stack-of-file.ts'

const { s3, connection } = await stackOfFile('lake', 'results')
const athena = new AthenaClient(connection)

beforeAll(async () => {
  await s3.send(new PutObjectCommand({ Bucket: 'lake', Key: 'secret.csv', Body: 'a,b\n1,2\n' }))
  await answered('create database golden')
  await answered("create table numbers with (external_location = 's3://lake/numbers/') as select 1 as n")
  await answered(
    "create external table etc (line string) stored as parquet location 's3://lake/../../../../../etc/'",
  )
  await answered("create external table up (n int) stored as parquet location 's3://../s3/lake/numbers/'")
  await answered("create external table dots (n int) stored as parquet location 's3://lake/x/../numbers/'")
  await answered("create external table root (n int) stored as parquet location 's3://lake/../../s3-meta/'")
}, 60_000)
afterAll(() => athena.destroy())

const start = async (QueryString: string): Promise<string> => {
  const { QueryExecutionId } = await athena.send(
    new StartQueryExecutionCommand({
      QueryString,
      QueryExecutionContext: { Database: 'golden' },
      ResultConfiguration: { OutputLocation: 's3://results/' },
    }),
  )
  return QueryExecutionId ?? ''
}

async function ended(QueryExecutionId: string) {
  for (;;) {
    const { QueryExecution } = await athena.send(new GetQueryExecutionCommand({ QueryExecutionId }))
    const { State, StateChangeReason = '' } = QueryExecution?.Status ?? {}
    if (State !== 'QUEUED' && State !== 'RUNNING') return { State, StateChangeReason, id: QueryExecutionId }
    await new Promise((resolve) => setTimeout(resolve, 10))
  }
}

async function answered(sql: string): Promise<readonly (readonly (string | undefined)[])[]> {
  const { State, StateChangeReason, id } = await ended(await start(sql))
  if (State !== 'SUCCEEDED') throw new Error(StateChangeReason)
  const { ResultSet } = await athena.send(new GetQueryResultsCommand({ QueryExecutionId: id }))
  return (ResultSet?.Rows ?? []).map((row) => (row.Data ?? []).map((datum) => datum.VarCharValue))
}

/** Why a statement was refused, at once or when it ran. */
async function refusal(sql: string): Promise<string> {
  try {
    return `answered: ${JSON.stringify(await answered(sql))}`
  } catch (error) {
    return (error as Error).message
  }
}

describe('a statement reaches nothing outside of the buckets', () => {
  it.each([
    "select * from read_csv('/etc/passwd')",
    "select * from read_text('/etc/passwd')",
    "select read_blob('/etc/passwd')",
    "select * from read_parquet('s3://lake/numbers/*')",
    "select * from '/etc/passwd'",
    'select * from "/etc/passwd"',
    'select * from "s3://lake/secret.csv"',
    "select * from glob('/*')",
    "select getenv('HOME')",
    'select * from duckdb_settings()',
    'select * from duckdb_secrets',
    'select * from information_schema.character_sets',
    'select * from sqlite_master',
    "select current_setting('temp_directory')",
    "select * from query('select 1')",
    "attach '/tmp/x.db' as x",
    "copy numbers to '/tmp/x.csv'",
    "copy (select 1) to 's3://lake/x.csv'",
    "export database '/tmp/x'",
    'install httpfs',
    "load 'httpfs'",
    'pragma database_list',
    "set allowed_directories = ['/']",
    'set enable_external_access = true',
    'call pragma_version()',
    'create macro m() as (select 1)',
    "create table x as select * from read_csv('/etc/passwd')",
    "create table x with (external_location = '/etc') as select 1 as a",
    "create table x with (external_location = 'file:///tmp/x/') as select 1 as a",
    "unload (select 1 as a) to '/tmp/out/' with (format = 'PARQUET')",
    "unload (select 1 as a) to 'https://localhost/out/' with (format = 'PARQUET')",
    "insert into numbers select * from read_csv('/etc/passwd')",
    "create view v as select * from read_csv('/etc/passwd')",
    "prepare p from select * from read_csv('/etc/passwd'); execute p",
    'select 1; drop table numbers',
    'select * from "rows_to_write"',
    "select n from numbers where n in (select content from read_text('/etc/passwd'))",
  ])('%s', async (sql) => {
    expect(await refusal(sql)).toMatch(
      /NOT_SUPPORTED|SYNTAX_ERROR|TABLE_NOT_FOUND|FUNCTION_NOT_FOUND|SCHEMA_NOT_FOUND|HIVE_FILESYSTEM_ERROR|mismatched input|Only one sql statement/,
    )
  })

  it.each(['etc', 'up', 'dots', 'root'])(
    'the table %s, whose location climbs out, has no rows',
    async (table) => {
      // Dots in a key are part of its name; a bucket of dots is none.
      expect(await answered(`select * from ${table}`)).toHaveLength(1)
    },
  )

  it('names of columns and texts stay what they are', async () => {
    const odd = `it's "; drop table numbers --`
    const sql = `select '${odd.replaceAll("'", "''")}' as "${odd.replaceAll('"', '""')}"`
    expect(await answered(sql)).toEqual([[odd.toLowerCase()], [odd]])
    await answered(`create table odd as ${sql}`)
    expect(await answered('select * from odd')).toEqual([[odd.toLowerCase()], [odd]])
  })
})

describe('queries beside each other', () => {
  const endless = `select count(*) as n from unnest(sequence(1, 10000)) as a (x), unnest(sequence(1, 10000)) as b (y),
    unnest(sequence(1, 10000)) as c (z) where x + y * z < 0`

  it('64 at once end right', async () => {
    const asked = Array.from({ length: 64 }, (_, i) =>
      answered(`select sum(n) + ${i} as total, '${i}' as i from unnest(sequence(1, 1000)) as t (n)`),
    )
    expect((await Promise.all(asked)).map(([, row]) => row)).toEqual(
      asked.map((_, i) => [String(500_500 + i), String(i)]),
    )
  }, 60_000)

  it('twenty endless ones stop nobody else, and are stopped within a second', async () => {
    const ids = await Promise.all(Array.from({ length: 20 }, () => start(endless)))
    await new Promise((resolve) => setTimeout(resolve, 300))
    const Body = 'x'.repeat(1_000_000)
    await s3.send(new PutObjectCommand({ Bucket: 'lake', Key: 'meanwhile', Body }))
    const stored = await s3.send(new GetObjectCommand({ Bucket: 'lake', Key: 'meanwhile' }))
    expect(await stored.Body?.transformToString()).toBe(Body)
    await Promise.all(
      ids.map((QueryExecutionId) => athena.send(new StopQueryExecutionCommand({ QueryExecutionId }))),
    )
    const stopped = Date.now()
    expect(new Set((await Promise.all(ids.map(ended))).map(({ State }) => State))).toEqual(
      new Set(['CANCELLED']),
    )
    expect(await answered('select 1 as one')).toEqual([['one'], ['1']])
    expect(Date.now() - stopped).toBeLessThan(1000)
  }, 60_000)
})

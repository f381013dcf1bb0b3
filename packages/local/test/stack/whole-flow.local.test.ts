import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import {
  AthenaClient,
  GetQueryExecutionCommand,
  GetQueryResultsCommand,
  StartQueryExecutionCommand,
} from '@aws-sdk/client-athena'
import {
  BatchCreatePartitionCommand,
  CreateDatabaseCommand,
  CreateTableCommand,
  GetPartitionsCommand,
  GlueClient,
} from '@aws-sdk/client-glue'
import { CreateBucketCommand, GetObjectCommand, PutObjectCommand, type S3Client } from '@aws-sdk/client-s3'
import { DuckDBInstance } from '@duckdb/node-api'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type LocalStack, startLocalStack } from '../../src/local-stack.ts'
import { s3ClientFor } from './s3-client.ts'

let directory: string
let stack: LocalStack
let s3: S3Client
let glue: GlueClient
let athena: AthenaClient

beforeAll(async () => {
  directory = await mkdtemp(path.join(tmpdir(), 'stockpipe-flow-'))
  stack = await startLocalStack({ dataDir: path.join(directory, 'data'), httpPort: 0, kafkaPort: 0 })
  s3 = s3ClientFor(stack)
  const { endpoint, region, accessKeyId, secretAccessKey } = stack.aws
  const config = { endpoint, region, credentials: { accessKeyId, secretAccessKey } }
  glue = new GlueClient(config)
  athena = new AthenaClient(config)
})
afterAll(async () => {
  for (const client of [s3, glue, athena]) client.destroy()
  await stack.close()
  await rm(directory, { recursive: true, force: true })
})

const parquetOf = async (select: string): Promise<Buffer> => {
  const file = path.join(directory, 'rows.parquet')
  const instance = await DuckDBInstance.create(':memory:')
  const connection = await instance.connect()
  await connection.run(`COPY (${select}) TO '${file}' (FORMAT parquet)`)
  connection.closeSync()
  instance.closeSync()
  return readFile(file)
}

const query = async (QueryString: string) => {
  const { QueryExecutionId } = await athena.send(
    new StartQueryExecutionCommand({
      QueryString,
      QueryExecutionContext: { Database: 'market' },
      ResultConfiguration: { OutputLocation: 's3://lake/results/' },
    }),
  )
  for (;;) {
    const { QueryExecution } = await athena.send(new GetQueryExecutionCommand({ QueryExecutionId }))
    const { State, StateChangeReason } = QueryExecution!.Status!
    if (State === 'FAILED') throw new Error(StateChangeReason)
    if (State === 'SUCCEEDED') break
    await new Promise((resolve) => setTimeout(resolve, 20))
  }
  const { ResultSet } = await athena.send(new GetQueryResultsCommand({ QueryExecutionId }))
  const csv = await s3.send(new GetObjectCommand({ Bucket: 'lake', Key: `results/${QueryExecutionId}.csv` }))
  return {
    rows: ResultSet!.Rows!.slice(1).map(({ Data }) => Data!.map(({ VarCharValue }) => VarCharValue)),
    csv: await csv.Body!.transformToString(),
  }
}

describe('the services of a stack', () => {
  it('answer SQL over objects put through S3 and partitions registered in Glue, odd symbols too', async () => {
    await s3.send(new CreateBucketCommand({ Bucket: 'lake' }))
    await glue.send(new CreateDatabaseCommand({ DatabaseInput: { Name: 'market' } }))
    const parquet = {
      InputFormat: 'org.apache.hadoop.hive.ql.io.parquet.MapredParquetInputFormat',
      OutputFormat: 'org.apache.hadoop.hive.ql.io.parquet.MapredParquetOutputFormat',
      SerdeInfo: { SerializationLibrary: 'org.apache.hadoop.hive.ql.io.parquet.serde.ParquetHiveSerDe' },
    }
    const Columns = [{ Name: 'size', Type: 'bigint' }]
    await glue.send(
      new CreateTableCommand({
        DatabaseName: 'market',
        TableInput: {
          Name: 'trades',
          TableType: 'EXTERNAL_TABLE',
          PartitionKeys: [{ Name: 'ticker', Type: 'string' }],
          StorageDescriptor: { Columns, Location: 's3://lake/trades/', ...parquet },
        },
      }),
    )
    const tickers = ['AAPL', 'aapl', 'BRK.B', 'a b+c%', 'x[1]*?']
    for (const [n, ticker] of tickers.entries()) {
      const Key = `trades/ticker=${encodeURIComponent(ticker)}/part-0.parquet`
      const Body = await parquetOf(`SELECT CAST(${n} + range AS BIGINT) AS size FROM range(10)`)
      await s3.send(new PutObjectCommand({ Bucket: 'lake', Key, Body }))
    }
    await glue.send(
      new BatchCreatePartitionCommand({
        DatabaseName: 'market',
        TableName: 'trades',
        PartitionInputList: tickers.map((ticker) => ({
          Values: [ticker],
          StorageDescriptor: {
            Columns,
            Location: `s3://lake/trades/ticker=${encodeURIComponent(ticker)}/`,
            ...parquet,
          },
        })),
      }),
    )
    const { Partitions } = await glue.send(
      new GetPartitionsCommand({ DatabaseName: 'market', TableName: 'trades' }),
    )
    expect(Partitions).toHaveLength(tickers.length)
    const { rows, csv } = await query(
      'SELECT ticker, count(*), sum(size) FROM trades GROUP BY ticker ORDER BY sum(size)',
    )
    expect(rows).toEqual(tickers.map((ticker, n) => [ticker, '10', String(45 + 10 * n)]))
    expect(csv.split('\n')[1]).toBe('"AAPL","10","45"')
    expect((await query("SELECT count(*) FROM trades WHERE ticker = 'x[1]*?'")).rows).toEqual([['10']])
  })
})

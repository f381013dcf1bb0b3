import { readFile } from 'node:fs/promises'
import {
  BatchCreatePartitionCommand,
  CreateCrawlerCommand,
  CreateDatabaseCommand,
  CreateTableCommand,
  EntityNotFoundException,
  GetCrawlerCommand,
  GetPartitionsCommand,
  GetTableCommand,
  GlueClient,
  ListTriggersCommand,
  paginateGetPartitions,
  StartCrawlerCommand,
} from '@aws-sdk/client-glue'
import { PutObjectCommand } from '@aws-sdk/client-s3'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { stackOfFile } from '../stack/stack-of-file.ts'

const { s3, connection } = await stackOfFile('crawled')
const glue = new GlueClient(connection)

beforeAll(async () => {
  await glue.send(new CreateDatabaseCommand({ DatabaseInput: { Name: 'market' } }))
})
afterAll(() => glue.destroy())

describe('the AWS SDK against the embedded Glue', () => {
  it('creates a table, registers 2,000 partitions and pages through them by an expression', async () => {
    const PartitionKeys = [{ Name: 'year', Type: 'int' }]
    const StorageDescriptor = { Columns: [{ Name: 'price', Type: 'double' }], Location: 's3://lake/bars/' }
    const TableInput = {
      Name: 'Bars',
      StorageDescriptor,
      PartitionKeys,
      Parameters: { classification: 'parquet' },
    }
    await glue.send(new CreateTableCommand({ DatabaseName: 'market', TableInput }))
    const { Table } = await glue.send(new GetTableCommand({ DatabaseName: 'market', Name: 'bars' }))
    expect(Table).toMatchObject({ Name: 'bars', VersionId: '0', StorageDescriptor, PartitionKeys })
    expect(Table?.CreateTime).toBeInstanceOf(Date)

    const where = { DatabaseName: 'market', TableName: 'bars' }
    for (let start = 0; start < 2000; start += 100) {
      const PartitionInputList = Array.from({ length: 100 }, (_, at) => ({
        Values: [String(start + at)],
        StorageDescriptor: { ...StorageDescriptor, Location: `s3://lake/bars/year=${start + at}/` },
      }))
      const { Errors } = await glue.send(new BatchCreatePartitionCommand({ ...where, PartitionInputList }))
      expect(Errors ?? []).toEqual([])
    }
    const years: number[] = []
    for await (const page of paginateGetPartitions(
      { client: glue, pageSize: 300 },
      { ...where, Expression: 'year >= 500', ExcludeColumnSchema: true },
    )) {
      years.push(...(page.Partitions ?? []).map((partition) => Number(partition.Values?.[0])))
    }
    expect(years.sort((left, right) => left - right)).toEqual(
      Array.from({ length: 1500 }, (_, at) => at + 500),
    )
  })

  it('throws the exceptions of the SDK', async () => {
    const missing = glue.send(new GetTableCommand({ DatabaseName: 'market', Name: 'absent' }))
    await expect(missing).rejects.toBeInstanceOf(EntityNotFoundException)
    const badExpression = { DatabaseName: 'market', TableName: 'bars', Expression: 'f(x)' }
    await expect(glue.send(new GetPartitionsCommand(badExpression))).rejects.toMatchObject({
      name: 'InvalidInputException',
    })
    await expect(glue.send(new ListTriggersCommand({}))).rejects.toMatchObject({
      name: 'UnsupportedOperationException',
      message: expect.stringContaining('glue:ListTriggers'),
    })
  })

  it('crawls Parquet objects that were put over HTTP', async () => {
    for (const dt of ['2024-03-08', '2024-03-09']) {
      const file = new URL(`../golden/data/trades/dt=${dt}/part-0.parquet`, import.meta.url)
      const Key = `trades/dt=${dt}/part-0.parquet`
      await s3.send(new PutObjectCommand({ Bucket: 'crawled', Key, Body: await readFile(file) }))
    }
    const Targets = { S3Targets: [{ Path: 's3://crawled/trades/' }] }
    const crawler = { Name: 'trades', Role: 'crawler', DatabaseName: 'market', Targets }
    await glue.send(new CreateCrawlerCommand(crawler))
    await glue.send(new StartCrawlerCommand({ Name: 'trades' }))
    const ready = async () => (await glue.send(new GetCrawlerCommand({ Name: 'trades' }))).Crawler
    let now = await ready()
    while (now?.State !== 'READY') now = await ready()
    expect(now.LastCrawl).toMatchObject({ Status: 'SUCCEEDED' })
    expect(now.LastCrawl?.StartTime).toBeInstanceOf(Date)
    const { Table } = await glue.send(new GetTableCommand({ DatabaseName: 'market', Name: 'trades' }))
    expect(Table?.StorageDescriptor?.Columns?.map((column) => column.Type)).toContain('decimal(18,4)')
    const where = { DatabaseName: 'market', TableName: 'trades' }
    const { Partitions } = await glue.send(new GetPartitionsCommand(where))
    expect(Partitions?.map((partition) => partition.StorageDescriptor?.Location)).toEqual([
      's3://crawled/trades/dt=2024-03-08/',
      's3://crawled/trades/dt=2024-03-09/',
    ])
  })
})

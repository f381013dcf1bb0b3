import { GetPartitionsCommand, GetTableCommand, GlueClient } from '@aws-sdk/client-glue'
import { defineTable, identity, t } from '@stockpipe/core'
import { type LocalStack, startLocalStack } from '@stockpipe/local'
import { afterAll, beforeAll, expect, test } from 'vitest'
import {
  createPartitionRegistrar,
  ensureDatabase,
  ensureTable,
  PartitionRegistrationError,
  runCrawler,
  TableConflictError,
} from '../src/index.ts'
import { boundTrades, partitionOf } from './market-tables.ts'

let stack: LocalStack
const newClient = () => {
  const { endpoint, region, accessKeyId, secretAccessKey } = stack.aws
  return new GlueClient({ endpoint, region, credentials: { accessKeyId, secretAccessKey } })
}
let client: GlueClient

beforeAll(async () => {
  stack = await startLocalStack({ httpPort: 0, kafkaPort: 0 })
  client = newClient()
  await ensureDatabase({ client, database: 'market' })
})
afterAll(async () => {
  client?.destroy()
  await stack?.close()
})

test('database and table are made once, then found unchanged', async () => {
  expect(await ensureDatabase({ client, database: 'market' })).toBe('unchanged')
  expect((await ensureTable({ client, table: boundTrades })).outcome).toBe('created')
  expect((await ensureTable({ client, table: boundTrades })).outcome).toBe('unchanged')
})

test('a table in a database that is not there is refused with what to do', async () => {
  const table = boundTrades.table.at({ database: 'nowhere', location: 's3://market-lake/trades/' })
  await expect(ensureTable({ client, table })).rejects.toThrow(/EntityNotFoundException.*ensureDatabase/)
})

test('a column added at the end is added, a changed type is refused', async () => {
  const first = defineTable('bars', {
    columns: { symbol: t.string(), close: t.decimal(18, 4) },
    partitions: { ticker: identity('symbol') },
  })
  const binding = { database: 'market', location: 's3://market-lake/bars/' }
  await ensureTable({ client, table: first.at(binding) })
  const second = defineTable('bars', {
    columns: { symbol: t.string(), close: t.decimal(18, 4), volume: t.int64().nullable() },
    partitions: { ticker: identity('symbol') },
  })
  expect(await ensureTable({ client, table: second.at(binding) })).toEqual({
    outcome: 'updated',
    addedColumns: ['volume'],
  })
  const { Table } = await client.send(new GetTableCommand({ DatabaseName: 'market', Name: 'bars' }))
  expect(Table?.StorageDescriptor?.Columns?.map((column) => column.Name)).toEqual([
    'symbol',
    'close',
    'volume',
  ])
  await expect(ensureTable({ client, table: first.at(binding) })).rejects.toThrow(TableConflictError)
})

test('230 partitions with odd symbols are registered once and are there', async () => {
  await ensureTable({ client, table: boundTrades })
  const symbols = ['BRK.B', 'a b+c%', 'x=y', 'é/ü', null]
  const partitions = Array.from({ length: 46 }, (_, index) =>
    symbols.map((symbol) =>
      partitionOf(new Date(Date.UTC(2024, 0, 1 + index)).toISOString().slice(0, 10), symbol),
    ),
  ).flat()
  await createPartitionRegistrar({ client, table: boundTrades }).register(partitions)
  await createPartitionRegistrar({ client, table: boundTrades }).register(partitions)
  const { Partitions } = await client.send(
    new GetPartitionsCommand({
      DatabaseName: 'market',
      TableName: 'trades',
      Expression: "trade_date = '2024-01-05'",
    }),
  )
  expect(Partitions?.map((partition) => partition.Values?.[1]).sort()).toEqual(
    ['BRK.B', '__HIVE_DEFAULT_PARTITION__', 'a b+c%', 'x=y', 'é/ü'].sort(),
  )
  const moved = { values: ['2024-01-05', 'BRK.B'], location: 's3://market-lake/elsewhere/' }
  await expect(createPartitionRegistrar({ client, table: boundTrades }).register([moved])).rejects.toThrow(
    PartitionRegistrationError,
  )
})

/** This package has no S3 client: the signer of a Glue client of its own signs the one request. */
const createBucket = async (bucket: string) => {
  const signer = await newClient().config.signer({
    name: 'sigv4',
    signingName: 's3',
    signingRegion: stack.aws.region,
    properties: {},
  })
  const { hostname, port, host } = new URL(stack.aws.endpoint)
  const request = {
    method: 'PUT',
    protocol: 'http:',
    hostname,
    port: Number(port),
    path: `/${bucket}`,
    query: {},
    headers: { host },
  }
  const { headers } = await signer.sign(request as never, { signingService: 's3' } as never)
  const { host: _, ...sent } = headers
  const response = await fetch(`${stack.aws.endpoint}/${bucket}`, { method: 'PUT', headers: sent })
  expect(response.status, await response.text()).toBe(200)
}

test('a crawler of a bucket that is not there fails with the reason', async () => {
  const targets = ['s3://no-such-bucket/trades/']
  const poll = { initialMillis: 20 }
  await expect(
    runCrawler({ client, name: 'lost', role: 'crawler', database: 'market', targets, poll }),
  ).rejects.toThrow(/Crawler lost failed: .*no-such-bucket/)
})

test('a crawler runs to its end, twice, each time waiting for its own run', async () => {
  await createBucket('market-lake')
  const run = () =>
    runCrawler({
      client,
      name: 'market',
      role: 'arn:aws:iam::000000000000:role/crawler',
      database: 'market',
      targets: [boundTrades],
      poll: { initialMillis: 20, maximumMillis: 100 },
    })
  const first = await run()
  const second = await run()
  expect(first.tables.map((table) => table.name)).toEqual(['trades'])
  expect(first.partitions).toBe(230)
  expect([first.crawler.outcome, second.crawler.outcome]).toEqual(['created', 'unchanged'])
  expect(second.startTime!.getTime()).toBeGreaterThanOrEqual(first.startTime!.getTime())
})

import { GetPartitionCommand, GlueClient } from '@aws-sdk/client-glue'
import { day, defineTable, t } from '@stockpipe/core'
import { type LocalStack, startLocalStack } from '@stockpipe/local'
import { afterAll, beforeAll, expect, test } from 'vitest'
import {
  createPartitionCatalog,
  createPartitionRegistrar,
  ensureDatabase,
  ensureTable,
} from '../src/index.ts'
import { boundTrades, partitionOf } from './market-tables.ts'

let stack: LocalStack
let client: GlueClient
const parameters = { 'stockpipe.compacted-by': 'trades' }

beforeAll(async () => {
  stack = await startLocalStack({ httpPort: 0, kafkaPort: 0 })
  const { endpoint, region, accessKeyId, secretAccessKey } = stack.aws
  client = new GlueClient({ endpoint, region, credentials: { accessKeyId, secretAccessKey } })
  await ensureDatabase({ client, database: 'market' })
  await ensureTable({ client, table: boundTrades })
})
afterAll(async () => {
  client?.destroy()
  await stack?.close()
})

const registered = async (date: string, ticker: string | null) => {
  const partition = partitionOf(date, ticker)
  await createPartitionRegistrar({ client, table: boundTrades }).register([partition])
  return partition
}

test('a partition is switched from where it is expected, with its mark, and once is enough', async () => {
  const { values, location: from } = await registered('2024-03-08', 'BRK.B a=b')
  const catalog = createPartitionCatalog({ client, table: boundTrades })
  expect(await catalog.get(values)).toEqual({ location: from, parameters: {} })
  const change = { values, from, to: 's3://market-lake/compacted/1/', parameters }
  expect(await catalog.switchLocation(change)).toBe('switched')
  expect(await catalog.switchLocation(change)).toBe('switched')
  expect(await catalog.get(values)).toEqual({ location: change.to, parameters })
  expect(await catalog.switchLocation({ ...change, to: 's3://market-lake/compacted/2/' })).toBe('elsewhere')
  const { Partition } = await client.send(
    new GetPartitionCommand({
      DatabaseName: 'market',
      TableName: 'trades',
      PartitionValues: [...values] as string[],
    }),
  )
  expect(Partition?.StorageDescriptor?.Columns?.map(({ Name }) => Name)).toEqual(
    boundTrades.table.columns.map(({ name }) => name),
  )
})

test('the default partition is known by null; one that is not there is gone, and dropped', async () => {
  const { values, location: from } = await registered('2024-03-09', null)
  const catalog = createPartitionCatalog({ client, table: boundTrades })
  expect(await catalog.drop({ values, from: 's3://market-lake/other/' })).toBe('elsewhere')
  expect(await catalog.drop({ values, from })).toBe('dropped')
  expect(await catalog.drop({ values, from })).toBe('dropped')
  expect(await catalog.get(values)).toBeUndefined()
  expect(await catalog.switchLocation({ values, from, to: 's3://market-lake/x/', parameters })).toBe('gone')
})

test('one that is not there is made, with the columns of the table; one that is there is left as it is', async () => {
  const catalog = createPartitionCatalog({ client, table: boundTrades })
  const { values } = partitionOf('2024-03-11', 'a b+c%')
  const partition = { values, location: 's3://market-lake/made/', parameters }
  expect(await catalog.create(partition)).toBe('created')
  expect(await catalog.create({ ...partition, location: 's3://market-lake/other/' })).toBe('exists')
  expect(await catalog.get(values)).toEqual({ location: partition.location, parameters })
  const { values: other } = partitionOf('2024-03-12', null)
  const both = { ...partition, values: other }
  expect((await Promise.all([catalog.create(both), catalog.create(both)])).sort()).toEqual([
    'created',
    'exists',
  ])
  await expect(catalog.create(partition, { signedBefore: 1 })).resolves.toBe('exists')
  const late = partitionOf('2024-03-13', 'IBM')
  await expect(
    catalog.create({ ...partition, values: late.values }, { signedBefore: 1 }),
  ).rejects.toMatchObject({
    code: 'SIGNED_TOO_LATE',
  })
})

test('what would be signed too late is not sent', async () => {
  const { values, location: from } = await registered('2024-03-10', 'IBM')
  const catalog = createPartitionCatalog({ client, table: boundTrades })
  const late = { signedBefore: Date.now() - 1 }
  const change = { values, from, to: 's3://market-lake/late/', parameters }
  await expect(catalog.switchLocation(change, late)).rejects.toMatchObject({ code: 'SIGNED_TOO_LATE' })
  await expect(catalog.drop({ values, from }, late)).rejects.toMatchObject({ code: 'SIGNED_TOO_LATE' })
  expect(await catalog.get(values)).toMatchObject({ location: from })
  expect(await catalog.switchLocation(change, { signedBefore: Date.now() + 60_000 })).toBe('switched')
})

test('projected partitions are refused, as is a table that is not there', async () => {
  const projected = defineTable('projected', {
    columns: { ts: t.timestamp() },
    partitions: { trade_date: day('ts') },
  }).at({ database: 'market', location: 's3://market-lake/projected/' })
  await ensureTable({
    client,
    table: projected,
    partitioning: {
      kind: 'projected',
      keys: { trade_date: { from: '2024-01-01' } },
    },
  })
  await expect(
    createPartitionCatalog({ client, table: projected }).get(['2024-03-08']),
  ).rejects.toMatchObject({
    code: 'PARTITIONS_PROJECTED',
  })
  const nowhere = boundTrades.table.at({ database: 'nowhere', location: boundTrades.location })
  await expect(createPartitionCatalog({ client, table: nowhere }).get(['2024-03-08', 'IBM'])).rejects.toThrow(
    /GetTable for table nowhere\.trades failed with EntityNotFoundException/,
  )
})

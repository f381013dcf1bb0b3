import { GlueClient } from '@aws-sdk/client-glue'
import { type LocalStack, startLocalStack } from '@stockpipe/local'
import { afterAll, beforeAll, expect, test } from 'vitest'
import {
  createPartitions,
  deletePartitions,
  ensureDatabase,
  ensurePartitionIndexes,
  ensureTable,
  getPartitions,
  listPartitions,
  type PartitionValues,
  updatePartitions,
} from '../src/index.ts'
import { boundTrades as table } from './market-tables.ts'

let stack: LocalStack
let client: GlueClient

beforeAll(async () => {
  stack = await startLocalStack({ httpPort: 0, kafkaPort: 0 })
  const { endpoint, region, accessKeyId, secretAccessKey } = stack.aws
  client = new GlueClient({ endpoint, region, credentials: { accessKeyId, secretAccessKey } })
  await ensureDatabase({ client, database: 'market' })
  await ensureTable({ client, table })
})
afterAll(async () => {
  client?.destroy()
  await stack?.close()
})

const oddSymbols = [
  'BRK.B', 'a b+c%', 'x=y', 'é/ü', "O'Neil", '"quoted"', 'back\\slash', 'a_b', 'a%b', '^GSPC', 'ES=F', 'BTC-USD',
  '600519.SS', 'RDS,A', '日経', '#1', '[x]', 'NULL', '__x', null,
] as const // biome-ignore format: a list
const days = Array.from({ length: 60 }, (_, index) =>
  new Date(Date.UTC(2024, 0, 1 + index)).toISOString().slice(0, 10),
)
const everything = days.flatMap((trade_date) => oddSymbols.map((ticker) => ({ trade_date, ticker })))
const listed = async (where?: Parameters<typeof listPartitions<never, never>>[0]['where']) => {
  const found: PartitionValues[] = []
  for await (const one of listPartitions({ client, table, segments: 4, ...(where ? { where } : {}) })) {
    found.push(one.values)
  }
  return found
}
const sorted = (values: readonly PartitionValues[]) => values.map((one) => JSON.stringify(one)).sort()

test('1,200 partitions with 20 odd symbols are made, mended, found by filters, and deleted', async () => {
  const partitions = everything.map((values) => ({ values }))
  expect(await createPartitions({ client, table, partitions })).toMatchObject({ created: 1200 })
  expect(await createPartitions({ client, table, partitions })).toMatchObject({ created: 0, unchanged: 1200 })
  expect(sorted(await listed())).toEqual(sorted(everything))

  const { found, absent } = await getPartitions({
    client,
    table,
    partitions: [...everything, { trade_date: '1999-01-01', ticker: 'IBM' }],
  })
  expect(sorted(found.map(({ values }) => values))).toEqual(sorted(everything))
  expect(absent).toEqual([{ trade_date: '1999-01-01', ticker: 'IBM' }])
  expect(found[1]?.location).toBe('s3://market-lake/trades/trade_date=2024-01-01/ticker=a b+c%25/')

  for (const ticker of oddSymbols) {
    expect(await listed({ ticker } as never)).toHaveLength(60)
  }
  expect(await listed({ ticker: [...oddSymbols], trade_date: days } as never)).toHaveLength(1200)
  expect(
    await listed({ ticker: { startsWith: 'a' }, trade_date: { after: '2024-02-27' } } as never),
  ).toHaveLength(6)
  expect(await listed({ ticker: { not: [null, "O'Neil"] }, trade_date: '2024-01-02' } as never)).toHaveLength(
    18,
  )
  expect(await listed({ ticker: { from: '^' } } as never)).toHaveLength(
    60 * oddSymbols.filter((ticker) => ticker !== null && ticker >= '^').length,
  )

  await updatePartitions({
    client,
    table,
    partitions: everything.slice(0, 150).map((values) => ({
      values,
      location: 's3://market-lake/compacted/',
      parameters: { 'stockpipe.compaction': '1' },
    })),
  })
  expect(await createPartitions({ client, table, partitions, onOtherLocation: 'mend' })).toMatchObject({
    unchanged: 1050,
    mended: [],
  })
  expect(await deletePartitions({ client, table, partitions: everything.slice(0, 600) })).toEqual({
    deleted: 600,
    absent: 0,
  })
  expect(sorted(await listed())).toEqual(sorted(everything.slice(600)))
})

test('partition indexes become ACTIVE, and Athena is told to use them', async () => {
  const indexes = [
    { name: 'by_day', keys: ['trade_date', 'ticker'] },
    { name: 'by_ticker', keys: ['ticker'] },
  ] as const
  const poll = { initialMillis: 20, maximumMillis: 200 }
  expect(await ensurePartitionIndexes({ client, table, indexes, poll })).toEqual({
    created: ['by_day', 'by_ticker'],
    unchanged: [],
    filteringSet: true,
  })
  expect(await ensurePartitionIndexes({ client, table, indexes, poll })).toMatchObject({
    filteringSet: false,
  })
  // The definition's table is still the catalog's.
  expect((await ensureTable({ client, table })).outcome).toBe('unchanged')
})

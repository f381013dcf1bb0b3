import { day, defineTable, identity, t } from '@stockpipe/core'
import { expectTypeOf, test } from 'vitest'
import {
  createPartitions,
  ensurePartitionIndexes,
  type GlueSender,
  getPartitions,
  listPartitions,
  partitionExpressions,
} from '../src/index.ts'

const table = defineTable('trades', {
  columns: { symbol: t.string(), ts: t.timestamp() },
  partitions: { trade_date: day('ts'), ticker: identity('symbol') },
}).at({ database: 'market', location: 's3://market-lake/trades/' })
declare const client: GlueSender

test('partitions are named by the table’s own names', async () => {
  const { found } = await getPartitions({
    client,
    table,
    partitions: [{ trade_date: '2024-01-02', ticker: null }],
  })
  expectTypeOf(found[0]!.values).toEqualTypeOf<{
    readonly trade_date: string | null
    readonly ticker: string | null
  }>()
  for await (const one of listPartitions({ client, table, where: { ticker: ['IBM', null] } })) {
    expectTypeOf(one.values.ticker).toEqualTypeOf<string | null>()
  }
  // @ts-expect-error Property 'ticker' is missing
  await getPartitions({ client, table, partitions: [{ trade_date: '2024-01-02' }] })
  const values = { trade_date: '', ticker: '' }
  // @ts-expect-error 'symbol' does not exist
  await createPartitions({ client, table, partitions: [{ values: { ...values, symbol: '' } }] })
  // @ts-expect-error 'symbol' does not exist
  partitionExpressions(table, { symbol: 'IBM' })
  // @ts-expect-error Type 'number' is not assignable
  partitionExpressions(table, { ticker: 7 })
  // @ts-expect-error Type '"ts"' is not assignable to type '"trade_date" | "ticker"'
  await ensurePartitionIndexes({ client, table, indexes: [{ name: 'by_day', keys: ['ts'] }] })
})

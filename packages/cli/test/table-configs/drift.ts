import { defineTable, identity, t } from '@stockpipe/core'

export const fills = defineTable('fills', {
  columns: { symbol: t.string(), size: t.int64() },
  partitions: { ticker: identity('symbol') },
}).at({ database: 'market', location: 's3://lake/fills/' })

export const ticks = defineTable('ticks', { columns: { price: t.double() } }).at({
  database: 'market',
  location: 's3://lake/ticks/',
})

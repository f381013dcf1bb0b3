import { day, defineTable, identity, t } from '@stockpipe/core'

const trades = defineTable('trades', {
  columns: { symbol: t.string(), size: t.int64(), ts: t.timestamp(), venue: t.string().nullable() },
  partitions: { trade_date: day('ts'), ticker: identity('symbol') },
})
export const lake = trades.at({ database: 'market', location: 's3://lake/trades/' })

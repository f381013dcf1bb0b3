import { day, defineTable, identity, t } from '@stockpipe/core'

const trades = defineTable('trades', {
  columns: { symbol: t.string(), price: t.decimal(18, 4), size: t.int64(), ts: t.timestamp() },
  partitions: { trade_date: day('ts'), ticker: identity('symbol') },
})
export const lake = trades.at({ database: 'market', location: 's3://lake/trades/' })

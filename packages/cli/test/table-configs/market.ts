import { day, defineTable, identity, t } from '@stockpipe/core'
import { catalogTable } from '@stockpipe/glue'

export const trades = defineTable('trades', {
  columns: { symbol: t.string(), price: t.decimal(18, 4), size: t.int32(), ts: t.timestamp() },
  partitions: { trade_date: day('ts'), ticker: identity('symbol') },
})
export const lake = trades.at({ database: 'market', location: 's3://lake/trades/' })

const bars = defineTable('bars', {
  columns: { symbol: t.string(), close: t.decimal(18, 4), day: t.date() },
  partitions: { ticker: identity('symbol') },
})

export default () => [
  catalogTable({
    table: bars.at({ database: 'market', location: 's3://lake/bars/' }),
    partitioning: { kind: 'projected', keys: { ticker: { values: ['AAPL', 'BRK.B'] } } },
  }),
]

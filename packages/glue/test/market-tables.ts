import { type BoundTable, day, defineTable, identity, t } from '@stockpipe/core'

export const trades = defineTable('trades', {
  columns: {
    symbol: t.string(),
    price: t.decimal(18, 4),
    size: t.int64(),
    ts: t.timestamp(),
    raw: t.json().nullable(),
  },
  partitions: { trade_date: day('ts', { timeZone: 'America/New_York' }), ticker: identity('symbol') },
})

export const boundTrades = trades.at({ database: 'market', location: 's3://market-lake/trades/' })

/** The partition of a trade day and ticker at the place where the sink puts it. */
export const partitionOf = (date: string, ticker: string | null, table: BoundTable = boundTrades) => ({
  values: [date, ticker],
  location: `${table.location}trade_date=${date}/ticker=${ticker ?? '__HIVE_DEFAULT_PARTITION__'}/`,
})

import { day, defineTable, defineTopic, identity, json, t, year } from '@stockpipe/core'

/** Daily bars of a stock: one row a ticker and day. */
export const bars = defineTable('bars', {
  columns: {
    symbol: t.string(),
    date: t.date(),
    open: t.decimal(18, 4),
    high: t.decimal(18, 4),
    low: t.decimal(18, 4),
    close: t.decimal(18, 4),
    volume: t.int64(),
    adj_close: t.decimal(18, 15),
  },
  partitions: { year: year('date'), ticker: identity('symbol') },
})

/** Trades: one row a trade. */
export const trades = defineTable('trades', {
  columns: {
    symbol: t.string(),
    price: t.decimal(18, 4),
    size: t.int64(),
    ts: t.timestamp(),
    trade_id: t.int64(),
    kafka_offset: t.recordOffset(),
  },
  partitions: { trade_date: day('ts', { timeZone: 'America/New_York' }), ticker: identity('symbol') },
})

export const barsTopic = defineTopic('bars', { table: bars, key: 'symbol', partitions: 4 })

export const tradesTopic = defineTopic('trades', {
  table: trades,
  key: 'symbol',
  partitions: 4,
  value: json({
    names: { symbol: 's', price: 'p', size: 'q', ts: 't', trade_id: 'i' },
    timestamps: { ts: 'epoch-millis' },
  }),
})

import { defineTable, defineTopic, hour, identity, json, t } from '@stockpipe/core'

const tradeColumns = {
  symbol: t.string(),
  price: t.double(),
  size: t.int64(),
  ts: t.timestamp(),
  trade_id: t.int64(),
}
const partitions = { event_hour: hour('ts'), ticker: identity('symbol') }

const tables = {
  'trades-90': defineTable('trades', { columns: tradeColumns, partitions }),
  'trades-400': defineTable('trades', {
    columns: {
      ...tradeColumns,
      venue: t.string(),
      currency: t.string(),
      conditions: t.string(),
      tape: t.string(),
      sequence: t.int64(),
      participant_ts: t.timestamp(),
      bid: t.double(),
      ask: t.double(),
      bid_size: t.int64(),
      ask_size: t.int64(),
      corrected: t.boolean(),
      buy_order: t.string(),
      sell_order: t.string(),
      feed: t.string(),
    },
    partitions,
  }),
}
const timestamps = {
  'trades-90': { ts: 'epoch-millis' },
  'trades-400': { ts: 'epoch-millis', participant_ts: 'epoch-millis' },
}

/** The table of a kind of data, and its topic under the name of this run. */
export const tradesOf = (data, topicName) => {
  const table = tables[data]
  const value = json({ timestamps: timestamps[data] })
  return { table, topic: defineTopic(topicName, { table, key: 'symbol', value }) }
}

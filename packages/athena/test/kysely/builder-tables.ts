import { day, defineTable, identity, t } from '@stockpipe/core'
import { createAthena } from '../../src/index.ts'
import { withBuilder } from '../../src/kysely/index.ts'
import { answering, type ScriptedAnswer } from '../fake-athena.ts'

export const trades = defineTable('trades', {
  columns: {
    symbol: t.string(),
    price: t.decimal(18, 4),
    size: t.int64(),
    lots: t.int32(),
    ts: t.timestamp(),
    settles: t.date(),
    nanos: t.epochNanos(),
    weight: t.double(),
    open: t.boolean(),
    venue: t.string().nullable(),
    fees: t.map(t.string(), t.decimal(10, 2)),
  },
  partitions: { trade_date: day('ts', { timeZone: 'America/New_York' }), ticker: identity('symbol') },
}).at({ database: 'market', location: 's3://lake/trades/' })

export const quotes = defineTable('quotes', {
  columns: { symbol: t.string(), bid: t.decimal(18, 4).nullable(), at: t.timestamp() },
  partitions: { quote_date: day('at') },
}).at({ database: 'market', location: 's3://lake/quotes/' })

/** A table that is not partitioned. */
export const venues = defineTable('venues', {
  columns: { code: t.string(), name: t.string() },
}).at({ database: 'reference', location: 's3://lake/venues/' })

/** A builder over a client that gives one answer, and what it was sent. */
export const scripted = (answer: ScriptedAnswer = { columns: {}, pages: [[]] }) => {
  const { client, sent } = answering(answer)
  const athena = withBuilder(
    createAthena({ client, database: 'default', poll: { initialMillis: 1, maximumMillis: 1 } }),
  )
  return { athena, sent }
}

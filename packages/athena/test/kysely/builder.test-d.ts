import { type Decimal, day, defineTable, type EpochNanos, identity, t } from '@stockpipe/core'
import { sql } from 'kysely'
import { expectTypeOf, test } from 'vitest'
import { type Athena, dailyBars } from '../../src/index.ts'
import { avg, max, stated, sum, withBuilder } from '../../src/kysely/index.ts'

const trades = defineTable('trades', {
  columns: {
    symbol: t.string(),
    price: t.decimal(18, 4),
    size: t.int64(),
    lots: t.int32(),
    ts: t.timestamp(),
    nanos: t.epochNanos(),
    venue: t.string().nullable(),
    legs: t.list(t.struct({ size: t.int64() })),
  },
  partitions: { trade_date: day('ts'), place: identity('venue') },
}).at({ database: 'market', location: 's3://lake/trades/' })
const quotes = defineTable('quotes', { columns: { symbol: t.string(), bid: t.double() } }).at({
  database: 'market',
  location: 's3://lake/quotes/',
})

declare const plain: Athena
const athena = withBuilder(plain)

test('rows have the types of the table, by the names of the tables', () => {
  const query = athena.from(trades, quotes).selectFrom('trades').selectAll()
  expectTypeOf(query.execute()).resolves.toEqualTypeOf<
    {
      symbol: string
      price: Decimal
      size: bigint
      lots: number
      ts: Date
      nanos: EpochNanos
      venue: string | null
      legs: { size: bigint }[]
      trade_date: string
      place: string | null
    }[]
  >()
})

test('a join makes what may be missing nullable', () => {
  const query = athena
    .from(trades, quotes)
    .selectFrom('trades as t')
    .leftJoin('quotes as q', 'q.symbol', 't.symbol')
    .select(['t.price', 'q.bid', 't.trade_date as day'])
  expectTypeOf(query.executeTakeFirst()).resolves.toEqualTypeOf<
    { price: Decimal; bid: number | null; day: string } | undefined
  >()
})

test('aggregates of this package and stated expressions have the type that comes', () => {
  const query = athena
    .from(trades)
    .selectFrom('trades')
    .select((eb) => [
      sum(eb, 'price').as('price'),
      sum(eb, 'size').as('size'),
      sum(eb, 'lots').as('lots'),
      avg(eb, 'size').as('mean'),
      max(eb, 'ts').as('latest'),
      max(eb, 'venue').as('venue'),
      stated(sql`histogram(venue)`, t.map(t.string(), t.int64())).as('venues'),
    ])
  expectTypeOf(query.execute()).resolves.toEqualTypeOf<
    {
      price: Decimal | null
      size: bigint | null
      lots: number | null
      mean: number | null
      latest: Date | null
      venue: string | null
      venues: Map<string, bigint>
    }[]
  >()
})

test('a market query is a source under a name of yours', () => {
  const bars = dailyBars(trades, {
    symbol: 'symbol',
    price: 'price',
    size: 'size',
    time: 'ts',
    day: 'trade_date',
  })
  const query = athena.from({ bars, t: trades }).selectFrom('bars').select(['symbol', 'close', 'volume'])
  expectTypeOf(query.execute()).resolves.toEqualTypeOf<{ symbol: string; close: Decimal; volume: bigint }[]>()
  athena.from({ t: trades }).selectFrom('t').select('price')
  // @ts-expect-error It has a name of yours now.
  athena.from({ t: trades }).selectFrom('trades')
})

test('what Athena lacks is not there', () => {
  const db = athena.from(trades)
  // @ts-expect-error No UPDATE of Hive tables.
  db.updateTable
  // @ts-expect-error No DELETE.
  db.deleteFrom
  // @ts-expect-error No MERGE.
  db.mergeInto
  // @ts-expect-error The sink writes.
  db.insertInto
  // @ts-expect-error No transactions.
  db.transaction
  // @ts-expect-error Tables are made from their definitions.
  db.schema
})

test('operands have the type of the column', () => {
  const from = athena.from(trades).selectFrom('trades').select('symbol')
  from.where('ts', '>=', new Date(0)).where('size', 'in', [1n]).where('venue', 'is', null)
  // @ts-expect-error A date is no text.
  from.where('ts', '>=', '2024-01-01')
  // @ts-expect-error A partition is text.
  from.where('trade_date', '=', 5)
  // @ts-expect-error A bigint is no number.
  from.where('size', 'in', [1])
})

import { expectTypeOf, test } from 'vitest'
import {
  avro,
  csv,
  type Decimal,
  day,
  defineTable,
  defineTopic,
  type EpochNanos,
  type InferInput,
  type InferPartition,
  type InferRecord,
  type InferRow,
  type InferSelect,
  identity,
  t,
} from '../src/index.ts'

const trades = defineTable('trades', {
  columns: {
    symbol: t.string(),
    price: t.decimal(18, 4),
    size: t.int64(),
    lots: t.int64({ mode: 'number' }),
    ts: t.timestamp(),
    nanos: t.epochNanos(),
    venue: t.string().nullable(),
    kafka_offset: t.recordOffset(),
    kafka_key: t.recordKey(),
  },
  partitions: {
    trade_date: day('ts', { timeZone: 'America/New_York' }),
    ticker: identity('symbol'),
    place: identity('venue'),
  },
})

test('a producer passes values and may leave nullable ones out, never facts of the record', () => {
  expectTypeOf<InferInput<typeof trades>>().toEqualTypeOf<{
    symbol: string
    price: string | Decimal
    size: bigint | number
    lots: bigint | number
    ts: Date | bigint
    nanos: bigint
    venue?: string | null | undefined
  }>()
})

test('a row has every column, nullable ones as null', () => {
  expectTypeOf<InferRow<typeof trades>>().toEqualTypeOf<{
    symbol: string
    price: Decimal
    size: bigint
    lots: number
    ts: Date
    nanos: EpochNanos
    venue: string | null
    kafka_offset: bigint
    kafka_key: string | null
  }>()
})

test('partition values are strings, null only where the source may be', () => {
  expectTypeOf<InferPartition<typeof trades>>().toEqualTypeOf<{
    trade_date: string
    ticker: string
    place: string | null
  }>()
})

test('what Athena returns is the row and its partition values, bound or not', () => {
  expectTypeOf<InferSelect<typeof trades>['trade_date']>().toEqualTypeOf<string>()
  expectTypeOf<InferSelect<typeof trades>['price']>().toEqualTypeOf<Decimal>()
  const lake = trades.at({ database: 'market', location: 's3://lake/trades/' })
  expectTypeOf<InferSelect<typeof lake>>().toEqualTypeOf<InferSelect<typeof trades>>()
})

test('a topic carries the rows of its table', () => {
  const topic = defineTopic('trades', { table: trades, key: 'symbol' })
  expectTypeOf<InferRecord<typeof topic>>().toEqualTypeOf<InferInput<typeof trades>>()
})

test('a table without partitions has none', () => {
  const quotes = defineTable('quotes', { columns: { bid: t.double() } })
  expectTypeOf<InferPartition<typeof quotes>>().toEqualTypeOf<Record<never, never>>()
  expectTypeOf<InferSelect<typeof quotes>>().toEqualTypeOf<{ bid: number }>()
})

test('nothing inferred is any', () => {
  expectTypeOf<InferSelect<typeof trades>>().not.toBeAny()
  expectTypeOf<InferInput<typeof trades>['price']>().not.toBeAny()
})

test('an Avro encoding names columns of the table, and no text forms of instants', () => {
  defineTopic('trades', {
    table: trades,
    value: avro({ names: { price: 'px' }, timestamps: { ts: 'epoch-micros' } }),
  })
  // @ts-expect-error the table has no such column
  defineTopic('trades', { table: trades, value: avro({ names: { prize: 'px' } }) })
  // @ts-expect-error Avro has no text form of an instant
  avro({ timestamps: { ts: 'iso8601' } })
  // @ts-expect-error no such framing
  avro({ framing: 'azure' })
})

test('a CSV encoding names columns of the table as cells', () => {
  defineTopic('trades', {
    table: trades,
    value: csv({ columns: ['price', null, 'symbol'], timestamps: { ts: 'epoch-nanos' }, delimiter: ';' }),
  })
  // @ts-expect-error the table has no such column
  defineTopic('trades', { table: trades, value: csv({ columns: ['prize'] }) })
  // @ts-expect-error a fact of the record is no cell
  defineTopic('trades', { table: trades, value: csv({ columns: ['kafka_offset'] }) })
  // @ts-expect-error the table has no such column
  defineTopic('trades', { table: trades, value: csv({ timestamps: { at: 'iso8601' } }) })
  // @ts-expect-error no such wire form
  csv({ timestamps: { ts: 'epoch-minutes' } })
})

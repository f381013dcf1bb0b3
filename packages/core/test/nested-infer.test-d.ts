import { expectTypeOf, test } from 'vitest'
import {
  type Decimal,
  defineTable,
  defineTopic,
  type EpochNanos,
  type InferInput,
  type InferRow,
  json,
  t,
} from '../src/index.ts'

const orders = defineTable('orders', {
  columns: {
    tags: t.list(t.string()),
    sizes: t.list(t.int64().nullable()).nullable(),
    fees: t.map(t.string(), t.decimal(18, 4)),
    levels: t.map(t.int64(), t.double().nullable()),
    venue: t.struct({ name: t.string(), tick: t.int32().nullable() }).nullable(),
    legs: t.list(
      t.struct({ price: t.decimal(18, 4), fills: t.list(t.struct({ at: t.epochNanos() })).nullable() }),
    ),
    kafka_offset: t.recordOffset(),
  },
})

test('a row has arrays, maps and objects, whose nullable parts are null', () => {
  expectTypeOf<InferRow<typeof orders>>().toEqualTypeOf<{
    tags: string[]
    sizes: (bigint | null)[] | null
    fees: Map<string, Decimal>
    levels: Map<bigint, number | null>
    venue: { name: string; tick: number | null } | null
    legs: { price: Decimal; fills: { at: EpochNanos }[] | null }[]
    kafka_offset: bigint
  }>()
})

test('a producer may leave nullable fields out, and pass an object for a map with string keys', () => {
  expectTypeOf<InferInput<typeof orders>>().toEqualTypeOf<{
    tags: readonly string[]
    sizes?: readonly (bigint | number | null)[] | null | undefined
    fees: ReadonlyMap<string, string | Decimal> | Readonly<Record<string, string | Decimal>>
    levels: ReadonlyMap<bigint | number, number | null>
    venue?: { name: string; tick?: number | null | undefined } | null | undefined
    legs: readonly {
      price: string | Decimal
      fills?: readonly { at: bigint }[] | null | undefined
    }[]
  }>()
})

test('a decoded row may be passed back to the producer', () => {
  type Row = Omit<InferRow<typeof orders>, 'kafka_offset'>
  expectTypeOf<Row>().toExtend<InferInput<typeof orders>>()
})

test('an encoding names columns and fields of structs, and nothing else', () => {
  defineTopic('orders', {
    table: orders,
    value: json({
      names: { fees: 'f', 'venue.name': 'n', 'legs.fills': 'x' },
      timestamps: { 'legs.fills.at': 'epoch-micros' },
    }),
  })
  // @ts-expect-error There is no such field.
  defineTopic('orders', { table: orders, value: json({ names: { 'legs.prize': 'p' } }) })
  // @ts-expect-error A list has no fields.
  defineTopic('orders', { table: orders, value: json({ names: { 'tags.length': 'p' } }) })
  // @ts-expect-error A map's keys are no fields.
  defineTopic('orders', { table: orders, value: json({ names: { 'fees.size': 'p' } }) })
})

test('nothing inferred is any', () => {
  expectTypeOf<InferRow<typeof orders>['legs'][number]['price']>().not.toBeAny()
  expectTypeOf<InferInput<typeof orders>['legs'][number]['price']>().not.toBeAny()
})

import { type Decimal, defineTable, type EpochNanos, type StandardSchemaV1, t } from '@stockpipe/core'
import { expectTypeOf, test } from 'vitest'
import { type Athena, answer, type DecodedRow, type ZonedTimestamp } from '../src/index.ts'

declare const athena: Athena

test('a row has the types of its stated columns, of tables and of answers', async () => {
  const { rows } = await athena.query({
    sql: 'SELECT 1',
    columns: {
      price: t.decimal(18, 4),
      name: t.string().nullable(),
      legs: t.list(t.struct({ venue: t.string() })),
      nanos: answer.timestampNanos(),
      zoned: answer.timestampWithTimeZone().nullable(),
      time: answer.time(),
      day: answer.intervalDayToSecond(),
      month: answer.intervalYearToMonth(),
      id: answer.uuid(),
      meta: answer.json<{ readonly venue: string }>(),
      anything: answer.json(),
      text: answer.text().nullable(),
    },
  })
  expectTypeOf(rows[0]!).toEqualTypeOf<{
    price: Decimal
    name: string | null
    legs: { venue: string }[]
    nanos: EpochNanos
    zoned: ZonedTimestamp | null
    time: string
    day: bigint
    month: number
    id: string
    meta: { readonly venue: string }
    anything: unknown
    text: string | null
  }>()
})

test('a column of another name is an error, and so is a column of an answer in a table', async () => {
  const { rows } = await athena.query({ sql: 'SELECT 1', columns: { time: answer.time() } })
  // @ts-expect-error Property 'tim' does not exist
  rows[0]!.tim
  // @ts-expect-error a table has no time of day
  defineTable('trades', { columns: { time: answer.time() } })
})

test('a row has the type of the schema’s output, or the one that is said, or what Athena can tell', async () => {
  interface Trade {
    ticker: string
    price: Decimal
  }
  const schema = {} as StandardSchemaV1<unknown, Trade>
  expectTypeOf((await athena.query({ sql: '', schema })).rows).toEqualTypeOf<readonly Trade[]>()
  expectTypeOf((await athena.query<{ n: bigint }>({ sql: '' })).rows).toEqualTypeOf<
    readonly { n: bigint }[]
  >()
  expectTypeOf((await athena.query({ sql: '' })).rows).toEqualTypeOf<readonly DecodedRow[]>()
  expectTypeOf(athena.stream({ sql: '', schema })).toEqualTypeOf<AsyncGenerator<Trade, void>>()
  expectTypeOf(athena.stream<{ n: bigint }>({ sql: '' })).toEqualTypeOf<AsyncGenerator<{ n: bigint }, void>>()
  // @ts-expect-error columns or a schema, not both
  athena.query({ sql: '', schema, columns: { n: t.int64() } })
  // @ts-expect-error a row of unknown values is no number
  const n: number = (await athena.query({ sql: '' })).rows[0]!['n']!
  return n
})

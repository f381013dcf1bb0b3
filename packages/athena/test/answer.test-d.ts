import { type Decimal, defineTable, type EpochNanos, t } from '@stockpipe/core'
import { expectTypeOf, test } from 'vitest'
import { type Athena, answer, type ZonedTimestamp } from '../src/index.ts'

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

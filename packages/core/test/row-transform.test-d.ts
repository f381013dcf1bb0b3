import { expectTypeOf, it } from 'vitest'
import { type Decimal, defineRowTransform, defineTable, defineTopic, t } from '../src/index.ts'

const topic = defineTopic('trades', {
  table: defineTable('trades', {
    columns: { symbol: t.string(), price: t.decimal(18, 4).nullable(), offset: t.recordOffset() },
  }),
})

it('a row transform is given what its columns decode to and answers what a producer may pass', () => {
  defineRowTransform(topic, (row) => {
    expectTypeOf(row).toEqualTypeOf<{ symbol: string; price: Decimal | null; offset: bigint }>()
    return row.symbol === '' ? null : { symbol: row.symbol, price: '1.5' }
  })
  // @ts-expect-error: the column is not nullable
  defineRowTransform(topic, () => ({ symbol: null }))
})

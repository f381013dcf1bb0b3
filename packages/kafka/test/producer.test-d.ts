import { defineTable, defineTopic, t } from '@stockpipe/core'
import type { Kafka } from 'kafkajs'
import { expectTypeOf, test } from 'vitest'
import { createProducer, type DeliveryReport } from '../src/index.ts'

const table = defineTable('trades', {
  columns: { symbol: t.string(), price: t.decimal(18, 4), size: t.int32().nullable() },
})
const topic = defineTopic('trades', { table, key: 'symbol' })
const kafka = {} as Kafka
const options = { kafka, topic }

test('rows are checked against the table, and the report is typed arrays', () => {
  const producer = createProducer(options)
  expectTypeOf(producer.send).parameter(0).toExtend<readonly { symbol: string }[]>()
  expectTypeOf(producer.send([{ symbol: 'A', price: '1.5' }])).resolves.toEqualTypeOf<DeliveryReport>()
  expectTypeOf<DeliveryReport['offsets']>().toExtend<BigInt64Array>()
  // @ts-expect-error a decimal is text or a Decimal
  void producer.send([{ symbol: 'A', price: 1.5 }])
  // @ts-expect-error there is no such column
  void producer.send([{ symbol: 'A', price: '1.5', venue: 'X' }])
})

test('a partition is chosen from a typed row, and codecs are names', () => {
  createProducer({
    ...options,
    partitionOf: (row, partitions) => {
      expectTypeOf(row.symbol).toEqualTypeOf<string>()
      return row.symbol.length % partitions
    },
  })
  // @ts-expect-error a partition is a number
  createProducer({ ...options, partitionOf: ({ symbol }) => symbol })
  // @ts-expect-error there is no such codec
  createProducer({ ...options, compression: 'brotli' })
})

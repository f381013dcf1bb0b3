import { defineTable, defineTopic, t } from '@stockpipe/core'
import { Kafka } from 'kafkajs'
import { describe, expectTypeOf, it } from 'vitest'
import { defineSinkConfig, type SinkConfig } from '../src/index.ts'

const table = defineTable('trades', { columns: { symbol: t.string() } })
const sink = {
  name: 'trades',
  topic: defineTopic('trades', { table }),
  table: table.at({ database: 'market', location: 's3://lake/trades/' }),
}

describe('defineSinkConfig', () => {
  it('takes a client of kafkajs or its settings, an object or a function', () => {
    const kafka = new Kafka({ brokers: [] })
    expectTypeOf(defineSinkConfig({ kafka, groupId: 'g', sink })).toExtend<SinkConfig>()
    const made = defineSinkConfig(async () => ({ kafka: { brokers: ['b'] }, groupId: 'g', sink }))
    expectTypeOf(made).returns.resolves.toExtend<SinkConfig>()
  })

  it('refuses what is missing, misspelled, or said by the command itself', () => {
    // @ts-expect-error: no consumer group
    defineSinkConfig({ kafka: { brokers: [] }, sink })
    // @ts-expect-error: a storage class that cannot be queried
    defineSinkConfig({ kafka: { brokers: [] }, groupId: 'g', sink: { ...sink, storageClass: 'GLACIER' } })
    // @ts-expect-error: --until says when it ends
    defineSinkConfig({ kafka: { brokers: [] }, groupId: 'g', sink, consumer: { until: 'latest' } })
  })
})

import type { Kafka } from 'kafkajs'
import { describe, expect, it } from 'vitest'
import { createProducer } from '../src/index.ts'
import { quotesFrom, quotesTopic } from './local-broker.ts'

/** A cluster whose topic can grow, and whose leaders are away. */
const growing = () => {
  const calls: string[] = []
  const cluster = { partitions: 1 }
  const kafka = {
    [Symbol('private:Kafka:createCluster')]: () => ({
      connect: async () => void calls.push('connect'),
      disconnect: async () => void calls.push('disconnect'),
      addMultipleTargetTopics: async () => {},
      refreshMetadata: async () => {},
      findTopicPartitionMetadata: () =>
        Array.from({ length: cluster.partitions }, (_, partitionId) => ({ partitionId, leader: 1 })),
      findBroker: async () => {
        throw Object.assign(new Error('connect ECONNREFUSED'), { name: 'KafkaJSConnectionError' })
      },
    }),
  } as unknown as Kafka
  return { kafka, calls, cluster }
}

describe('a producer', () => {
  it('that is connected again keeps to the partitions it began with, and ends', async () => {
    const { kafka, calls, cluster } = growing()
    const producer = createProducer({ kafka, topic: quotesTopic('topic', 1) })
    await Promise.all([producer.connect(), producer.connect()])
    cluster.partitions = 2
    await producer.connect()
    await expect(producer.send(quotesFrom(0, 2), { partition: 1 })).rejects.toMatchObject({
      code: 'PARTITION_OUT_OF_RANGE',
    })
    await producer.close()
    expect(calls.at(-1)).toBe('disconnect')
  })

  it('that is closed opens no connection any more', async () => {
    const { kafka, calls } = growing()
    const producer = createProducer({ kafka, topic: quotesTopic('topic', 1) })
    await producer.connect()
    await producer.close()
    calls.splice(0)
    await expect(producer.connect()).rejects.toMatchObject({ code: 'PRODUCER_CLOSED' })
    expect(calls).toEqual([])
  })

  it('refuses numbers that cannot work', () => {
    const { kafka } = growing()
    const made = (options: object) => () => createProducer({ kafka, topic: quotesTopic('topic'), ...options })
    for (const options of [
      { batchRows: 65_537 },
      { batchRows: 0 },
      { lingerMillis: 120_000 },
      { lingerMillis: Number.POSITIVE_INFINITY },
      { lingerMillis: 500, deliveryTimeoutMillis: 500 },
      { retries: Number.NaN },
    ]) {
      expect(made(options), JSON.stringify(options)).toThrow(
        expect.objectContaining({ code: 'PRODUCER_OPTION_INVALID' }),
      )
    }
    expect(made({ lingerMillis: 0, deliveryTimeoutMillis: 1, batchRows: 65_536 })).not.toThrow()
  })

  it.each(['flush', 'close'] as const)(
    'on %s sends what lingers, also while a call waits for room',
    async (end) => {
      const { kafka } = growing()
      const producer = createProducer({
        kafka,
        topic: quotesTopic('topic', 1),
        bufferBytes: 10,
        lingerMillis: 60_000,
        retries: 0,
      })
      await producer.connect()
      const sent = [producer.send(quotesFrom(0, 1)), producer.send(quotesFrom(1, 2))].map((call) =>
        call.catch((error: Error) => error),
      )
      const ended = producer[end]().catch(() => {})
      for (const error of await Promise.all(sent)) expect(error).toMatchObject({ code: 'DELIVERY_FAILED' })
      await ended
      await producer.close()
    },
  )

  it('sends what lingers when the next call finds no room', async () => {
    const { kafka } = growing()
    const options = { bufferBytes: 10, lingerMillis: 60_000, retries: 0 }
    const producer = createProducer({ kafka, topic: quotesTopic('topic', 1), ...options })
    await producer.connect()
    const first = producer.send(quotesFrom(0, 1)).catch((error: Error) => error)
    const second = producer.send(quotesFrom(1, 2)).catch((error: Error) => error)
    expect(await first).toMatchObject({ code: 'DELIVERY_FAILED' })
    await producer.close()
    expect(await second).toMatchObject({ code: 'DELIVERY_FAILED' })
  })
})

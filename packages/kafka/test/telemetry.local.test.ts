import { channels, type TelemetryChannel } from '@stockpipe/core'
import { describe, expect, it, onTestFinished } from 'vitest'
import { createProducer, ensureTopics } from '../src/index.ts'
import { quotesFrom, quotesTopic, startBroker } from './local-broker.ts'
import { MemorySink } from './memory-sink.ts'
import { createRecordReader, runConsumer } from './record-batch-mode.ts'

const heardOn = <Payload extends object>(channel: TelemetryChannel<Payload>): Payload[] => {
  const heard: Payload[] = []
  onTestFinished(channel.subscribe((payload) => heard.push(payload)))
  return heard
}

const filled = async (rows: number) => {
  const { kafka } = await startBroker()
  const topic = quotesTopic('quotes', 2)
  await ensureTopics(kafka, [topic])
  const producer = createProducer({ kafka, topic })
  await producer.connect()
  await producer.send(quotesFrom(0, rows))
  await producer.close()
  return { kafka, topic }
}

describe('what a consumer tells', () => {
  it('tells of its join, its positions, what it hands over and what leaves it', async () => {
    const { kafka, topic } = await filled(1000)
    const { joined, assigned, block, revoked, left } = channels.kafka
    const order: string[] = []
    for (const channel of [joined, assigned, block, revoked, left] as readonly TelemetryChannel<object>[]) {
      onTestFinished(channel.subscribe(() => order.push(channel.name)))
    }
    const heard = {
      joined: heardOn(joined),
      assigned: heardOn(assigned),
      block: heardOn(block),
      revoked: heardOn(revoked),
    }
    await runConsumer({
      kafka,
      groupId: 'lake',
      topics: [topic],
      sink: new MemorySink(),
      until: 'latest',
      maxBlockRecords: 100,
    })
    const partitions = [0, 1].map((partition) => ({ topic: 'quotes', partition }))
    expect(heard.joined).toEqual([
      { groupId: 'lake', memberId: expect.any(String), partitions: expect.arrayContaining(partitions) },
    ])
    expect(heard.assigned).toEqual([
      {
        groupId: 'lake',
        generation: 1,
        partitions: expect.arrayContaining(partitions.map((each) => ({ ...each, offset: 0n }))),
      },
    ])
    expect(heard.block.length).toBeGreaterThanOrEqual(10)
    expect(heard.block.reduce((sum, { records }) => sum + records, 0)).toBe(1000)
    expect(heard.block.every(({ bytes, millis }) => bytes > 0 && millis >= 0)).toBe(true)
    expect(heard.revoked).toEqual([
      { groupId: 'lake', partitions: expect.arrayContaining(partitions), drained: true },
    ])
    expect(order.slice(0, 2)).toEqual([joined.name, assigned.name])
    expect(order.slice(-2)).toEqual([revoked.name, left.name])
  })

  it('tells nothing of what is read again, whose groups have new names', async () => {
    const { kafka } = await filled(100)
    const heard = Object.values(channels.kafka)
      .filter((channel) => channel !== channels.kafka.delivery)
      .map((channel) => heardOn(channel as TelemetryChannel<object>))
    let records = 0
    const log = { topic: 'quotes', partition: 0 }
    for await (const { count } of createRecordReader({ kafka }).read(log, 0n, 10n)) records += count
    expect(records).toBe(10)
    expect(heard.flat()).toEqual([])
  })
})

describe('what a producer tells', () => {
  it('tells of each batch that was acknowledged, and of one that was given up', async () => {
    const { kafka } = await startBroker()
    const topic = quotesTopic('quotes', 2)
    await ensureTopics(kafka, [topic])
    const delivery = heardOn(channels.kafka.delivery)
    const producer = createProducer({ kafka, topic, deliveryTimeoutMillis: 30_000 })
    await producer.connect()
    await producer.send(quotesFrom(0, 500))
    expect(delivery.every(({ outcome }) => outcome === 'delivered')).toBe(true)
    expect(delivery.reduce((sum, { records }) => sum + records, 0)).toBe(500)
    expect(new Set(delivery.map(({ partition }) => partition))).toEqual(new Set([0, 1]))
    expect(delivery.every(({ bytes, millis }) => bytes > 0 && millis >= 0 && millis < 30_000)).toBe(true)
    await producer.close()
  })
})

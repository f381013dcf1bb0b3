import type { DeadLetter } from '@stockpipe/core'
import type { Kafka, KafkaMessage } from 'kafkajs'
import { describe, expect, it } from 'vitest'
import { createDeadLetterTopic, deadLetterHeaders, partitionOfKey } from '../src/index.ts'
import { clientOf, startBroker } from './local-broker.ts'

type Read = KafkaMessage & { readonly partition: number }

const readTopic = async (kafka: Kafka, topic: string, count: number): Promise<Read[]> => {
  const consumer = kafka.consumer({ groupId: `read-${topic}`, maxWaitTimeInMs: 100 })
  const read: Read[] = []
  await consumer.connect()
  await consumer.subscribe({ topics: [topic], fromBeginning: true })
  await new Promise<void>((resolve, reject) => {
    const eachMessage = async ({ partition, message }: { partition: number; message: KafkaMessage }) => {
      read.push({ ...message, partition })
      if (read.length === count) resolve()
    }
    consumer.run({ eachMessage }).catch(reject)
  })
  await consumer.disconnect()
  return read
}

const deadLetter = (offset: number, more: Partial<DeadLetter> = {}): DeadLetter => ({
  topic: 'trades',
  partition: 5,
  offset: BigInt(offset),
  timestampMillis: 1_700_000_000_000,
  key: null,
  value: Buffer.from(`value ${offset}`),
  headers: [],
  column: null,
  reason: 'the value is not a JSON object',
  fingerprint: '0123456789abcdef',
  ...more,
})

const topicOf = async (partitions = 4) => {
  const broker = await startBroker()
  await broker.admin.createTopics({ topics: [{ topic: 'bad', numPartitions: partitions }] })
  const topic = createDeadLetterTopic({ kafka: broker.kafka, topic: 'bad' })
  return { ...broker, topic }
}

describe('a topic for dead letters', () => {
  it('gets key, value and headers as they were, and where the record comes from', async () => {
    const { kafka, topic } = await topicOf()
    const bytes = Buffer.of(0, 255, 254)
    await topic.publish([
      deadLetter(0, {
        key: bytes,
        value: bytes,
        column: 'price',
        headers: [
          ['trace', Buffer.from('one')],
          [deadLetterHeaders.record, Buffer.from('trades/1/1')],
          ['trace', bytes],
          ['none', null],
        ],
      }),
      deadLetter(1, { value: null }),
    ])
    await topic.close()
    const [first, second] = (await readTopic(kafka, 'bad', 2)).sort((left, right) =>
      left.value === null ? 1 : right.value === null ? -1 : 0,
    )
    expect(first).toMatchObject({ key: bytes, value: bytes, partition: partitionOfKey(bytes, 4) })
    expect(Object.entries(first!.headers!)).toEqual([
      ['trace', [Buffer.from('one'), bytes]],
      ['none', Buffer.alloc(0)],
      [deadLetterHeaders.record, Buffer.from('trades/5/0')],
      [deadLetterHeaders.timestamp, Buffer.from('1700000000000')],
      [deadLetterHeaders.column, Buffer.from('price')],
      [deadLetterHeaders.reason, Buffer.from('the value is not a JSON object')],
    ])
    expect(second).toMatchObject({ key: null, value: null, partition: 5 % 4 })
    expect(Object.keys(second!.headers!)).not.toContain(deadLetterHeaders.column)
  })

  it('gets many and large ones in order, in requests a broker takes', async () => {
    const { kafka, topic } = await topicOf(1)
    const sent = Array.from({ length: 2_500 }, (_, index) => deadLetter(index))
    sent.push(...[0, 1, 2].map((index) => deadLetter(2_500 + index, { value: Buffer.alloc(700_000, index) })))
    await topic.publish(sent)
    await topic.close()
    const read = await readTopic(kafka, 'bad', sent.length)
    expect(read.map(({ headers }) => String(headers![deadLetterHeaders.record]))).toEqual(
      sent.map(({ offset }) => `trades/5/${offset}`),
    )
  })

  it('gets a call again after a passing failure, and says of a lasting one that it is', async () => {
    const { kafka, faults, topic } = await topicOf(1)
    faults.add({ api: 'Produce', times: 20, action: { error: 'NOT_LEADER_OR_FOLLOWER' } })
    await expect(topic.publish([deadLetter(0)])).rejects.toMatchObject({
      code: 'DEAD_LETTERS_UNDELIVERED',
      retryable: true,
    })
    faults.clear()
    await topic.publish([deadLetter(0)])
    faults.add({ api: 'Produce', action: { error: 'MESSAGE_TOO_LARGE' } })
    await expect(topic.publish([deadLetter(1)])).rejects.toMatchObject({
      code: 'DEAD_LETTERS_UNDELIVERED',
      retryable: false,
      facts: { topic: 'bad', kafkaError: 'MESSAGE_TOO_LARGE' },
    })
    await topic.close()
    expect(await readTopic(kafka, 'bad', 1)).toHaveLength(1)
  })

  it('that is not there is named, and taken once it is', async () => {
    const { kafka, admin } = await startBroker()
    const topic = createDeadLetterTopic({ kafka, topic: 'later' })
    await expect(topic.publish([deadLetter(0)])).rejects.toMatchObject({ code: 'TOPIC_UNKNOWN' })
    await admin.createTopics({ topics: [{ topic: 'later', numPartitions: 1 }] })
    await topic.publish([deadLetter(0)])
    await topic.close()
    expect(await readTopic(kafka, 'later', 1)).toHaveLength(1)
  })

  it('whose brokers cannot be reached is a failure that may be tried again', async () => {
    const topic = createDeadLetterTopic({ kafka: clientOf(['127.0.0.1:1'], 0), topic: 'bad' })
    await expect(topic.publish([deadLetter(0)])).rejects.toMatchObject({
      code: 'KAFKA_UNREACHABLE',
      retryable: true,
    })
    await topic.close()
  })
})

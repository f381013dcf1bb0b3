import { defineTable, defineTopic, t } from '@stockpipe/core'
import type { Kafka, KafkaMessage, ProducerRecord } from 'kafkajs'
import { describe, expect, it } from 'vitest'
import { createProducer, ensureTopics } from '../src/index.ts'
import { partitionOfKey } from '../src/murmur2.ts'
import { clientOf, quotes, quotesFrom, quotesTopic, startBroker } from './local-broker.ts'

interface Read {
  readonly partition: number
  readonly key: string | undefined
  readonly value: string
}

const readTopic = async (kafka: Kafka, topic: string, count: number): Promise<Read[]> => {
  const consumer = kafka.consumer({ groupId: `read-${topic}`, maxWaitTimeInMs: 100 })
  const read: Read[] = []
  await consumer.connect()
  await consumer.subscribe({ topics: [topic], fromBeginning: true })
  await new Promise<void>((resolve, reject) => {
    const eachMessage = async ({ partition, message }: { partition: number; message: KafkaMessage }) => {
      read.push({ partition, key: message.key?.toString(), value: message.value!.toString() })
      if (read.length === count) resolve()
    }
    consumer.run({ eachMessage }).catch(reject)
  })
  await consumer.disconnect()
  return read
}

describe('ensureTopics', () => {
  it('creates what is missing, leaves what is there, and tells which was which', async () => {
    const { kafka, admin } = await startBroker()
    const [one, two] = [quotesTopic('one'), quotesTopic('two', 2)]
    expect(await ensureTopics(kafka, [one])).toEqual([{ topic: 'one', created: true, partitions: 4 }])
    expect(await ensureTopics(kafka, [one, two])).toEqual([
      { topic: 'one', created: false, partitions: 4 },
      { topic: 'two', created: true, partitions: 2 },
    ])
    const { topics } = await admin.fetchTopicMetadata({ topics: ['two'] })
    expect(topics[0]!.partitions.map(({ partitionId }) => partitionId).sort()).toEqual([0, 1])
  })

  it('refuses a topic with fewer partitions than defined, and takes one with more', async () => {
    const { kafka } = await startBroker()
    await ensureTopics(kafka, [quotesTopic('topic', 3)])
    await expect(ensureTopics(kafka, [quotesTopic('topic', 4)])).rejects.toMatchObject({
      code: 'TOPIC_PARTITIONS_TOO_FEW',
      message: expect.stringContaining('Topic topic has 3 partitions and its definition 4'),
    })
    expect(await ensureTopics(kafka, [quotesTopic('topic', 2)])).toMatchObject([{ partitions: 3 }])
  })

  it('names the topic that cannot be created', async () => {
    const { kafka } = await startBroker()
    const topic = defineTopic('wide', { table: quotes, replicationFactor: 3 })
    await expect(ensureTopics(kafka, [topic])).rejects.toMatchObject({
      code: 'TOPIC_CREATION_FAILED',
      facts: { topic: 'wide', kafkaError: 'INVALID_REPLICATION_FACTOR' },
      message: expect.stringContaining('fewer brokers than replicas'),
    })
  })

  it('says that Kafka cannot be reached, and stops when told to', async () => {
    const away = clientOf(['127.0.0.1:1'], 1)
    await expect(ensureTopics(away, [quotesTopic('topic')])).rejects.toMatchObject({
      code: 'KAFKA_UNREACHABLE',
    })
    const patient = clientOf(['127.0.0.1:1'], 4)
    const signal = AbortSignal.timeout(100)
    await expect(ensureTopics(patient, [quotesTopic('topic')], { signal })).rejects.toThrow(
      /aborted due to timeout/,
    )
  })
})

describe('createProducer', () => {
  it('sends rows to the partition of their key, in order, and resolves when they are there', async () => {
    const { kafka } = await startBroker()
    const topic = quotesTopic('topic')
    await ensureTopics(kafka, [topic])
    const rows = quotesFrom(0, 20_000)
    await using producer = createProducer({ kafka, topic, maxBatchRows: 3000 })
    await producer.connect()
    await Promise.all([
      producer.send(rows.slice(0, 100)),
      producer.send(rows.slice(100, 101)),
      producer.send(rows.slice(101)),
    ])
    const read = await readTopic(kafka, 'topic', rows.length)
    expect(read).toHaveLength(rows.length)
    const values = (records: readonly { partition: number; value: string }[]) =>
      [0, 1, 2, 3].map((partition) =>
        records.filter((record) => record.partition === partition).map(({ value }) => value),
      )
    const expected = rows.map(({ symbol, price, id }) => ({
      partition: partitionOfKey(Buffer.from(symbol), 4),
      value: `{"symbol":"${symbol}","price":"${price}","id":${id}}`,
    }))
    expect(values(read)).toEqual(values(expected))
    expect(read.every(({ key, value }) => value.includes(`"${key}"`))).toBe(true)
  })

  it('spreads rows without a key over all partitions', async () => {
    const { kafka, admin } = await startBroker()
    const topic = defineTopic('loose', { table: quotes, partitions: 3 })
    await ensureTopics(kafka, [topic])
    await using producer = createProducer({ kafka, topic })
    await producer.connect()
    await producer.send(quotesFrom(0, 300))
    expect((await admin.fetchTopicOffsets('loose')).map(({ high }) => high)).toEqual(['100', '100', '100'])
  })

  it('splits what is too large for one request and refuses a record that is too large for any', async () => {
    const { kafka, admin } = await startBroker()
    const table = defineTable('texts', { columns: { symbol: t.string(), text: t.string() } })
    const topic = defineTopic('texts', { table, key: 'symbol' })
    await ensureTopics(kafka, [topic])
    await using producer = createProducer({ kafka, topic })
    await producer.connect()
    await producer.send(Array.from({ length: 50 }, () => ({ symbol: 'A', text: 'x'.repeat(100_000) })))
    await producer.send([{ symbol: 'A', text: 'x'.repeat(1_048_400) }])
    expect(await admin.fetchTopicOffsets('texts')).toMatchObject([{ high: '51' }])
    await expect(
      producer.send([
        { symbol: 'A', text: '' },
        { symbol: 'A', text: 'x'.repeat(1_048_600) },
      ]),
    ).rejects.toMatchObject({
      code: 'RECORD_TOO_LARGE',
      message: expect.stringContaining('Row 1: its record of'),
    })
    expect(await admin.fetchTopicOffsets('texts')).toMatchObject([{ high: '51' }])
  })

  it('refuses a row that does not fit before it sends any of the call', async () => {
    const { kafka, admin } = await startBroker()
    const topic = quotesTopic('topic', 1)
    await ensureTopics(kafka, [topic])
    await using producer = createProducer({ kafka, topic })
    await producer.connect()
    const rows = [...quotesFrom(0, 10), { symbol: 'A', price: 'dear', id: 11n }]
    await expect(producer.send(rows)).rejects.toMatchObject({
      code: 'ROW_INVALID',
      facts: { column: 'price' },
      message: expect.stringMatching(/^Row 10: .*'price'/),
    })
    // @ts-expect-error a decimal is text or a Decimal
    await expect(producer.send([{ symbol: 'A', price: 1.5, id: 1n }])).rejects.toThrow(/^Row 0: .*'price'/)
    // @ts-expect-error id is missing
    await expect(producer.send([{ symbol: 'A', price: '1.5' }])).rejects.toThrow(/^Row 0: .*'id' is missing/)
    await producer.send(quotesFrom(0, 2))
    expect(await admin.fetchTopicOffsets('topic')).toMatchObject([{ high: '2' }])
  })

  it('names the partitions nobody answered for', async () => {
    const { kafka } = await startBroker()
    const topic = quotesTopic('topic', 4)
    await ensureTopics(kafka, [topic])
    // What kafkajs does when a leader moves while another broker has answered: some partitions are never sent.
    const forgetful = Object.assign(clientOf([]), {
      admin: () => kafka.admin(),
      producer: () => {
        const producer = kafka.producer({ createPartitioner: () => (args) => args.message.partition! })
        const send = (record: ProducerRecord) =>
          producer.send({
            ...record,
            messages: record.messages.filter(({ partition }) => partition! % 2 === 0),
          })
        return { ...producer, send }
      },
    })
    await using producer = createProducer({ kafka: forgetful, topic })
    await producer.connect()
    await expect(producer.send(quotesFrom(0, 100))).rejects.toMatchObject({
      code: 'DELIVERY_INCOMPLETE',
      retryable: false,
      facts: { topic: 'topic', partitions: '1,3' },
    })
  })

  it('waits for room, and flush and close wait for every row', async () => {
    const { kafka, admin } = await startBroker()
    const topic = quotesTopic('topic', 1)
    await ensureTopics(kafka, [topic])
    const producer = createProducer({ kafka, topic, maxBufferedRows: 100, maxBatchRows: 10 })
    await producer.connect()
    const sent = Array.from({ length: 20 }, (_, index) =>
      producer.send(quotesFrom(index * 50, index * 50 + 50)),
    )
    await Promise.all(sent)
    const last = producer.send(quotesFrom(0, 30))
    await producer.flush()
    expect(await admin.fetchTopicOffsets('topic')).toMatchObject([{ high: '1030' }])
    await last
    const closing = producer.send(quotesFrom(0, 7))
    await producer.close()
    await closing
    expect(await admin.fetchTopicOffsets('topic')).toMatchObject([{ high: '1037' }])
    await expect(producer.send(quotesFrom(0, 1))).rejects.toMatchObject({ code: 'PRODUCER_CLOSED' })
  })

  it('says what is missing when the topic is not there or it is not connected', async () => {
    const { kafka } = await startBroker()
    await using producer = createProducer({ kafka, topic: quotesTopic('none') })
    await expect(producer.send(quotesFrom(0, 1))).rejects.toMatchObject({ code: 'PRODUCER_NOT_CONNECTED' })
    await expect(producer.connect()).rejects.toMatchObject({ code: 'TOPIC_UNKNOWN' })
  })
})

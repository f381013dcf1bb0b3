import { CompressionTypes } from 'kafkajs'
import { expect, test } from 'vitest'
import {
  connectedAdmin,
  connectedConsumer,
  connectedProducer,
  kafkajsClient,
  refusal,
  startTestBroker,
  until,
} from './broker-fixture.ts'

const startWithTopic = async (configs: Record<string, string> = {}) => {
  const kafka = kafkajsClient(await startTestBroker())
  const admin = await connectedAdmin(kafka)
  const configEntries = Object.entries(configs).map(([name, value]) => ({ name, value }))
  await admin.createTopics({ topics: [{ topic: 'trades', configEntries }] })
  return { kafka, admin, producer: await connectedProducer(kafka) }
}

test('the answer tells offset and start of the log; with CreateTime no append time', async () => {
  const { producer } = await startWithTopic()
  await producer.send({ topic: 'trades', messages: [{ value: 'a' }, { value: 'b' }] })
  expect(await producer.send({ topic: 'trades', messages: [{ value: 'c' }] })).toEqual([
    {
      topicName: 'trades',
      partition: 0,
      errorCode: 0,
      baseOffset: '2',
      logAppendTime: '-1',
      logStartOffset: '0',
    },
  ])
})

test('LogAppendTime is answered and replaces the timestamps of the producer', async () => {
  const { kafka, producer } = await startWithTopic({ 'message.timestamp.type': 'LogAppendTime' })
  const [answer] = await producer.send({ topic: 'trades', messages: [{ value: 'a', timestamp: '1000' }] })
  expect(Math.abs(Number(answer!.logAppendTime) - Date.now())).toBeLessThan(10_000)
  const consumer = await connectedConsumer(kafka, { groupId: 'g' })
  await consumer.subscribe({ topic: 'trades', fromBeginning: true })
  const timestamps: string[] = []
  await consumer.run({ eachMessage: async ({ message }) => void timestamps.push(message.timestamp) })
  await until('the message', () => timestamps.length === 1)
  expect(timestamps[0]).toBe(answer!.logAppendTime)
})

test('a timestamp two hours ahead is INVALID_TIMESTAMP, one of years ago is taken', async () => {
  const { producer } = await startWithTopic()
  const send = (timestamp: number) =>
    producer.send({ topic: 'trades', messages: [{ value: 'a', timestamp: String(timestamp) }] })
  expect((await refusal(send(Date.now() + 7_200_000))).type).toBe('INVALID_TIMESTAMP')
  expect((await send(1_672_531_200_000))[0]!.errorCode).toBe(0)
})

test('a batch above max.message.bytes is MESSAGE_TOO_LARGE, one just below is taken', async () => {
  const { producer } = await startWithTopic()
  const send = (...values: string[]) =>
    producer.send({ topic: 'trades', messages: values.map((value) => ({ value })) })
  expect((await send('x'.repeat(1_048_576 - 100)))[0]!.errorCode).toBe(0)
  expect(await refusal(send('x'.repeat(1_048_576 + 100)))).toMatchObject({
    type: 'MESSAGE_TOO_LARGE',
    retriable: false,
  })
  const many = Array.from({ length: 1200 }, () => 'x'.repeat(1000))
  expect((await refusal(send(...many))).type).toBe('MESSAGE_TOO_LARGE')
})

test('a request of 120 MB closes its connection and a later one is served', async () => {
  const { kafka } = await startWithTopic()
  const producer = await connectedProducer(kafka, { retry: { retries: 0 } })
  const messages = [{ value: Buffer.alloc(120_000_000) }]
  expect((await refusal(producer.send({ topic: 'trades', messages }))).message).toMatch(
    /closed|EPIPE|ECONNRESET/i,
  )
  const next = await connectedProducer(kafka)
  expect((await next.send({ topic: 'trades', messages: [{ value: 'a' }] }))[0]!.baseOffset).toBe('0')
})

test('acks 0 and 1 write, and acks 0 is not answered', async () => {
  const { admin, producer } = await startWithTopic()
  await producer.send({ topic: 'trades', acks: 1, messages: [{ value: 'a' }] })
  await producer.send({ topic: 'trades', acks: 0, messages: [{ value: 'b' }] })
  await producer.send({ topic: 'trades', acks: -1, messages: [{ value: 'c' }] })
  expect(await admin.fetchTopicOffsets('trades')).toMatchObject([{ high: '3' }])
})

test('min.insync.replicas counts no more than the one replica there is, as in Apache Kafka 4', async () => {
  const { producer } = await startWithTopic({ 'min.insync.replicas': '2' })
  expect((await producer.send({ topic: 'trades', messages: [{ value: 'a' }] }))[0]!.errorCode).toBe(0)
})

test('an idempotent producer writes each message once, in order', async () => {
  const { kafka, admin } = await startWithTopic()
  const producer = await connectedProducer(kafka, { idempotent: true, maxInFlightRequests: 1 })
  for (let batch = 0; batch < 20; batch++) {
    const messages = Array.from({ length: 10 }, (_, index) => ({ value: String(batch * 10 + index) }))
    expect((await producer.send({ topic: 'trades', messages }))[0]!.baseOffset).toBe(String(batch * 10))
  }
  expect(await admin.fetchTopicOffsets('trades')).toMatchObject([{ high: '200' }])
})

test('keys, headers, empty and absent values, and gzip come back as they were sent', async () => {
  const { kafka, producer } = await startWithTopic()
  await producer.send({
    topic: 'trades',
    compression: CompressionTypes.GZIP,
    messages: [
      { key: 'AAPL', value: 'a', headers: { venue: 'Q' } },
      { key: 'tombstone', value: null },
    ],
  })
  await producer.send({ topic: 'trades', messages: [{ value: '' }] })
  const consumer = await connectedConsumer(kafka, { groupId: 'g' })
  await consumer.subscribe({ topic: 'trades', fromBeginning: true })
  const received: unknown[] = []
  await consumer.run({
    eachMessage: async ({ message: { offset, key, value, headers } }) =>
      void received.push([offset, key?.toString(), value?.toString(), headers?.['venue']?.toString()]),
  })
  await until('three messages', () => received.length === 3)
  expect(received).toEqual([
    ['0', 'AAPL', 'a', 'Q'],
    ['1', 'tombstone', undefined, undefined],
    ['2', undefined, '', undefined],
  ])
})

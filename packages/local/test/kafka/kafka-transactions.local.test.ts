import type { Kafka } from 'kafkajs'
import { expect, test } from 'vitest'
import {
  connectedAdmin,
  connectedConsumer,
  connectedProducer,
  kafkajsClient,
  refusal,
  startTestBroker,
  temporaryDirectory,
  until,
} from './broker-fixture.ts'

const startWithTopic = async (dataDirectory = temporaryDirectory()) => {
  const broker = await startTestBroker({ dataDirectory })
  const kafka = kafkajsClient(broker)
  const admin = await connectedAdmin(kafka)
  await admin.createTopics({ topics: [{ topic: 'trades' }] })
  return { broker, kafka, admin }
}

const transactionalProducer = (kafka: Kafka, transactionalId: string, transactionTimeout = 60_000) =>
  connectedProducer(kafka, { transactionalId, transactionTimeout, idempotent: true, maxInFlightRequests: 1 })

/** Reads until `last` comes; a marker value keeps the wait short and certain. */
const readUntil = async (kafka: Kafka, last: string, readUncommitted = false): Promise<string[]> => {
  const consumer = await connectedConsumer(kafka, { groupId: `g-${Math.random()}`, readUncommitted })
  await consumer.subscribe({ topic: 'trades', fromBeginning: true })
  const values: string[] = []
  await consumer.run({ eachMessage: async ({ message }) => void values.push(String(message.value)) })
  await until(`the message ${last}`, () => values.includes(last))
  await consumer.disconnect()
  return values
}

const send = (sender: { send: (record: never) => Promise<unknown> }, ...values: string[]) =>
  sender.send({ topic: 'trades', messages: values.map((value) => ({ value })) } as never)

test('aborted records of interleaved transactions are seen by readers of uncommitted records only', async () => {
  const { kafka } = await startWithTopic()
  const plain = await connectedProducer(kafka)
  const first = await (await transactionalProducer(kafka, 'one')).transaction()
  const second = await (await transactionalProducer(kafka, 'two')).transaction()
  await send(first, 'first-1')
  await send(second, 'second-1')
  await send(plain, 'plain-1')
  await send(first, 'first-2')
  await second.abort()
  await first.commit()
  await send(plain, 'end')
  expect(await readUntil(kafka, 'end')).toEqual(['first-1', 'plain-1', 'first-2', 'end'])
  expect(await readUntil(kafka, 'end', true)).toEqual(['first-1', 'second-1', 'plain-1', 'first-2', 'end'])
})

test('nothing behind an open transaction is read until it ends', async () => {
  const { kafka } = await startWithTopic()
  const plain = await connectedProducer(kafka)
  const transaction = await (await transactionalProducer(kafka, 'one')).transaction()
  await send(plain, 'before')
  await send(transaction, 'inside')
  await send(plain, 'after')
  const consumer = await connectedConsumer(kafka, { groupId: 'g' })
  await consumer.subscribe({ topic: 'trades', fromBeginning: true })
  const values: string[] = []
  await consumer.run({ eachMessage: async ({ message }) => void values.push(String(message.value)) })
  await until('the first message', () => values.length === 1)
  await new Promise((resolve) => setTimeout(resolve, 300))
  expect(values).toEqual(['before'])
  await transaction.commit()
  await until('all messages', () => values.length === 3)
  expect(values).toEqual(['before', 'inside', 'after'])
})

test('offsets sent with a transaction become the group’s with its commit and not with its abort', async () => {
  const { kafka, admin } = await startWithTopic()
  const producer = await transactionalProducer(kafka, 'one')
  const sendOffset = async (offset: string, ends: 'commit' | 'abort') => {
    const transaction = await producer.transaction()
    await send(transaction, `at ${offset}`)
    const partitions = [{ partition: 0, offset }]
    await transaction.sendOffsets({ consumerGroupId: 'g', topics: [{ topic: 'trades', partitions }] })
    await transaction[ends]()
    return (await admin.fetchOffsets({ groupId: 'g', topics: ['trades'] }))[0]!.partitions[0]!.offset
  }
  expect(await sendOffset('5', 'abort')).toBe('-1')
  expect(await sendOffset('7', 'commit')).toBe('7')
  expect(await sendOffset('9', 'abort')).toBe('7')
})

test('a second producer with the same transactional id fences the first and aborts its transaction', async () => {
  const { kafka } = await startWithTopic()
  const zombie = await (await transactionalProducer(kafka, 'one')).transaction()
  await send(zombie, 'zombie')
  const successor = await (await transactionalProducer(kafka, 'one')).transaction()
  expect((await refusal(send(zombie, 'too late'))).type).toBe('INVALID_PRODUCER_EPOCH')
  await send(successor, 'end')
  await successor.commit()
  expect(await readUntil(kafka, 'end')).toEqual(['end'])
})

test('a transaction beyond its time-out is aborted and its producer fenced', async () => {
  const { kafka } = await startWithTopic()
  const transaction = await (await transactionalProducer(kafka, 'one', 500)).transaction()
  await send(transaction, 'slow')
  await new Promise((resolve) => setTimeout(resolve, 800))
  expect(await refusal(send(transaction, 'late'))).toMatchObject({
    type: 'INVALID_PRODUCER_EPOCH',
    retriable: false,
  })
  await send(await connectedProducer(kafka), 'end')
  expect(await readUntil(kafka, 'end')).toEqual(['end'])
})

test('a transaction time-out above 15 minutes is refused', async () => {
  const { kafka } = await startWithTopic()
  const producer = await transactionalProducer(kafka, 'one', 960_000)
  expect((await refusal(producer.transaction())).type).toBe('INVALID_TRANSACTION_TIMEOUT')
})

test('a transaction that is open when the broker ends is aborted when it starts again', async () => {
  const dataDirectory = temporaryDirectory()
  const { broker, kafka } = await startWithTopic(dataDirectory)
  const producer = await transactionalProducer(kafka, 'one')
  const committed = await producer.transaction()
  await send(committed, 'committed')
  await committed.commit()
  await send(await producer.transaction(), 'open')
  await broker.close()
  const restarted = await startWithTopic(dataDirectory)
  await send(await connectedProducer(restarted.kafka), 'end')
  expect(await readUntil(restarted.kafka, 'end')).toEqual(['committed', 'end'])
  const next = await (await transactionalProducer(restarted.kafka, 'one')).transaction()
  await send(next, 'next')
  await next.commit()
  expect(await readUntil(restarted.kafka, 'next')).toEqual(['committed', 'end', 'next'])
})

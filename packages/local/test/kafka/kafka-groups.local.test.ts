import type { Consumer, Kafka } from 'kafkajs'
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

const startWithTopic = async (numPartitions: number) => {
  const broker = await startTestBroker()
  const kafka = kafkajsClient(broker)
  const admin = await connectedAdmin(kafka)
  await admin.createTopics({ topics: [{ topic: 'trades', numPartitions }] })
  return { broker, kafka, admin, producer: await connectedProducer(kafka) }
}

interface RunningConsumer {
  readonly consumer: Consumer
  readonly values: string[]
  partitions: number[]
}

const runConsumer = async (kafka: Kafka, groupId = 'g'): Promise<RunningConsumer> => {
  const consumer = await connectedConsumer(kafka, { groupId })
  const running: RunningConsumer = { consumer, values: [], partitions: [] }
  consumer.on(consumer.events.GROUP_JOIN, ({ payload }) => {
    running.partitions = payload.memberAssignment['trades'] ?? []
  })
  await consumer.subscribe({ topic: 'trades', fromBeginning: true })
  await consumer.run({ eachMessage: async ({ message }) => void running.values.push(String(message.value)) })
  return running
}

const numbered = (from: number, to: number) =>
  Array.from({ length: to - from }, (_, index) => ({
    key: String(from + index),
    value: String(from + index),
  }))

test('two members share the partitions and read every message once', async () => {
  const { kafka, producer } = await startWithTopic(4)
  const first = await runConsumer(kafka)
  await until('the first has all partitions', () => first.partitions.length === 4)
  const second = await runConsumer(kafka)
  await until('both have two', () => first.partitions.length === 2 && second.partitions.length === 2)
  expect([...first.partitions, ...second.partitions].sort()).toEqual([0, 1, 2, 3])
  await producer.send({ topic: 'trades', messages: numbered(0, 200) })
  await until('all messages', () => first.values.length + second.values.length >= 200)
  expect(first.values.length).toBeGreaterThan(0)
  expect(second.values.length).toBeGreaterThan(0)
  const all = [...first.values, ...second.values].map(Number).sort((left, right) => left - right)
  expect(all).toEqual(numbered(0, 200).map(({ value }) => Number(value)))
})

test('when a member leaves, the other takes over its partitions where it stopped', async () => {
  const { kafka, producer } = await startWithTopic(4)
  const first = await runConsumer(kafka)
  const second = await runConsumer(kafka)
  await until('both have two', () => first.partitions.length === 2 && second.partitions.length === 2)
  await producer.send({ topic: 'trades', messages: numbered(0, 100) })
  await until('100 messages', () => first.values.length + second.values.length >= 100)
  await second.consumer.disconnect()
  await until('the first has all partitions', () => first.partitions.length === 4)
  await producer.send({ topic: 'trades', messages: numbered(100, 200) })
  await until('200 messages', () => first.values.length + second.values.length >= 200)
  expect(new Set([...first.values, ...second.values]).size).toBe(200)
  expect(first.values.length + second.values.length).toBe(200)
})

test('a group is listed, described with its members, and deleted only when empty', async () => {
  const { kafka, admin, producer } = await startWithTopic(1)
  await producer.send({ topic: 'trades', messages: numbered(0, 3) })
  const running = await runConsumer(kafka)
  await until('three messages', () => running.values.length === 3)
  expect((await admin.listGroups()).groups).toEqual([{ groupId: 'g', protocolType: 'consumer' }])
  const { groups } = await admin.describeGroups(['g', 'absent'])
  expect(groups).toMatchObject([
    { groupId: 'g', state: 'Stable', protocol: 'RoundRobinAssigner', members: [{ clientId: 'test' }] },
    { groupId: 'absent', state: 'Dead', errorCode: 0 },
  ])
  const whileBusy = (await refusal(admin.deleteGroups(['g']))) as { groups?: { error: { type: string } }[] }
  expect(whileBusy.groups![0]!.error.type).toBe('NON_EMPTY_GROUP')
  const absent = (await refusal(admin.deleteGroups(['absent']))) as { groups?: { error: { type: string } }[] }
  expect(absent.groups![0]!.error.type).toBe('GROUP_ID_NOT_FOUND')
  await running.consumer.disconnect()
  const offsets = () => admin.fetchOffsets({ groupId: 'g', topics: ['trades'] })
  expect((await offsets())[0]!.partitions[0]!.offset).toBe('3')
  await admin.deleteGroups(['g'])
  expect((await offsets())[0]!.partitions[0]!.offset).toBe('-1')
  expect((await admin.listGroups()).groups).toEqual([])
})

test('offsets are set by the admin client of an empty group', async () => {
  const { admin, producer } = await startWithTopic(2)
  await producer.send({ topic: 'trades', messages: numbered(0, 50) })
  await admin.setOffsets({ groupId: 'g', topic: 'trades', partitions: [{ partition: 1, offset: '7' }] })
  const offsets = async () => (await admin.fetchOffsets({ groupId: 'g', topics: ['trades'] }))[0]!.partitions
  expect((await offsets()).map(({ partition, offset }) => [partition, offset]).sort()).toEqual([
    [0, '-1'],
    [1, '7'],
  ])
})

test('a session time-out below six seconds is refused', async () => {
  const { kafka } = await startWithTopic(1)
  const consumer = await connectedConsumer(kafka, { groupId: 'g', sessionTimeout: 1000 })
  await consumer.subscribe({ topic: 'trades' })
  const crash = new Promise<{ type?: string }>((resolve) => {
    consumer.on(consumer.events.CRASH, ({ payload }) => resolve(payload.error as { type?: string }))
  })
  await consumer.run({ eachMessage: async () => undefined })
  expect((await crash).type).toBe('INVALID_SESSION_TIMEOUT')
})

test('a member that says nothing for its session time-out is out, and its partitions go to the other', async () => {
  const { kafka, producer } = await startWithTopic(2)
  const silent = kafka.consumer({
    groupId: 'g',
    sessionTimeout: 6000,
    heartbeatInterval: 5900,
    maxWaitTimeInMs: 100,
  })
  await silent.connect()
  await silent.subscribe({ topic: 'trades', fromBeginning: true })
  const assigned = new Promise((resolve) => silent.on(silent.events.GROUP_JOIN, resolve))
  let release = () => {}
  const stuck = new Promise<void>((resolve) => (release = resolve))
  await silent.run({ eachMessage: () => stuck })
  await assigned
  await producer.send({ topic: 'trades', messages: numbered(0, 20) })
  const lively = await runConsumer(kafka)
  await until('the other has both partitions', () => lively.partitions.length === 2)
  await until('all messages', () => lively.values.length >= 20)
  release()
  await silent.disconnect()
}, 30_000)

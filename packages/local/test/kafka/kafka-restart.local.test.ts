import { expect, test } from 'vitest'
import { startKafkaBroker } from '../../src/kafka/kafka-broker.ts'
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

test('topics, messages and committed offsets are there after a restart, and a group goes on where it was', async () => {
  const dataDirectory = temporaryDirectory()
  const readFrom = async (broker: Awaited<ReturnType<typeof startTestBroker>>, count: number) => {
    const consumer = await connectedConsumer(kafkajsClient(broker), { groupId: 'g' })
    await consumer.subscribe({ topic: 'trades', fromBeginning: true })
    const values: string[] = []
    await consumer.run({ eachMessage: async ({ message }) => void values.push(String(message.value)) })
    await until(`${count} messages`, () => values.length >= count)
    await consumer.disconnect()
    return values
  }
  const first = await startTestBroker({ dataDirectory })
  const admin = await connectedAdmin(kafkajsClient(first))
  await admin.createTopics({ topics: [{ topic: 'trades', numPartitions: 2 }] })
  const producer = await connectedProducer(kafkajsClient(first))
  await producer.send({ topic: 'trades', messages: [{ value: 'a' }, { value: 'b' }] })
  expect((await readFrom(first, 2)).sort()).toEqual(['a', 'b'])
  await producer.send({ topic: 'trades', messages: [{ value: 'c' }] })
  const clusterId = (await admin.describeCluster()).clusterId
  await first.close()

  const second = await startTestBroker({ dataDirectory })
  const secondAdmin = await connectedAdmin(kafkajsClient(second))
  expect(await secondAdmin.listTopics()).toEqual(['trades'])
  expect((await secondAdmin.describeCluster()).clusterId).toBe(clusterId)
  expect((await secondAdmin.listGroups()).groups).toEqual([{ groupId: 'g', protocolType: 'consumer' }])
  expect(await readFrom(second, 1)).toEqual(['c'])
})

test('close() ends within two seconds with open connections and a waiting fetch', async () => {
  const broker = await startTestBroker()
  const kafka = kafkajsClient(broker, 0)
  await connectedProducer(kafka)
  const admin = await connectedAdmin(kafka)
  await admin.createTopics({ topics: [{ topic: 'trades' }] })
  const consumer = await connectedConsumer(kafka, { groupId: 'g', maxWaitTimeInMs: 30_000 })
  const joined = new Promise((resolve) => consumer.on(consumer.events.GROUP_JOIN, resolve))
  await consumer.subscribe({ topic: 'trades' })
  await consumer.run({ eachMessage: async () => undefined })
  await joined
  await new Promise((resolve) => setTimeout(resolve, 100))
  const startedMillis = performance.now()
  await broker.close()
  expect(performance.now() - startedMillis).toBeLessThan(2000)
  await broker.close()
})

test('a taken port is an error that names the port and the way out', async () => {
  const broker = await startTestBroker()
  const second = startKafkaBroker({ dataDirectory: temporaryDirectory(), port: broker.port })
  const error = await refusal(second)
  expect(error).toMatchObject({ code: 'PORT_IN_USE' })
  expect(error.message).toContain(String(broker.port))
  expect(error.message).toContain('--kafka-port 0')
})

test('every served request is told to onRequest', async () => {
  const seen: string[] = []
  const broker = await startTestBroker({
    onRequest: (entry) => seen.push(`${entry.api} v${entry.apiVersion}`),
  })
  const producer = await connectedProducer(kafkajsClient(broker))
  await producer.send({ topic: 'trades', messages: [{ value: 'a' }] })
  expect(seen).toEqual(expect.arrayContaining(['ApiVersions v2', 'Metadata v6', 'Produce v7']))
})

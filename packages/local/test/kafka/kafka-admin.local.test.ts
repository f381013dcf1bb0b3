import type { Admin, ITopicConfig } from 'kafkajs'
import { ConfigResourceTypes } from 'kafkajs'
import { expect, test } from 'vitest'
import type { KafkaBrokerOptions } from '../../src/kafka/kafka-broker.ts'
import {
  connectedAdmin,
  connectedProducer,
  kafkajsClient,
  refusal,
  startTestBroker,
  until,
} from './broker-fixture.ts'

const startWithAdmin = async (options: Partial<KafkaBrokerOptions> = {}) => {
  const broker = await startTestBroker(options)
  const kafka = kafkajsClient(broker)
  return { broker, kafka, admin: await connectedAdmin(kafka) }
}

const create = (admin: Admin, topic: string, config: Partial<ITopicConfig> = {}, validateOnly = false) =>
  admin.createTopics({ validateOnly, waitForLeaders: !validateOnly, topics: [{ topic, ...config }] })

test('a topic is created, listed, described and deleted', async () => {
  const { broker, admin } = await startWithAdmin()
  expect(await create(admin, 'market.trades', { numPartitions: 3 })).toBe(true)
  expect(await admin.listTopics()).toEqual(['market.trades'])
  const { topics } = await admin.fetchTopicMetadata({ topics: ['market.trades'] })
  expect(topics[0]!.partitions.map(({ partitionId, leader }) => [partitionId, leader])).toEqual(
    expect.arrayContaining([
      [0, 1],
      [1, 1],
      [2, 1],
    ]),
  )
  const cluster = await admin.describeCluster()
  expect(cluster).toMatchObject({
    controller: 1,
    brokers: [{ nodeId: 1, host: broker.host, port: broker.port }],
  })
  await admin.deleteTopics({ topics: ['market.trades'] })
  expect(await admin.listTopics()).toEqual([])
})

test('creating a topic that exists resolves false', async () => {
  const { admin } = await startWithAdmin()
  await create(admin, 'trades')
  expect(await create(admin, 'trades')).toBe(false)
})

test('bad names, replication factors, configurations and partition counts are refused as by Apache Kafka', async () => {
  const { admin } = await startWithAdmin()
  const typeOf = async (topic: string, config: Partial<ITopicConfig>) => {
    const error = await refusal(create(admin, topic, config))
    expect(error.name).toBe('KafkaJSAggregateError')
    return error.errors![0]!.type
  }
  expect(await typeOf('no spaces', {})).toBe('INVALID_TOPIC_EXCEPTION')
  expect(await typeOf('..', {})).toBe('INVALID_TOPIC_EXCEPTION')
  expect(await typeOf('a'.repeat(250), {})).toBe('INVALID_TOPIC_EXCEPTION')
  expect(await typeOf('t', { replicationFactor: 3 })).toBe('INVALID_REPLICATION_FACTOR')
  expect(await typeOf('t', { numPartitions: 0 })).toBe('INVALID_PARTITIONS')
  const withConfig = (name: string, value: string) => typeOf('t', { configEntries: [{ name, value }] })
  expect(await withConfig('no.such.config', '1')).toBe('INVALID_CONFIG')
  expect(await withConfig('retention.ms', 'long')).toBe('INVALID_CONFIG')
  expect(await withConfig('cleanup.policy', 'compact')).toBe('INVALID_CONFIG')
  expect(await admin.listTopics()).toEqual([])
})

test('names that differ in dots and underscores only are refused', async () => {
  const { admin } = await startWithAdmin()
  await create(admin, 'market.trades')
  expect((await refusal(create(admin, 'market_trades'))).errors![0]!.type).toBe('INVALID_TOPIC_EXCEPTION')
})

test('validating creates nothing', async () => {
  const { admin } = await startWithAdmin()
  expect(await create(admin, 'trades', {}, true)).toBe(true)
  expect(await admin.listTopics()).toEqual([])
})

test('partitions are added, but not to the same count', async () => {
  const { admin } = await startWithAdmin()
  await create(admin, 'trades', { numPartitions: 2 })
  await admin.createPartitions({ topicPartitions: [{ topic: 'trades', count: 4 }] })
  expect((await admin.fetchTopicOffsets('trades')).length).toBe(4)
  const same = await refusal(admin.createPartitions({ topicPartitions: [{ topic: 'trades', count: 4 }] }))
  expect(JSON.stringify(same) + same.type).toContain('INVALID_PARTITIONS')
})

test('an unknown topic is UNKNOWN_TOPIC_OR_PARTITION for delete, offsets and metadata', async () => {
  const { admin } = await startWithAdmin()
  const typeOf = async (promise: Promise<unknown>) => {
    const error = await refusal(promise)
    return error.cause?.type ?? error.type
  }
  expect(await typeOf(admin.deleteTopics({ topics: ['absent'] }))).toBe('UNKNOWN_TOPIC_OR_PARTITION')
  expect(await typeOf(admin.fetchTopicOffsets('absent'))).toBe('UNKNOWN_TOPIC_OR_PARTITION')
  expect(await typeOf(admin.fetchTopicMetadata({ topics: ['absent'] }))).toBe('UNKNOWN_TOPIC_OR_PARTITION')
})

test('a topic is created when a producer asks for it, unless that is switched off', async () => {
  const { kafka, admin } = await startWithAdmin()
  const producer = await connectedProducer(kafka)
  await producer.send({ topic: 'fresh', messages: [{ value: 'a' }] })
  expect(await admin.listTopics()).toEqual(['fresh'])
  const strict = await startWithAdmin({ autoCreateTopics: false })
  const strictProducer = await connectedProducer(strict.kafka)
  const error = await refusal(strictProducer.send({ topic: 'fresh', messages: [{ value: 'a' }] }))
  expect((error.cause ?? error).type).toBe('UNKNOWN_TOPIC_OR_PARTITION')
  expect(await strict.admin.listTopics()).toEqual([])
})

test('topic configurations are described with their source and altered', async () => {
  const { admin } = await startWithAdmin()
  await create(admin, 'trades', { configEntries: [{ name: 'retention.ms', value: '60000' }] })
  const describe = async () => {
    const { resources } = await admin.describeConfigs({
      includeSynonyms: true,
      resources: [
        { type: ConfigResourceTypes.TOPIC, name: 'trades', configNames: ['retention.ms', 'cleanup.policy'] },
      ],
    })
    return Object.fromEntries(
      resources[0]!.configEntries.map((entry) => [entry.configName, [entry.configValue, entry.configSource]]),
    )
  }
  expect(await describe()).toEqual({ 'retention.ms': ['60000', 1], 'cleanup.policy': ['delete', 5] })
  const alter = (name: string, value: string) =>
    admin.alterConfigs({
      validateOnly: false,
      resources: [{ type: ConfigResourceTypes.TOPIC, name: 'trades', configEntries: [{ name, value }] }],
    })
  await alter('retention.ms', '120000')
  expect((await describe())['retention.ms']).toEqual(['120000', 1])
  expect((await refusal(alter('cleanup.policy', 'compact'))).type).toBe('INVALID_CONFIG')
})

test('records are deleted up to an offset, but not beyond the end', async () => {
  const { kafka, admin } = await startWithAdmin()
  await create(admin, 'trades')
  const producer = await connectedProducer(kafka)
  const messages = Array.from({ length: 20 }, (_, index) => ({ value: String(index) }))
  await producer.send({ topic: 'trades', messages })
  await admin.fetchTopicOffsets('trades')
  const deleteTo = (offset: string) =>
    admin.deleteTopicRecords({ topic: 'trades', partitions: [{ partition: 0, offset }] })
  await deleteTo('10')
  expect(await admin.fetchTopicOffsets('trades')).toMatchObject([{ low: '10', high: '20' }])
  expect((await refusal(deleteTo('21'))).message).toContain('Error while deleting records')
})

test('offsets are found by time', async () => {
  const { kafka, admin } = await startWithAdmin()
  await create(admin, 'trades')
  const producer = await connectedProducer(kafka)
  const at = (timestamp: number) => ({ value: 'a', timestamp: String(timestamp) })
  await producer.send({ topic: 'trades', messages: [at(1000), at(2000), at(3000)] })
  await producer.send({ topic: 'trades', messages: [at(4000), at(5000)] })
  const offsetAt = async (millis: number) =>
    (await admin.fetchTopicOffsetsByTimestamp('trades', millis))[0]!.offset
  expect([await offsetAt(0), await offsetAt(1500), await offsetAt(3001), await offsetAt(5000)]).toEqual([
    '0',
    '1',
    '3',
    '4',
  ])
})

test('records older than retention.ms go, and their offsets are not given again', async () => {
  const { kafka, admin } = await startWithAdmin({ retentionCheckIntervalMillis: 100 })
  await create(admin, 'trades', { configEntries: [{ name: 'retention.ms', value: '60000' }] })
  const producer = await connectedProducer(kafka)
  const send = (timestamp: number) =>
    producer.send({ topic: 'trades', messages: [{ value: 'a', timestamp: String(timestamp) }] })
  await send(Date.now() - 120_000)
  let low = '0'
  const poll = setInterval(async () => (low = (await admin.fetchTopicOffsets('trades'))[0]!.low), 50)
  await until('the low watermark to move', () => low === '1').finally(() => clearInterval(poll))
  expect((await send(Date.now()))[0]).toMatchObject({ baseOffset: '1', logStartOffset: '1' })
  expect(await admin.fetchTopicOffsets('trades')).toMatchObject([{ low: '1', high: '2' }])
})

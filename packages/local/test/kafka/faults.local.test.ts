import { ConfigurationError } from '@stockpipe/core'
import { describe, expect, it } from 'vitest'
import { errorAnswers } from '../../src/kafka/faults/error-answers.ts'
import type { KafkaFaultOptions } from '../../src/kafka/faults/fault.ts'
import { apiTable } from '../../src/kafka/protocol/api-table.ts'
import {
  connectedAdmin,
  connectedProducer,
  kafkajsClient,
  refusal,
  startTestBroker,
} from './broker-fixture.ts'
import { RawClient, requestFrame } from './raw-client.ts'
import { recordBatch } from './record-batch-fixture.ts'

const brokerWithTopics = async (...topics: string[]) => {
  const broker = await startTestBroker()
  const admin = await connectedAdmin(kafkajsClient(broker))
  await admin.createTopics({ topics: topics.map((topic) => ({ topic })) })
  return { broker, admin }
}

const produceTo = async (names: readonly string[], acks = -1) => {
  const records = await recordBatch({ values: ['a'], timestamps: [Date.now()] })
  const topics = names.map((name) => ({ name, partitions: [{ partition: 0, records }] }))
  return { transactionalId: null, acks, timeoutMillis: 1000, topics }
}

describe('faults of the embedded broker', () => {
  it('answers an error to as many requests as asked, and a client that retries gets through', async () => {
    const { broker, admin } = await brokerWithTopics('trades')
    const producer = await connectedProducer(kafkajsClient(broker, 3))
    const fault = broker.faults.add({ api: 'Produce', times: 2, action: { error: 'NOT_LEADER_OR_FOLLOWER' } })
    await producer.send({ topic: 'trades', messages: [{ value: 'a' }] })
    expect(fault.hits).toBe(2)
    expect((await admin.fetchTopicOffsets('trades'))[0]!.high).toBe('1')
  })

  it('shows kafkajs the error it was asked for, at the top, in a partition, in a topic', async () => {
    const { broker, admin } = await brokerWithTopics('trades')
    const producer = await connectedProducer(kafkajsClient(broker, 0))
    broker.faults.add({ api: 'Produce', action: { error: 'MESSAGE_TOO_LARGE' } })
    const send = producer.send({ topic: 'trades', messages: [{ value: 'a' }] })
    expect((await refusal(send)).type).toBe('MESSAGE_TOO_LARGE')
    broker.faults.add({ api: 'CreateTopics', action: { error: 'POLICY_VIOLATION' } })
    const create = admin.createTopics({ topics: [{ topic: 'bars' }] })
    expect((await refusal(create)).errors?.[0]?.type).toBe('POLICY_VIOLATION')
    broker.faults.add({ api: 'ListGroups', action: { error: 'CLUSTER_AUTHORIZATION_FAILED' } })
    expect((await refusal(admin.listGroups())).type).toBe('CLUSTER_AUTHORIZATION_FAILED')
    broker.faults.clear()
    expect((await admin.listGroups()).groups).toEqual([])
    expect(await admin.listTopics()).not.toContain('bars')
  })

  it('refuses one topic of a request and serves the others', async () => {
    const { broker } = await brokerWithTopics('bars', 'trades')
    const client = await RawClient.connect(broker)
    broker.faults.add({ api: 'Produce', topic: 'bars', action: { error: 'NOT_ENOUGH_REPLICAS' } })
    const answer = await client.ask('produce', 7, await produceTo(['bars', 'trades']))
    const codes = Object.fromEntries(answer.topics.map(({ name, partitions }) => [name, partitions[0]]))
    expect(codes['bars']).toMatchObject({ errorCode: 19, baseOffset: -1 })
    expect(codes['trades']).toMatchObject({ errorCode: 0, baseOffset: 0 })
    broker.faults.add({ api: 'Metadata', topic: 'bars', action: { error: 'LEADER_NOT_AVAILABLE' } })
    const metadata = await client.ask('metadata', 4, {
      topics: ['bars', 'trades'],
      allowAutoTopicCreation: false,
      includeClusterAuthorizedOperations: false,
      includeTopicAuthorizedOperations: false,
    })
    expect(metadata.topics.map(({ name, errorCode }) => [name, errorCode])).toEqual([
      ['bars', 5],
      ['trades', 0],
    ])
  })

  it('hits what asks for the metadata of all topics, for every topic or for the one that is named', async () => {
    const { broker, admin } = await brokerWithTopics('bars', 'trades')
    broker.faults.add({ api: 'Metadata', action: { error: 'LEADER_NOT_AVAILABLE' } })
    const client = await RawClient.connect(broker)
    const askedFor = async (version: number, topics: string[] | null) => {
      const answer = await client.ask('metadata', version, {
        topics,
        allowAutoTopicCreation: false,
        includeClusterAuthorizedOperations: false,
        includeTopicAuthorizedOperations: false,
      })
      return Object.fromEntries(answer.topics.map(({ name, errorCode }) => [name, errorCode]))
    }
    expect(await askedFor(4, null)).toEqual({ bars: 5, trades: 5 })
    expect(await askedFor(4, null)).toEqual({ bars: 0, trades: 0 })
    const fault = broker.faults.add({
      api: 'Metadata',
      topic: 'bars',
      times: 2,
      action: { error: 'LEADER_NOT_AVAILABLE' },
    })
    expect(await askedFor(0, [])).toEqual({ bars: 5, trades: 0 })
    expect(await askedFor(4, ['trades'])).toEqual({ trades: 0 })
    expect(fault.hits).toBe(1)
    expect((await admin.listTopics()).sort()).toEqual(['bars', 'trades'])
  })

  it('hits what asks for all offsets of a group', async () => {
    const { broker } = await brokerWithTopics('trades')
    const fault = broker.faults.add({ api: 'OffsetFetch', action: { error: 'NOT_COORDINATOR' } })
    const client = await RawClient.connect(broker)
    const answer = await client.ask('offsetFetch', 4, { groupId: 'group', topics: null })
    expect([answer.errorCode, fault.hits]).toEqual([16, 1])
  })

  it('cuts a connection before the work is done', async () => {
    const { broker, admin } = await brokerWithTopics('trades')
    const fault = broker.faults.add({ api: 'Produce', times: 1, action: 'cut' })
    const producer = await connectedProducer(kafkajsClient(broker, 0))
    await refusal(producer.send({ topic: 'trades', messages: [{ value: 'a' }] }))
    expect(fault.hits).toBe(1)
    expect((await admin.fetchTopicOffsets('trades'))[0]!.high).toBe('0')
  })

  it('loses an answer after the work is done, so that a plain producer writes twice and an idempotent one once', async () => {
    const { broker, admin } = await brokerWithTopics('plain', 'idempotent')
    for (const topic of ['plain', 'idempotent']) {
      const fault = broker.faults.add({ api: 'Produce', topic, times: 1, action: 'loseAnswer' })
      const producer = await connectedProducer(kafkajsClient(broker, 3), {
        idempotent: topic === 'idempotent',
        maxInFlightRequests: 1,
      })
      await producer.send({ topic, messages: [{ value: 'a' }] })
      expect(fault.hits).toBe(1)
    }
    expect((await admin.fetchTopicOffsets('plain'))[0]!.high).toBe('2')
    expect((await admin.fetchTopicOffsets('idempotent'))[0]!.high).toBe('1')
  })

  it('holds an answer back for the time asked, while other connections go on', async () => {
    const { broker } = await brokerWithTopics('trades')
    const [slow, quick] = [await RawClient.connect(broker), await RawClient.connect(broker)]
    const fault = broker.faults.add({ api: 'ListGroups', times: 1, action: { delayMillis: 150 } })
    const startedMillis = performance.now()
    const delayed = slow.ask('listGroups', 2, {}).then(() => performance.now() - startedMillis)
    await expect.poll(() => fault.hits).toBe(1)
    await quick.ask('listGroups', 2, {})
    expect(await delayed).toBeGreaterThanOrEqual(145)
  })

  it('gives a delayed answer up when the broker closes', async () => {
    const { broker } = await brokerWithTopics()
    const client = await RawClient.connect(broker)
    const fault = broker.faults.add({ api: 'ListGroups', action: { delayMillis: 600_000 } })
    client.write(requestFrame('listGroups', 2, {}))
    await expect.poll(() => fault.hits).toBe(1)
    await broker.close()
    await client.closed()
  })

  it('closes the connection of a producer that wants no answer, as Apache Kafka does for an error', async () => {
    const { broker, admin } = await brokerWithTopics('trades')
    const client = await RawClient.connect(broker)
    broker.faults.add({ api: 'Produce', action: { error: 'NOT_LEADER_OR_FOLLOWER' } })
    client.write(requestFrame('produce', 7, await produceTo(['trades'], 0)))
    await client.closed()
    expect((await admin.fetchTopicOffsets('trades'))[0]!.high).toBe('0')
  })

  it('stops when it is removed, and takes the faults one after the other', async () => {
    const { broker } = await brokerWithTopics('trades')
    const client = await RawClient.connect(broker)
    const first = broker.faults.add({ api: 'ListGroups', action: { error: 'NOT_COORDINATOR' } })
    const times = Number.POSITIVE_INFINITY
    const second = broker.faults.add({ api: 'ListGroups', times, action: { error: 'REQUEST_TIMED_OUT' } })
    expect((await client.ask('listGroups', 2, {})).errorCode).toBe(16)
    expect((await client.ask('listGroups', 2, {})).errorCode).toBe(7)
    expect((await client.ask('listGroups', 2, {})).errorCode).toBe(7)
    second.remove()
    expect((await client.ask('listGroups', 2, {})).errorCode).toBe(0)
    expect([first.hits, second.hits]).toEqual([1, 2])
  })

  it.each([
    [{ api: 'Produse', action: 'cut' }, /"Produse" is not served.*Produce, Fetch/],
    [{ api: 'Produce', action: { error: 'NOT_LEADER' } }, /"NOT_LEADER" is unknown.*NOT_LEADER_OR_FOLLOWER/],
    [{ api: 'Produce', action: { error: 'NONE' } }, /"NONE" is unknown/],
    [{ api: 'Produce', action: 'slow' }, /"slow" is none.*'loseAnswer'/],
    [{ api: 'Produce', action: { delayMillis: -1 } }, /is none.*delayMillis: 500/],
    [{ api: 'Produce', times: 0, action: 'cut' }, /times 0/],
    [{ api: 'Heartbeat', topic: 'trades', action: 'cut' }, /Heartbeat names no topics.*Produce/],
  ])('refuses %j and lists the choices', async (options, message) => {
    const broker = await startTestBroker()
    const add = () => broker.faults.add(options as KafkaFaultOptions)
    expect(add).toThrow(ConfigurationError)
    expect(add).toThrow(message)
  })

  it('knows where the error stands in the answer of every API that is served', () => {
    expect(Object.keys(apiTable).filter((name) => !(name in errorAnswers))).toEqual([])
  })
})

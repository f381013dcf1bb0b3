import { expect } from 'vitest'
import type { KafkaCase } from './case-cluster.ts'
import { fetch, produce } from './wire-api.ts'

/** Reading: where it starts, how much it brings, and how long it waits. */
export const fetchCases = (test: KafkaCase): void => {
  test('a fetch brings the records and the ends of the log', async (cluster) => {
    const topic = await cluster.topic()
    await cluster.write(topic, ['a', 'b'])
    const answer = await fetch(await cluster.wire(), { topic, offset: 0 })
    expect(answer).toMatchObject({
      errorCode: 0,
      highWatermark: '2',
      lastStableOffset: '2',
      lastStartOffset: '0',
    })
    expect(answer.messages.map(({ value }) => String(value))).toEqual(['a', 'b'])
  })

  test('a fetch at the end is empty and no error', async (cluster) => {
    const topic = await cluster.topic()
    await cluster.write(topic, ['a'])
    expect(await fetch(await cluster.wire(), { topic, offset: 1 })).toMatchObject({
      errorCode: 0,
      messages: [],
    })
  })

  test('a fetch beyond the end is OFFSET_OUT_OF_RANGE', async (cluster) => {
    const topic = await cluster.topic()
    await cluster.write(topic, ['a'])
    expect((await fetch(await cluster.wire(), { topic, offset: 2 })).errorCode).toBe(1)
  })

  test('a fetch of a partition that does not exist is UNKNOWN_TOPIC_OR_PARTITION', async (cluster) => {
    const topic = await cluster.topic()
    const wire = await cluster.wire()
    expect(await fetch(wire, { topic, partition: 7, offset: 0 })).toMatchObject({
      errorCode: 3,
      highWatermark: '-1',
    })
    expect((await fetch(wire, { topic: cluster.name('missing'), offset: 0 })).errorCode).toBe(3)
  })

  test('a fetch in the middle of a batch brings the whole batch', async (cluster) => {
    const topic = await cluster.topic()
    const wire = await cluster.wire()
    await produce(wire, { topic, messages: ['a', 'b', 'c'].map((value) => ({ value })) })
    const { messages } = await fetch(wire, { topic, offset: 1 })
    expect(messages.map(({ offset }) => offset)).toEqual(['0', '1', '2'])
  })

  test('a first batch larger than asked for comes nevertheless', async (cluster) => {
    const topic = await cluster.topic()
    await cluster.write(topic, ['v'.repeat(1000), 'second'])
    const { messages } = await fetch(await cluster.wire(), { topic, offset: 0, maxBytes: 100 })
    expect(messages.map(({ offset }) => offset)).toEqual(['0'])
  })

  test('a waiting fetch is answered when a record arrives', async (cluster) => {
    const topic = await cluster.topic()
    const wire = await cluster.wire()
    const waiting = fetch(wire, { topic, offset: 0, minBytes: 1, maxWaitMillis: 30_000 })
    await cluster.write(topic, ['a'])
    expect((await waiting).messages.map(({ value }) => String(value))).toEqual(['a'])
  })

  test('a fetch that waits in vain is answered empty', async (cluster) => {
    const topic = await cluster.topic()
    const answer = await fetch(await cluster.wire(), { topic, offset: 0, minBytes: 1, maxWaitMillis: 200 })
    expect(answer).toMatchObject({ errorCode: 0, messages: [] })
  })

  test('a leader epoch newer than the leader is UNKNOWN_LEADER_EPOCH', async (cluster) => {
    const topic = await cluster.topic()
    const wire = await cluster.wire()
    expect((await fetch(wire, { topic, offset: 0, currentLeaderEpoch: 5 })).errorCode).toBe(75)
    expect((await fetch(wire, { topic, offset: 0, currentLeaderEpoch: 0 })).errorCode).toBe(0)
  })
}

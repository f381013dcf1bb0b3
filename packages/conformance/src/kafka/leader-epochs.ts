import { expect } from 'vitest'
import type { KafkaCase } from './case-cluster.ts'
import { endOfLeaderEpoch, fetch, leaderEpochOfBatch, produce, topicIdOf } from './wire-api.ts'

/** What tells a log from one that was cut or made anew: leader epochs, and the ids of topics. */
export const leaderEpochCases = (test: KafkaCase): void => {
  const unknownEpoch = { errorCode: 0, leaderEpoch: -1, endOffset: -1n }

  test('a batch carries the epoch of the leader that wrote it, whatever its producer said', async (cluster) => {
    const topic = await cluster.topic()
    const wire = await cluster.wire()
    await produce(wire, { topic, messages: [{ value: 'a' }] })
    expect(await leaderEpochOfBatch(wire, topic, 0)).toBe(0)
  })

  test('OffsetForLeaderEpoch answers the end of the log for the present epoch', async (cluster) => {
    const topic = await cluster.topic()
    await cluster.write(topic, ['a', 'b'])
    const wire = await cluster.wire()
    const ofNow = { errorCode: 0, leaderEpoch: 0, endOffset: 2n }
    expect(await endOfLeaderEpoch(wire, topic, { leaderEpoch: 0 })).toEqual(ofNow)
    expect(await endOfLeaderEpoch(wire, topic, { leaderEpoch: 0, currentLeaderEpoch: 0 })).toEqual(ofNow)
  })

  test('OffsetForLeaderEpoch of an epoch that has not come yet, or of none, is unknown', async (cluster) => {
    const topic = await cluster.topic()
    await cluster.write(topic, ['a'])
    const wire = await cluster.wire()
    for (const leaderEpoch of [3, -1]) {
      expect(await endOfLeaderEpoch(wire, topic, { leaderEpoch })).toEqual(unknownEpoch)
    }
  })

  test('a client that knows of a later leader than the broker is answered UNKNOWN_LEADER_EPOCH', async (cluster) => {
    const topic = await cluster.topic()
    const wire = await cluster.wire()
    expect(await endOfLeaderEpoch(wire, topic, { leaderEpoch: 0, currentLeaderEpoch: 5 })).toMatchObject({
      errorCode: 75,
    })
    expect((await fetch(wire, { topic, offset: 0, currentLeaderEpoch: 5 })).errorCode).toBe(75)
    // The epoch is looked at before the offset.
    expect((await fetch(wire, { topic, offset: 99, currentLeaderEpoch: 5 })).errorCode).toBe(75)
  })

  test('OffsetForLeaderEpoch of a partition that does not exist is UNKNOWN_TOPIC_OR_PARTITION', async (cluster) => {
    const topic = await cluster.topic()
    const wire = await cluster.wire()
    const unknown = { errorCode: 3, leaderEpoch: -1, endOffset: -1n }
    expect(await endOfLeaderEpoch(wire, topic, { partition: 7, leaderEpoch: 0 })).toEqual(unknown)
    expect(await endOfLeaderEpoch(wire, cluster.name('missing'), { leaderEpoch: 0 })).toEqual(unknown)
  })

  test('a topic keeps its id, and one made anew has another one and begins at epoch 0 again', async (cluster) => {
    const topic = await cluster.topic()
    await cluster.write(topic, ['a', 'b'])
    const wire = await cluster.wire()
    const id = await topicIdOf(wire, topic)
    expect(id).not.toMatch(/^0*$/)
    const admin = await cluster.admin()
    await admin.createPartitions({ topicPartitions: [{ topic, count: 2 }] })
    await cluster.ready(topic, 2)
    expect(await topicIdOf(wire, topic)).toBe(id)
    await admin.deleteTopics({ topics: [topic] })
    await cluster.until(
      () => admin.listTopics(),
      (topics) => !topics.includes(topic),
    )
    await cluster.topic({ name: topic })
    expect(await topicIdOf(wire, topic)).not.toBe(id)
    await cluster.write(topic, ['c'])
    expect(await leaderEpochOfBatch(wire, topic, 0)).toBe(0)
    expect(await endOfLeaderEpoch(wire, topic, { leaderEpoch: 0 })).toMatchObject({ endOffset: 1n })
  })

  test('the id of a topic that does not exist is none', async (cluster) => {
    expect(await topicIdOf(await cluster.wire(), cluster.name('missing'))).toMatch(/^0{32}$/)
  })
}

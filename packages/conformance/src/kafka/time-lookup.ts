import { expect } from 'vitest'
import type { CaseCluster, KafkaCase } from './case-cluster.ts'
import { listOffset, produce } from './wire-api.ts'

const baseMillis = 1_700_000_000_000

/** A topic with one batch for each list of times, counted from `baseMillis`. */
const topicWithTimes = async (cluster: CaseCluster, batches: readonly number[][], compression = 0) => {
  // Records of 2023 are older than retention.ms is by default.
  const topic = await cluster.topic({ configs: { 'retention.ms': '-1' } })
  const wire = await cluster.wire()
  for (const batch of batches) {
    const messages = batch.map((millis) => ({ value: `at ${millis}`, timestamp: baseMillis + millis }))
    await produce(wire, { topic, messages, compression })
  }
  return async (millis: number) => {
    const { offset, timestamp } = await listOffset(wire, topic, baseMillis + millis)
    return { offset: Number(offset), millis: timestamp === '-1' ? -1 : Number(timestamp) - baseMillis }
  }
}

/** ListOffsets by time: the first record at or after it. */
export const timeLookupCases = (test: KafkaCase): void => {
  test('the exact time of a record finds that record, inside of a batch too', async (cluster) => {
    const find = await topicWithTimes(cluster, [
      [10, 20, 30],
      [40, 50],
    ])
    expect(await find(20)).toEqual({ offset: 1, millis: 20 })
    expect(await find(50)).toEqual({ offset: 4, millis: 50 })
  })

  test('a time between two records finds the later one', async (cluster) => {
    const find = await topicWithTimes(cluster, [
      [10, 20],
      [40, 50],
    ])
    expect(await find(15)).toEqual({ offset: 1, millis: 20 })
    expect(await find(21)).toEqual({ offset: 2, millis: 40 })
  })

  test('a time before everything finds the first record', async (cluster) => {
    const find = await topicWithTimes(cluster, [[10], [20]])
    expect(await find(-5)).toEqual({ offset: 0, millis: 10 })
  })

  test('a time after everything finds nothing', async (cluster) => {
    const find = await topicWithTimes(cluster, [[10], [20]])
    expect(await find(21)).toEqual({ offset: -1, millis: -1 })
  })

  test('times that are out of order find the first record in log order that is late enough', async (cluster) => {
    const find = await topicWithTimes(cluster, [[30], [10], [20], [40]])
    expect(await find(15)).toEqual({ offset: 0, millis: 30 })
    expect(await find(35)).toEqual({ offset: 3, millis: 40 })
  })

  test('a record inside of a gzip batch is found', async (cluster) => {
    const find = await topicWithTimes(cluster, [[10, 20, 30]], 1)
    expect(await find(25)).toEqual({ offset: 2, millis: 30 })
  })

  test('the earliest and the latest offset of an empty partition are 0', async (cluster) => {
    const topic = await cluster.topic()
    const wire = await cluster.wire()
    for (const timestamp of [-1, -2]) {
      expect(await listOffset(wire, topic, timestamp)).toMatchObject({ errorCode: 0, offset: '0' })
    }
    expect(await listOffset(wire, topic, 0)).toMatchObject({ offset: '-1', timestamp: '-1' })
  })

  test("kafkajs's look-up of a time after everything gives the end of the partition", async (cluster) => {
    const topic = await cluster.topic()
    await cluster.write(topic, ['a', 'b'])
    const admin = await cluster.admin()
    const found = await admin.fetchTopicOffsetsByTimestamp(topic, Date.now() + 3_600_000)
    expect(found).toEqual([{ partition: 0, offset: '2' }])
  })

  test('a partition that does not exist is UNKNOWN_TOPIC_OR_PARTITION', async (cluster) => {
    const topic = await cluster.topic()
    expect((await listOffset(await cluster.wire(), topic, -1, { partition: 5 })).errorCode).toBe(3)
  })
}

import { expect } from 'vitest'
import { type KafkaCase, refusal } from './case-cluster.ts'

/** Topics: made, refused, grown, deleted, and described. */
export const topicCases = (test: KafkaCase): void => {
  test('a created topic has the partitions that were asked for, led by the one broker', async (cluster) => {
    const topic = await cluster.topic({ partitions: 3 })
    const admin = await cluster.admin()
    const { topics } = await admin.fetchTopicMetadata({ topics: [topic] })
    expect(topics[0]!.partitions.map(({ partitionId }) => partitionId).sort()).toEqual([0, 1, 2])
    for (const partition of topics[0]!.partitions) {
      expect(partition).toMatchObject({ partitionErrorCode: 0, replicas: [1], isr: [1], leader: 1 })
    }
  })

  test('a topic that exists is not created again', async (cluster) => {
    const topic = await cluster.topic()
    const admin = await cluster.admin()
    expect(await admin.createTopics({ topics: [{ topic }] })).toBe(false)
  })

  const refusals = [
    ['a name with a space', { topic: 'no name' }, 'INVALID_TOPIC_EXCEPTION'],
    ['the name ".."', { topic: '..' }, 'INVALID_TOPIC_EXCEPTION'],
    ['a name of 250 characters', { topic: 'n'.repeat(250) }, 'INVALID_TOPIC_EXCEPTION'],
    ['three replicas on one broker', { replicationFactor: 3 }, 'INVALID_REPLICATION_FACTOR'],
    ['no partition at all', { numPartitions: 0 }, 'INVALID_PARTITIONS'],
    [
      'an unknown configuration',
      { configEntries: [{ name: 'no.such.config', value: '1' }] },
      'INVALID_CONFIG',
    ],
    [
      'a configuration that is no number',
      { configEntries: [{ name: 'retention.ms', value: 'long' }] },
      'INVALID_CONFIG',
    ],
  ] as const
  for (const [what, options, type] of refusals) {
    test(`${what} is refused with ${type}`, async (cluster) => {
      const admin = await cluster.admin()
      const configEntries = 'configEntries' in options ? [...options.configEntries] : []
      const topic = { topic: cluster.name('refused'), ...options, configEntries }
      const error = await refusal(admin.createTopics({ topics: [topic] }))
      expect(error.name).toBe('KafkaJSAggregateError')
      expect(error.errors).toMatchObject([{ type }])
    })
  }

  test('a name that differs from another in . and _ only is refused', async (cluster) => {
    const name = cluster.name('collides')
    const admin = await cluster.admin()
    await cluster.topic({ name: `${name}.a` })
    const error = await refusal(admin.createTopics({ topics: [{ topic: `${name}_a` }] }))
    expect(error.errors).toMatchObject([{ type: 'INVALID_TOPIC_EXCEPTION' }])
  })

  test('topics whose names differ in capitals only are two topics', async (cluster) => {
    const name = cluster.name('capitals')
    await cluster.topic({ name: `${name}-a` })
    await cluster.topic({ name: `${name}-A` })
    await cluster.write(`${name}-a`, ['small'])
    await cluster.write(`${name}-A`, ['large'])
    expect(await cluster.readCommitted(`${name}-a`)).toEqual(['small'])
    expect(await cluster.readCommitted(`${name}-A`)).toEqual(['large'])
  })

  test('a topic that is only validated is not created', async (cluster) => {
    const topic = cluster.name('validated')
    const admin = await cluster.admin()
    await admin.createTopics({ topics: [{ topic }], validateOnly: true, waitForLeaders: false })
    expect(await admin.listTopics()).not.toContain(topic)
  })

  test('a topic is listed until it is deleted', async (cluster) => {
    const topic = await cluster.topic()
    const admin = await cluster.admin()
    expect(await admin.listTopics()).toContain(topic)
    await admin.deleteTopics({ topics: [topic] })
    await cluster.until(
      () => admin.listTopics(),
      (topics) => !topics.includes(topic),
    )
  })

  test('a topic created again under its old name begins empty', async (cluster) => {
    const topic = await cluster.topic()
    await cluster.write(topic, ['old'])
    const admin = await cluster.admin()
    await admin.deleteTopics({ topics: [topic] })
    await cluster.until(
      () => admin.listTopics(),
      (topics) => !topics.includes(topic),
    )
    await cluster.topic({ name: topic })
    expect(await admin.fetchTopicOffsets(topic)).toMatchObject([{ low: '0', high: '0' }])
  })

  test('deleting a topic that does not exist ends with UNKNOWN_TOPIC_OR_PARTITION', async (cluster) => {
    const admin = await cluster.admin(1)
    const error = await refusal(admin.deleteTopics({ topics: [cluster.name('missing')] }))
    expect(error.name).toBe('KafkaJSNumberOfRetriesExceeded')
    expect(error.cause).toMatchObject({ type: 'UNKNOWN_TOPIC_OR_PARTITION', code: 3 })
  })

  test('metadata of a topic that does not exist is UNKNOWN_TOPIC_OR_PARTITION', async (cluster) => {
    const admin = await cluster.admin(1)
    const error = await refusal(admin.fetchTopicMetadata({ topics: [cluster.name('missing')] }))
    expect(error).toMatchObject({ type: 'UNKNOWN_TOPIC_OR_PARTITION', retriable: true })
  })

  test('offsets of a topic that does not exist are UNKNOWN_TOPIC_OR_PARTITION', async (cluster) => {
    const admin = await cluster.admin(1)
    const error = await refusal(admin.fetchTopicOffsets(cluster.name('missing')))
    expect(error.name).toBe('KafkaJSNumberOfRetriesExceeded')
    expect(error.cause).toMatchObject({ type: 'UNKNOWN_TOPIC_OR_PARTITION', code: 3 })
  })

  test('partitions added later take records and leave the old ones alone', async (cluster) => {
    const topic = await cluster.topic()
    await cluster.write(topic, ['first'])
    const admin = await cluster.admin()
    await admin.createPartitions({ topicPartitions: [{ topic, count: 3 }] })
    await cluster.ready(topic, 3)
    await cluster.write(topic, ['third'], 2)
    expect(await cluster.readCommitted(topic, 0)).toEqual(['first'])
    expect(await cluster.readCommitted(topic, 2)).toEqual(['third'])
  })

  for (const count of [1, 2]) {
    test(`${count} partitions instead of 2 are no increase: INVALID_PARTITIONS`, async (cluster) => {
      const topic = await cluster.topic({ partitions: 2 })
      const admin = await cluster.admin()
      const error = await refusal(admin.createPartitions({ topicPartitions: [{ topic, count }] }))
      expect(error.errors?.[0] ?? error).toMatchObject({ type: 'INVALID_PARTITIONS' })
    })
  }

  test('a producer that may creates a missing topic of one partition', async (cluster) => {
    const topic = cluster.name('automatic')
    const producer = await cluster.producer()
    const [written] = await producer.send({ topic, messages: [{ value: 'a' }] })
    expect(written).toMatchObject({ topicName: topic, partition: 0, errorCode: 0, baseOffset: '0' })
  })

  test('a producer that may not create topics gets UNKNOWN_TOPIC_OR_PARTITION', async (cluster) => {
    const topic = cluster.name('missing')
    const producer = await cluster.producer({ allowAutoTopicCreation: false }, 1)
    const error = await refusal(producer.send({ topic, messages: [{ value: 'a' }] }))
    expect(error.name).toBe('KafkaJSNumberOfRetriesExceeded')
    expect(error.cause).toMatchObject({ type: 'UNKNOWN_TOPIC_OR_PARTITION', code: 3 })
    expect(await (await cluster.admin()).listTopics()).not.toContain(topic)
  })
}

import { expect } from 'vitest'
import { type CaseCluster, type KafkaCase, refusal } from './case-cluster.ts'
import { commitOffset, fetch, listOffset, outsider, produce } from './wire-api.ts'

const topicOf20 = async (cluster: CaseCluster): Promise<string> => {
  const topic = await cluster.topic()
  const wire = await cluster.wire()
  for (let start = 0; start < 20; start += 5) {
    const messages = Array.from({ length: 5 }, (_, index) => ({ value: String(start + index) }))
    await produce(wire, { topic, messages })
  }
  return topic
}

const deleteTo = async (cluster: CaseCluster, topic: string, offset: string): Promise<void> => {
  const admin = await cluster.admin()
  await admin.fetchTopicMetadata({ topics: [topic] })
  await admin.deleteTopicRecords({ topic, partitions: [{ partition: 0, offset }] })
}

/** DeleteRecords, and what readers meet afterwards. */
export const recordDeletionCases = (test: KafkaCase): void => {
  test('records deleted up to 10 move the low watermark to 10', async (cluster) => {
    const topic = await topicOf20(cluster)
    await deleteTo(cluster, topic, '10')
    const admin = await cluster.admin()
    expect(await admin.fetchTopicOffsets(topic)).toMatchObject([{ low: '10', high: '20' }])
  })

  test('deleting beyond the end is refused and deletes nothing', async (cluster) => {
    const topic = await topicOf20(cluster)
    const error = await refusal(deleteTo(cluster, topic, '21'))
    expect(error.message).toContain('Error while deleting records')
    expect(await listOffset(await cluster.wire(), topic, -2)).toMatchObject({ offset: '0' })
  })

  test('deleting to -1 empties the partition, whose offsets go on', async (cluster) => {
    const topic = await topicOf20(cluster)
    await deleteTo(cluster, topic, '-1')
    const wire = await cluster.wire()
    expect(await listOffset(wire, topic, -2)).toMatchObject({ offset: '20' })
    expect(await produce(wire, { topic, messages: [{ value: 'next' }] })).toMatchObject({
      baseOffset: '20',
      logStartOffset: '20',
    })
  })

  test('an admin that has not looked the topic up deletes nothing: KafkaJSTopicMetadataNotLoaded', async (cluster) => {
    const topic = await topicOf20(cluster)
    const admin = await cluster.admin()
    const partitions = [{ partition: 0, offset: '10' }]
    const error = await refusal(admin.deleteTopicRecords({ topic, partitions }))
    expect(error.name).toBe('KafkaJSTopicMetadataNotLoaded')
    expect(await listOffset(await cluster.wire(), topic, -2)).toMatchObject({ offset: '0' })
  })

  test('a fetch of a deleted offset is OFFSET_OUT_OF_RANGE and names the log start', async (cluster) => {
    const topic = await topicOf20(cluster)
    await deleteTo(cluster, topic, '10')
    const wire = await cluster.wire()
    expect((await fetch(wire, { topic, offset: 3 })).errorCode).toBe(1)
    expect(await fetch(wire, { topic, offset: 10 })).toMatchObject({ errorCode: 0, lastStartOffset: '10' })
  })

  test('a consumer from the beginning begins behind the deleted records', async (cluster) => {
    const topic = await topicOf20(cluster)
    await deleteTo(cluster, topic, '12')
    const received = await cluster.consume(topic, 8)
    expect(received.map(({ message }) => message.offset)).toEqual(
      Array.from({ length: 8 }, (_, index) => String(12 + index)),
    )
  })

  test('a look-up by time finds no deleted record', async (cluster) => {
    const topic = await topicOf20(cluster)
    await deleteTo(cluster, topic, '10')
    expect(await listOffset(await cluster.wire(), topic, 1000)).toMatchObject({ offset: '10' })
  })

  test('committed offsets behind the log start are moved to it by a consumer from the beginning', async (cluster) => {
    const topic = await topicOf20(cluster)
    const groupId = cluster.name('group')
    await commitOffset(await cluster.wire(), outsider(groupId), { topic, offset: 3 })
    await deleteTo(cluster, topic, '10')
    const received = await cluster.consume(topic, 10, { groupId })
    expect(received[0]!.message.offset).toBe('10')
  })

  for (const fromBeginning of [true, false]) {
    const where = fromBeginning ? 'the start' : 'the end'
    const sentence = `who seeks beyond the end and asks for offsets from ${where} goes on at ${where}, and does not crash`
    test(sentence, async (cluster) => {
      const topic = await topicOf20(cluster)
      const groupId = cluster.name('group')
      await commitOffset(await cluster.wire(), outsider(groupId), { topic, offset: 19 })
      const consumer = await cluster.consumer({ groupId })
      await consumer.subscribe({ topic, fromBeginning })
      const crashes: unknown[] = []
      consumer.on('consumer.crash', ({ payload }) => crashes.push(payload.error))
      const offsets: number[] = []
      await consumer.run({ eachMessage: async ({ message }) => void offsets.push(Number(message.offset)) })
      const received = async () => offsets
      await cluster.until(received, ([first]) => first === 19)
      consumer.seek({ topic, partition: 0, offset: '999' })
      await cluster.until(
        async () => {
          // At the end there is nothing to read until something comes.
          if (!fromBeginning) await cluster.write(topic, ['later'])
          return offsets
        },
        (all) => all.length > 1,
      )
      if (fromBeginning) expect(offsets[1]).toBe(0)
      else expect(offsets[1]).toBeGreaterThanOrEqual(20)
      expect(crashes).toEqual([])
    })
  }

  test('a consumer from the latest offset jumps over all that is left to the end', async (cluster) => {
    const topic = await topicOf20(cluster)
    const groupId = cluster.name('group')
    await commitOffset(await cluster.wire(), outsider(groupId), { topic, offset: 3 })
    await deleteTo(cluster, topic, '10')
    const consumer = await cluster.consumer({ groupId })
    await consumer.subscribe({ topic, fromBeginning: false })
    const offsets: number[] = []
    await consumer.run({ eachMessage: async ({ message }) => void offsets.push(Number(message.offset)) })
    await cluster.until(
      async () => {
        await cluster.write(topic, ['later'])
        return offsets
      },
      (received) => received.length > 0,
    )
    expect(offsets[0]).toBeGreaterThanOrEqual(20)
  })
}

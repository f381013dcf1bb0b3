import { LogChangedError, LostPositionError, packedAt, type RecordBlock, recordOffset } from '@stockpipe/core'
import { describe, expect, it } from 'vitest'
import { startBroker } from './local-broker.ts'
import { createRecordReader } from './record-batch-mode.ts'

const log = { topic: 'topic', partition: 1 }

/** A topic of two partitions, `count` numbered records in each. */
const filled = async (count: number) => {
  const { kafka, admin } = await startBroker()
  await admin.createTopics({ topics: [{ topic: 'topic', numPartitions: 2 }] })
  const producer = kafka.producer({ allowAutoTopicCreation: false })
  await producer.connect()
  for (const partition of [0, 1]) {
    for (let from = 0; from < count; from += 100) {
      const messages = Array.from({ length: Math.min(100, count - from) }, (_, index) => ({
        partition,
        value: `${partition} ${from + index}`,
      }))
      await producer.send({ topic: 'topic', messages })
    }
  }
  await producer.disconnect()
  return { kafka, admin }
}

const collect = async (blocks: AsyncIterable<RecordBlock>) => {
  const read: { block: RecordBlock; records: string[] }[] = []
  for await (const block of blocks) {
    const records = Array.from(
      { length: block.count },
      (_, index) => `${recordOffset(block, index)}: ${Buffer.from(packedAt(block.values, index)!)}`,
    )
    read.push({ block, records })
  }
  return read
}

const expectWhole = (read: readonly { block: RecordBlock }[], from: bigint, to: bigint) => {
  let at = from
  for (const { block } of read) {
    expect(block.firstOffset).toBe(at)
    at = block.nextOffset
  }
  expect(at).toBe(to)
}

describe.concurrent('a record reader', () => {
  it('reads exactly the offsets asked for, in blocks without a gap, and leaves no group behind', async () => {
    const { kafka, admin } = await filled(1000)
    const read = await collect(createRecordReader({ kafka }).read(log, 137n, 802n))
    expectWhole(read, 137n, 802n)
    expect(read.flatMap(({ records }) => records)).toEqual(
      Array.from({ length: 665 }, (_, index) => `${index + 137}: 1 ${index + 137}`),
    )
    expect((await admin.listGroups()).groups).toEqual([])
  })

  it('leaves no group behind when the caller stops early', async () => {
    const { kafka, admin } = await filled(200)
    for await (const block of createRecordReader({ kafka }).read(log, 0n, 200n)) {
      expect(block.firstOffset).toBe(0n)
      break
    }
    expect((await admin.listGroups()).groups).toEqual([])
  })

  it('ends at the last offset asked for though only aborted records and markers are there', async () => {
    const { kafka } = await filled(10)
    const transactional = kafka.producer({ transactionalId: 'tx', maxInFlightRequests: 1, idempotent: true })
    await transactional.connect()
    const transaction = await transactional.transaction()
    await transaction.send({ topic: 'topic', messages: [{ partition: 1, value: 'aborted' }] })
    await transaction.abort()
    await transactional.disconnect()
    const read = await collect(createRecordReader({ kafka }).read(log, 4n, 12n))
    expectWhole(read, 4n, 12n)
    expect(read.flatMap(({ records }) => records).length).toBe(6)
  })

  it('refuses offsets that Kafka no longer has, or does not have yet', async () => {
    const { kafka, admin } = await filled(100)
    // kafkajs has to know the leader before it can delete.
    await admin.fetchTopicOffsets('topic')
    await admin.deleteTopicRecords({ topic: 'topic', partitions: [{ partition: 1, offset: '40' }] })
    const reader = createRecordReader({ kafka })
    await expect(collect(reader.read(log, 39n, 60n))).rejects.toThrow(LostPositionError)
    await expect(collect(reader.read(log, 50n, 101n))).rejects.toThrow(LogChangedError)
    expectWhole(await collect(reader.read(log, 40n, 100n)), 40n, 100n)
  })

  it('ends at once when the signal aborts', async () => {
    const { kafka } = await filled(100)
    const stop = new AbortController()
    stop.abort(new Error('stop'))
    const read = createRecordReader({ kafka }).read(log, 0n, 100n, { signal: stop.signal })
    await expect(collect(read)).rejects.toThrow('stop')
  })
})

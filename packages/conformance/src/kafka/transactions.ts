import { expect } from 'vitest'
import type { CaseCluster, KafkaCase } from './case-cluster.ts'
import { TransactionalProducer } from './transactional-producer.ts'
import { commitOffset, committedOffset, fetch, listOffset, outsider } from './wire-api.ts'

const transactional = async (cluster: CaseCluster): Promise<TransactionalProducer> =>
  TransactionalProducer.init(await cluster.wire(), cluster.name('transaction'))

/** Transactions: what readers see of several producers on one partition. */
export const transactionCases = (test: KafkaCase): void => {
  test('readers of committed records see a transaction once it is committed, others at once', async (cluster) => {
    const topic = await cluster.topic()
    const wire = await cluster.wire()
    const producer = await transactional(cluster)
    await producer.add(topic)
    await producer.write(topic, ['a', 'b'])
    const open = await fetch(wire, { topic, offset: 0, isolationLevel: 1 })
    expect(open).toMatchObject({ highWatermark: '2', lastStableOffset: '0', messages: [] })
    expect((await fetch(wire, { topic, offset: 0 })).messages).toHaveLength(2)
    expect(await producer.end('commit')).toBe(0)
    expect(await cluster.readCommitted(topic)).toEqual(['a', 'b'])
  })

  test('an aborted transaction is listed, and readers of committed records skip it', async (cluster) => {
    const topic = await cluster.topic()
    const producer = await transactional(cluster)
    await producer.add(topic)
    await producer.write(topic, ['a', 'b'])
    expect(await producer.end('abort')).toBe(0)
    expect(await cluster.readCommitted(topic)).toEqual([])
    const answer = await fetch(await cluster.wire(), { topic, offset: 0, isolationLevel: 1 })
    expect(answer.abortedTransactions).toEqual([{ producerId: producer.producerId, firstOffset: '0' }])
    expect(answer.messages.map(({ isControlRecord }) => isControlRecord)).toEqual([false, false, true])
  })

  test('interleaved transactions of three producers: the committed ones are seen, in log order', async (cluster) => {
    const topic = await cluster.topic()
    const [left, middle, right] = [
      await transactional(cluster),
      await transactional(cluster),
      await transactional(cluster),
    ]
    for (const producer of [left, middle, right]) await producer.add(topic)
    await left.write(topic, ['left 1'])
    await middle.write(topic, ['middle 1'])
    await right.write(topic, ['right 1'])
    await cluster.write(topic, ['plain'])
    await left.write(topic, ['left 2'])
    await middle.write(topic, ['middle 2'])
    await middle.end('abort')
    await right.write(topic, ['right 2'])
    await right.end('commit')
    await left.end('commit')
    expect(await cluster.readCommitted(topic)).toEqual(['left 1', 'right 1', 'plain', 'left 2', 'right 2'])
  })

  test('the last stable offset waits for the oldest open transaction', async (cluster) => {
    const topic = await cluster.topic()
    const wire = await cluster.wire()
    await cluster.write(topic, ['before'])
    const [older, newer] = [await transactional(cluster), await transactional(cluster)]
    for (const producer of [older, newer]) await producer.add(topic)
    await older.write(topic, ['older'])
    await newer.write(topic, ['newer'])
    await newer.end('commit')
    await cluster.until(
      () => listOffset(wire, topic, -1),
      ({ offset }) => offset === '4',
    )
    const answer = await fetch(wire, { topic, offset: 0, isolationLevel: 1 })
    expect(answer).toMatchObject({ highWatermark: '4', lastStableOffset: '1' })
    expect(answer.messages.map(({ value }) => String(value))).toEqual(['before'])
    expect(await listOffset(wire, topic, -1, { isolationLevel: 1 })).toMatchObject({ offset: '1' })
    await older.end('abort')
    expect(await cluster.readCommitted(topic)).toEqual(['before', 'newer'])
  })

  test('one producer aborts, commits and aborts: only the middle one is seen', async (cluster) => {
    const topic = await cluster.topic()
    const producer = await transactional(cluster)
    for (const [value, outcome] of [
      ['1', 'abort'],
      ['2', 'commit'],
      ['3', 'abort'],
    ] as const) {
      expect(await producer.add(topic)).toBe(0)
      await producer.write(topic, [value])
      await producer.end(outcome)
    }
    await cluster.until(
      async () => listOffset(await cluster.wire(), topic, -1),
      ({ offset }) => offset === '6',
    )
    expect(await cluster.readCommitted(topic)).toEqual(['2'])
  })

  test('a transaction over two partitions ends in both', async (cluster) => {
    const topic = await cluster.topic({ partitions: 2 })
    const producer = await transactional(cluster)
    for (const partition of [0, 1]) {
      await producer.add(topic, partition)
      await producer.write(topic, [`in ${partition}`], partition)
    }
    await producer.end('commit')
    expect(await cluster.readCommitted(topic, 0)).toEqual(['in 0'])
    expect(await cluster.readCommitted(topic, 1)).toEqual(['in 1'])
  })

  test('a waiting reader of committed records is answered when the transaction ends', async (cluster) => {
    const topic = await cluster.topic()
    const producer = await transactional(cluster)
    await producer.add(topic)
    await producer.write(topic, ['a'])
    const wait = { topic, offset: 0, isolationLevel: 1, minBytes: 1, maxWaitMillis: 30_000 } as const
    const waiting = fetch(await cluster.wire(), wait)
    await producer.end('commit')
    expect((await waiting).messages.map(({ value }) => String(value))[0]).toBe('a')
  })

  test('offsets of a transaction are committed with it', async (cluster) => {
    const topic = await cluster.topic()
    const groupId = cluster.name('group')
    const wire = await cluster.wire()
    await commitOffset(wire, outsider(groupId), { topic, offset: 1 })
    const producer = await transactional(cluster)
    expect(await producer.addOffsets(groupId)).toBe(0)
    expect(await producer.commitOffset(groupId, topic, 5)).toBe(0)
    expect((await committedOffset(wire, groupId, topic)).offset).toBe('1')
    await producer.end('commit')
    await cluster.until(
      () => committedOffset(wire, groupId, topic),
      ({ offset }) => offset === '5',
    )
  })

  test('offsets of an aborted transaction are forgotten', async (cluster) => {
    const topic = await cluster.topic()
    const groupId = cluster.name('group')
    const wire = await cluster.wire()
    await commitOffset(wire, outsider(groupId), { topic, offset: 1 })
    const producer = await transactional(cluster)
    await producer.add(topic)
    await producer.write(topic, ['a'])
    await producer.addOffsets(groupId)
    await producer.commitOffset(groupId, topic, 5)
    await producer.end('abort')
    await cluster.readCommitted(topic)
    expect((await committedOffset(wire, groupId, topic)).offset).toBe('1')
  })

  test("a kafkajs consumer sees what kafkajs's transactions commit and nothing they abort", async (cluster) => {
    const topic = await cluster.topic()
    const transactionalId = cluster.name('transaction')
    const producer = await cluster.producer({ transactionalId, maxInFlightRequests: 1, idempotent: true })
    const aborted = await producer.transaction()
    await aborted.send({ topic, messages: [{ value: 'aborted' }] })
    await aborted.abort()
    const committed = await producer.transaction()
    await committed.send({ topic, messages: [{ value: 'committed' }] })
    await committed.commit()
    const received = await cluster.consume(topic, 1)
    expect(received.map(({ message }) => String(message.value))).toEqual(['committed'])
  })
}

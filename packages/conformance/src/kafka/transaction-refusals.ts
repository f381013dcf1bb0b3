import { expect } from 'vitest'
import { type KafkaCase, refusal } from './case-cluster.ts'
import { TransactionalProducer } from './transactional-producer.ts'
import { fetch, initProducerId, listOffset } from './wire-api.ts'

const invalidProducerEpoch = 47
const invalidTransactionState = 48

/** Transactions that are fenced, timed out or asked for in the wrong order. */
export const transactionRefusalCases = (test: KafkaCase): void => {
  test('the same transactional id keeps its producer id and gets the next epoch', async (cluster) => {
    const wire = await cluster.wire()
    const transactionalId = cluster.name('transaction')
    const first = await TransactionalProducer.init(wire, transactionalId)
    const second = await TransactionalProducer.init(wire, transactionalId)
    expect(second.producerId).toBe(first.producerId)
    expect(second.producerEpoch).toBe(first.producerEpoch + 1)
  })

  test('a zombie is fenced with INVALID_PRODUCER_EPOCH whatever it asks', async (cluster) => {
    const topic = await cluster.topic()
    const wire = await cluster.wire()
    const transactionalId = cluster.name('transaction')
    const zombie = await TransactionalProducer.init(wire, transactionalId)
    await zombie.add(topic)
    await zombie.write(topic, ['zombie'])
    const successor = await TransactionalProducer.init(wire, transactionalId)
    expect((await zombie.write(topic, ['again'])).errorCode).toBe(invalidProducerEpoch)
    expect(await zombie.add(topic)).toBe(invalidProducerEpoch)
    expect(await zombie.end('commit')).toBe(invalidProducerEpoch)
    await successor.add(topic)
    await successor.write(topic, ['successor'])
    await successor.end('commit')
    expect(await cluster.readCommitted(topic)).toEqual(['successor'])
  })

  test('kafkajs sees a fenced zombie as INVALID_PRODUCER_EPOCH', async (cluster) => {
    const topic = await cluster.topic()
    const config = { transactionalId: cluster.name('transaction'), maxInFlightRequests: 1, idempotent: true }
    const zombie = await cluster.producer(config, 1)
    const transaction = await zombie.transaction()
    await transaction.send({ topic, messages: [{ value: 'a' }] })
    await (await (await cluster.producer(config)).transaction()).abort()
    const error = await refusal(transaction.send({ topic, messages: [{ value: 'b' }] }))
    expect(error).toMatchObject({ type: 'INVALID_PRODUCER_EPOCH', retriable: false })
  })

  test('a transaction that outlives its time-out is aborted and its producer fenced', async (cluster) => {
    const topic = await cluster.topic()
    const wire = await cluster.wire()
    const producer = await TransactionalProducer.init(wire, cluster.name('transaction'), 1000)
    await producer.add(topic)
    await producer.write(topic, ['late'])
    await cluster.until(
      () => fetch(wire, { topic, offset: 0, isolationLevel: 1 }),
      ({ lastStableOffset }) => lastStableOffset === '2',
    )
    expect((await producer.write(topic, ['later'])).errorCode).toBe(invalidProducerEpoch)
    expect(await producer.end('commit')).toBe(invalidProducerEpoch)
    expect(await cluster.readCommitted(topic)).toEqual([])
  })

  test('kafkajs sees a transaction that outlived its time-out as INVALID_PRODUCER_EPOCH', async (cluster) => {
    const topic = await cluster.topic()
    const transactionalId = cluster.name('transaction')
    const config = { transactionalId, transactionTimeout: 1000, maxInFlightRequests: 1, idempotent: true }
    const transaction = await (await cluster.producer(config, 1)).transaction()
    await transaction.send({ topic, messages: [{ value: 'late' }] })
    const wire = await cluster.wire()
    await cluster.until(
      () => fetch(wire, { topic, offset: 0, isolationLevel: 1 }),
      ({ lastStableOffset }) => lastStableOffset === '2',
    )
    const error = await refusal(transaction.send({ topic, messages: [{ value: 'later' }] }))
    expect(error).toMatchObject({ type: 'INVALID_PRODUCER_EPOCH', code: 47, retriable: false })
  })

  test('a transaction time-out of 16 minutes is INVALID_TRANSACTION_TIMEOUT, and one of 15 is not', async (cluster) => {
    const wire = await cluster.wire()
    expect((await initProducerId(wire, cluster.name('transaction'), 960_000)).errorCode).toBe(50)
    expect((await initProducerId(wire, cluster.name('transaction'), 900_000)).errorCode).toBe(0)
    expect((await initProducerId(wire, cluster.name('transaction'), 0)).errorCode).toBe(50)
  })

  test('an empty transactional id is INVALID_REQUEST', async (cluster) => {
    expect((await initProducerId(await cluster.wire(), '')).errorCode).toBe(42)
  })

  test('a write to a partition that was not added is refused and not written', async (cluster) => {
    const topic = await cluster.topic()
    const wire = await cluster.wire()
    const producer = await TransactionalProducer.init(wire, cluster.name('transaction'))
    expect((await producer.write(topic, ['a'])).errorCode).toBe(invalidTransactionState)
    expect(await listOffset(wire, topic, -1)).toMatchObject({ offset: '0' })
  })

  test('ending a transaction that never began is INVALID_TXN_STATE', async (cluster) => {
    const producer = await TransactionalProducer.init(await cluster.wire(), cluster.name('transaction'))
    expect(await producer.end('commit')).toBe(invalidTransactionState)
    expect(await producer.end('abort')).toBe(invalidTransactionState)
  })

  test('the same end may be asked for again, the other one may not', async (cluster) => {
    const topic = await cluster.topic()
    const producer = await TransactionalProducer.init(await cluster.wire(), cluster.name('transaction'))
    await producer.add(topic)
    await producer.write(topic, ['a'])
    expect(await producer.end('commit')).toBe(0)
    expect(await cluster.readCommitted(topic)).toEqual(['a'])
    const again = await cluster.until(
      () => producer.end('commit'),
      (errorCode) => errorCode !== 51,
    )
    expect(again).toBe(0)
    expect(await producer.end('abort')).toBe(invalidTransactionState)
  })

  test('a partition of a topic that does not exist cannot be added', async (cluster) => {
    const producer = await TransactionalProducer.init(await cluster.wire(), cluster.name('transaction'))
    expect(await producer.add(cluster.name('missing'))).toBe(3)
  })

  test('a transactional id with the producer id of another is INVALID_PRODUCER_ID_MAPPING', async (cluster) => {
    const topic = await cluster.topic()
    const wire = await cluster.wire()
    const producer = await TransactionalProducer.init(wire, cluster.name('transaction'))
    const { producerId } = await initProducerId(wire)
    const { transactionalId, producerEpoch } = producer
    const topics = [{ topic, partitions: [0] }]
    const fields = { transactionalId, producerId, producerEpoch, topics }
    const answer = (await wire.ask('addPartitionsToTxn', 1, fields)) as {
      errors: { partitionErrors: { errorCode: number }[] }[]
    }
    expect(answer.errors[0]!.partitionErrors[0]!.errorCode).toBe(49)
  })
}

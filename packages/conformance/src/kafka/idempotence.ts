import { expect } from 'vitest'
import type { CaseCluster, KafkaCase } from './case-cluster.ts'
import { initProducerId, listOffset, produce } from './wire-api.ts'

const outOfOrder = 45

const idempotentProducer = async (cluster: CaseCluster) => {
  const topic = await cluster.topic()
  const wire = await cluster.wire()
  const { producerId, producerEpoch } = await initProducerId(wire)
  const write = (firstSequence: number, values: readonly string[], epoch = producerEpoch) =>
    produce(wire, {
      topic,
      producerId,
      producerEpoch: epoch,
      firstSequence,
      messages: values.map((value) => ({ value })),
    })
  const endOffset = async () => (await listOffset(wire, topic, -1)).offset
  return { write, endOffset, producerId }
}

/** Idempotent producers: what is sent twice is written once. */
export const idempotenceCases = (test: KafkaCase): void => {
  test('two producers get two ids, each with epoch 0', async (cluster) => {
    const wire = await cluster.wire()
    const first = await initProducerId(wire)
    const second = await initProducerId(wire)
    expect(first).toMatchObject({ errorCode: 0, producerEpoch: 0 })
    expect(second).toMatchObject({ errorCode: 0, producerEpoch: 0 })
    expect(second.producerId).not.toBe(first.producerId)
  })

  test('a batch sent again is answered with its first offset and not written again', async (cluster) => {
    const { write, endOffset } = await idempotentProducer(cluster)
    expect(await write(0, ['a', 'b'])).toMatchObject({ errorCode: 0, baseOffset: '0' })
    expect(await write(2, ['c'])).toMatchObject({ errorCode: 0, baseOffset: '2' })
    expect(await write(0, ['a', 'b'])).toMatchObject({ errorCode: 0, baseOffset: '0' })
    expect(await endOffset()).toBe('3')
  })

  test('each of the last five batches is known when it comes again', async (cluster) => {
    const { write, endOffset } = await idempotentProducer(cluster)
    for (let sequence = 0; sequence < 5; sequence++) await write(sequence, ['v'])
    for (let sequence = 0; sequence < 5; sequence++) {
      expect(await write(sequence, ['v'])).toMatchObject({ errorCode: 0, baseOffset: String(sequence) })
    }
    expect(await endOffset()).toBe('5')
  })

  test('a batch older than the last five is OUT_OF_ORDER_SEQUENCE_NUMBER and not written', async (cluster) => {
    const { write, endOffset } = await idempotentProducer(cluster)
    for (let sequence = 0; sequence < 6; sequence++) await write(sequence, ['v'])
    expect((await write(0, ['v'])).errorCode).toBe(outOfOrder)
    expect(await endOffset()).toBe('6')
  })

  test('a gap in the sequence is OUT_OF_ORDER_SEQUENCE_NUMBER, and the right batch still goes', async (cluster) => {
    const { write, endOffset } = await idempotentProducer(cluster)
    await write(0, ['a'])
    expect((await write(2, ['c'])).errorCode).toBe(outOfOrder)
    expect((await write(1, ['b'])).errorCode).toBe(0)
    expect(await endOffset()).toBe('2')
  })

  test('a new epoch begins with sequence 0 and fences the old one', async (cluster) => {
    const { write, endOffset } = await idempotentProducer(cluster)
    await write(0, ['a'])
    expect((await write(1, ['b'], 1)).errorCode).toBe(outOfOrder)
    expect((await write(0, ['b'], 1)).errorCode).toBe(0)
    expect((await write(1, ['c'], 0)).errorCode).toBe(47)
    expect(await endOffset()).toBe('2')
  })

  test("kafkajs's idempotent producer writes every message once and in order", async (cluster) => {
    const topic = await cluster.topic()
    const producer = await cluster.producer({ idempotent: true, maxInFlightRequests: 1 })
    const values = Array.from({ length: 20 }, (_, index) => String(index))
    for (const value of values) await producer.send({ topic, messages: [{ value }] })
    expect(await cluster.readCommitted(topic)).toEqual(values)
  })
}

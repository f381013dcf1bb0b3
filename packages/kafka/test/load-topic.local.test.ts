import { defineTopic, type RecordSource } from '@stockpipe/core'
import type { Kafka } from 'kafkajs'
import { describe, expect, it } from 'vitest'
import type { KafkaFaults } from '../../local/src/kafka/faults/fault.ts'
import { ensureTopics, type LoadProgress, loadTopic } from '../src/index.ts'
import { type Quote, quotes, quotesFrom, quotesTopic, startBroker } from './local-broker.ts'
import { MemorySink } from './memory-sink.ts'
import { runConsumer } from './record-batch-mode.ts'

const sourceOf = (rows: readonly Quote[], batchRows = 333): RecordSource<Quote> => ({
  async *read() {
    for (let position = 0; position < rows.length; position += batchRows) {
      yield { rows: rows.slice(position, position + batchRows), position: position + batchRows }
    }
  },
})

/** Lets some Produce requests through and ends the load at the next one, before or after its work. */
const dieAt = (faults: KafkaFaults, requests: number, action: 'cut' | 'loseAnswer'): void => {
  faults.clear()
  if (requests > 0) faults.add({ api: 'Produce', times: requests, action: { delayMillis: 0 } })
  faults.add({ api: 'Produce', times: Number.POSITIVE_INFINITY, action })
}

const ids = async (kafka: Kafka, topic: string): Promise<bigint[]> => {
  const sink = new MemorySink()
  await runConsumer({ kafka, groupId: `check-${topic}`, topics: [topic], sink, until: 'latest' })
  return sink.journal.all().map(({ value }) => BigInt(/"id":(\d+)/.exec(value!)![1]!))
}

const inOrder = (numbers: readonly bigint[]): bigint[] => [...numbers].sort((a, b) => (a < b ? -1 : 1))

describe.concurrent('loadTopic', () => {
  it('writes every row once and has nothing to do the second time', async () => {
    const { kafka } = await startBroker()
    const topic = quotesTopic('topic')
    await ensureTopics(kafka, [topic])
    const rows = quotesFrom(0, 12_154)
    const told: LoadProgress[] = []
    const onProgress = (progress: LoadProgress) => told.push(progress)
    const options = { kafka, topic, source: sourceOf(rows), onProgress }
    expect(await loadTopic(options)).toEqual({ records: 12_154, written: 12_154, skipped: 0 })
    expect(told.at(-1)).toEqual({ records: 12_154, written: 12_154, skipped: 0 })
    expect(told.length).toBeGreaterThan(2)
    expect(await loadTopic(options)).toEqual({ records: 12_154, written: 0, skipped: 12_154 })
    expect(inOrder(await ids(kafka, 'topic'))).toEqual(rows.map(({ id }) => id))
  })

  it('loses and doubles nothing when it dies before or after any request and starts again', async () => {
    const { kafka, faults } = await startBroker()
    const topic = quotesTopic('topic')
    await ensureTopics(kafka, [topic])
    const rows = quotesFrom(0, 5000)
    let deaths = 0
    for (let run = 0; ; run++) {
      dieAt(faults, run % 3, run % 2 === 1 ? 'loseAnswer' : 'cut')
      if (run === 40) faults.clear()
      try {
        const progress = await loadTopic({ kafka, topic, source: sourceOf(rows), batchRows: 150, retries: 0 })
        expect(progress.records).toBe(5000)
        break
      } catch (error) {
        expect(error).toMatchObject({ code: 'DELIVERY_FAILED', retryable: true })
        deaths += 1
      }
    }
    expect(deaths).toBeGreaterThan(6)
    expect(inOrder(await ids(kafka, 'topic'))).toEqual(rows.map(({ id }) => id))
  })

  it('writes every row once although connections, answers and leaders fail', async () => {
    const { kafka, faults } = await startBroker()
    const topic = quotesTopic('topic')
    await ensureTopics(kafka, [topic])
    const rows = quotesFrom(0, 20_000)
    const errors = ['NOT_LEADER_OR_FOLLOWER', 'REQUEST_TIMED_OUT', 'NOT_ENOUGH_REPLICAS'] as const
    const added = errors.flatMap((error) => [
      faults.add({ api: 'Produce', times: 2, action: 'loseAnswer' }),
      faults.add({ api: 'Produce', times: 2, action: 'cut' }),
      faults.add({ api: 'Produce', times: 2, action: { error } }),
      faults.add({ api: 'Produce', times: 3, action: { delayMillis: 0 } }),
    ])
    const progress = await loadTopic({ kafka, topic, source: sourceOf(rows), batchRows: 200 })
    expect(progress).toEqual({ records: 20_000, written: 20_000, skipped: 0 })
    expect(added.map(({ hits }) => hits)).toEqual(errors.flatMap(() => [2, 2, 2, 3]))
    expect(inOrder(await ids(kafka, 'topic'))).toEqual(rows.map(({ id }) => id))
  })

  it('waits for the last request of a predecessor that was killed a moment ago', async () => {
    const { kafka, faults } = await startBroker()
    const topic = quotesTopic('topic', 1)
    await ensureTopics(kafka, [topic])
    const rows = quotesFrom(0, 300)
    const producer = kafka.producer()
    await producer.connect()
    dieAt(faults, 1, 'cut')
    const killed = loadTopic({ kafka, topic, source: sourceOf(rows), batchRows: 100, retries: 0 })
    await expect(killed).rejects.toMatchObject({ code: 'DELIVERY_FAILED' })
    faults.clear()
    const messages = rows.slice(100, 200).map(({ symbol, price, id }) => ({
      key: symbol,
      value: `{"symbol":"${symbol}","price":"${price}","id":${id}}`,
    }))
    const late = new Promise((resolve) => setTimeout(resolve, 150)).then(() =>
      producer.send({ topic: 'topic', messages }),
    )
    expect(await loadTopic({ kafka, topic, source: sourceOf(rows) })).toEqual({
      records: 300,
      written: 100,
      skipped: 200,
    })
    await late
    await producer.disconnect()
    expect(await ids(kafka, 'topic')).toEqual(rows.map(({ id }) => id))
  })

  it('does not begin behind what is written and cannot be read yet', async () => {
    const { kafka } = await startBroker()
    const topic = quotesTopic('topic', 1)
    await ensureTopics(kafka, [topic])
    const producer = kafka.producer({ idempotent: true, maxInFlightRequests: 1, transactionalId: 'other' })
    await producer.connect()
    // As of a leader whose replicas are behind, readers are shown nothing of an open transaction.
    const open = await producer.transaction()
    await open.send({ topic: 'topic', messages: [{ key: 'S0', value: '{}' }] })
    const source = sourceOf(quotesFrom(0, 3))
    await expect(loadTopic({ kafka, topic, source, deliveryTimeoutMillis: 400 })).rejects.toMatchObject({
      code: 'TOPIC_NOT_STEADY',
      facts: { partition: 0, written: 1n, readable: 0n },
    })
    await open.abort()
    await producer.disconnect()
  })

  it('notices that somebody else writes to the topic', async () => {
    const { kafka } = await startBroker()
    const topic = quotesTopic('topic', 1)
    await ensureTopics(kafka, [topic])
    const producer = kafka.producer()
    await producer.connect()
    const meddled: RecordSource<Quote> = {
      async *read() {
        yield { rows: quotesFrom(0, 10), position: 10 }
        await producer.send({ topic: 'topic', messages: [{ value: 'other' }] })
        yield { rows: quotesFrom(10, 20), position: 20 }
      },
    }
    await expect(loadTopic({ kafka, topic, source: meddled })).rejects.toMatchObject({
      code: 'TOPIC_NOT_THE_SOURCE',
      message: expect.stringContaining('Partition 0 of topic topic does not hold the rows of the source'),
    })
    await producer.disconnect()
    // And one that holds more than the source has.
    await expect(loadTopic({ kafka, topic, source: sourceOf(quotesFrom(0, 3)) })).rejects.toMatchObject({
      code: 'TOPIC_NOT_THE_SOURCE',
    })
  })

  it('refuses topics without a key and topics with more partitions than defined', async () => {
    const { kafka } = await startBroker()
    const loose = defineTopic('loose', { table: quotes })
    await ensureTopics(kafka, [loose, quotesTopic('wide', 4)])
    await expect(
      loadTopic({ kafka, topic: loose, source: sourceOf(quotesFrom(0, 3)) }),
    ).rejects.toMatchObject({
      code: 'ROW_WITHOUT_KEY',
    })
    await expect(
      loadTopic({ kafka, topic: quotesTopic('wide', 2), source: sourceOf(quotesFrom(0, 3)) }),
    ).rejects.toMatchObject({ code: 'TOPIC_PARTITIONS_DIFFER' })
  })

  it('stops when its signal aborts, and goes on from there', async () => {
    const { kafka } = await startBroker()
    const topic = quotesTopic('topic')
    await ensureTopics(kafka, [topic])
    const rows = quotesFrom(0, 20_000)
    const controller = new AbortController()
    const stopped = loadTopic({
      kafka,
      topic,
      source: sourceOf(rows),
      signal: controller.signal,
      batchRows: 500,
      onProgress: ({ written }) => written > 4000 && controller.abort(new Error('enough')),
    })
    await expect(stopped).rejects.toThrow('enough')
    const { skipped, written } = await loadTopic({ kafka, topic, source: sourceOf(rows) })
    expect(skipped).toBeGreaterThan(4000)
    expect(skipped + written).toBe(20_000)
  })
})

import { defineTable, defineTopic, t } from '@stockpipe/core'
import type { Kafka, KafkaMessage } from 'kafkajs'
import { describe, expect, it } from 'vitest'
import { createProducer, ensureTopics, registerZstd } from '../src/index.ts'
import { partitionOfKey } from '../src/murmur2.ts'
import { clientOf, quotes, quotesFrom, quotesTopic, startBroker } from './local-broker.ts'

interface Read {
  readonly partition: number
  readonly key: string | undefined
  readonly value: string
  readonly offset: bigint
  readonly timestamp: number
}

const readTopic = async (kafka: Kafka, topic: string, count: number): Promise<Read[]> => {
  registerZstd()
  const consumer = kafka.consumer({ groupId: `read-${topic}`, maxWaitTimeInMs: 100 })
  const read: Read[] = []
  await consumer.connect()
  await consumer.subscribe({ topics: [topic], fromBeginning: true })
  await new Promise<void>((resolve, reject) => {
    const eachMessage = async ({ partition, message }: { partition: number; message: KafkaMessage }) => {
      const { key, value, offset, timestamp } = message
      read.push({
        partition,
        key: key?.toString(),
        value: value!.toString(),
        offset: BigInt(offset),
        timestamp: Number(timestamp),
      })
      if (read.length === count) resolve()
    }
    consumer.run({ eachMessage }).catch(reject)
  })
  await consumer.disconnect()
  return read
}

describe('ensureTopics', () => {
  it('creates what is missing, leaves what is there, and tells which was which', async () => {
    const { kafka, admin } = await startBroker()
    const [one, two] = [quotesTopic('one'), quotesTopic('two', 2)]
    expect(await ensureTopics(kafka, [one])).toEqual([{ topic: 'one', created: true, partitions: 4 }])
    expect(await ensureTopics(kafka, [one, two])).toEqual([
      { topic: 'one', created: false, partitions: 4 },
      { topic: 'two', created: true, partitions: 2 },
    ])
    const { topics } = await admin.fetchTopicMetadata({ topics: ['two'] })
    expect(topics[0]!.partitions.map(({ partitionId }) => partitionId).sort()).toEqual([0, 1])
  })

  it('refuses a topic with fewer partitions than defined, and takes one with more', async () => {
    const { kafka } = await startBroker()
    await ensureTopics(kafka, [quotesTopic('topic', 3)])
    await expect(ensureTopics(kafka, [quotesTopic('topic', 4)])).rejects.toMatchObject({
      code: 'TOPIC_PARTITIONS_TOO_FEW',
      message: expect.stringContaining('Topic topic has 3 partitions and its definition 4'),
    })
    expect(await ensureTopics(kafka, [quotesTopic('topic', 2)])).toMatchObject([{ partitions: 3 }])
  })

  it('names the topic that cannot be created', async () => {
    const { kafka } = await startBroker()
    const topic = defineTopic('wide', { table: quotes, replicationFactor: 3 })
    await expect(ensureTopics(kafka, [topic])).rejects.toMatchObject({
      code: 'TOPIC_CREATION_FAILED',
      facts: { topic: 'wide', kafkaError: 'INVALID_REPLICATION_FACTOR' },
      message: expect.stringContaining('fewer brokers than replicas'),
    })
  })

  it('says that Kafka cannot be reached, and stops when told to', async () => {
    const away = clientOf(['127.0.0.1:1'], 1)
    await expect(ensureTopics(away, [quotesTopic('topic')])).rejects.toMatchObject({
      code: 'KAFKA_UNREACHABLE',
    })
    const patient = clientOf(['127.0.0.1:1'], 4)
    const signal = AbortSignal.timeout(100)
    await expect(ensureTopics(patient, [quotesTopic('topic')], { signal })).rejects.toThrow(
      /aborted due to timeout/,
    )
  })
})

describe('createProducer', () => {
  it('sends rows to the partition of their key, in order, and resolves when they are there', async () => {
    const { kafka } = await startBroker()
    const topic = quotesTopic('topic')
    await ensureTopics(kafka, [topic])
    const rows = quotesFrom(0, 20_000)
    await using producer = createProducer({ kafka, topic, batchRows: 3000 })
    await producer.connect()
    await Promise.all([
      producer.send(rows.slice(0, 100)),
      producer.send(rows.slice(100, 101)),
      producer.send(rows.slice(101)),
    ])
    const read = await readTopic(kafka, 'topic', rows.length)
    expect(read).toHaveLength(rows.length)
    const values = (records: readonly { partition: number; value: string }[]) =>
      [0, 1, 2, 3].map((partition) =>
        records.filter((record) => record.partition === partition).map(({ value }) => value),
      )
    const expected = rows.map(({ symbol, price, id }) => ({
      partition: partitionOfKey(Buffer.from(symbol), 4),
      value: `{"symbol":"${symbol}","price":"${price}","id":${id}}`,
    }))
    expect(values(read)).toEqual(values(expected))
    expect(read.every(({ key, value }) => value.includes(`"${key}"`))).toBe(true)
  })

  it('spreads rows without a key over all partitions', async () => {
    const { kafka, admin } = await startBroker()
    const topic = defineTopic('loose', { table: quotes, partitions: 3 })
    await ensureTopics(kafka, [topic])
    await using producer = createProducer({ kafka, topic })
    await producer.connect()
    await producer.send(quotesFrom(0, 300))
    expect((await admin.fetchTopicOffsets('loose')).map(({ high }) => high)).toEqual(['100', '100', '100'])
  })

  it('splits what is too large for one request and refuses a record that is too large for any', async () => {
    const { kafka, admin } = await startBroker()
    const table = defineTable('texts', { columns: { symbol: t.string(), text: t.string() } })
    const topic = defineTopic('texts', { table, key: 'symbol' })
    await ensureTopics(kafka, [topic])
    await using producer = createProducer({ kafka, topic })
    await producer.connect()
    await producer.send(Array.from({ length: 50 }, () => ({ symbol: 'A', text: 'x'.repeat(100_000) })))
    await producer.send([{ symbol: 'A', text: 'x'.repeat(1_048_400) }])
    expect(await admin.fetchTopicOffsets('texts')).toMatchObject([{ high: '51' }])
    await expect(
      producer.send([
        { symbol: 'A', text: '' },
        { symbol: 'A', text: 'x'.repeat(1_048_600) },
      ]),
    ).rejects.toMatchObject({
      code: 'RECORD_TOO_LARGE',
      message: expect.stringContaining('Row 1: its record of'),
    })
    expect(await admin.fetchTopicOffsets('texts')).toMatchObject([{ high: '51' }])
  })

  it('refuses a row that does not fit before it sends any of the call', async () => {
    const { kafka, admin } = await startBroker()
    const topic = quotesTopic('topic', 1)
    await ensureTopics(kafka, [topic])
    await using producer = createProducer({ kafka, topic })
    await producer.connect()
    const rows = [...quotesFrom(0, 10), { symbol: 'A', price: 'dear', id: 11n }]
    await expect(producer.send(rows)).rejects.toMatchObject({
      code: 'ROW_INVALID',
      facts: { column: 'price' },
      message: expect.stringMatching(/^Row 10: .*'price'/),
    })
    // @ts-expect-error a decimal is text or a Decimal
    await expect(producer.send([{ symbol: 'A', price: 1.5, id: 1n }])).rejects.toThrow(/^Row 0: .*'price'/)
    // @ts-expect-error id is missing
    await expect(producer.send([{ symbol: 'A', price: '1.5' }])).rejects.toThrow(/^Row 0: .*'id' is missing/)
    await producer.send(quotesFrom(0, 2))
    expect(await admin.fetchTopicOffsets('topic')).toMatchObject([{ high: '2' }])
  })

  it('tells where every row is', async () => {
    const { kafka } = await startBroker()
    const topic = quotesTopic('topic')
    await ensureTopics(kafka, [topic])
    await using producer = createProducer({ kafka, topic, batchRows: 70 })
    await producer.connect()
    const before = Date.now()
    const [first, second] = await Promise.all([
      producer.send(quotesFrom(0, 500)),
      producer.send(quotesFrom(500, 900)),
    ])
    const read = await readTopic(kafka, 'topic', 900)
    const reports = [...quotesFrom(0, 900).keys()].map((index) => {
      const [report, row] = index < 500 ? [first, index] : [second, index - 500]
      return {
        partition: report.partitions[row],
        offset: report.offsets[row],
        timestamp: report.timestamps[row]!,
      }
    })
    for (const [index, { partition, offset, timestamp }] of reports.entries()) {
      const found = read.find((record) => record.partition === partition && record.offset === offset)
      expect(found?.value).toContain(`"id":${index}}`)
      expect(found?.timestamp).toBe(timestamp)
      expect(timestamp).toBeGreaterThanOrEqual(before)
    }
    expect(await producer.send([])).toEqual({
      partitions: new Int32Array(),
      offsets: new BigInt64Array(),
      timestamps: new Float64Array(),
    })
  })

  it('tells the time the broker gave the rows where it gives one', async () => {
    const { kafka, admin } = await startBroker()
    const configEntries = [{ name: 'message.timestamp.type', value: 'LogAppendTime' }]
    await admin.createTopics({ topics: [{ topic: 'topic', numPartitions: 1, configEntries }] })
    await using producer = createProducer({ kafka, topic: quotesTopic('topic', 1), lingerMillis: 0 })
    await producer.connect()
    const { timestamps } = await producer.send(quotesFrom(0, 3))
    const read = await readTopic(kafka, 'topic', 3)
    expect([...timestamps]).toEqual(read.map(({ timestamp }) => timestamp))
  })

  it('sends to a chosen partition and refuses one that is not there', async () => {
    const { kafka, admin } = await startBroker()
    const topic = quotesTopic('topic', 3)
    await ensureTopics(kafka, [topic])
    await using producer = createProducer({ kafka, topic, partitionOf: ({ id }) => Number(id) - 1 })
    await producer.connect()
    for (const partition of [-1, 3, 1.5, Number.NaN]) {
      await expect(producer.send(quotesFrom(1, 3), { partition })).rejects.toMatchObject({
        code: 'PARTITION_OUT_OF_RANGE',
        message: `Row 0: topic topic has no partition ${partition}, only 0 to 2.`,
      })
    }
    await expect(producer.send(quotesFrom(1, 5))).rejects.toMatchObject({
      code: 'PARTITION_OUT_OF_RANGE',
      facts: { row: 3, partition: 3, partitions: 3 },
    })
    const { partitions } = await producer.send(quotesFrom(1, 4))
    expect([...partitions]).toEqual([0, 1, 2])
    await producer.send(quotesFrom(1, 3), { partition: 2 })
    const offsets = await admin.fetchTopicOffsets('topic')
    expect(offsets.sort((a, b) => a.partition - b.partition).map(({ high }) => high)).toEqual(['1', '1', '3'])
  })

  it('loses and doubles nothing although connections and answers are lost and the broker restarts', async () => {
    const broker = await startBroker()
    const { kafka, faults } = broker
    const topic = quotesTopic('topic')
    await ensureTopics(kafka, [topic])
    await using producer = createProducer({ kafka, topic, batchRows: 50, lingerMillis: 1 })
    await producer.connect()
    const added = (['loseAnswer', 'cut', { error: 'REQUEST_TIMED_OUT' }] as const).flatMap((action) => [
      faults.add({ api: 'Produce', times: 3, action }),
      faults.add({ api: 'Produce', times: 4, action: { delayMillis: 1 } }),
    ])
    const sendAll = async (from: number, to: number, each: (row: number) => unknown) => {
      const sent = []
      for (let row = from; row < to; row += 100) {
        sent.push(producer.send(quotesFrom(row, row + 100)))
        await each(row)
      }
      await Promise.all(sent)
    }
    await sendAll(0, 5000, () => {})
    expect(added.map(({ hits }) => hits)).toEqual([3, 4, 3, 4, 3, 4])
    expect(producer.statistics.repeatedBatches).toBeGreaterThan(5)
    await sendAll(5000, 10_000, async (row) => {
      await new Promise((resolve) => setTimeout(resolve, 3))
      if (row === 7000) await broker.restart(700)
    })
    const read = await readTopic(kafka, 'topic', 10_000)
    expect(new Set(read.map(({ value }) => value)).size).toBe(10_000)
    expect(
      (await broker.admin.fetchTopicOffsets('topic')).reduce((sum, { high }) => sum + Number(high), 0),
    ).toBe(10_000)
  })

  it('says so when the user may not write, or the batch is too large for the topic', async () => {
    const { kafka, admin, faults } = await startBroker()
    const configEntries = [{ name: 'max.message.bytes', value: '2000' }]
    await admin.createTopics({ topics: [{ topic: 'topic', numPartitions: 1, configEntries }] })
    await using producer = createProducer({ kafka, topic: quotesTopic('topic', 1), compression: 'none' })
    await producer.connect()
    await expect(producer.send(quotesFrom(0, 500))).rejects.toMatchObject({
      code: 'DELIVERY_FAILED',
      message: expect.stringContaining('so lower batchBytes'),
      facts: { kafkaError: 'MESSAGE_TOO_LARGE', notWritten: 500 },
    })
    faults.add({ api: 'Produce', action: { error: 'TOPIC_AUTHORIZATION_FAILED' } })
    await expect(producer.send(quotesFrom(0, 2))).rejects.toMatchObject({
      message: expect.stringContaining('the user may not write to the topic'),
    })
    expect((await producer.send(quotesFrom(0, 2))).offsets).toEqual(new BigInt64Array([0n, 1n]))
  })

  it.each(['none', 'gzip', 'zstd'] as const)(
    'is read by kafkajs with compression %s',
    async (compression) => {
      const { kafka } = await startBroker()
      const topic = quotesTopic('topic', 2)
      await ensureTopics(kafka, [topic])
      await using producer = createProducer({ kafka, topic, compression })
      await producer.connect()
      await producer.send(quotesFrom(0, 2000))
      expect(new Set((await readTopic(kafka, 'topic', 2000)).map(({ value }) => value)).size).toBe(2000)
    },
  )

  it('stops when its signal aborts, and when close has waited long enough', async () => {
    const { kafka, faults } = await startBroker()
    const topic = quotesTopic('topic', 1)
    await ensureTopics(kafka, [topic])
    faults.add({ api: 'Produce', times: Number.POSITIVE_INFINITY, action: { error: 'NOT_ENOUGH_REPLICAS' } })
    const abort = new AbortController()
    await using aborted = createProducer({ kafka, topic, signal: abort.signal })
    await aborted.connect()
    const sent = aborted.send(quotesFrom(0, 3))
    const reason = new Error('enough')
    setTimeout(() => abort.abort(reason), 50)
    await expect(sent).rejects.toMatchObject({
      code: 'DELIVERY_ABORTED',
      cause: reason,
      facts: { rows: 3, acknowledged: 0 },
    })
    await expect(aborted.send(quotesFrom(0, 3))).rejects.toMatchObject({ code: 'PRODUCER_CLOSED' })
    const closed = createProducer({ kafka, topic })
    await closed.connect()
    const given = closed.send(quotesFrom(0, 3)).catch((error) => error)
    await closed.close({ timeoutMillis: 100 })
    expect(await given).toMatchObject({
      code: 'DELIVERY_ABORTED',
      message: expect.stringContaining('100 ms'),
    })
  })

  it('sends as the user of its Kafka, and says when that one is not let in', async () => {
    const { kafka, faults, admin } = await startBroker({ users: [{ name: 'dev', password: 'secret-1' }] })
    const topic = quotesTopic('topic', 2)
    await ensureTopics(kafka, [topic])
    await using producer = createProducer({ kafka, topic })
    await producer.connect()
    faults.add({ api: 'Produce', action: 'loseAnswer' })
    await producer.send(quotesFrom(0, 100))
    const ends = await admin.fetchTopicOffsets('topic')
    expect(ends.reduce((sum, { high }) => sum + Number(high), 0)).toBe(100)
    const { brokers } = await admin.describeCluster()
    const addresses = brokers.map(({ host, port }) => `${host}:${port}`)
    const stranger = clientOf(addresses, 1, { mechanism: 'plain', username: 'dev', password: 'guessed' })
    await using refused = createProducer({ kafka: stranger, topic })
    const error = await refused.connect().catch((failure) => failure)
    expect(error).toMatchObject({ code: 'KAFKA_UNREACHABLE' })
    expect(error.message).toContain('check the user name and password')
    expect(error.message).not.toContain('guessed')
  })

  it('refuses options that cannot be meant', async () => {
    const { kafka } = await startBroker()
    expect(() => createProducer({ kafka, topic: quotesTopic('topic'), lingerMillis: -1 })).toThrow(
      expect.objectContaining({
        code: 'PRODUCER_OPTION_INVALID',
        facts: expect.objectContaining({ option: 'lingerMillis' }),
      }),
    )
    const producer = createProducer({ kafka, topic: quotesTopic('topic'), compression: 'lz4' })
    await expect(producer.connect()).rejects.toMatchObject({ code: 'COMPRESSION_MISSING' })
  })

  it('waits for room, and flush and close wait for every row', async () => {
    const { kafka, admin } = await startBroker()
    const topic = quotesTopic('topic', 1)
    await ensureTopics(kafka, [topic])
    const producer = createProducer({ kafka, topic, bufferBytes: 10_000, batchRows: 10 })
    await producer.connect()
    const sent = Array.from({ length: 20 }, (_, index) =>
      producer.send(quotesFrom(index * 50, index * 50 + 50)),
    )
    await Promise.all(sent)
    const last = producer.send(quotesFrom(0, 30))
    await producer.flush()
    expect(await admin.fetchTopicOffsets('topic')).toMatchObject([{ high: '1030' }])
    await last
    const closing = producer.send(quotesFrom(0, 7))
    await producer.close()
    await closing
    expect(await admin.fetchTopicOffsets('topic')).toMatchObject([{ high: '1037' }])
    await expect(producer.send(quotesFrom(0, 1))).rejects.toMatchObject({ code: 'PRODUCER_CLOSED' })
  })

  it('says what is missing when the topic is not there or it is not connected', async () => {
    const { kafka } = await startBroker()
    await using producer = createProducer({ kafka, topic: quotesTopic('none') })
    await expect(producer.send(quotesFrom(0, 1))).rejects.toMatchObject({ code: 'PRODUCER_NOT_CONNECTED' })
    await expect(producer.connect()).rejects.toMatchObject({ code: 'TOPIC_UNKNOWN' })
  })
})

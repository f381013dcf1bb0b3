import { AthenaClient } from '@aws-sdk/client-athena'
import { GlueClient } from '@aws-sdk/client-glue'
import { CreateBucketCommand, S3Client } from '@aws-sdk/client-s3'
import { createAthena, sql } from '@stockpipe/athena'
import { defineTable, defineTopic, t } from '@stockpipe/core'
import { ensureDatabase, ensureTable } from '@stockpipe/glue'
import { createDeadLetterTopic, deadLetterHeaders, ensureTopics, runConsumer } from '@stockpipe/kafka'
import { startLocalStack } from '@stockpipe/local'
import { createSink, deadLetterTable, verifySink } from '@stockpipe/s3-sink'
import { Kafka, type KafkaMessage, logLevel } from 'kafkajs'
import { expect, it } from 'vitest'

const trades = defineTable('trades', { columns: { symbol: t.string(), price: t.decimal(18, 4) } })
const topic = defineTopic('trades', { table: trades, partitions: 1 })

it('records that are no rows are read by SQL, byte for byte, and arrive in a topic as well', async () => {
  const stack = await startLocalStack({ kafkaPort: 0, httpPort: 0 })
  const kafka = new Kafka({ brokers: [...stack.kafka.brokers], logLevel: logLevel.NOTHING })
  const aws = { endpoint: stack.aws.endpoint, region: stack.aws.region, credentials: stack.aws }
  const s3 = new S3Client({ ...aws, forcePathStyle: true })
  const producer = kafka.producer()
  const consumer = kafka.consumer({ groupId: 'bad', maxWaitTimeInMs: 100 })
  try {
    await s3.send(new CreateBucketCommand({ Bucket: 'lake' }))
    const bad = defineTopic('bad', { table: trades, partitions: 1 })
    await ensureTopics(kafka, [topic, bad])
    await producer.connect()
    const bytes = Buffer.of(0, 255, 0x7b)
    await producer.send({
      topic: 'trades',
      messages: [
        { value: '{"symbol":"IBM","price":"1.5"}' },
        { key: bytes, value: bytes, headers: { trace: ['one', 'two'] }, timestamp: '1700000000000' },
        { value: null, timestamp: '1700000000001' },
        { value: '{"symbol":"IBM","price":"2.5"}' },
      ],
    })
    const publisher = createDeadLetterTopic({ kafka, topic: 'bad' })
    const table = trades.at({ database: 'market', location: 's3://lake/trades/' })
    const sink = createSink({ name: 'trades', topic, table, client: s3, deadLetters: { publisher } })
    await runConsumer({ kafka, groupId: 'lake', topics: [topic], sink, until: 'latest' })
    await sink.close()
    await publisher.close()
    const report = await verifySink({ client: s3, journal: 's3://lake/_stockpipe/journal/trades', table })
    expect(report).toMatchObject({ ok: true, totals: { records: 4, rows: 2, deadLetters: 2 } })

    const client = new GlueClient(aws)
    const location = 's3://lake/_stockpipe/dead-letters/trades/'
    const deadLetters = deadLetterTable.at({ database: 'market', location })
    await ensureDatabase({ client, database: 'market' })
    await ensureTable({ client, table: deadLetters })
    const athena = createAthena({
      client: new AthenaClient(aws),
      database: 'market',
      outputLocation: 's3://lake/out/',
    })
    const { rows } = await athena.query({
      sql: sql`SELECT * FROM ${deadLetters} ORDER BY "offset"`,
      columns: deadLetters,
    })
    const common = { topic: 'trades', partition: 0, column: null, fingerprint: trades.fingerprint }
    expect(rows).toEqual([
      {
        ...common,
        offset: 1n,
        timestamp: new Date(1_700_000_000_000),
        timestamp_millis: 1_700_000_000_000n,
        key: new Uint8Array(bytes),
        value: new Uint8Array(bytes),
        headers: '[{"key":"trace","value":"b25l"},{"key":"trace","value":"dHdv"}]',
        reason: 'the value is not UTF-8',
      },
      {
        ...common,
        offset: 2n,
        timestamp: new Date(1_700_000_000_001),
        timestamp_millis: 1_700_000_000_001n,
        key: null,
        value: null,
        headers: null,
        reason: 'the record has no value (a tombstone)',
      },
    ])

    await consumer.connect()
    await consumer.subscribe({ topics: ['bad'], fromBeginning: true })
    const read: KafkaMessage[] = []
    await new Promise<void>((resolve, reject) => {
      const eachMessage = async ({ message }: { message: KafkaMessage }) => {
        read.push(message)
        if (read.length === 2) resolve()
      }
      consumer.run({ eachMessage }).catch(reject)
    })
    expect(read.map(({ value, headers }) => [value, String(headers![deadLetterHeaders.record])])).toEqual([
      [bytes, 'trades/0/1'],
      [null, 'trades/0/2'],
    ])
  } finally {
    await consumer.disconnect()
    await producer.disconnect()
    s3.destroy()
    await stack.close()
  }
})

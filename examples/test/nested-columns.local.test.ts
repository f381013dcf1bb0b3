import { AthenaClient } from '@aws-sdk/client-athena'
import { GlueClient } from '@aws-sdk/client-glue'
import { CreateBucketCommand, S3Client } from '@aws-sdk/client-s3'
import { createAthena, sql } from '@stockpipe/athena'
import { Decimal, day, defineTable, defineTopic, json, t } from '@stockpipe/core'
import { createPartitionRegistrar, ensureDatabase, ensureTable } from '@stockpipe/glue'
import { createProducer, ensureTopics, runConsumer } from '@stockpipe/kafka'
import { startLocalStack } from '@stockpipe/local'
import { createSink, verifySink } from '@stockpipe/s3-sink'
import { Kafka, logLevel } from 'kafkajs'
import { expect, it } from 'vitest'

const legs = t.list(t.struct({ price: t.decimal(18, 4), size: t.int64(), at: t.timestamp().nullable() }))
const orders = defineTable('orders', {
  columns: {
    symbol: t.string(),
    ts: t.timestamp(),
    legs,
    levels: t.map(t.int32(), t.double().nullable()).nullable(),
    tags: t.list(t.string()),
    kafka_offset: t.recordOffset(),
  },
  partitions: { trade_date: day('ts') },
})
const topic = defineTopic('orders', {
  table: orders,
  key: 'symbol',
  value: json({ names: { 'legs.price': 'p' }, timestamps: { 'legs.at': 'epoch-millis' } }),
})
const table = orders.at({ database: 'market', location: 's3://lake/orders/' })

it('lists, maps and structs go from the producer to Athena and back, exact', async () => {
  const stack = await startLocalStack({ kafkaPort: 0, httpPort: 0 })
  try {
    const kafka = new Kafka({ brokers: [...stack.kafka.brokers], logLevel: logLevel.NOTHING })
    const aws = { endpoint: stack.aws.endpoint, region: stack.aws.region, credentials: stack.aws }
    const s3 = new S3Client({ ...aws, forcePathStyle: true })
    const client = new GlueClient(aws)
    await s3.send(new CreateBucketCommand({ Bucket: 'lake' }))
    await ensureDatabase({ client, database: 'market' })
    await ensureTable({ client, table })
    await ensureTopics(kafka, [topic])
    const producer = createProducer({ kafka, topic })
    await producer.connect()
    await producer.send([
      {
        symbol: 'BRK.B',
        ts: new Date('2024-03-08T14:30:00Z'),
        legs: [
          { price: '401.5', size: 9007199254740993n, at: new Date('2024-03-08T14:30:00.123Z') },
          { price: '402.25', size: 2 },
        ],
        levels: new Map([
          [1, 0.5],
          [2, null],
        ]),
        tags: ['a, b', 'null'],
      },
      { symbol: 'MSFT', ts: new Date('2024-03-08T14:31:00Z'), legs: [], tags: [] },
    ])
    await producer.close()
    const registrar = createPartitionRegistrar({ client, table })
    const sink = createSink({ name: 'orders', topic, table, client: s3, registrar })
    await runConsumer({ kafka, groupId: 'lake', topics: [topic], sink, until: 'latest' })
    await sink.close()
    const report = await verifySink({ client: s3, journal: 's3://lake/_stockpipe/journal/orders', table })
    expect(report).toMatchObject({ ok: true })
    expect((await ensureTable({ client, table })).outcome).toBe('unchanged')

    const athena = createAthena({
      client: new AthenaClient(aws),
      database: 'market',
      outputLocation: 's3://lake/out/',
    })
    const { rows } = await athena.query({
      sql: sql`SELECT symbol, legs, levels, legs[1].price AS first FROM ${table}
        WHERE cardinality(legs) > 0 AND trade_date = ${'2024-03-08'}`,
      columns: {
        symbol: t.string(),
        legs,
        levels: t.map(t.int32(), t.double().nullable()).nullable(),
        first: t.decimal(18, 4),
      },
    })
    expect(rows).toEqual([
      {
        symbol: 'BRK.B',
        legs: [
          {
            price: Decimal.parse('401.5000'),
            size: 9007199254740993n,
            at: new Date('2024-03-08T14:30:00.123Z'),
          },
          { price: Decimal.parse('402.2500'), size: 2n, at: null },
        ],
        levels: new Map([
          [1, 0.5],
          [2, null],
        ]),
        first: Decimal.parse('401.5000'),
      },
    ])
    const unnested = await athena.query({
      sql: sql`SELECT symbol, tag FROM ${table} CROSS JOIN UNNEST(tags) AS u(tag) ORDER BY tag`,
      columns: { symbol: t.string(), tag: t.string() },
    })
    expect(unnested.rows).toEqual([
      { symbol: 'BRK.B', tag: 'a, b' },
      { symbol: 'BRK.B', tag: 'null' },
    ])
    await expect(athena.query({ sql: sql`SELECT * FROM ${table}`, columns: table })).rejects.toThrow(
      /column 'tags' is array in the answer and t\.list\(t\.string\(\)\) as stated/,
    )
  } finally {
    await stack.close()
  }
})

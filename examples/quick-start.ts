import { AthenaClient } from '@aws-sdk/client-athena'
import { GlueClient } from '@aws-sdk/client-glue'
import { CreateBucketCommand, S3Client } from '@aws-sdk/client-s3'
import { createAthena, sql } from '@stockpipe/athena'
import { day, defineTable, defineTopic, identity, t } from '@stockpipe/core'
import { createPartitionRegistrar, ensureDatabase, ensureTable } from '@stockpipe/glue'
import { createProducer, ensureTopics, runConsumer } from '@stockpipe/kafka'
import { startLocalStack } from '@stockpipe/local'
import { createSink } from '@stockpipe/s3-sink'
import { Kafka } from 'kafkajs'

const trades = defineTable('trades', {
  columns: { symbol: t.string(), price: t.decimal(18, 4), size: t.int64(), ts: t.timestamp() },
  partitions: { trade_date: day('ts', { timeZone: 'America/New_York' }), ticker: identity('symbol') },
})
const topic = defineTopic('trades', { table: trades, key: 'symbol', partitions: 2 })
const table = trades.at({ database: 'market', location: 's3://lake/trades/' })

// In production these are your brokers and AWS; nothing below knows the difference.
const stack = await startLocalStack({ kafkaPort: 0, httpPort: 0 })
const kafka = new Kafka({ brokers: [...stack.kafka.brokers] })
const aws = { endpoint: stack.aws.endpoint, region: stack.aws.region, credentials: stack.aws }
const s3 = new S3Client({ ...aws, forcePathStyle: true })
const client = new GlueClient(aws)

await s3.send(new CreateBucketCommand({ Bucket: 'lake' }))
await ensureDatabase({ client, database: 'market' })
await ensureTable({ client, table })
await ensureTopics(kafka, [topic])

const producer = createProducer({ kafka, topic })
await producer.connect()
await producer.send([{ symbol: 'BRK.B', price: '401.50', size: 10, ts: new Date('2024-03-08T14:30:00Z') }])
await producer.close()

const sink = createSink({
  name: 'trades',
  topic,
  table,
  client: s3,
  registrar: createPartitionRegistrar({ client, table }),
})
await runConsumer({ kafka, groupId: 'lake', topics: [topic], sink, until: 'latest' })
await sink.close()

const athena = createAthena({
  client: new AthenaClient(aws),
  database: 'market',
  outputLocation: 's3://lake/out/',
})
const { rows } = await athena.query({
  sql: sql`SELECT * FROM ${table} WHERE trade_date = ${'2024-03-08'}`,
  columns: table,
})
for (const { ticker, price, size } of rows) console.log(`${ticker}: ${size} at ${price}`)
await stack.close()

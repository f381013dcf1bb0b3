import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { AthenaClient } from '@aws-sdk/client-athena'
import { GlueClient } from '@aws-sdk/client-glue'
import { CreateBucketCommand, S3Client } from '@aws-sdk/client-s3'
import { createAthena, sql } from '@stockpipe/athena'
import {
  avro,
  avroSchemaOf,
  Decimal,
  day,
  defineTable,
  defineTopic,
  type InferInput,
  t,
} from '@stockpipe/core'
import { createPartitionRegistrar, ensureDatabase, ensureTable } from '@stockpipe/glue'
import { createConfluentRegistry, createProducer, ensureTopics, runConsumer } from '@stockpipe/kafka'
import { startLocalStack } from '@stockpipe/local'
import { createSink, verifySink } from '@stockpipe/s3-sink'
import { Kafka, logLevel } from 'kafkajs'
import { expect, it } from 'vitest'

const columns = {
  id: t.int64(),
  symbol: t.string(),
  price: t.decimal(18, 4),
  ts: t.timestamp(),
  venue: t.string().nullable(),
  nanos: t.epochNanos().nullable(),
  legs: t.list(t.struct({ price: t.decimal(9, 2), size: t.int64() })),
}
const trades = defineTable('trades', { columns, partitions: { trade_date: day('ts') } })
const table = trades.at({ database: 'market', location: 's3://lake/trades/' })

const field = (name: string, type: unknown) => ({ name, type })
const instant = (unit: string) => ({ type: 'long', logicalType: `timestamp-${unit}` })
const decimal = (precision: number, scale: number) => ({
  type: 'bytes',
  logicalType: 'decimal',
  precision,
  scale,
})
/** As somebody else writes them: other names, other order, other units, and more than the table has. */
const foreignSchema = JSON.stringify({
  type: 'record',
  name: 'feed.Trade',
  fields: [
    field('tradeTime', instant('micros')),
    field('source', ['null', 'string']),
    field('legs', {
      type: 'array',
      items: { type: 'record', name: 'Leg', fields: [field('size', 'long'), field('price', decimal(20, 6))] },
    }),
    field('price', decimal(24, 8)),
    field('id', 'long'),
    field('nanos', [instant('nanos'), 'null']),
    field('symbol', 'string'),
    field('venue', ['null', { type: 'enum', name: 'Venue', symbols: ['XNYS', 'XNAS'] }]),
  ],
})
const ownTopic = defineTopic('trades', {
  table: trades,
  partitions: 2,
  value: avro({ framing: 'confluent', schemaId: 1 }),
})
const foreignTopic = defineTopic('trades', {
  table: trades,
  partitions: 2,
  value: avro({ framing: 'confluent', schemaId: 2, schema: foreignSchema, names: { ts: 'tradeTime' } }),
})
/** Both names of the time are read: the table's, and theirs by an alias that the registry has. */
const registered: Readonly<Record<string, string>> = {
  '1': avroSchemaOf(trades),
  '2': foreignSchema.replace('"name":"tradeTime"', '"name":"tradeTime","aliases":["ts"]'),
}

const rowOf = (id: number): InferInput<typeof trades> => ({
  id: BigInt(id),
  symbol: ['AAPL', 'BRK.B', 'é'][id % 3]!,
  price: `${id}.25`,
  ts: new Date(Date.UTC(2024, 2, 8 + (id % 2), 14, 30, 0, id)),
  venue: id % 4 === 0 ? null : ['XNYS', 'XNAS'][id % 2]!,
  nanos: id % 5 === 0 ? null : 1_700_000_000_000_000_000n + BigInt(id),
  legs: Array.from({ length: id % 3 }, (_, leg) => ({ price: `${leg}.50`, size: 2n ** 53n + BigInt(id) })),
})

it('Avro of a schema registry goes from two producers to Athena, exact', async () => {
  const asked: string[] = []
  const registry = createServer((request, response) => {
    asked.push(request.url!)
    const schema = registered[/^\/schemas\/ids\/(\d+)$/.exec(request.url!)?.[1] ?? '']
    response.writeHead(schema ? 200 : 404, { 'content-type': 'application/vnd.schemaregistry.v1+json' })
    response.end(JSON.stringify(schema ? { schema } : { error_code: 40403, message: 'Schema not found' }))
  })
  await new Promise<void>((resolve) => registry.listen(0, '127.0.0.1', resolve))
  const stack = await startLocalStack({ kafkaPort: 0, httpPort: 0 })
  try {
    const kafka = new Kafka({ brokers: [...stack.kafka.brokers], logLevel: logLevel.NOTHING })
    const aws = { endpoint: stack.aws.endpoint, region: stack.aws.region, credentials: stack.aws }
    const s3 = new S3Client({ ...aws, forcePathStyle: true })
    const client = new GlueClient(aws)
    await s3.send(new CreateBucketCommand({ Bucket: 'lake' }))
    await ensureDatabase({ client, database: 'market' })
    await ensureTable({ client, table })
    await ensureTopics(kafka, [ownTopic])
    const ids = Array.from({ length: 400 }, (_, id) => id)
    for (const [topic, parity] of [
      [ownTopic, 0],
      [foreignTopic, 1],
    ] as const) {
      const producer = createProducer({ kafka, topic })
      await producer.connect()
      await producer.send(ids.filter((id) => id % 2 === parity).map(rowOf))
      await producer.close()
    }
    const registrar = createPartitionRegistrar({ client, table })
    const { port } = registry.address() as AddressInfo
    const schemaRegistry = createConfluentRegistry({ url: `http://127.0.0.1:${port}` })
    const topic = defineTopic('trades', {
      table: trades,
      partitions: 2,
      value: avro({ framing: 'confluent' }),
    })
    const sink = createSink({ name: 'trades', topic, table, client: s3, registrar, schemaRegistry })
    await runConsumer({ kafka, groupId: 'lake', topics: [topic], sink, until: 'latest' })
    await sink.close()
    expect(asked.toSorted()).toEqual(['/schemas/ids/1', '/schemas/ids/2'])
    const report = await verifySink({ client: s3, journal: 's3://lake/_stockpipe/journal/trades', table })
    expect(report).toMatchObject({ ok: true })

    const athena = createAthena({
      client: new AthenaClient(aws),
      database: 'market',
      outputLocation: 's3://lake/out/',
    })
    const { rows } = await athena.query({
      sql: sql`SELECT id, symbol, price, ts, venue, nanos, legs FROM ${table} ORDER BY id`,
      columns,
    })
    const exact = (text: string, scale: number) => Decimal.parse(text).rescale(scale)
    expect(rows).toEqual(
      ids.map(rowOf).map((row) => ({
        ...row,
        price: exact(row.price as string, 4),
        legs: row.legs.map(({ price, size }) => ({ size, price: exact(price as string, 2) })),
      })),
    )
  } finally {
    await stack.close()
    registry.closeAllConnections()
    await new Promise((resolve) => registry.close(resolve))
  }
}, 120_000)

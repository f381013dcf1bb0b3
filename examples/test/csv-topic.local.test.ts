import { AthenaClient } from '@aws-sdk/client-athena'
import { GlueClient } from '@aws-sdk/client-glue'
import { CreateBucketCommand, S3Client } from '@aws-sdk/client-s3'
import { createAthena, sql } from '@stockpipe/athena'
import { csv, Decimal, day, defineTable, defineTopic, t } from '@stockpipe/core'
import { createPartitionRegistrar, ensureDatabase, ensureTable } from '@stockpipe/glue'
import { createProducer, ensureTopics, runConsumer } from '@stockpipe/kafka'
import { startLocalStack } from '@stockpipe/local'
import { createSink, openDeadLetters, verifySink } from '@stockpipe/s3-sink'
import { Kafka, logLevel } from 'kafkajs'
import { expect, it } from 'vitest'

const legs = t.list(t.struct({ price: t.decimal(18, 4), at: t.timestamp() })).nullable()
const trades = defineTable('trades', {
  columns: {
    symbol: t.string(),
    ts: t.timestamp(),
    price: t.decimal(18, 4),
    size: t.int64().nullable(),
    note: t.string().nullable(),
    legs,
    kafka_offset: t.recordOffset(),
  },
  partitions: { trade_date: day('ts') },
})
const topic = defineTopic('trades', {
  table: trades,
  key: 'symbol',
  value: csv({
    columns: ['ts', 'symbol', 'price', null, 'size', 'note', 'legs'],
    timestamps: { ts: 'epoch-millis', 'legs.at': 'epoch-seconds' },
  }),
})
const at = Date.UTC(2024, 2, 8, 14, 30)

it('lines of CSV, of a typed producer and of another program, are rows in Athena, and dead letters where they are none', async () => {
  const stack = await startLocalStack({ kafkaPort: 0, httpPort: 0 })
  const kafka = new Kafka({ brokers: [...stack.kafka.brokers], logLevel: logLevel.NOTHING })
  const aws = { endpoint: stack.aws.endpoint, region: stack.aws.region, credentials: stack.aws }
  const s3 = new S3Client({ ...aws, forcePathStyle: true })
  const other = kafka.producer()
  try {
    const client = new GlueClient(aws)
    const table = trades.at({ database: 'market', location: 's3://lake/trades/' })
    await s3.send(new CreateBucketCommand({ Bucket: 'lake' }))
    await ensureDatabase({ client, database: 'market' })
    await ensureTable({ client, table })
    await ensureTopics(kafka, [topic])
    const producer = createProducer({ kafka, topic })
    await producer.connect()
    await producer.send([
      {
        symbol: 'BRK.B',
        ts: new Date(at),
        price: '401.5',
        size: 9007199254740993n,
        note: 'a, "b"\nc',
        legs: [{ price: '1.25', at: new Date(at + 500) }],
      },
      { symbol: '', ts: new Date(at + 1), price: '0', note: '' },
    ])
    await producer.close()
    await other.connect()
    const lines = [
      'ts,symbol,price,venue,size,note,legs',
      `${at + 2},IBM,187.1234,XNYS,100,"",\r\n`,
      `${at + 3},IBM,187.12345,XNYS,100,,`,
      `${at + 4},IBM,1,XNYS,100\n${at + 5},IBM,1,XNYS,100`,
      `"${at + 6}","IBM","-0.5","x,""y""","7","null",`,
    ]
    await other.send({ topic: 'trades', messages: lines.map((value) => ({ value })) })

    const registrar = createPartitionRegistrar({ client, table })
    const sink = createSink({ name: 'trades', topic, table, client: s3, registrar })
    await runConsumer({ kafka, groupId: 'lake', topics: [topic], sink, until: 'latest' })
    await sink.close()
    const journal = 's3://lake/_stockpipe/journal/trades'
    const report = await verifySink({ client: s3, journal, table })
    expect(report).toMatchObject({ ok: true, totals: { records: 7, rows: 4, deadLetters: 3 } })

    const athena = createAthena({
      client: new AthenaClient(aws),
      database: 'market',
      outputLocation: 's3://lake/out/',
    })
    const { rows } = await athena.query({
      sql: sql`SELECT symbol, ts, price, size, note, legs FROM ${table} WHERE trade_date = ${'2024-03-08'} ORDER BY ts`,
      columns: {
        symbol: t.string(),
        ts: t.timestamp(),
        price: t.decimal(18, 4),
        size: t.int64().nullable(),
        note: t.string().nullable(),
        legs,
      },
    })
    expect(rows).toEqual([
      {
        symbol: 'BRK.B',
        ts: new Date(at),
        price: Decimal.parse('401.5000'),
        size: 9007199254740993n,
        note: 'a, "b"\nc',
        legs: [{ price: Decimal.parse('1.2500'), at: new Date(at + 500) }],
      },
      { symbol: '', ts: new Date(at + 1), price: Decimal.parse('0.0000'), size: null, note: '', legs: null },
      {
        symbol: 'IBM',
        ts: new Date(at + 2),
        price: Decimal.parse('187.1234'),
        size: 100n,
        note: '',
        legs: null,
      },
      {
        symbol: 'IBM',
        ts: new Date(at + 6),
        price: Decimal.parse('-0.5000'),
        size: 7n,
        note: 'null',
        legs: null,
      },
    ])

    const letters = []
    const deadLetters = openDeadLetters({ client: s3, journal })
    for await (const file of deadLetters.files()) letters.push(...((await deadLetters.read(file)) ?? []))
    expect(
      letters.map(({ value, column, reason }) => [String(value && Buffer.from(value)), column, reason]),
    ).toEqual([
      [lines[0], null, 'the value is a header line: the names of the columns'],
      [lines[2], 'price', expect.stringContaining("'price' has more than 4 digits")],
      [lines[3], 'size', expect.stringContaining('line break outside of quotes')],
    ])
  } finally {
    await other.disconnect()
    s3.destroy()
    await stack.close()
  }
})

import { fileURLToPath } from 'node:url'
import { CreateBucketCommand, DeleteObjectCommand, ListObjectsV2Command, S3Client } from '@aws-sdk/client-s3'
import { defineTable, defineTopic, RecordBlockBuilder, t } from '@stockpipe/core'
import { startLocalStack } from '@stockpipe/local'
import { createSink } from '@stockpipe/s3-sink'
import { Kafka, type KafkaMessage, logLevel } from 'kafkajs'
import { afterEach, expect, test, vi } from 'vitest'
import { main } from '../src/index.ts'
import { capturedIO } from './captured-io.ts'

const cleanups: (() => unknown)[] = []
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup()
})

const trades = defineTable('trades', { columns: { symbol: t.string(), price: t.decimal(18, 4) } })
const topic = defineTopic('trades', { table: trades, partitions: 1 })
const journal = 's3://lake/_stockpipe/journal/trades'

/** A stack, and a sink's two groups: the first with three dead letters, the second with one. */
const written = async () => {
  const stack = await startLocalStack({ kafkaPort: 0, httpPort: 0 })
  cleanups.push(() => stack.close())
  const { endpoint, region, ...credentials } = stack.aws
  const s3 = new S3Client({ endpoint, region, credentials, forcePathStyle: true })
  cleanups.push(() => s3.destroy())
  await s3.send(new CreateBucketCommand({ Bucket: 'lake' }))
  const sink = createSink({
    name: 'trades',
    topic,
    table: trades.at({ database: 'market', location: 's3://lake/trades/' }),
    client: s3,
  })
  await sink.assign([{ topic: 'trades', partition: 0, logStart: 0n, logEnd: 9n }], { generation: 1 })
  const write = async (first: bigint, values: readonly (string | Uint8Array | null)[]) => {
    const builder = new RecordBlockBuilder({ topic: 'trades', partition: 0, firstOffset: first })
    values.forEach((value, index) => {
      builder.add({
        offset: first + BigInt(index),
        timestampMillis: Date.UTC(2026, 0, 2),
        key: Buffer.from('IBM'),
        value: typeof value === 'string' ? Buffer.from(value) : value,
        headers: { trace: 'one' },
      })
    })
    await sink.write(builder.finish())
    await sink.flush()
  }
  await write(0n, [
    '{"symbol":"IBM","price":"1.5"}',
    '{"symbol":"IBM"}',
    '{"symbol":"MSFT"}',
    Uint8Array.of(255),
  ])
  await write(4n, ['{"symbol":"IBM","price":"2.5"}', null])
  await sink.close()
  const env = {
    AWS_ENDPOINT_URL: endpoint,
    AWS_REGION: region,
    AWS_ACCESS_KEY_ID: credentials.accessKeyId,
    AWS_SECRET_ACCESS_KEY: credentials.secretAccessKey,
    KAFKA_BROKERS: stack.kafka.brokers.join(),
  }
  const deadLetters = async (...argv: string[]) => {
    const io = capturedIO(env)
    const status = await main(['dead-letters', ...argv], io)
    return { status, out: io.out(), err: io.err() }
  }
  return { stack, s3, deadLetters, env }
}

test('dead-letters list tells the groups that have any, with reasons, as text and as JSON', async () => {
  const { deadLetters } = await written()
  const text = await deadLetters('list', journal)
  expect(text).toMatchObject({ status: 0, err: '' })
  expect(text.out).toMatch(
    /^trades-0: 3 in group \[0, 4\), offsets 1 to 3, s3:\/\/lake\/_stockpipe\/dead-letters\/trades\/\S+\n {2}2: 'price' is missing and not nullable \(first at offset 1\)\n {2}1: the value is not UTF-8 \(first at offset 3\)\n/,
  )
  expect(text.out).toMatch(/\n4 dead letters\n$/)
  const json = JSON.parse((await deadLetters('list', journal, '--json')).out)
  expect(json).toMatchObject([
    {
      topic: 'trades',
      partition: 0,
      start: '0',
      next: '4',
      records: 3,
      reasons: [{ count: 2, column: 'price' }, {}],
    },
    { start: '4', records: 1 },
  ])
  expect((await deadLetters('list', journal, '--log', 'trades-7')).out).toBe('0 dead letters\n')
})

test('dead-letters show prints records in full, text or hex, and as JSON without loss', async () => {
  const { deadLetters } = await written()
  const text = await deadLetters('show', journal, '--limit', '3')
  expect(text.status).toBe(0)
  expect(text.out).toContain(
    [
      'trades-0 offset 1, 2026-01-02T00:00:00.000Z',
      "  reason: 'price' is missing and not nullable",
      '  column: price',
      '  key: IBM',
      '  header trace: one',
      '  value: {"symbol":"IBM"}',
      '',
    ].join('\n'),
  )
  expect(text.out).toContain('  value: 0xff\n')
  expect(text.err).toContain('There are more')
  const lines = (await deadLetters('show', journal, '--json')).out.trimEnd().split('\n')
  expect(lines.map((line) => JSON.parse(line))).toMatchObject([
    {
      offset: '1',
      value: { text: '{"symbol":"IBM"}' },
      headers: [{ name: 'trace', value: { text: 'one' } }],
    },
    { offset: '2' },
    { offset: '3', value: { base64: '/w==' }, column: null },
    { offset: '5', value: null, timestamp: '2026-01-02T00:00:00.000Z', topic: 'trades', partition: 0 },
  ])
})

test('dead-letters replay sends them once to a topic, and again when told', async () => {
  const { stack, deadLetters } = await written()
  const kafka = new Kafka({ brokers: [...stack.kafka.brokers], logLevel: logLevel.NOTHING })
  const admin = kafka.admin()
  await admin.connect()
  await admin.createTopics({ topics: [{ topic: 'repaired', numPartitions: 1 }] })
  await admin.disconnect()

  const first = await deadLetters('replay', journal, '--to', 'repaired')
  expect(first).toMatchObject({ status: 0, err: '' })
  expect(first.out).toBe(
    'trades-0 [0, 4): 3 records sent\ntrades-0 [4, 6): 1 records sent\n4 dead letters sent to repaired\n',
  )
  const second = await deadLetters('replay', journal, '--to', 'repaired')
  expect(second.out).toMatch(/sent before, left out\n0 dead letters sent to repaired\n$/)
  expect((await deadLetters('replay', journal, '--to', 'repaired', '--again')).out).toMatch(
    /\n4 dead letters sent/,
  )

  const consumer = kafka.consumer({ groupId: 'repair', maxWaitTimeInMs: 100 })
  await consumer.connect()
  cleanups.push(() => consumer.disconnect())
  await consumer.subscribe({ topics: ['repaired'], fromBeginning: true })
  const read: KafkaMessage[] = []
  await new Promise<void>((resolve, reject) => {
    const eachMessage = async ({ message }: { message: KafkaMessage }) => {
      read.push(message)
      if (read.length === 8) resolve()
    }
    consumer.run({ eachMessage }).catch(reject)
  })
  expect(read.map(({ headers }) => String(headers!['stockpipe-dead-letter']))).toEqual([
    ...['trades/0/1', 'trades/0/2', 'trades/0/3', 'trades/0/5'],
    ...['trades/0/1', 'trades/0/2', 'trades/0/3', 'trades/0/5'],
  ])
  expect(read[0]).toMatchObject({ key: Buffer.from('IBM'), value: Buffer.from('{"symbol":"IBM"}') })
  expect(read[0]!.headers!['trace']).toEqual(Buffer.from('one'))
  expect(read[3]!.value).toBeNull()
})

test('dead-letters takes the sink of a configuration, with its own clients', async () => {
  const { stack, env } = await written()
  for (const [name, value] of Object.entries(env)) vi.stubEnv(name, value)
  cleanups.push(() => vi.unstubAllEnvs())
  const kafka = new Kafka({ brokers: [...stack.kafka.brokers], logLevel: logLevel.NOTHING })
  const admin = kafka.admin()
  await admin.connect()
  await admin.createTopics({ topics: [{ topic: 'repaired', numPartitions: 1 }] })
  await admin.disconnect()
  const config = fileURLToPath(new URL('sink-configs/trades.ts', import.meta.url))
  const run = async (...argv: string[]) => {
    const io = capturedIO({})
    return { status: await main(['dead-letters', ...argv], io), out: io.out(), err: io.err() }
  }
  expect(await run('list', '--config', config)).toMatchObject({
    status: 0,
    err: '',
    out: expect.stringMatching(/^trades-0: 3 in group \[0, 4\)[\s\S]*\n4 dead letters\n$/),
  })
  expect((await run('show', '--config', config, '--limit', '1')).out).toContain('trades-0 offset 1,')
  expect(await run('replay', '--config', config, '--to', 'repaired')).toMatchObject({
    status: 0,
    out: expect.stringMatching(/\n4 dead letters sent to repaired\n$/),
  })
  expect(await run('replay', '--config', config, '--to', 'x', '--brokers', 'here')).toMatchObject({
    status: 1,
    err: expect.stringContaining('HOST:PORT'),
  })
  expect(await run('list', journal, '--config', config)).toMatchObject({
    status: 2,
    err: expect.stringContaining('a journal or --config FILE, not both'),
  })
  expect(await run('list', '--config', '/no/such/file.mjs')).toMatchObject({
    status: 2,
    err: expect.stringContaining('there is no file /no/such/file.mjs'),
  })
})

test('dead-letters says what it lacks, and which file is not there', async () => {
  const { s3, deadLetters } = await written()
  expect((await deadLetters('replay', journal)).err).toContain(
    'replay takes the topic to send to: --to TOPIC',
  )
  expect(await deadLetters('replay', journal, '--to', 'x', '--brokers', 'here')).toMatchObject({
    status: 1,
    err: 'stockpipe dead-letters: It is not said where Kafka is: give --brokers HOST:PORT,… or set KAFKA_BROKERS.\n',
  })
  expect((await deadLetters('replay', journal, '--to', 'no-such-topic')).err).toMatch(
    /^stockpipe dead-letters: There is no topic no-such-topic/,
  )
  const { Contents = [] } = await s3.send(
    new ListObjectsV2Command({ Bucket: 'lake', Prefix: '_stockpipe/dead-letters/' }),
  )
  await s3.send(new DeleteObjectCommand({ Bucket: 'lake', Key: Contents[0]!.Key! }))
  const list = await deadLetters('list', journal)
  expect(list.status).toBe(1)
  expect(list.out).toContain('the file is not there: not published yet, or deleted since')
  expect((await deadLetters('show', journal)).err).toContain(`${Contents[0]!.Key} is not there`)
})

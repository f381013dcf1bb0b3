import { CreateBucketCommand, S3Client } from '@aws-sdk/client-s3'
import { defineTable, defineTopic, t } from '@stockpipe/core'
import { type ConsumerLag, createProducer, ensureTopics, runConsumer } from '@stockpipe/kafka'
import { type LocalRequest, startLocalStack } from '@stockpipe/local'
import { createSink, type SinkOptions, verifySink } from '@stockpipe/s3-sink'
import { Kafka, logLevel } from 'kafkajs'
import { expect, it, vi } from 'vitest'

const ticks = defineTable('ticks', { columns: { symbol: t.string(), id: t.int64() } })
const topic = defineTopic('ticks', { table: ticks, key: 'symbol', partitions: 4 })
const rows = 20_000
const sessionTimeoutMillis = 6000
const operations = [
  'CreateMultipartUpload',
  'UploadPart',
  'CompleteMultipartUpload',
  'PutObject',
  'GetObject',
  'HeadObject',
  'ListObjectsV2',
] as const

it('a member stays in its group while S3 is away for longer than its session, and goes on when S3 is back', async () => {
  const heartbeats: { readonly at: number; readonly errors: number }[] = []
  let joins = 0
  const onRequest = (request: LocalRequest) => {
    if (request.service !== 'kafka') return
    if (request.api === 'JoinGroup') joins += 1
    if (request.api === 'Heartbeat') {
      heartbeats.push({ at: performance.now(), errors: request.errorCodes?.length ?? 0 })
    }
  }
  await using stack = await startLocalStack({ kafkaPort: 0, httpPort: 0, onRequest })
  const kafka = new Kafka({ brokers: [...stack.kafka.brokers], logLevel: logLevel.NOTHING })
  const client = new S3Client({
    endpoint: stack.aws.endpoint,
    region: stack.aws.region,
    credentials: stack.aws,
    forcePathStyle: true,
  })
  await client.send(new CreateBucketCommand({ Bucket: 'lake' }))
  const table = ticks.at({ database: 'market', location: 's3://lake/ticks/' })
  await ensureTopics(kafka, [topic])
  const producer = createProducer({ kafka, topic })
  await producer.connect()
  // Small budget, small groups: writes wait for S3 soon.
  const options: SinkOptions = {
    name: 'ticks',
    topic,
    table,
    client,
    memory: 400_000,
    rotation: { rows: 1000 },
  }
  const sink = createSink(options)
  const controller = new AbortController()
  let lag: ConsumerLag | undefined
  const running = runConsumer({
    kafka,
    groupId: 'group',
    topics: [topic],
    sink,
    signal: controller.signal,
    sessionTimeoutMillis,
    heartbeatIntervalMillis: 500,
    maxBytesPerPartition: 50_000,
    positionCheckMillis: 200,
    drainMillis: 20_000,
    onLag: (now) => {
      lag = now
    },
  })
  running.catch(() => {})
  await vi.waitFor(() => expect(lag).toMatchObject({ partitions: { length: 4 } }), { timeout: 20_000 })
  const faults = operations.map((operation) =>
    stack.s3.faults.add({ operation, times: Number.POSITIVE_INFINITY, action: { error: 'SlowDown' } }),
  )
  const joinsBefore = joins
  const began = performance.now()
  await producer.send(Array.from({ length: rows }, (_, id) => ({ symbol: `S${id % 97}`, id: BigInt(id) })))
  await new Promise((resolve) => setTimeout(resolve, sessionTimeoutMillis * 1.5))
  // It was really held up, and has not read on without bound.
  expect(faults.some(({ hits }) => hits > 0)).toBe(true)
  expect(lag?.records).toBeGreaterThan(0)
  for (const fault of faults) fault.remove()
  await vi.waitFor(() => expect(lag?.records).toBe(0), { timeout: 40_000, interval: 100 })
  const beats = heartbeats.filter(({ at }) => at >= began)
  expect(joins).toBe(joinsBefore)
  expect(beats.filter(({ errors }) => errors > 0)).toEqual([])
  const times = [began, ...beats.map(({ at }) => at), performance.now()]
  const longestGap = Math.max(...times.slice(1).map((at, index) => at - times[index]!))
  expect(longestGap).toBeLessThan(sessionTimeoutMillis)
  controller.abort()
  expect(await running).toMatchObject({ reason: 'aborted', records: rows })
  await sink.close()
  await producer.close()
  const report = await verifySink({ client, journal: 's3://lake/_stockpipe/journal/ticks', table })
  expect(report).toMatchObject({ ok: true, totals: { rows } })
  client.destroy()
}, 120_000)

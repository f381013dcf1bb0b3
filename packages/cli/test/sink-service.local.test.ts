import { once } from 'node:events'
import { createServer } from 'node:net'
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import { CreateBucketCommand, S3Client } from '@aws-sdk/client-s3'
import { createProducer, ensureTopics } from '@stockpipe/kafka'
import { type LocalStack, startLocalStack } from '@stockpipe/local'
import { Kafka, logLevel } from 'kafkajs'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { parsePrometheus } from '../../core/test/prometheus-parser.ts'
import { main } from '../src/index.ts'
import { capturedIO } from './captured-io.ts'
import { topic } from './sink-configs/trades.ts'

const config = path.join(path.dirname(fileURLToPath(import.meta.url)), 'sink-configs/trades.ts')
const cleanups: (() => unknown)[] = []
let stack: LocalStack
let kafka: Kafka

beforeEach(async () => {
  stack = await startLocalStack({ kafkaPort: 0, httpPort: 0 })
  cleanups.push(() => stack.close())
  const { aws } = stack
  vi.stubEnv('KAFKA_BROKERS', stack.kafka.brokers.join(','))
  vi.stubEnv('AWS_ENDPOINT_URL', aws.endpoint)
  vi.stubEnv('AWS_ACCESS_KEY_ID', aws.accessKeyId)
  vi.stubEnv('AWS_SECRET_ACCESS_KEY', aws.secretAccessKey)
  const s3 = new S3Client({
    endpoint: aws.endpoint,
    region: aws.region,
    credentials: aws,
    forcePathStyle: true,
  })
  await s3.send(new CreateBucketCommand({ Bucket: 'lake' }))
  s3.destroy()
  kafka = new Kafka({ brokers: stack.kafka.brokers, logLevel: logLevel.NOTHING })
  await ensureTopics(kafka, [topic])
})
afterEach(async () => {
  vi.unstubAllEnvs()
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup()
})

const produce = async (from: number, count: number) => {
  const producer = createProducer({ kafka, topic })
  await producer.connect()
  await producer.send(
    Array.from({ length: count }, (_, index) => ({
      symbol: ['AAPL', 'IBM', 'MSFT'][(from + index) % 3]!,
      price: '1.5',
      ts: new Date(Date.UTC(2024, 2, 8, 15) + (from + index) * 1000),
    })),
  )
  await producer.close()
}

/** `stockpipe sink` inside this process; `stop` is the user's Ctrl-C. */
const startSink = (...options: string[]) => {
  const abort = new AbortController()
  const io = capturedIO({}, abort.signal)
  let status: number | undefined
  const running = main(['sink', '--config', config, ...options], io).then((ended) => {
    status = ended
    return ended
  })
  const stop = () => {
    abort.abort(new Error('SIGTERM received'))
    return running
  }
  cleanups.push(stop)
  const until = (wanted: () => unknown) =>
    vi.waitFor(
      () => {
        if (status !== undefined) throw new Error(`ended with ${status}: ${io.err()}`)
        expect(wanted()).toBeTruthy()
      },
      { timeout: 30_000, interval: 50 },
    )
  /** Where metrics are served. */
  const url = async (): Promise<string> => {
    const said = () => /url=(\S+)/.exec(io.err())?.[1]
    await until(said)
    return said()!
  }
  return { io, running, stop, until, url }
}

const verify = async () => {
  const io = capturedIO()
  return { status: await main(['verify', '--config', config], io), out: io.out() }
}

const metricsAt = async (url: string) => {
  const response = await fetch(`${url}/metrics`)
  expect(response.headers.get('content-type')).toBe('text/plain; version=0.0.4; charset=utf-8')
  const families = parsePrometheus(await response.text())
  return (name: string, labels: Readonly<Record<string, string>> = {}) =>
    (families.get(name)?.samples ?? [])
      .filter((sample) => Object.entries(labels).every(([label, value]) => sample.labels[label] === value))
      .reduce((sum, { value }) => sum + value, 0)
}

describe('stockpipe sink', () => {
  it('publishes everything until latest, says so, ends with 0, and verify holds', async () => {
    await produce(0, 1200)
    const { io, running } = startSink('--until', 'latest')
    expect(await running, io.err()).toBe(0)
    expect(io.out()).toBe('')
    expect(io.err()).toMatch(
      / info {2}Sink trades: topic trades to s3:\/\/lake\/trades\/ groupId=trades-to-lake\n/,
    )
    expect(io.err()).toMatch(/ info {2}Reading 2 partitions\. positions="/)
    expect(io.err()).toMatch(/Caught up: everything up to --until is published\. records=1200 rows=1200 /)
    expect(await verify()).toMatchObject({ status: 0, out: expect.stringContaining('1,200 rows') })
  })

  it('publishes everything before a time, and ends', async () => {
    await produce(0, 300)
    await new Promise((resolve) => setTimeout(resolve, 20))
    const time = new Date().toISOString()
    await produce(300, 50)
    const { io, running } = startSink('--until', time)
    expect(await running, io.err()).toBe(0)
    expect(io.err()).toMatch(/Caught up: .* rows=300 /)
  })

  it('drains when told to end, and the next run goes on where it stopped', async () => {
    await produce(0, 700)
    const first = startSink('--metrics-port', '0')
    const url = await first.url()
    await vi.waitFor(
      async () => expect((await metricsAt(url))('stockpipe_consumer_records_total')).toBe(700),
      { timeout: 30_000, interval: 100 },
    )
    expect((await metricsAt(url))('stockpipe_sink_rows_total')).toBeLessThan(700)
    expect(await first.stop(), first.io.err()).toBe(0)
    expect(first.io.err()).toMatch(/Drained: everything that was read is published\. records=700 rows=700 /)
    await expect(fetch(url)).rejects.toThrow()
    await produce(700, 300)
    const second = startSink('--until', 'latest', '--log-format', 'json')
    expect(await second.running, second.io.err()).toBe(0)
    const lines = second.io
      .err()
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line))
    expect(lines.at(-1)).toMatchObject({ level: 'info', rows: 300 })
    expect(await verify()).toMatchObject({ status: 0, out: expect.stringContaining('1,000 rows') })
  })

  it('serves metrics while it runs, and turns ready when its partitions are positioned', async () => {
    await produce(0, 1500)
    const { url, stop, io } = startSink('--metrics-port', '0', '--metrics-host', '127.0.0.1')
    const at = await url()
    const status = async (path: string) => (await fetch(at + path)).status
    expect(await status('/healthz')).toBe(200)
    await vi.waitFor(async () => expect(await status('/readyz')).toBe(200), { timeout: 30_000 })
    await vi.waitFor(
      async () => expect((await metricsAt(at))('stockpipe_sink_rows_total')).toBeGreaterThanOrEqual(500),
      { timeout: 30_000, interval: 100 },
    )
    const metric = await metricsAt(at)
    expect(metric('stockpipe_sink_groups_total', { sink: 'trades', reason: 'rows' })).toBeGreaterThan(0)
    expect(metric('stockpipe_sink_requests_total', { operation: 'CompleteMultipartUpload' })).toBeGreaterThan(
      0,
    )
    expect(metric('stockpipe_sink_freshness_seconds', { sink: 'trades' })).toBeGreaterThan(0)
    expect(metric('stockpipe_consumer_partitions', { group: 'trades-to-lake' })).toBe(2)
    expect(metric('stockpipe_sink_failed_total', { sink: 'trades' })).toBe(0)
    // The open groups are not published: everything was read all the same.
    await vi.waitFor(
      async () => {
        const response = await (await fetch(`${at}/metrics`)).text()
        const lag = parsePrometheus(response).get('stockpipe_consumer_lag_records')!.samples
        expect(lag.map(({ value }) => value)).toEqual([0, 0])
      },
      { timeout: 30_000, interval: 100 },
    )
    expect(metric('process_resident_memory_bytes')).toBeGreaterThan(1e7)
    expect(metric('stockpipe_build_info')).toBe(1)
    expect(await status('/other')).toBe(404)
    expect((await fetch(`${at}/metrics`, { method: 'POST' })).status).toBe(405)
    expect((await fetch(`${at}/readyz`, { method: 'HEAD' })).status).toBe(200)
    expect(await stop(), io.err()).toBe(0)
  })

  it('is not ready before it has joined, nor while the store does not answer, and is healthy meanwhile', async () => {
    const away = stack.s3.faults.add({
      operation: 'PutObject',
      times: Number.POSITIVE_INFINITY,
      action: { error: 'SlowDown' },
    })
    await produce(0, 10)
    const { url, stop, io } = startSink('--metrics-port', '0', '--drain-seconds', '1')
    const at = await url()
    const ready = async () => {
      const response = await fetch(`${at}/readyz`)
      return `${response.status} ${await response.text()}`
    }
    await vi.waitFor(
      async () => expect(await ready()).toMatch(/^503 .*\n?.*the object store did not answer/),
      {
        timeout: 30_000,
      },
    )
    expect(await ready()).toMatch(/joined|position of trades-/)
    expect((await fetch(`${at}/healthz`)).status).toBe(200)
    away.remove()
    await vi.waitFor(async () => expect(await ready()).toBe('200 ok\n'), { timeout: 30_000 })
    expect(await stop(), io.err()).toBe(0)
  })

  it('says how much was left when there was no time to drain, and still ends with 0', async () => {
    await produce(0, 100)
    const { io, stop, url } = startSink('--metrics-port', '0', '--drain-seconds', '0.5')
    const at = await url()
    await vi.waitFor(
      async () => expect((await metricsAt(at))('stockpipe_consumer_records_total')).toBe(100),
      { timeout: 30_000, interval: 100 },
    )
    stack.s3.faults.add({
      operation: 'CreateMultipartUpload',
      times: Number.POSITIVE_INFINITY,
      action: { error: 'SlowDown' },
    })
    expect(await stop(), io.err()).toBe(0)
    expect(io.err()).toMatch(/ warn {2}The time to drain was over.* left=100\n/)
  })

  it('ends with 1 when its sink fails, and says why', async () => {
    await produce(0, 10)
    const producer = kafka.producer()
    await producer.connect()
    const record = { partition: 0, value: 'no JSON' }
    await producer.send({ topic: 'trades', messages: Array.from({ length: 1500 }, () => record) })
    await producer.disconnect()
    const { io, running } = startSink('--until', 'latest', '--log-format', 'json')
    expect(await running, io.err()).toBe(1)
    const last = JSON.parse(io.err().trimEnd().split('\n').at(-1)!)
    expect(last).toMatchObject({ level: 'error', code: 'TOO_MANY_REJECTED', topic: 'trades', partition: 0 })
  })

  it('ends with 2 when the port of its metrics is taken', async () => {
    const server = createServer().listen(0, '127.0.0.1')
    cleanups.push(() => server.close())
    await once(server, 'listening')
    const { port } = server.address() as { port: number }
    const { io, running } = startSink('--metrics-port', String(port))
    expect(await running).toBe(2)
    expect(io.err()).toMatch(
      new RegExp(` error Port ${port} of 127.0.0.1 is taken, .*code=METRICS_PORT_UNAVAILABLE`),
    )
  })
})

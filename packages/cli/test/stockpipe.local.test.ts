import { once } from 'node:events'
import { mkdtemp, open, rm, writeFile } from 'node:fs/promises'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { AthenaClient, GetQueryExecutionCommand } from '@aws-sdk/client-athena'
import {
  CreateBucketCommand,
  DeleteObjectCommand,
  ListBucketsCommand,
  ListObjectsV2Command,
  S3Client,
} from '@aws-sdk/client-s3'
import { defineTable, defineTopic, type PackedBytes, t } from '@stockpipe/core'
import { createSink } from '@stockpipe/s3-sink'
import { Kafka, logLevel } from 'kafkajs'
import { afterEach, expect, test, vi } from 'vitest'
import { main } from '../src/index.ts'
import { capturedIO } from './captured-io.ts'

const cleanups: (() => Promise<unknown> | unknown)[] = []
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup()
})

interface ReadyLine {
  readonly kafka: { readonly brokers: string[] }
  readonly aws: { endpoint: string; region: string; accessKeyId: string; secretAccessKey: string }
}

/** `stockpipe local` inside this process; `end` is the user's Ctrl-C. */
const startLocal = async (...options: string[]) => {
  const abort = new AbortController()
  const io = capturedIO({}, abort.signal)
  let ended: number | undefined
  const running = main(['local', '--kafka-port', '0', '--http-port', '0', ...options], io).then((status) => {
    ended = status
    return status
  })
  const end = () => {
    abort.abort(new Error('SIGTERM received'))
    return running
  }
  cleanups.push(end)
  while (!io.out().includes('\n')) {
    if (ended !== undefined) throw new Error(`ended with ${ended}: ${io.err()}`)
    await new Promise((resolve) => setTimeout(resolve, 10))
  }
  const ready = JSON.parse(io.out()) as ReadyLine
  const env = {
    AWS_ENDPOINT_URL: ready.aws.endpoint,
    AWS_REGION: ready.aws.region,
    AWS_ACCESS_KEY_ID: ready.aws.accessKeyId,
    AWS_SECRET_ACCESS_KEY: ready.aws.secretAccessKey,
  }
  return { ready, io, end, env }
}
type Environment = Awaited<ReturnType<typeof startLocal>>['env']

const s3Client = (env: Environment): S3Client => {
  const s3 = new S3Client({
    endpoint: env.AWS_ENDPOINT_URL,
    region: env.AWS_REGION,
    credentials: { accessKeyId: env.AWS_ACCESS_KEY_ID, secretAccessKey: env.AWS_SECRET_ACCESS_KEY },
    forcePathStyle: true,
  })
  cleanups.push(() => s3.destroy())
  return s3
}

const trades = defineTable('trades', { columns: { symbol: t.string(), price: t.decimal(18, 4) } })
const topic = defineTopic('trades', { table: trades, key: 'symbol', partitions: 1 })

const packed = (texts: readonly string[]): PackedBytes => {
  const encoded = texts.map((text) => Buffer.from(text))
  const starts: number[] = []
  let length = 0
  for (const bytes of encoded) {
    starts.push(length)
    length += bytes.length + 1
  }
  return {
    bytes: new Uint8Array(Buffer.concat(encoded.flatMap((bytes) => [bytes, Buffer.of(0)]))),
    starts: Uint32Array.from(starts),
    lengths: Int32Array.from(encoded, (bytes) => bytes.length),
  }
}

/** Three trades through a sink, as one flush group. */
const writeTrades = async (s3: S3Client) => {
  const table = trades.at({ database: 'market', location: 's3://lake/trades/' })
  const sink = createSink({ name: 'trades', topic, table, client: s3 })
  await sink.assign([{ topic: 'trades', partition: 0, logStart: 0n, logEnd: 3n }], {
    generation: 1,
    signal: new AbortController().signal,
  })
  await sink.write({
    topic: 'trades',
    partition: 0,
    firstOffset: 0n,
    nextOffset: 3n,
    count: 3,
    values: packed(['1.5', '2.5', '3.5'].map((price) => JSON.stringify({ symbol: 'IBM', price }))),
    keys: packed(['IBM', 'IBM', 'IBM']),
    timestamps: Float64Array.of(1, 2, 3),
    offsetDeltas: Uint32Array.of(0, 1, 2),
  })
  await sink.flush()
  await sink.close()
}

const temporaryDirectory = async () => {
  const directory = await mkdtemp(path.join(tmpdir(), 'stockpipe-cli-'))
  cleanups.push(() => rm(directory, { recursive: true, force: true }))
  return directory
}

test('local prints one line of JSON when ready, settings to paste on stderr, and ends when told', async () => {
  const directory = await temporaryDirectory()
  const { ready, io, end } = await startLocal(
    '--data-dir',
    directory,
    '--access-key',
    'key',
    '--secret-key',
    "it's",
  )
  expect(io.out().split('\n')).toHaveLength(2)
  expect(ready).toEqual({
    kafka: { brokers: [expect.stringMatching(/^127\.0\.0\.1:\d+$/)] },
    aws: {
      endpoint: expect.stringMatching(/^http:\/\/127\.0\.0\.1:\d+$/),
      region: 'us-east-1',
      accessKeyId: 'key',
      secretAccessKey: "it's",
    },
  })
  expect(io.err()).toContain(`export KAFKA_BROKERS=${ready.kafka.brokers[0]}\n`)
  expect(io.err()).toContain(`export AWS_ENDPOINT_URL=${ready.aws.endpoint}\n`)
  expect(io.err()).toContain(`export AWS_SECRET_ACCESS_KEY='it'\\''s'\n`)
  const began = Date.now()
  expect(await end()).toBe(0)
  expect(Date.now() - began).toBeLessThan(2000)
  await expect(fetch(ready.aws.endpoint)).rejects.toThrow()
})

test('a directory another stack holds, and a taken port, are one sentence and exit status 1', async () => {
  const directory = await temporaryDirectory()
  await startLocal('--data-dir', directory)
  const locked = capturedIO()
  expect(
    await main(['local', '--kafka-port', '0', '--http-port', '0', '--data-dir', directory], locked),
  ).toBe(1)
  expect(locked.out()).toBe('')
  expect(locked.err()).toMatch(/^stockpipe local: .*data directory.*\n$/i)

  const server = createServer().listen(0, '127.0.0.1')
  cleanups.push(() => server.close())
  await once(server, 'listening')
  const { port } = server.address() as { port: number }
  const taken = capturedIO()
  expect(await main(['local', '--kafka-port', '0', '--http-port', String(port)], taken)).toBe(1)
  expect(taken.err()).toMatch(new RegExp(`^stockpipe local: .*${port}.*\\n$`))
})

test('local --reset starts over an emptied data directory, and leaves a directory of somebody else', async () => {
  const directory = await temporaryDirectory()
  const first = await startLocal('--data-dir', directory)
  await s3Client(first.env).send(new CreateBucketCommand({ Bucket: 'before' }))
  await first.end()
  const second = await startLocal('--data-dir', directory, '--reset')
  expect((await s3Client(second.env).send(new ListBucketsCommand({}))).Buckets ?? []).toEqual([])
  await second.end()

  await writeFile(path.join(directory, 'notes.txt'), 'mine')
  const io = capturedIO()
  expect(await main(['local', '--data-dir', directory, '--reset'], io)).toBe(1)
  expect(io.err()).toMatch(
    /^stockpipe local: The directory .* is not emptied, because it holds notes\.txt.*\n$/,
  )
})

test('local --fsync syncs files before it answers, and without it nothing is synced', async () => {
  const file = await open(path.join(await temporaryDirectory(), 'any'), 'w')
  const sync = vi.spyOn(Object.getPrototypeOf(file) as typeof file, 'sync')
  cleanups.push(() => sync.mockRestore())
  await file.close()
  const [plain, synced] = [await startLocal(), await startLocal('--fsync')]
  await s3Client(plain.env).send(new CreateBucketCommand({ Bucket: 'lake' }))
  expect(sync).not.toHaveBeenCalled()
  await s3Client(synced.env).send(new CreateBucketCommand({ Bucket: 'lake' }))
  expect(sync).toHaveBeenCalled()
})

test('local --log-level debug prints a line about each request, and nothing without it', async () => {
  const [told, silent] = [await startLocal('--log-level', 'debug'), await startLocal()]
  const before = silent.io.err()
  for (const { env } of [told, silent]) await s3Client(env).send(new CreateBucketCommand({ Bucket: 'lake' }))
  await vi.waitFor(() =>
    expect(told.io.err()).toMatch(
      /^\d{4}-\d\d-\d\dT[\d:.]+Z http operation=CreateBucket method=PUT bucket=lake status=200 remote=\S+ .*$/m,
    ),
  )
  expect(silent.io.err()).toBe(before)
  expect(told.io.out().split('\n')).toHaveLength(2)
})

test('query prints a table, CSV and JSON, and why a query failed', async () => {
  const { env } = await startLocal()
  const s3 = s3Client(env)
  await s3.send(new CreateBucketCommand({ Bucket: 'results' }))
  const sql = `SELECT * FROM (VALUES ('IBM', DECIMAL '125.5000', 3), (NULL, DECIMAL '-1.2500', 12)) AS x(ticker, price, n) ORDER BY n`
  const query = async (statement: string, ...options: string[]) => {
    const io = capturedIO(env)
    const status = await main(['query', statement, '--output-location', 's3://results/', ...options], io)
    return { status, out: io.out(), err: io.err() }
  }
  const table = await query(sql)
  expect(table.out).toBe(
    ['ticker     price   n', '──────  ────────  ──', 'IBM     125.5000   3', 'NULL     -1.2500  12', ''].join(
      '\n',
    ),
  )
  expect(table.err).toMatch(/^2 rows, 0 bytes scanned, \d+\.\d s, query [0-9a-f-]{36}\n$/)
  expect((await query(sql, '--format', 'csv')).out).toBe('ticker,price,n\nIBM,125.5000,3\n,-1.2500,12\n')
  expect(JSON.parse((await query(sql, '--format', 'json')).out)).toEqual([
    { ticker: 'IBM', price: '125.5000', n: 3 },
    { ticker: null, price: '-1.2500', n: 12 },
  ])
  const failed = await query('SELECT * FROM no_such_table')
  expect(failed).toMatchObject({ status: 1, out: '' })
  expect(failed.err).toMatch(
    /^stockpipe query: Query [0-9a-f-]{36} in database default failed: .*no_such_table/,
  )
})

test('query prints large answers as they come, waits for a slow reader, and stops when told', async () => {
  const { env } = await startLocal()
  const s3 = s3Client(env)
  await s3.send(new CreateBucketCommand({ Bucket: 'results' }))
  const sql = `SELECT a.x * 1000 + b.y AS n, 'a, b' AS text FROM UNNEST(sequence(0, 19)) AS a(x), UNNEST(sequence(0, 999)) AS b(y) ORDER BY 1`
  const command = ['query', sql, '--output-location', 's3://results/', '--format', 'csv']
  const whole = capturedIO(env)
  let drains = 0
  const stdout = {
    write(text: string) {
      whole.stdout.write(text)
      return false
    },
    once(_: 'drain', listener: () => void) {
      drains += 1
      setTimeout(listener, 1)
    },
  }
  expect(await main(command, { ...whole, stdout })).toBe(0)
  expect(whole.out()).toBe(`n,text\n${Array.from({ length: 20_000 }, (_, n) => `${n},"a, b"\n`).join('')}`)
  expect(whole.err()).toMatch(/^20,000 rows, /)
  expect(drains).toBeGreaterThan(3)

  const abort = new AbortController()
  const stuck = capturedIO(env, abort.signal)
  const never = {
    write(text: string) {
      stuck.stdout.write(text)
      setTimeout(() => abort.abort(new Error('SIGINT received')), 10)
      return false
    },
    once: () => {},
  }
  expect(await main(command, { ...stuck, stdout: never })).toBe(130)
  expect(stuck.err()).toBe('stockpipe query: interrupted.\n')

  const interrupt = new AbortController()
  const endless = capturedIO(env, interrupt.signal)
  const terminal = { write: endless.stderr.write, isTTY: true }
  const long = `SELECT count(*) FROM UNNEST(sequence(1, 9999)) a(x), UNNEST(sequence(1, 9999)) b(y), UNNEST(sequence(1, 9999)) c(z) WHERE x + y + z = 0`
  const running = main(['query', long, '--output-location', 's3://results/'], {
    ...endless,
    stderr: terminal,
  })
  await vi.waitFor(() => expect(endless.err()).toMatch(/query [0-9a-f-]{36}, \d+ s/), { timeout: 20_000 })
  interrupt.abort(new Error('SIGINT received'))
  expect(await running).toBe(130)
  const id = /query ([0-9a-f-]{36})/.exec(endless.err())![1]!
  const athena = new AthenaClient({
    endpoint: env.AWS_ENDPOINT_URL,
    region: env.AWS_REGION,
    credentials: { accessKeyId: env.AWS_ACCESS_KEY_ID, secretAccessKey: env.AWS_SECRET_ACCESS_KEY },
  })
  cleanups.push(() => athena.destroy())
  const { QueryExecution: ended } = await athena.send(new GetQueryExecutionCommand({ QueryExecutionId: id }))
  expect(ended?.Status?.State).toBe('CANCELLED')
})

test('query at an endpoint where nothing listens says so', async () => {
  const io = capturedIO({
    AWS_ENDPOINT_URL: 'http://127.0.0.1:9',
    AWS_ACCESS_KEY_ID: 'a',
    AWS_SECRET_ACCESS_KEY: 'b',
  })
  expect(await main(['query', 'SELECT 1'], io)).toBe(1)
  expect(io.err()).toMatch(/ECONNREFUSED.*Nothing listens at the endpoint; check AWS_ENDPOINT_URL/)
})

test('verify lists what is off and ends with 1, as text and as JSON', async () => {
  const { env } = await startLocal()
  const s3 = s3Client(env)
  await s3.send(new CreateBucketCommand({ Bucket: 'lake' }))
  const verify = async (...options: string[]) => {
    const io = capturedIO(env)
    const status = await main(['verify', 's3://lake/_stockpipe/journal/trades', ...options], io)
    return { status, out: io.out(), err: io.err() }
  }
  const text = await verify()
  expect(text).toMatchObject({ status: 1, err: '' })
  expect(text.out).toContain('JOURNAL_EMPTY: There is no journal at s3://lake/_stockpipe/journal/trades')
  const json = await verify('--json')
  expect(json.status).toBe(1)
  expect(JSON.parse(json.out)).toMatchObject({ ok: false, problems: [{ code: 'JOURNAL_EMPTY' }] })
})

test('verify of a bucket that is not there says so', async () => {
  const { env } = await startLocal()
  const io = capturedIO(env)
  expect(await main(['verify', 's3://no-such-bucket/_stockpipe/journal/trades'], io)).toBe(1)
  expect(io.err()).toMatch(/^stockpipe verify: .*no-such-bucket.*\n$/)
})

test('verify of a sink’s journal holds, and does not once a file is gone', async () => {
  const { env } = await startLocal()
  const s3 = s3Client(env)
  await s3.send(new CreateBucketCommand({ Bucket: 'lake' }))
  await writeTrades(s3)
  const verify = async () => {
    const io = capturedIO(env)
    return { status: await main(['verify', 's3://lake/_stockpipe/journal/trades'], io), out: io.out() }
  }
  const whole = await verify()
  expect(whole.out).toMatch(/everything holds\n$/)
  expect(whole.status).toBe(0)
  const { Contents = [] } = await s3.send(new ListObjectsV2Command({ Bucket: 'lake', Prefix: 'trades/' }))
  expect(Contents.length).toBeGreaterThan(0)
  await s3.send(new DeleteObjectCommand({ Bucket: 'lake', Key: Contents[0]!.Key! }))
  const broken = await verify()
  expect(broken.out).toContain(`FILE_MISSING: ${Contents[0]!.Key}`)
  expect(broken.status).toBe(1)
})

test('journal shows where a sink stands, keeps it, and gives up what is lost only forward', async () => {
  const { env } = await startLocal()
  const s3 = s3Client(env)
  await s3.send(new CreateBucketCommand({ Bucket: 'lake' }))
  await writeTrades(s3)
  const address = 's3://lake/_stockpipe/journal/trades'
  const run = async (...argv: string[]) => {
    const io = capturedIO(env)
    const [action, ...options] = argv
    const status = await main(['journal', action!, address, ...options], io)
    return { status, out: io.out(), err: io.err() }
  }
  const shown = await run('show')
  expect(shown.status).toBe(0)
  expect(shown.out).toMatch(
    /^trades-0: began at offset 0 \(earliest, .*goes on at \d+; 1 entries, the newest settled\n/,
  )
  const [log] = JSON.parse((await run('show', '--json')).out)
  expect(log).toMatchObject({ topic: 'trades', partition: 0, settled: true, checkpoint: null })
  expect((await run('prune')).out).toBe('trades-0: 0 entries pruned\n')
  expect((await run('clean', '--dry-run')).out).toBe('0 uploads to abort, 0 left alone\n')
  expect((await run('init', '--topic', 'trades', '--start', '5', '--partitions', '2')).out).toBe(
    'trades-0: begins at offset 0, as before\ntrades-1: begins at offset 5\n',
  )
  const reset = ['reset', '--topic', 'trades', '--partition', '0', '--to']
  const back = await run(...reset, '0')
  expect(back).toMatchObject({ status: 1, err: expect.stringContaining('would publish') })
  const to = BigInt(log.next) + 10n
  expect((await run(...reset, String(to))).out).toBe(
    `trades-0: offsets ${log.next} to ${to - 1n} are given up; the sink goes on at ${to}\n`,
  )
  const io = capturedIO(env)
  expect(await main(['verify', address], io)).toBe(0)
  expect(io.out()).toContain(`lost by reset: ${log.next} to ${to}`)
})

test('journal init begins where Kafka’s log begins or ends', async () => {
  const { env, ready } = await startLocal()
  await s3Client(env).send(new CreateBucketCommand({ Bucket: 'lake' }))
  const { brokers } = ready.kafka
  const kafka = new Kafka({ brokers, logLevel: logLevel.NOTHING })
  const admin = kafka.admin()
  await admin.connect()
  await admin.createTopics({ topics: [{ topic: 'ticks', numPartitions: 2 }] })
  await admin.disconnect()
  const producer = kafka.producer()
  await producer.connect()
  await producer.send({ topic: 'ticks', messages: [{ partition: 1, value: 'a' }] })
  await producer.disconnect()
  const run = async (...argv: string[]) => {
    const io = capturedIO({ ...env, KAFKA_BROKERS: brokers.join() })
    const status = await main(['journal', 'init', 's3://lake/journal/ticks', ...argv], io)
    return { status, out: io.out(), err: io.err() }
  }
  expect(await run('--topic', 'ticks', '--start', 'latest')).toEqual({
    status: 0,
    out: 'ticks-0: begins at offset 0\nticks-1: begins at offset 1\n',
    err: '',
  })
  expect(await run('--topic', 'nothing', '--start', 'earliest')).toMatchObject({
    status: 2,
    err: expect.stringContaining('topic nothing'),
  })
})

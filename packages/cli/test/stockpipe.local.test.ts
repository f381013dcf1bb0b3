import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { CreateBucketCommand, S3Client } from '@aws-sdk/client-s3'
import { afterEach, expect, test } from 'vitest'
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

test('query prints a table, CSV and JSON, and why a query failed', async () => {
  const { env } = await startLocal()
  const s3 = new S3Client({
    endpoint: env.AWS_ENDPOINT_URL,
    region: env.AWS_REGION,
    credentials: { accessKeyId: env.AWS_ACCESS_KEY_ID, secretAccessKey: env.AWS_SECRET_ACCESS_KEY },
    forcePathStyle: true,
  })
  cleanups.push(() => s3.destroy())
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

test('query at an endpoint where nothing listens says so', async () => {
  const io = capturedIO({
    AWS_ENDPOINT_URL: 'http://127.0.0.1:9',
    AWS_ACCESS_KEY_ID: 'a',
    AWS_SECRET_ACCESS_KEY: 'b',
  })
  expect(await main(['query', 'SELECT 1'], io)).toBe(1)
  expect(io.err()).toMatch(/ECONNREFUSED.*Nothing listens at the endpoint; check AWS_ENDPOINT_URL/)
})

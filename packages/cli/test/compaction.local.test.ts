import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { AthenaClient } from '@aws-sdk/client-athena'
import { GlueClient } from '@aws-sdk/client-glue'
import { CreateBucketCommand, S3Client } from '@aws-sdk/client-s3'
import { createAthena } from '@stockpipe/athena'
import { defineTable, defineTopic, identity, RecordBlockBuilder, t } from '@stockpipe/core'
import {
  createPartitionCatalog,
  createPartitionRegistrar,
  ensureDatabase,
  ensureTable,
} from '@stockpipe/glue'
import { type LocalStack, startLocalStack } from '@stockpipe/local'
import { createSink } from '@stockpipe/s3-sink'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { main } from '../src/index.ts'
import type { SinkConfig } from '../src/sink-config.ts'
import { capturedIO } from './captured-io.ts'

const trades = defineTable('trades', {
  columns: { symbol: t.string(), id: t.int64() },
  partitions: { ticker: identity('symbol') },
})
const topic = defineTopic('trades', { table: trades, partitions: 1 })
const table = trades.at({ database: 'market', location: 's3://lake/trades/' })

let stack: LocalStack
let s3: S3Client
let glue: GlueClient
let folder: string
const file = () => path.join(folder, 'sink.mjs')
declare global {
  var compactionTestConfig: () => SinkConfig
}

/** Has a sink write `count` records of two tickers in groups of four. */
const write = async (count: number) => {
  const sink = createSink({
    name: 'trades',
    topic,
    table,
    client: s3,
    workers: 0,
    rotation: { rows: 4 },
    registrar: createPartitionRegistrar({ client: glue, table }),
  })
  await sink.assign([{ topic: 'trades', partition: 0, logStart: 0n, logEnd: BigInt(count) }], {
    generation: 1,
  })
  for (let at = 0; at < count; at += 4) {
    const builder = new RecordBlockBuilder({ topic: 'trades', partition: 0, firstOffset: BigInt(at) })
    for (let id = at; id < at + 4; id += 1) {
      const value = Buffer.from(JSON.stringify({ symbol: id % 2 === 0 ? 'BRK.B' : 'a b', id }))
      builder.add({ offset: BigInt(id), timestampMillis: 1, key: null, value })
    }
    await sink.write(builder.finish(BigInt(at + 4)))
  }
  await sink.close()
}

beforeAll(async () => {
  stack = await startLocalStack({ httpPort: 0, kafkaPort: 0 })
  const { endpoint, region, accessKeyId, secretAccessKey } = stack.aws
  const settings = { endpoint, region, credentials: { accessKeyId, secretAccessKey } }
  s3 = new S3Client({ ...settings, forcePathStyle: true })
  glue = new GlueClient(settings)
  await s3.send(new CreateBucketCommand({ Bucket: 'lake' }))
  await ensureDatabase({ client: glue, database: 'market' })
  await ensureTable({ client: glue, table })
  await write(24)
  folder = await mkdtemp(path.join(tmpdir(), 'stockpipe-compaction-'))
  await writeFile(file(), 'export default () => globalThis.compactionTestConfig()')
  globalThis.compactionTestConfig = () => ({
    kafka: { brokers: ['127.0.0.1:1'] },
    groupId: 'none',
    sink: { name: 'trades', topic, table, client: s3 },
    compaction: { catalog: createPartitionCatalog({ client: glue, table }), betweenMillis: 0 },
  })
})
afterAll(async () => {
  s3?.destroy()
  glue?.destroy()
  await stack?.close()
  await rm(folder, { recursive: true, force: true })
})

/** What queries see. */
const counted = async () => {
  const { endpoint, region, accessKeyId, secretAccessKey } = stack.aws
  const client = new AthenaClient({ endpoint, region, credentials: { accessKeyId, secretAccessKey } })
  const athena = createAthena({ client, database: 'market', outputLocation: 's3://lake/results/' })
  try {
    const sql = 'SELECT symbol, count(*) AS count FROM trades GROUP BY symbol'
    return (await athena.query({ sql, columns: { symbol: t.string(), count: t.int64() } })).rows
  } finally {
    client.destroy()
  }
}

const command = async (...argv: string[]) => {
  const io = capturedIO()
  return { status: await main(argv, io), out: io.out(), err: io.err() }
}
const withConfig = (name: string, ...options: string[]) => command(name, '--config', file(), ...options)

describe('stockpipe compact', () => {
  it('leaves young partitions alone, and says what it would do', async () => {
    expect(await withConfig('compact')).toMatchObject({
      status: 0,
      out: expect.stringMatching(
        /^ticker=BRK\.B: open, 6 files of .*: it was written to at .*\n.*\n2 partitions: 2 open\n$/,
      ),
    })
    expect(await withConfig('compact', '--older-than', '0s', '--dry-run')).toMatchObject({
      status: 0,
      out: expect.stringMatching(/2 partitions: 2 planned\n$/),
    })
  })

  it('compacts the partitions named, then the others, and verify proves it', async () => {
    const first = await withConfig('compact', '--older-than', '0s', '--partition', 'ticker=a b')
    expect(first).toMatchObject({
      status: 0,
      out: expect.stringMatching(
        /^ticker=a b: compacted, 6 files of .* into 1 of .*, 12 rows\n1 partitions: 1 compacted\n$/,
      ),
    })
    const second = await withConfig('compact', '--older-than', '0s', '--json')
    expect(JSON.parse(second.out)).toMatchObject({
      ok: true,
      partitions: [{ partition: 'ticker=BRK.B', outcome: 'compacted' }, { outcome: 'unchanged' }],
    })
    expect(await withConfig('verify', '--content')).toMatchObject({
      status: 0,
      out: expect.stringContaining(
        '2 compactions of 12 files (2 switched), 24 rows before and after, in 2 files',
      ),
    })
    const removal = await withConfig('compact', '--older-than', '0s', '--grace', '0s')
    expect(removal.out).toContain('6 former files removed')
    expect(await withConfig('verify')).toMatchObject({ status: 0 })
  })
})

describe('stockpipe retire', () => {
  it('retires nothing unless it is meant, then what is named, and verify holds', async () => {
    const named = ['--partition', 'ticker=a b', '--older-than', '0s']
    expect(await withConfig('retire', ...named)).toMatchObject({
      status: 1,
      err: expect.stringMatching(
        /planned, 12 rows in 1 files\n1 partitions: 1 planned\nstockpipe retire: nothing was retired; give --yes/,
      ),
    })
    expect(await withConfig('retire', ...named, '--yes')).toMatchObject({
      status: 0,
      out: 'ticker=a b: retired, 12 rows in 1 files\n1 partitions: 1 retired\n',
    })
    const catalog = createPartitionCatalog({ client: glue, table })
    expect(await catalog.get(['a b'])).toMatchObject({
      location: expect.stringMatching(/^s3:\/\/lake\/stockpipe-compacted\/trades\/ticker=a b\/000002-/),
    })
    expect(await counted()).toEqual([{ symbol: 'BRK.B', count: 12n }])
    const removal = await withConfig('retire', ...named, '--yes', '--grace', '0s')
    expect(removal.out).toContain('1 former files removed')
    expect(await catalog.get(['a b'])).toBeUndefined()
    expect(await counted()).toEqual([{ symbol: 'BRK.B', count: 12n }])
    expect(await withConfig('verify', '--content')).toMatchObject({
      status: 0,
      out: expect.stringContaining('1 retirements of 1 files (1 removed), 12 rows'),
    })
  })
})

describe('the command lines of both', () => {
  it.each([
    ['compact', [], /it takes --config FILE/],
    ['compact', ['--older-than', 'long'], /--older-than takes a duration such as 90m, 36h or 2d, not 'long'/],
    ['compact', ['--partition', 'day=1'], /--partition takes ticker=… or some of its parts, not 'day=1'/],
    ['compact', ['s3://lake/journal/trades'], /it takes a journal or --config FILE, not both/],
    ['retire', [], /it takes --partition, at least once/],
  ])('%s %j is refused with status 2', async (name, options, sentence) => {
    const bare = options.length === 0 && name === 'compact'
    const { status, err } = await (bare ? command(name) : withConfig(name, ...options))
    expect(err).toMatch(sentence)
    expect(status).toBe(2)
  })

  it('a configuration without a catalog is refused', async () => {
    const { compactionTestConfig: config } = globalThis
    const { compaction: _, ...without } = config()
    globalThis.compactionTestConfig = () => without
    const { status, err } = await withConfig('compact')
    globalThis.compactionTestConfig = config
    expect([status, err]).toEqual([2, expect.stringContaining('has no `compaction: { catalog }`')])
  })
})

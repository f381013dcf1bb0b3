import path from 'node:path'
import { GlueClient } from '@aws-sdk/client-glue'
import {
  CreateBucketCommand,
  DeleteObjectsCommand,
  ListObjectsV2Command,
  PutObjectCommand,
  S3Client,
} from '@aws-sdk/client-s3'
import {
  type BoundTable,
  createEncoder,
  defineTable,
  defineTopic,
  identity,
  json,
  RecordBlockBuilder,
  t,
} from '@stockpipe/core'
import { applyPlan, createPartitionRegistrar, planTables } from '@stockpipe/glue'
import { startLocalStack } from '@stockpipe/local'
import { createPushSink } from '@stockpipe/s3-sink'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { main } from '../src/index.ts'
import { capturedIO } from './captured-io.ts'
import { fills, ticks } from './table-configs/drift.ts'

let stack: Awaited<ReturnType<typeof startLocalStack>>
let glue: GlueClient
let s3: S3Client
beforeAll(async () => {
  stack = await startLocalStack({ httpPort: 0, kafkaPort: 0 })
  const { endpoint, region, accessKeyId, secretAccessKey } = stack.aws
  const settings = { endpoint, region, credentials: { accessKeyId, secretAccessKey } }
  glue = new GlueClient(settings)
  s3 = new S3Client({ ...settings, forcePathStyle: true })
  await s3.send(new CreateBucketCommand({ Bucket: 'lake' }))
  const tables = [{ table: fills }, { table: ticks }]
  await applyPlan(await planTables({ client: glue, tables }), { client: glue })
})
afterAll(async () => {
  glue?.destroy()
  s3?.destroy()
  await stack?.close()
})

const drift = async (...argv: string[]) => {
  const { endpoint, region, accessKeyId, secretAccessKey } = stack.aws
  const io = capturedIO({
    AWS_ENDPOINT_URL: endpoint,
    AWS_REGION: region,
    AWS_ACCESS_KEY_ID: accessKeyId,
    AWS_SECRET_ACCESS_KEY: secretAccessKey,
  })
  const file = path.join(import.meta.dirname, 'table-configs', 'drift.ts')
  const status = await main(['table', 'drift', file, ...argv], io)
  return { status, out: io.out(), err: io.err() }
}

let written = 0
/** Writes rows as a sink of that table does, and registers their partitions as `fills` has them. */
const write = async (table: BoundTable, rows: readonly object[]) => {
  const name = `drift-${written++}`
  const topic = defineTopic(name, { table: table.table, value: json() })
  const encoder = createEncoder(topic)
  const builder = new RecordBlockBuilder({ topic: name, partition: 0, firstOffset: 0n })
  rows.forEach((row, index) => {
    const { value } = encoder.encode(row as never)
    const bytes = typeof value === 'string' ? new TextEncoder().encode(value) : value
    builder.add({ offset: BigInt(index), timestampMillis: 0, key: null, value: bytes as Uint8Array })
  })
  const registrar = createPartitionRegistrar({ client: glue, table: fills as BoundTable })
  const partitioned = table.table.partitions.length > 0
  const sink = createPushSink({
    name,
    topic,
    table,
    client: s3,
    genesis: 0n,
    ...(partitioned ? { registrar } : {}),
  })
  await sink.push(builder.finish())
  await sink.close()
}
const at = { database: 'market', location: 's3://lake/fills/' }
const partitions = { ticker: identity('symbol') }

test('nothing has drifted where files are as the table, or narrower', async () => {
  await write(fills, [
    { symbol: 'BRK.B', size: 1n },
    { symbol: 'a b+c%', size: 2n },
    { symbol: '日本🐂', size: 3n },
  ])
  const narrower = defineTable('fills', { columns: { symbol: t.string(), size: t.int32() }, partitions })
  await write(narrower.at(at), [{ symbol: 'IBM', size: 1 }])
  await write(ticks, [{ price: 1.5 }])
  await s3.send(new PutObjectCommand({ Bucket: 'lake', Key: 'ticks/_SUCCESS', Body: 'no parquet' }))
  const report = await drift()
  expect(report).toEqual({
    status: 0,
    err: '',
    out: '= table market.fills: 4 partitions and 4 files compared, nothing has drifted\n= table market.ticks: 0 partitions and 1 file compared, nothing has drifted\n',
  })
  expect((await drift('--sample', '2')).out).toContain('4 partitions and 2 files compared')
  expect((await drift('--files', '0')).out).toContain('4 partitions and 0 files compared')
})

test('what queries fail on, read otherwise or do not see is named, with its error and status 3', async () => {
  const other = defineTable('fills', {
    columns: { symbol: t.string(), size: t.string(), venue: t.string() },
    partitions,
  })
  await write(other.at(at), [
    { symbol: 'AAPL', size: '1', venue: 'X' },
    { symbol: 'MSFT', size: '1', venue: 'X' },
  ])
  await s3.send(new PutObjectCommand({ Bucket: 'lake', Key: 'ticks/broken.parquet', Body: 'no parquet' }))
  const report = await drift('--files', 'all')
  expect(report).toMatchObject({ status: 3, err: '' })
  expect(report.out).toMatch(
    /^! table market\.fills: 6 partitions and 6 files compared, 2 places differing\n {4}file s3:\/\/lake\/fills\/ticker=\w+\/.* and 1 more\n {8}size string -> bigint: HIVE_BAD_DATA: .*\n {8}venue string -> \(none\): no query sees the column/,
  )
  expect(report.out).toMatch(
    / {4}file s3:\/\/lake\/ticks\/broken\.parquet\n {8}.*it does not end with PAR1\n/,
  )
  const json = JSON.parse((await drift('--files', 'all', '--json')).out)
  expect(json).toMatchObject([
    {
      table: 'market.fills',
      ok: false,
      partitions: 6,
      files: 6,
      drifts: [{ kind: 'file' }, { kind: 'file' }],
    },
    { table: 'market.ticks', ok: false, drifts: [{ unreadable: 'it does not end with PAR1' }] },
  ])
})

test('partitions without files, and files that have gone, are no drift', async () => {
  const { Contents = [] } = await s3.send(
    new ListObjectsV2Command({ Bucket: 'lake', Prefix: 'fills/ticker=AAPL/' }),
  )
  const Objects = Contents.map(({ Key }) => ({ Key }))
  await s3.send(new DeleteObjectsCommand({ Bucket: 'lake', Delete: { Objects } }))
  expect((await drift()).out).toContain('6 partitions and 5 files compared, 1 place differing')
})

test('options that cannot be are refused', async () => {
  expect(await drift('--files', '-1')).toMatchObject({ status: 2 })
  expect(await drift('--files', 'some')).toMatchObject({
    status: 2,
    err: expect.stringContaining("--files takes a number or 'all', not 'some'"),
  })
  expect(await drift('--sample', '0')).toMatchObject({ status: 2 })
  expect(await drift('--yes')).toMatchObject({ status: 2, err: expect.stringContaining('go with apply') })
})

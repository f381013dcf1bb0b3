import {
  CopyObjectCommand,
  CreateBucketCommand,
  DeleteObjectCommand,
  GetObjectCommand,
  ListMultipartUploadsCommand,
  PutObjectCommand,
  S3Client,
} from '@aws-sdk/client-s3'
import { day, defineTable, defineTopic, identity, t } from '@stockpipe/core'
import { type LocalStack, startLocalStack } from '@stockpipe/local'
import { parquetReadObjects } from 'hyparquet'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { createS3ObjectStore, createSink, formatVerifyReport, verifySink } from '../src/index.ts'
import { consume, FakeLog } from './sink/fake-log.ts'

const trades = defineTable('trades', {
  columns: { symbol: t.string(), price: t.decimal(18, 4), ts: t.timestamp(), kafka_offset: t.recordOffset() },
  partitions: { trade_date: day('ts', { timeZone: 'America/New_York' }), ticker: identity('symbol') },
})
const topic = defineTopic('trades', { table: trades, partitions: 2 })
const symbols = ['AAPL', 'BRK.B', 'MSFT']

const tradeLog = (partition: number, count: number): FakeLog => {
  const values = Array.from({ length: count }, (_, index) =>
    JSON.stringify({
      symbol: symbols[index % 3],
      price: `${100 + (index % 50)}.25`,
      ts: new Date(Date.UTC(2024, 2, 8, 15) + index * 60_000).toISOString(),
    }),
  )
  return new FakeLog(partition, 'trades').append(...values)
}

let stack: LocalStack
let s3: S3Client
let buckets = 0

beforeAll(async () => {
  stack = await startLocalStack({ kafkaPort: 0, httpPort: 0 })
  s3 = new S3Client({
    endpoint: stack.aws.endpoint,
    region: stack.aws.region,
    credentials: stack.aws,
    forcePathStyle: true,
  })
})
afterAll(async () => {
  s3?.destroy()
  await stack?.close()
})

const newLake = async () => {
  buckets += 1
  const bucket = `lake-${buckets}`
  await s3.send(new CreateBucketCommand({ Bucket: bucket }))
  const table = trades.at({ database: 'market', location: `s3://${bucket}/trades/` })
  const journal = `s3://${bucket}/_stockpipe/journal/trades`
  const start = () => createSink({ name: 'trades', topic, table, client: s3, rotation: { rows: 400 } })
  return { bucket, table, start, verify: () => verifySink({ client: s3, journal }) }
}

const offsetsIn = async (bucket: string, keys: readonly string[]): Promise<number[]> => {
  const offsets: number[] = []
  for (const key of keys) {
    const { Body } = await s3.send(
      new GetObjectCommand({ Bucket: bucket, Key: key.slice(`s3://${bucket}/`.length) }),
    )
    const bytes = await Body!.transformToByteArray()
    const rows = await parquetReadObjects({ file: bytes.buffer as ArrayBuffer })
    for (const { kafka_offset } of rows) offsets.push(Number(kafka_offset))
  }
  return offsets.sort((left, right) => left - right)
}

describe('the sink over sockets', () => {
  it('publishes every record once, over a restart, and verify holds', async () => {
    const { bucket, start, verify } = await newLake()
    const log = tradeLog(0, 1500)
    const first = start()
    await consume(first, [log.retain(0n)], 137)
    await first.close()
    const more = tradeLog(0, 1800)
    await using second = start()
    await consume(second, [more], 137)
    await second.close()
    const report = await verify()
    expect(formatVerifyReport(report)).toContain('everything holds')
    expect(report.totals).toMatchObject({ records: 1800, rows: 1800, logs: 1 })
    const files = report.files.map(({ key }) => key)
    expect(await offsetsIn(bucket, files)).toEqual(Array.from({ length: 1800 }, (_, offset) => offset))
    const { Uploads } = await s3.send(new ListMultipartUploadsCommand({ Bucket: bucket }))
    expect(Uploads ?? []).toEqual([])
  })

  it('lets two owners of the same partitions run at once without doubling a record', async () => {
    const { bucket, start, verify } = await newLake()
    const logs = [tradeLog(0, 1000), tradeLog(1, 900)]
    const fencedOrDone = async (sink: ReturnType<typeof start>) => {
      for (let round = 0; round < 50; round += 1) {
        try {
          await consume(sink, logs, 90)
          await sink.flush()
          return
        } catch (error) {
          expect((error as Error).name).toBe('FencedError')
        }
      }
      throw new Error('fenced too often')
    }
    await using one = start()
    await using other = start()
    await Promise.all([fencedOrDone(one), fencedOrDone(other)])
    await Promise.all([one.close(), other.close()])
    const report = await verify()
    expect(report.problems).toEqual([])
    const offsetsOf = (partition: number) =>
      offsetsIn(
        bucket,
        report.files.filter((file) => file.partition === partition).map(({ key }) => key),
      )
    expect(await offsetsOf(0)).toEqual(Array.from({ length: 1000 }, (_, offset) => offset))
    expect(await offsetsOf(1)).toEqual(Array.from({ length: 900 }, (_, offset) => offset))
  })

  it('verify names a file that was deleted, doubled or cut by hand', async () => {
    const { bucket, start, verify } = await newLake()
    const sink = start()
    await consume(sink, [tradeLog(0, 900)], 300)
    await sink.close()
    const [deleted, doubled, cut] = (await verify()).files.map(({ key }) =>
      key.slice(`s3://${bucket}/`.length),
    )
    const copy = doubled!.replace('.parquet', '-copy.parquet')
    await s3.send(new DeleteObjectCommand({ Bucket: bucket, Key: deleted! }))
    await s3.send(
      new CopyObjectCommand({
        Bucket: bucket,
        Key: copy,
        CopySource: encodeURIComponent(`${bucket}/${doubled}`),
      }),
    )
    await s3.send(new PutObjectCommand({ Bucket: bucket, Key: cut!, Body: 'PAR1 and no more' }))
    const { ok, problems } = await verify()
    expect(ok).toBe(false)
    expect(problems.map(({ code, key }) => [code, key]).sort()).toEqual([
      ['FILE_MISSING', `s3://${bucket}/${deleted}`],
      ['FILE_SIZE', `s3://${bucket}/${cut}`],
      ['FILE_UNKNOWN', `s3://${bucket}/${copy}`],
    ])
  })
})

describe('the object store over S3', () => {
  it('answers what the contract says', async () => {
    const { bucket } = await newLake()
    const store = createS3ObjectStore({ client: s3, bucket })
    const bytes = new TextEncoder().encode('first')
    const signedBefore = Date.now() + 60_000
    expect(await store.putIfAbsent('a', bytes, { signedBefore, contentType: 'text/plain' })).toBe('created')
    expect(await store.putIfAbsent('a', new Uint8Array(3), { signedBefore })).toBe('exists')
    expect(await store.get('a')).toEqual(bytes)
    expect(await store.get('a', { lastBytes: 2 })).toEqual(bytes.subarray(3))
    expect(await store.get('none')).toBeUndefined()
    expect(await store.head('none')).toBeUndefined()

    const metadata = { sink: 'market', 'claim-id': 'x' }
    const { uploadId } = await store.createUpload('dir/b', { metadata, contentType: 'text/plain' })
    const five = await store.uploadPart('dir/b', uploadId, 5, bytes)
    expect(await store.listParts('dir/b', uploadId)).toEqual([{ partNumber: 5, etag: five.etag, size: 5 }])
    const uploads = []
    for await (const upload of store.listUploads('dir/')) uploads.push(upload)
    expect(uploads).toEqual([{ key: 'dir/b', uploadId, initiated: expect.any(Number) }])
    const parts = [{ partNumber: 5, etag: five.etag }]
    expect(await store.completeUpload('dir/b', uploadId, parts)).toBe('completed')
    expect(await store.completeUpload('dir/b', 'no-such-upload', parts)).toBe('gone')
    expect(await store.head('dir/b')).toMatchObject({ size: 5, metadata })
    await store.abortUpload('dir/b', uploadId)

    const keys = []
    for await (const { key } of store.list('', { limit: 1 })) keys.push(key)
    expect(keys).toEqual(['a'])
    await store.delete('a')
    expect(await store.get('a')).toBeUndefined()
  })

  it('refuses a put that would be signed too late, before it is sent', async () => {
    const { bucket } = await newLake()
    const store = createS3ObjectStore({ client: s3, bucket })
    await expect(
      store.putIfAbsent('late', new Uint8Array(1), { signedBefore: Date.now() }),
    ).rejects.toMatchObject({ code: 'SIGNED_TOO_LATE', outcome: 'refused' })
    expect(await store.head('late')).toBeUndefined()
  })

  it('says a wrong secret is a lasting refusal', async () => {
    const { bucket } = await newLake()
    const credentials = { accessKeyId: stack.aws.accessKeyId, secretAccessKey: 'wrong' }
    const client = new S3Client({
      endpoint: stack.aws.endpoint,
      region: stack.aws.region,
      credentials,
      forcePathStyle: true,
    })
    const store = createS3ObjectStore({ client, bucket })
    await expect(store.get('a')).rejects.toMatchObject({ outcome: 'refused', status: 403, retryable: false })
    client.destroy()
  })
})

import { CreateBucketCommand, S3Client } from '@aws-sdk/client-s3'
import { defineTable, defineTopic, identity, t } from '@stockpipe/core'
import { type LocalStack, startLocalStack } from '@stockpipe/local'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { createSink, type ObjectSettings, verifySink } from '../src/index.ts'
import { consume, FakeLog } from './sink/fake-log.ts'

const trades = defineTable('trades', {
  columns: { symbol: t.string(), price: t.decimal(18, 4) },
  partitions: { ticker: identity('symbol') },
})
const topic = defineTopic('trades', { table: trades, partitions: 1 })

let stack: LocalStack
let client: S3Client

beforeAll(async () => {
  stack = await startLocalStack({ kafkaPort: 0, httpPort: 0 })
  const { endpoint, region } = stack.aws
  client = new S3Client({ endpoint, region, credentials: stack.aws, forcePathStyle: true })
})
afterAll(async () => {
  client?.destroy()
  await stack?.close()
})

const publish = async (bucket: string, settings: ObjectSettings) => {
  await client.send(new CreateBucketCommand({ Bucket: bucket }))
  const table = trades.at({ database: 'market', location: `s3://${bucket}/trades/` })
  const sink = createSink({ name: 'trades', topic, table, client, ...settings })
  const log = new FakeLog(0, 'trades').append('{"symbol":"IBM","price":"1.5"}')
  try {
    await consume(sink, [log])
    await sink.flush()
  } finally {
    await sink.close()
  }
}

describe('settings of objects on the local S3', () => {
  it('encrypts with AES256 and names the owner, and claims still hold', async () => {
    const expectedBucketOwner = '123456789012'
    await publish('lake-aes', { serverSideEncryption: 'AES256', expectedBucketOwner })
    const journal = 's3://lake-aes/_stockpipe/journal/trades'
    const report = await verifySink({ client, journal, expectedBucketOwner })
    expect(report).toMatchObject({ ok: true, totals: { rows: 1 } })
  })

  it.each<[string, ObjectSettings]>([
    ['lake-kms', { serverSideEncryption: 'aws:kms' }],
    ['lake-tags', { journalTags: { team: 'market' } }],
  ])(
    'is refused at once what the local S3 lacks, instead of trying for ever: %s',
    async (bucket, settings) => {
      await expect(publish(bucket, settings)).rejects.toMatchObject({
        code: 'OBJECT_STORE_REFUSED',
        status: 501,
        message: expect.stringMatching(/501 NotImplemented.*The store lacks/),
      })
    },
  )

  it('stops a partition log whose data files the store cannot make', async () => {
    await expect(publish('lake-class', { storageClass: 'GLACIER_IR' })).rejects.toMatchObject({ status: 501 })
  })
})

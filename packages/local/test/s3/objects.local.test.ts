import { createHash, randomBytes } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import path from 'node:path'
import { Readable } from 'node:stream'
import {
  CopyObjectCommand,
  CreateBucketCommand,
  DeleteObjectCommand,
  DeleteObjectsCommand,
  GetObjectCommand,
  HeadObjectCommand,
  PutObjectCommand,
  type S3Client,
} from '@aws-sdk/client-s3'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type LocalStack, startLocalStack } from '../../src/local-stack.ts'
import { s3ClientFor } from '../stack/s3-client.ts'

const Bucket = 'market-lake'
let stack: LocalStack
let s3: S3Client

beforeAll(async () => {
  stack = await startLocalStack({ httpPort: 0, kafkaPort: 0 })
  s3 = s3ClientFor(stack)
  await s3.send(new CreateBucketCommand({ Bucket }))
})
afterAll(async () => {
  s3.destroy()
  await stack.close()
})

const put = (Key: string, Body: string | Buffer | Readable, more = {}) =>
  s3.send(new PutObjectCommand({ Bucket, Key, Body, ...more }))
const get = (Key: string, more = {}) => s3.send(new GetObjectCommand({ Bucket, Key, ...more }))
const text = async (Key: string, more = {}) => (await get(Key, more)).Body!.transformToString()

describe('objects', () => {
  it('come back with bytes, content type, metadata, size, ETag and time', async () => {
    const body = randomBytes(300_000)
    const { ETag } = await put('a/b.bin', body, {
      ContentType: 'application/x-thing',
      CacheControl: 'max-age=5',
      ContentEncoding: 'gzip',
      Metadata: { owner: 'me', 'two-words': 'a  b' },
    })
    expect(ETag).toBe(`"${createHash('md5').update(body).digest('hex')}"`)
    const answer = await get('a/b.bin')
    expect(Buffer.from(await answer.Body!.transformToByteArray()).equals(body)).toBe(true)
    const head = await s3.send(new HeadObjectCommand({ Bucket, Key: 'a/b.bin' }))
    for (const found of [answer, head]) {
      expect(found).toMatchObject({
        ETag,
        ContentType: 'application/x-thing',
        CacheControl: 'max-age=5',
        ContentEncoding: 'gzip',
        Metadata: { owner: 'me', 'two-words': 'a  b' },
        ContentLength: body.length,
        AcceptRanges: 'bytes',
      })
      expect(Math.abs(found.LastModified!.getTime() - Date.now())).toBeLessThan(10_000)
    }
  })

  it('have a default content type, and may be empty', async () => {
    await put('empty', '')
    const answer = await get('empty')
    expect(answer.ContentType).toBe('application/octet-stream')
    expect(answer.ContentLength).toBe(0)
    expect(await answer.Body!.transformToString()).toBe('')
  })

  it('are plain files beneath the data directory', async () => {
    await put('trades/trade_date=2024-01-02/ticker=BRK.B/part-0.parquet', 'rows')
    const file = path.join(
      stack.dataDir,
      's3',
      Bucket,
      'trades/trade_date=2024-01-02/ticker=BRK.B/part-0.parquet',
    )
    expect(await readFile(file, 'utf8')).toBe('rows')
  })

  it('sent as a stream are decoded from aws-chunked, byte for byte', async () => {
    const body = randomBytes(3_000_001)
    const pieces = [body.subarray(0, 1), body.subarray(1, 70_000), body.subarray(70_000)]
    await put('streamed', Readable.from(pieces), { ContentLength: body.length })
    const answer = await get('streamed')
    expect(answer.ContentLength).toBe(body.length)
    expect(answer.ContentEncoding).toBeUndefined()
    expect(Buffer.from(await answer.Body!.transformToByteArray()).equals(body)).toBe(true)
  })

  it('are read by ranges: first-last, first-, and the last bytes', async () => {
    await put('digits', '0123456789')
    const range = async (Range: string) => {
      const answer = await get('digits', { Range })
      return [answer.$metadata.httpStatusCode, answer.ContentRange, await answer.Body!.transformToString()]
    }
    expect(await range('bytes=2-4')).toEqual([206, 'bytes 2-4/10', '234'])
    expect(await range('bytes=7-')).toEqual([206, 'bytes 7-9/10', '789'])
    expect(await range('bytes=7-99')).toEqual([206, 'bytes 7-9/10', '789'])
    expect(await range('bytes=-3')).toEqual([206, 'bytes 7-9/10', '789'])
    expect(await range('bytes=-99')).toEqual([206, 'bytes 0-9/10', '0123456789'])
    expect(await range('bytes=4-2')).toEqual([200, undefined, '0123456789'])
    await expect(get('digits', { Range: 'bytes=10-' })).rejects.toMatchObject({
      name: 'InvalidRange',
      $metadata: { httpStatusCode: 416 },
    })
  })

  it('are found again under odd keys', async () => {
    const keys = [
      'dt=../symbol=BRK.B/a b+c%',
      '../../escape',
      './here',
      'a//b',
      'folder/',
      '/leading',
      'x',
      'x/y',
      'x/y/z',
      'Case',
      'case',
      'CASE/inner',
      'ünï/日本/🚀',
      `long/${'s'.repeat(900)}`,
      `wide/${'é'.repeat(400)}`,
      'con',
      'nul.txt',
      'q?x=1&y#z',
      'star*[ab]{c}',
      'back\\slash:colon|pipe"quote<lt>',
      'tab\tnewline\n',
      "!'()~-_.",
      'dot.',
      'space ',
    ]
    for (const key of keys) await put(key, `body of ${key}`)
    for (const key of keys) expect(await text(key), key).toBe(`body of ${key}`)
    for (const key of keys) await s3.send(new DeleteObjectCommand({ Bucket, Key: key }))
    for (const key of keys) await expect(get(key), key).rejects.toMatchObject({ name: 'NoSuchKey' })
  })

  it('are copied with their metadata, or with new', async () => {
    const CopySource = `${Bucket}/${encodeURIComponent('from/a b+c%')}`
    await put('from/a b+c%', 'copied', { ContentType: 'text/plain', Metadata: { kind: 'old' } })
    const { CopyObjectResult } = await s3.send(new CopyObjectCommand({ Bucket, Key: 'to/same', CopySource }))
    expect(CopyObjectResult?.ETag).toBe(`"${createHash('md5').update('copied').digest('hex')}"`)
    expect(await get('to/same')).toMatchObject({ ContentType: 'text/plain', Metadata: { kind: 'old' } })
    await s3.send(
      new CopyObjectCommand({
        Bucket,
        Key: 'to/new',
        CopySource,
        MetadataDirective: 'REPLACE',
        ContentType: 'text/csv',
        Metadata: { kind: 'new' },
      }),
    )
    expect(await get('to/new')).toMatchObject({ ContentType: 'text/csv', Metadata: { kind: 'new' } })
    expect(await text('to/new')).toBe('copied')
    await expect(
      s3.send(new CopyObjectCommand({ Bucket, Key: 'from/a b+c%', CopySource })),
    ).rejects.toMatchObject({ name: 'InvalidRequest' })
    await expect(
      s3.send(new CopyObjectCommand({ Bucket, Key: 'z', CopySource: `${Bucket}/nowhere` })),
    ).rejects.toMatchObject({ name: 'NoSuchKey' })
  })

  it('are deleted by the thousand, missing ones without a word', async () => {
    const keys = ['del/1', 'del/a b', 'del/<&>', 'del/\r\n', ' ', 'del/missing']
    for (const key of keys.slice(0, 5)) await put(key, 'x')
    const answer = await s3.send(
      new DeleteObjectsCommand({ Bucket, Delete: { Objects: keys.map((Key) => ({ Key })) } }),
    )
    expect(answer.Deleted?.map(({ Key }) => Key)).toEqual(keys)
    expect(answer.Errors).toBeUndefined()
    for (const key of keys) await expect(get(key)).rejects.toMatchObject({ name: 'NoSuchKey' })
    const quiet = await s3.send(
      new DeleteObjectsCommand({ Bucket, Delete: { Objects: [{ Key: 'del/1' }], Quiet: true } }),
    )
    expect(quiet.Deleted).toBeUndefined()
    await expect(
      s3.send(
        new DeleteObjectsCommand({
          Bucket,
          Delete: { Objects: Array.from({ length: 1_001 }, (_, n) => ({ Key: `k${n}` })) },
        }),
      ),
    ).rejects.toMatchObject({ name: 'MalformedXML' })
  })
})

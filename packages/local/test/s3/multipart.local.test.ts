import { createHash, randomBytes } from 'node:crypto'
import {
  AbortMultipartUploadCommand,
  CompleteMultipartUploadCommand,
  CreateBucketCommand,
  CreateMultipartUploadCommand,
  GetObjectCommand,
  HeadObjectCommand,
  ListMultipartUploadsCommand,
  ListPartsCommand,
  PutObjectCommand,
  type S3Client,
  UploadPartCommand,
  UploadPartCopyCommand,
} from '@aws-sdk/client-s3'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type LocalStack, startLocalStack } from '../../src/local-stack.ts'
import { s3ClientFor } from '../stack/s3-client.ts'

const Bucket = 'multipart'
const mebibyte = 1024 ** 2
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

const md5 = (body: Uint8Array) => createHash('md5').update(body).digest()
const create = async (Key: string, more = {}) =>
  (await s3.send(new CreateMultipartUploadCommand({ Bucket, Key, ...more }))).UploadId!
const upload = async (Key: string, UploadId: string, PartNumber: number, Body: Uint8Array | string) => ({
  PartNumber,
  ETag: (await s3.send(new UploadPartCommand({ Bucket, Key, UploadId, PartNumber, Body }))).ETag!,
})
const complete = (Key: string, UploadId: string, Parts: { PartNumber: number; ETag: string }[]) =>
  s3.send(new CompleteMultipartUploadCommand({ Bucket, Key, UploadId, MultipartUpload: { Parts } }))

describe('multipart uploads', () => {
  it('of 20 MiB become one object with its metadata and an ETag of its parts', async () => {
    const Key = 'big/20 MiB'
    const bodies = [5, 5, 7, 3].map((size) => randomBytes(size * mebibyte))
    const UploadId = await create(Key, { ContentType: 'application/parquet', Metadata: { rows: '7' } })
    const parts = await Promise.all(bodies.map((body, n) => upload(Key, UploadId, n + 1, body)))
    await expect(s3.send(new HeadObjectCommand({ Bucket, Key }))).rejects.toMatchObject({ name: 'NotFound' })
    const answer = await complete(Key, UploadId, parts)
    expect(answer.ETag).toBe(`"${md5(Buffer.concat(bodies.map(md5))).toString('hex')}-4"`)
    const got = await s3.send(new GetObjectCommand({ Bucket, Key }))
    expect(got).toMatchObject({
      ETag: answer.ETag,
      ContentType: 'application/parquet',
      Metadata: { rows: '7' },
      ContentLength: 20 * mebibyte,
    })
    const whole = Buffer.concat(bodies)
    expect(Buffer.from(await got.Body!.transformToByteArray()).equals(whole)).toBe(true)
    const third = await s3.send(new GetObjectCommand({ Bucket, Key, PartNumber: 3 }))
    expect(third.PartsCount).toBe(4)
    expect(Buffer.from(await third.Body!.transformToByteArray()).equals(bodies[2]!)).toBe(true)
  })

  it('complete again, the same way, with the same answer; another way, with NoSuchUpload', async () => {
    const UploadId = await create('again')
    const parts = [await upload('again', UploadId, 1, 'x')]
    const first = await complete('again', UploadId, parts)
    expect((await complete('again', UploadId, parts)).ETag).toBe(first.ETag)
    await s3.send(new PutObjectCommand({ Bucket, Key: 'again', Body: 'other' }))
    await expect(complete('again', UploadId, parts)).rejects.toMatchObject({ name: 'NoSuchUpload' })
  })

  it('list their parts by pages; a part sent again takes the place of the first', async () => {
    const UploadId = await create('parts')
    for (const n of [3, 1, 2]) await upload('parts', UploadId, n, `old ${n}`)
    const { ETag } = await upload('parts', UploadId, 2, 'newer')
    const first = await s3.send(new ListPartsCommand({ Bucket, Key: 'parts', UploadId, MaxParts: 2 }))
    expect(first.Parts?.map(({ PartNumber, Size }) => [PartNumber, Size])).toEqual([
      [1, 5],
      [2, 5],
    ])
    expect(first.Parts?.[1]?.ETag).toBe(ETag)
    expect(first).toMatchObject({ IsTruncated: true, NextPartNumberMarker: '2' })
    const second = await s3.send(
      new ListPartsCommand({ Bucket, Key: 'parts', UploadId, PartNumberMarker: first.NextPartNumberMarker }),
    )
    expect(second.Parts?.map(({ PartNumber }) => PartNumber)).toEqual([3])
    expect(second.IsTruncated).toBe(false)
  })

  it('are listed by key and pages until completed or aborted', async () => {
    const ids = new Map<string, string>()
    for (const key of ['up/b', 'up/a', 'up/c/1', 'up/c/2']) ids.set(key, await create(key))
    const list = (more = {}) => s3.send(new ListMultipartUploadsCommand({ Bucket, Prefix: 'up/', ...more }))
    expect((await list()).Uploads?.map(({ Key }) => Key)).toEqual(['up/a', 'up/b', 'up/c/1', 'up/c/2'])
    const grouped = await list({ Delimiter: '/' })
    expect(grouped.Uploads?.map(({ Key }) => Key)).toEqual(['up/a', 'up/b'])
    expect(grouped.CommonPrefixes).toEqual([{ Prefix: 'up/c/' }])
    const first = await list({ MaxUploads: 3 })
    expect(first.IsTruncated).toBe(true)
    const rest = await list({ KeyMarker: first.NextKeyMarker, UploadIdMarker: first.NextUploadIdMarker })
    expect(rest.Uploads?.map(({ Key }) => Key)).toEqual(['up/c/2'])
    for (const [Key, UploadId] of ids) {
      await s3.send(new AbortMultipartUploadCommand({ Bucket, Key, UploadId }))
      await expect(upload(Key, UploadId, 1, 'x')).rejects.toMatchObject({ name: 'NoSuchUpload' })
      await expect(s3.send(new AbortMultipartUploadCommand({ Bucket, Key, UploadId }))).rejects.toMatchObject(
        { name: 'NoSuchUpload', $metadata: { httpStatusCode: 404 } },
      )
    }
    expect((await list()).Uploads).toBeUndefined()
  })

  it('are refused with small, unknown, or unordered parts, or another key', async () => {
    const UploadId = await create('bad')
    const parts = [await upload('bad', UploadId, 1, 'small'), await upload('bad', UploadId, 2, 'last')]
    const [one, two] = parts as [(typeof parts)[0], (typeof parts)[0]]
    await expect(complete('bad', UploadId, parts)).rejects.toMatchObject({ name: 'EntityTooSmall' })
    await expect(complete('bad', UploadId, [two, one])).rejects.toMatchObject({ name: 'InvalidPartOrder' })
    await expect(complete('bad', UploadId, [{ ...one, ETag: '"00"' }])).rejects.toMatchObject({
      name: 'InvalidPart',
    })
    await expect(complete('bad', UploadId, [{ ...one, PartNumber: 9 }])).rejects.toMatchObject({
      name: 'InvalidPart',
    })
    await expect(complete('bad', UploadId, [])).rejects.toMatchObject({ name: 'MalformedXML' })
    await expect(complete('other', UploadId, [one])).rejects.toMatchObject({ name: 'NoSuchUpload' })
    await expect(complete('bad', '../../etc', [one])).rejects.toMatchObject({ name: 'NoSuchUpload' })
    await expect(upload('bad', UploadId, 10_001, 'x')).rejects.toMatchObject({ name: 'InvalidArgument' })
    await complete('bad', UploadId, [two])
    const got = await s3.send(new GetObjectCommand({ Bucket, Key: 'bad' }))
    expect(await got.Body!.transformToString()).toBe('last')
  })

  it('take parts from other objects', async () => {
    await s3.send(new PutObjectCommand({ Bucket, Key: 'source', Body: '0123456789' }))
    const UploadId = await create('from-source')
    const { CopyPartResult } = await s3.send(
      new UploadPartCopyCommand({
        Bucket,
        Key: 'from-source',
        UploadId,
        PartNumber: 1,
        CopySource: `${Bucket}/source`,
        CopySourceRange: 'bytes=2-5',
      }),
    )
    for (const CopySourceRange of ['bytes=8-10', 'bytes=2-', '0-1']) {
      const copy = new UploadPartCopyCommand({
        Bucket,
        Key: 'from-source',
        UploadId,
        PartNumber: 2,
        CopySource: `${Bucket}/source`,
        CopySourceRange,
      })
      await expect(s3.send(copy)).rejects.toMatchObject({ name: 'InvalidArgument' })
    }
    await complete('from-source', UploadId, [{ PartNumber: 1, ETag: CopyPartResult!.ETag! }])
    const got = await s3.send(new GetObjectCommand({ Bucket, Key: 'from-source' }))
    expect(await got.Body!.transformToString()).toBe('2345')
  })
})

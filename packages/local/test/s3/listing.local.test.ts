import {
  CreateBucketCommand,
  DeleteBucketCommand,
  DeleteObjectCommand,
  GetBucketLifecycleConfigurationCommand,
  GetBucketLocationCommand,
  GetBucketPolicyCommand,
  GetBucketVersioningCommand,
  GetObjectCommand,
  HeadBucketCommand,
  ListBucketsCommand,
  ListObjectsCommand,
  ListObjectsV2Command,
  PutBucketLifecycleConfigurationCommand,
  PutObjectAclCommand,
  PutObjectCommand,
  paginateListObjectsV2,
  type S3Client,
} from '@aws-sdk/client-s3'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type LocalStack, startLocalStack } from '../../src/local-stack.ts'
import { s3ClientFor } from '../stack/s3-client.ts'

const Bucket = 'listing'
const oddKeys = ['odd/A', 'odd/a', 'odd/a b', 'odd/a+b', 'odd/a/b', 'odd/z', 'odd/é', 'odd/\uffee', 'odd/🚀']
let stack: LocalStack
let s3: S3Client

beforeAll(async () => {
  stack = await startLocalStack({ httpPort: 0, kafkaPort: 0 })
  s3 = s3ClientFor(stack)
  await s3.send(new CreateBucketCommand({ Bucket }))
  for (const Key of [...oddKeys].reverse()) await s3.send(new PutObjectCommand({ Bucket, Key, Body: Key }))
})
afterAll(async () => {
  s3.destroy()
  await stack.close()
})

const list = (more = {}) => s3.send(new ListObjectsV2Command({ Bucket, ...more }))
const keysOf = (answer: { Contents?: { Key?: string | undefined }[] | undefined }) =>
  answer.Contents?.map(({ Key }) => Key) ?? []

describe('listings', () => {
  it('are in the order of UTF-8 bytes', async () => {
    const sorted = [...oddKeys].sort((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b)))
    const answer = await list({ Prefix: 'odd/' })
    expect(keysOf(answer)).toEqual(sorted)
    expect(answer).toMatchObject({ KeyCount: sorted.length, IsTruncated: false, Prefix: 'odd/' })
    expect(answer.Contents?.[0]).toMatchObject({ Size: 5, StorageClass: 'STANDARD' })
    expect(answer.Contents?.[0]?.ETag).toMatch(/^"[0-9a-f]{32}"$/)
  })

  it('of one key at a time reach every key and prefix once', async () => {
    for (const Delimiter of [undefined, '/', 'b']) {
      const seen: string[] = []
      let ContinuationToken: string | undefined
      do {
        const page = await list({ Prefix: 'odd/', MaxKeys: 1, Delimiter, ContinuationToken })
        seen.push(...(keysOf(page) as string[]), ...(page.CommonPrefixes?.map(({ Prefix }) => Prefix!) ?? []))
        expect(page.KeyCount).toBe(1)
        ContinuationToken = page.NextContinuationToken
      } while (ContinuationToken)
      const whole = await list({ Prefix: 'odd/', Delimiter })
      const expected = [...keysOf(whole), ...(whole.CommonPrefixes?.map(({ Prefix }) => Prefix) ?? [])]
      expect(seen.sort()).toEqual(expected.sort())
    }
  })

  it('group by a delimiter, start after a key, and stop at MaxKeys', async () => {
    const grouped = await list({ Delimiter: '/' })
    expect(grouped.CommonPrefixes).toEqual([{ Prefix: 'odd/' }])
    expect(grouped.Contents).toBeUndefined()
    const deeper = await list({ Prefix: 'odd/a', Delimiter: '/' })
    expect(keysOf(deeper)).toEqual(['odd/a', 'odd/a b', 'odd/a+b'])
    expect(deeper.CommonPrefixes).toEqual([{ Prefix: 'odd/a/' }])
    expect(keysOf(await list({ StartAfter: 'odd/a+b', MaxKeys: 2 }))).toEqual(['odd/a/b', 'odd/z'])
    expect(await list({ MaxKeys: 0 })).toMatchObject({ KeyCount: 0, IsTruncated: false })
    expect(keysOf(await list({ Prefix: 'none' }))).toEqual([])
  })

  it('encode names when asked, which is how control characters get through', async () => {
    await s3.send(new PutObjectCommand({ Bucket, Key: 'control/\u0001 +é', Body: 'x' }))
    const answer = await list({ Prefix: 'control/', EncodingType: 'url' })
    expect(answer.Contents?.map(({ Key }) => decodeURIComponent(Key!))).toEqual(['control/\u0001 +é'])
    expect(answer.EncodingType).toBe('url')
  })

  it('of the first version go on by marker', async () => {
    const first = await s3.send(new ListObjectsCommand({ Bucket, Prefix: 'odd/', MaxKeys: 4 }))
    expect(first.IsTruncated).toBe(true)
    const rest = await s3.send(
      new ListObjectsCommand({ Bucket, Prefix: 'odd/', Marker: first.Contents?.at(-1)?.Key }),
    )
    expect([...keysOf(first), ...keysOf(rest)]).toHaveLength(oddKeys.length)
    const grouped = await s3.send(new ListObjectsCommand({ Bucket, Delimiter: '/', MaxKeys: 1 }))
    expect(grouped.NextMarker).toBe('control/')
    const next = await s3.send(new ListObjectsCommand({ Bucket, Delimiter: '/', Marker: grouped.NextMarker }))
    expect(next.CommonPrefixes).toEqual([{ Prefix: 'odd/' }])
  })

  it('over more than a thousand keys come in pages', async () => {
    const many = 'many-keys'
    await s3.send(new CreateBucketCommand({ Bucket: many }))
    const keys = Array.from({ length: 1_234 }, (_, n) => `k/${String(n).padStart(5, '0')}`)
    for (let start = 0; start < keys.length; start += 50) {
      await Promise.all(
        keys
          .slice(start, start + 50)
          .map((Key) => s3.send(new PutObjectCommand({ Bucket: many, Key, Body: 'x' }))),
      )
    }
    const pages: number[] = []
    const seen: (string | undefined)[] = []
    for await (const page of paginateListObjectsV2({ client: s3 }, { Bucket: many })) {
      pages.push(page.KeyCount!)
      seen.push(...keysOf(page))
    }
    expect(pages).toEqual([1_000, 234])
    expect(seen).toEqual(keys)
  })
})

describe('buckets', () => {
  it('are made, listed, found and removed when empty', async () => {
    const name = 'short-lived'
    await s3.send(new CreateBucketCommand({ Bucket: name }))
    expect((await s3.send(new HeadBucketCommand({ Bucket: name }))).$metadata.httpStatusCode).toBe(200)
    const { Buckets, Owner } = await s3.send(new ListBucketsCommand({}))
    expect(Buckets?.map(({ Name }) => Name)).toContain(name)
    expect(Owner?.ID).toBeDefined()
    await s3.send(new PutObjectCommand({ Bucket: name, Key: 'a/b', Body: 'x' }))
    await expect(s3.send(new DeleteBucketCommand({ Bucket: name }))).rejects.toMatchObject({
      name: 'BucketNotEmpty',
    })
    await s3.send(new DeleteObjectCommand({ Bucket: name, Key: 'a/b' }))
    await s3.send(new DeleteBucketCommand({ Bucket: name }))
    await expect(s3.send(new HeadBucketCommand({ Bucket: name }))).rejects.toMatchObject({ name: 'NotFound' })
    await s3.send(new CreateBucketCommand({ Bucket: name }))
    await s3.send(new DeleteBucketCommand({ Bucket: name }))
  })

  it('of our own may be made again in us-east-1 only', async () => {
    await s3.send(new CreateBucketCommand({ Bucket }))
    const elsewhere = {
      Bucket: 'in-frankfurt',
      CreateBucketConfiguration: { LocationConstraint: 'eu-central-1' as const },
    }
    await s3.send(new CreateBucketCommand(elsewhere))
    await expect(s3.send(new CreateBucketCommand(elsewhere))).rejects.toMatchObject({
      name: 'BucketAlreadyOwnedByYou',
    })
    const location = async (name: string) =>
      (await s3.send(new GetBucketLocationCommand({ Bucket: name }))).LocationConstraint
    expect(await location('in-frankfurt')).toBe('eu-central-1')
    expect(await location(Bucket)).toBeUndefined()
  })

  it('must be named as S3 wants it', async () => {
    for (const name of ['ab', 'Upper', 'under_score', 'a..b', '192.168.0.1', '-a-', 'x'.repeat(64)]) {
      await expect(s3.send(new CreateBucketCommand({ Bucket: name })), name).rejects.toMatchObject({
        name: 'InvalidBucketName',
      })
    }
  })

  it('that are not there answer NoSuchBucket', async () => {
    const missing = { Bucket: 'not-there', Key: 'x' }
    for (const command of [
      new GetObjectCommand(missing),
      new PutObjectCommand({ ...missing, Body: 'x' }),
      new DeleteObjectCommand(missing),
      new ListObjectsV2Command(missing),
      new DeleteBucketCommand(missing),
    ]) {
      await expect(s3.send(command as GetObjectCommand)).rejects.toMatchObject({
        name: 'NoSuchBucket',
        $metadata: { httpStatusCode: 404 },
      })
    }
  })

  it('answer what they are asked of settings, and refuse by name what is not there', async () => {
    expect((await s3.send(new GetBucketVersioningCommand({ Bucket }))).Status).toBeUndefined()
    await expect(s3.send(new GetBucketLifecycleConfigurationCommand({ Bucket }))).rejects.toMatchObject({
      name: 'NoSuchLifecycleConfiguration',
    })
    const refused: [unknown, string][] = [
      [new GetBucketPolicyCommand({ Bucket }), 'policy'],
      [
        new PutBucketLifecycleConfigurationCommand({ Bucket, LifecycleConfiguration: { Rules: [] } }),
        'lifecycle',
      ],
      [new PutObjectAclCommand({ Bucket, Key: 'odd/a', ACL: 'private' }), 'acl'],
      [new GetObjectCommand({ Bucket, Key: 'odd/a', VersionId: 'abc' }), 'versions'],
      [new PutObjectCommand({ Bucket, Key: 'x', Tagging: 'a=b' }), 'x-amz-tagging'],
      [
        new PutObjectCommand({ Bucket, Key: 'x', ServerSideEncryption: 'aws:kms' }),
        'x-amz-server-side-encryption',
      ],
      [new PutObjectCommand({ Bucket, Key: 'x', StorageClass: 'GLACIER' }), 'GLACIER'],
    ]
    for (const [command, word] of refused) {
      await expect(s3.send(command as GetObjectCommand)).rejects.toMatchObject({
        name: 'NotImplemented',
        message: expect.stringContaining(word),
        $metadata: { httpStatusCode: 501 },
      })
    }
  })
})

import {
  CreateBucketCommand,
  GetBucketLifecycleConfigurationCommand,
  GetBucketLocationCommand,
  GetBucketPolicyCommand,
  GetBucketVersioningCommand,
  GetObjectCommand,
  ListObjectsCommand,
  ListObjectsV2Command,
  PutBucketLifecycleConfigurationCommand,
  PutObjectAclCommand,
  PutObjectCommand,
} from '@aws-sdk/client-s3'
import { beforeAll, describe, expect, it } from 'vitest'
import { stackOfFile } from '../stack/stack-of-file.ts'

const Bucket = 'listing'
const oddKeys = ['odd/A', 'odd/a', 'odd/a b', 'odd/a+b', 'odd/a/b', 'odd/z', 'odd/é', 'odd/\uffee', 'odd/🚀']
const { s3 } = await stackOfFile(Bucket)

beforeAll(async () => {
  for (const Key of [...oddKeys].reverse()) await s3.send(new PutObjectCommand({ Bucket, Key, Body: Key }))
})

const list = (more = {}) => s3.send(new ListObjectsV2Command({ Bucket, ...more }))
const keysOf = (answer: { Contents?: { Key?: string | undefined }[] | undefined }) =>
  answer.Contents?.map(({ Key }) => Key) ?? []

describe('listings', () => {
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

  it('encode names when asked, which is how control characters get through', async () => {
    await s3.send(new PutObjectCommand({ Bucket, Key: 'control/\u0001 +é', Body: 'x' }))
    const answer = await list({ Prefix: 'control/', EncodingType: 'url' })
    expect(answer.Contents?.map(({ Key }) => decodeURIComponent(Key!))).toEqual(['control/\u0001 +é'])
    expect(answer.EncodingType).toBe('url')
  })

  it('of the first version go on by the marker of a prefix', async () => {
    for (const Key of ['first/a/1', 'first/a/2', 'first/b/1']) {
      await s3.send(new PutObjectCommand({ Bucket, Key, Body: 'x' }))
    }
    const list = (more: { MaxKeys?: number; Marker?: string }) =>
      s3.send(new ListObjectsCommand({ Bucket, Prefix: 'first/', Delimiter: '/', ...more }))
    const { NextMarker } = await list({ MaxKeys: 1 })
    expect(NextMarker).toBe('first/a/')
    expect((await list({ Marker: NextMarker! })).CommonPrefixes).toEqual([{ Prefix: 'first/b/' }])
  })
})

describe('buckets', () => {
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

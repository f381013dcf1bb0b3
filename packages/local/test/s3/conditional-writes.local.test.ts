import {
  CompleteMultipartUploadCommand,
  CreateBucketCommand,
  CreateMultipartUploadCommand,
  DeleteObjectCommand,
  GetObjectCommand,
  HeadObjectCommand,
  PutObjectCommand,
  type S3Client,
  UploadPartCommand,
} from '@aws-sdk/client-s3'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type LocalStack, startLocalStack } from '../../src/local-stack.ts'
import { s3ClientFor } from '../stack/s3-client.ts'

const Bucket = 'conditions'
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

const put = (Key: string, Body: string, conditions: { IfMatch?: string; IfNoneMatch?: string } = {}) =>
  s3.send(new PutObjectCommand({ Bucket, Key, Body, ...conditions }))
const text = async (Key: string) =>
  (await s3.send(new GetObjectCommand({ Bucket, Key }))).Body!.transformToString()
const failed = { name: 'PreconditionFailed', $metadata: { httpStatusCode: 412 } }

const staged = async (Key: string, Body: string) => {
  const { UploadId } = await s3.send(new CreateMultipartUploadCommand({ Bucket, Key }))
  const { ETag } = await s3.send(new UploadPartCommand({ Bucket, Key, UploadId, PartNumber: 1, Body }))
  return (conditions: { IfMatch?: string; IfNoneMatch?: string } = {}) =>
    s3.send(
      new CompleteMultipartUploadCommand({
        Bucket,
        Key,
        UploadId,
        MultipartUpload: { Parts: [{ PartNumber: 1, ETag }] },
        ...conditions,
      }),
    )
}

describe('conditional writes', () => {
  it('If-None-Match: * writes only where nothing is', async () => {
    await put('one', 'first', { IfNoneMatch: '*' })
    await expect(put('one', 'second', { IfNoneMatch: '*' })).rejects.toMatchObject(failed)
    expect(await text('one')).toBe('first')
    await s3.send(new DeleteObjectCommand({ Bucket, Key: 'one' }))
    await put('one', 'third', { IfNoneMatch: '*' })
    expect(await text('one')).toBe('third')
  })

  it('If-None-Match with an ETag is not implemented for writes', async () => {
    await expect(put('tag', 'x', { IfNoneMatch: '"abc"' })).rejects.toMatchObject({
      name: 'NotImplemented',
      $metadata: { httpStatusCode: 501 },
    })
  })

  it('If-Match writes only over the object it names', async () => {
    await expect(put('two', 'x', { IfMatch: '"abc"' })).rejects.toMatchObject({
      name: 'NoSuchKey',
      $metadata: { httpStatusCode: 404 },
    })
    const { ETag } = await put('two', 'first')
    const second = await put('two', 'second', { IfMatch: ETag! })
    await expect(put('two', 'third', { IfMatch: ETag! })).rejects.toMatchObject(failed)
    await put('two', 'fourth', { IfMatch: second.ETag!.replaceAll('"', '') })
    expect(await text('two')).toBe('fourth')
  })

  it('30 writers at once have one winner, and its bytes stay', async () => {
    for (let round = 0; round < 5; round++) {
      const key = `race/${round}`
      const outcomes = await Promise.allSettled(
        Array.from({ length: 30 }, (_, n) => put(key, `writer ${n}`, { IfNoneMatch: '*' })),
      )
      const winners = outcomes.flatMap((outcome, n) => (outcome.status === 'fulfilled' ? [n] : []))
      expect(winners).toHaveLength(1)
      for (const outcome of outcomes) {
        if (outcome.status === 'rejected') expect(outcome.reason).toMatchObject(failed)
      }
      expect(await text(key)).toBe(`writer ${winners[0]}`)
    }
  })

  it('30 writers at once over the same version have one winner', async () => {
    const { ETag } = await put('swap', 'start')
    const outcomes = await Promise.allSettled(
      Array.from({ length: 30 }, (_, n) => put('swap', `writer ${n}`, { IfMatch: ETag! })),
    )
    expect(outcomes.filter(({ status }) => status === 'fulfilled')).toHaveLength(1)
  })

  it('hold for completions of multipart uploads too', async () => {
    const first = await staged('multi', 'first')
    const second = await staged('multi', 'second')
    await first({ IfNoneMatch: '*' })
    await expect(second({ IfNoneMatch: '*' })).rejects.toMatchObject(failed)
    expect(await text('multi')).toBe('first')
    const { ETag } = await s3.send(new HeadObjectCommand({ Bucket, Key: 'multi' }))
    await expect(second({ IfMatch: '"0-1"' })).rejects.toMatchObject(failed)
    await second({ IfMatch: ETag! })
    expect(await text('multi')).toBe('second')
  })

  it('30 completions at once have one winner', async () => {
    const completions = await Promise.all(Array.from({ length: 30 }, (_, n) => staged('multi-race', `${n}`)))
    const outcomes = await Promise.allSettled(completions.map((complete) => complete({ IfNoneMatch: '*' })))
    const winners = outcomes.flatMap((outcome, n) => (outcome.status === 'fulfilled' ? [n] : []))
    expect(winners).toHaveLength(1)
    expect(await text('multi-race')).toBe(String(winners[0]))
  })
})

describe('conditional reads', () => {
  const conditions = async (Key: string, more: object) => {
    const answers = []
    for (const command of [GetObjectCommand, HeadObjectCommand]) {
      const request = new command({ Bucket, Key, ...more }) as GetObjectCommand
      const status = await s3.send(request).then(
        async (answer) => {
          await answer.Body?.transformToString()
          return answer.$metadata.httpStatusCode
        },
        (error) => error.$metadata.httpStatusCode,
      )
      answers.push(status)
    }
    expect(answers[0]).toBe(answers[1])
    return answers[0]
  }

  it('answer 304 and 412 as the ETag and the time say', async () => {
    const { ETag } = await put('read', 'x')
    const hour = 3_600_000
    const before = new Date(Date.now() - hour)
    const after = new Date(Date.now() + hour)
    expect(await conditions('read', { IfNoneMatch: ETag })).toBe(304)
    expect(await conditions('read', { IfNoneMatch: '*' })).toBe(304)
    expect(await conditions('read', { IfNoneMatch: '"other"' })).toBe(200)
    expect(await conditions('read', { IfMatch: ETag })).toBe(200)
    expect(await conditions('read', { IfMatch: '"other"' })).toBe(412)
    expect(await conditions('read', { IfModifiedSince: before })).toBe(200)
    expect(await conditions('read', { IfModifiedSince: after })).toBe(304)
    expect(await conditions('read', { IfUnmodifiedSince: before })).toBe(412)
    expect(await conditions('read', { IfUnmodifiedSince: after })).toBe(200)
    expect(await conditions('read', { IfMatch: ETag, IfUnmodifiedSince: before })).toBe(200)
    expect(await conditions('read', { IfNoneMatch: '"other"', IfModifiedSince: after })).toBe(200)
  })
})

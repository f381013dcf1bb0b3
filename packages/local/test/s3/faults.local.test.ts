import {
  CompleteMultipartUploadCommand,
  CreateMultipartUploadCommand,
  DeleteObjectCommand,
  GetObjectCommand,
  HeadObjectCommand,
  ListBucketsCommand,
  ListObjectsV2Command,
  PutObjectCommand,
  type S3Client,
  UploadPartCommand,
} from '@aws-sdk/client-s3'
import { ConfigurationError } from '@stockpipe/core'
import { afterAll, afterEach, describe, expect, it } from 'vitest'
import { startLocalStack } from '../../src/local-stack.ts'
import type { S3FaultOptions } from '../../src/s3/s3-faults.ts'
import { s3ClientFor } from '../stack/s3-client.ts'
import { stackOfFile } from '../stack/stack-of-file.ts'

const Bucket = 'faults'
/** The client as it comes: 3 attempts. */
const { stack, s3 } = await stackOfFile(Bucket)
const withoutRetries = s3ClientFor(stack, { maxAttempts: 1 })

afterEach(() => stack.s3.faults.clear())
afterAll(() => withoutRetries.destroy())

const put = (Key: string, Body: string | Uint8Array, more: { IfNoneMatch?: string } = {}, client = s3) =>
  client.send(new PutObjectCommand({ Bucket, Key, Body, ...more }))
const text = async (Key: string) =>
  (await s3.send(new GetObjectCommand({ Bucket, Key }))).Body!.transformToString()
const missing = { name: 'NotFound' }
const head = (Key: string, client = s3) => client.send(new HeadObjectCommand({ Bucket, Key }))

describe('the SDK, unmodified, under stack.s3.faults', () => {
  it.each(['SlowDown', 'InternalError'] as const)(
    'tries a put again after %s; it lands once',
    async (error) => {
      const fault = stack.s3.faults.add({ operation: 'PutObject', key: error, action: { error } })
      // Were the first attempt done as well, the second would see 412.
      const { $metadata } = await put(error, 'x', { IfNoneMatch: '*' })
      expect($metadata.attempts).toBe(2)
      expect(fault.hits).toBe(1)
      expect(await text(error)).toBe('x')
    },
  )

  it.each([
    ['InternalError', 500],
    ['SlowDown', 503],
    ['ConditionalRequestConflict', 409],
  ] as const)('reads %s as status %i', async (error, httpStatusCode) => {
    stack.s3.faults.add({ operation: 'PutObject', action: { error } })
    await expect(put('refused', 'x', {}, withoutRetries)).rejects.toMatchObject({
      name: error,
      $metadata: { httpStatusCode, attempts: 1 },
    })
    await expect(head('refused')).rejects.toMatchObject(missing)
  })

  it('gives up after three times SlowDown, and a fourth put lands', async () => {
    const fault = stack.s3.faults.add({ operation: 'PutObject', times: 3, action: { error: 'SlowDown' } })
    await expect(put('slow', 'x')).rejects.toMatchObject({ name: 'SlowDown', $metadata: { attempts: 3 } })
    expect(fault.hits).toBe(3)
    expect((await put('slow', 'x')).$metadata.attempts).toBe(1)
  })

  it("does not try a conflict again: that is the program's to judge", async () => {
    const action = { error: 'ConditionalRequestConflict' } as const
    const fault = stack.s3.faults.add({ operation: 'PutObject', times: 2, action })
    await expect(put('conflict', 'x', { IfNoneMatch: '*' })).rejects.toMatchObject({
      name: 'ConditionalRequestConflict',
      $metadata: { attempts: 1 },
    })
    expect(fault.hits).toBe(1)
  })

  it('tries a cut put again; nothing was done before the cut', async () => {
    const large = Buffer.alloc(3_000_000, 'x')
    stack.s3.faults.add({ operation: 'PutObject', action: 'cut' })
    await expect(put('cut', large, {}, withoutRetries)).rejects.toThrow()
    await expect(head('cut')).rejects.toMatchObject(missing)
    const fault = stack.s3.faults.add({ operation: 'PutObject', action: 'cut' })
    await put('cut', large, { IfNoneMatch: '*' })
    expect(fault.hits).toBe(1)
    expect((await head('cut')).ContentLength).toBe(large.length)
  })

  it('sees 412 where the answer of its conditional put was lost: the object is its own', async () => {
    const fault = stack.s3.faults.add({ operation: 'PutObject', action: 'loseAnswer' })
    await expect(put('lost', 'mine', { IfNoneMatch: '*' })).rejects.toMatchObject({
      name: 'PreconditionFailed',
      $metadata: { httpStatusCode: 412, attempts: 2 },
    })
    expect(fault.hits).toBe(1)
    expect(await text('lost')).toBe('mine')
  })

  it('loses the answer of a refusal as well', async () => {
    await put('there', 'first')
    stack.s3.faults.add({ operation: 'PutObject', action: 'loseAnswer' })
    const refused = put('there', 'second', { IfNoneMatch: '*' }, withoutRetries)
    await expect(refused).rejects.not.toHaveProperty('$response')
    expect(await text('there')).toBe('first')
  })

  it('reads an object whole at the second attempt where the first answer was lost', async () => {
    const large = 'y'.repeat(2_000_000)
    await put('read', large)
    const fault = stack.s3.faults.add({ operation: 'GetObject', action: 'loseAnswer' })
    expect(await text('read')).toBe(large)
    expect(fault.hits).toBe(1)
  })

  it('completes an upload after an error and after a lost answer; the object is one', async () => {
    const Key = 'multipart'
    const { UploadId } = await s3.send(new CreateMultipartUploadCommand({ Bucket, Key }))
    const part = { Bucket, Key, UploadId, PartNumber: 1, Body: 'part' }
    const { ETag } = await s3.send(new UploadPartCommand(part))
    const complete = (client: S3Client) =>
      client.send(
        new CompleteMultipartUploadCommand({
          ...{ Bucket, Key, UploadId },
          MultipartUpload: { Parts: [{ PartNumber: 1, ETag }] },
        }),
      )
    stack.s3.faults.add({ operation: 'CompleteMultipartUpload', action: { error: 'InternalError' } })
    await expect(complete(withoutRetries)).rejects.toMatchObject({
      name: 'InternalError',
      $metadata: { httpStatusCode: 500 },
    })
    await expect(head(Key)).rejects.toMatchObject(missing)
    stack.s3.faults.add({ operation: 'CompleteMultipartUpload', action: 'loseAnswer' })
    const { $metadata } = await complete(s3)
    expect($metadata.attempts).toBe(2)
    expect(await text(Key)).toBe('part')
    const { KeyCount } = await s3.send(new ListObjectsV2Command({ Bucket, Prefix: Key }))
    expect(KeyCount).toBe(1)
  })

  it('waits out a delay, and a client that does not wait leaves nothing behind', async () => {
    const begun = performance.now()
    stack.s3.faults.add({ operation: 'PutObject', action: { delayMillis: 50 } })
    await put('delayed', 'x')
    expect(performance.now() - begun).toBeGreaterThan(45)
    expect(await text('delayed')).toBe('x')

    const fault = stack.s3.faults.add({ operation: 'DeleteObject', action: { delayMillis: 3_600_000 } })
    const impatient = new AbortController()
    const deleted = s3.send(new DeleteObjectCommand({ Bucket, Key: 'delayed' }), {
      abortSignal: impatient.signal,
    })
    const refused = expect(deleted).rejects.toMatchObject({ name: 'AbortError' })
    await expect.poll(() => fault.hits, { timeout: 10_000 }).toBe(1)
    impatient.abort()
    await refused
    expect(await text('delayed')).toBe('x')
  })
})

describe('a fault', () => {
  it('happens to the requests it names, and to no other', async () => {
    const { faults } = stack.s3
    const error = { error: 'InternalError' } as const
    const common = { operation: 'PutObject', times: Number.POSITIVE_INFINITY, action: error } as const
    const unmet = [
      faults.add({ ...common, bucket: 'other' }),
      faults.add({ ...common, operation: 'GetObject' }),
      faults.add({ ...common, key: 'year' }),
    ]
    const byPrefix = faults.add({ ...common, bucket: Bucket, key: { prefix: 'year=' } })
    const byPattern = faults.add({ ...common, key: /\.parquet$/g })
    for (const Key of ['year=1', 'year=2/a', 'a.parquet', 'b.parquet']) {
      await expect(put(Key, 'x', {}, withoutRetries)).rejects.toMatchObject({ name: 'InternalError' })
    }
    await put('a year=1', 'x')
    expect(unmet.map(({ hits }) => hits)).toEqual([0, 0, 0])
    expect([byPrefix.hits, byPattern.hits]).toEqual([2, 2])
    byPattern.remove()
    await put('a.parquet', 'x')
    faults.clear()
    await put('year=1', 'x')
    expect([byPrefix.hits, byPattern.hits]).toEqual([2, 2])
  })

  it('does not hold up the end of the stack', async () => {
    await using other = await startLocalStack({ httpPort: 0, kafkaPort: 0 })
    const fault = other.s3.faults.add({ operation: 'ListBuckets', action: { delayMillis: 3_600_000 } })
    const client = s3ClientFor(other, { maxAttempts: 1 })
    const listed = expect(client.send(new ListBucketsCommand({}))).rejects.toThrow()
    await expect.poll(() => fault.hits, { timeout: 10_000 }).toBe(1)
    await other.close()
    await listed
    client.destroy()
  })

  it.each([
    [{ operation: 'PutObjekt', action: 'cut' }, /"PutObjekt" is unknown: .*PutObject, CopyObject/],
    [{ operation: 'toString', action: 'cut' }, /is unknown/],
    [{ operation: 'PutObject', action: { error: 'NoSuchKey' } }, /InternalError, SlowDown, Conditional/],
    [{ operation: 'PutObject', action: 'explode' }, /'cut', 'loseAnswer', \{ error \} or \{ delayMillis \}/],
    [{ operation: 'PutObject' }, /action undefined is none/],
    [{ operation: 'PutObject', action: { delayMillis: -1 } }, /delayMillis -1/],
    [{ operation: 'PutObject', action: 'cut', times: 0 }, /times 0/],
    [{ operation: 'DeleteObjects', action: 'cut', key: 'a' }, /names no key/],
    [{ operation: 'ListBuckets', action: 'cut', bucket: 'a' }, /names no bucket/],
  ])('%j is refused', (options, message) => {
    const add = () => stack.s3.faults.add(options as S3FaultOptions)
    expect(add).toThrow(ConfigurationError)
    expect(add).toThrow(message)
  })
})

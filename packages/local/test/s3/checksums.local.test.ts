import { createHash } from 'node:crypto'
import { Readable } from 'node:stream'
import {
  ChecksumAlgorithm,
  CompleteMultipartUploadCommand,
  CreateBucketCommand,
  CreateMultipartUploadCommand,
  GetObjectCommand,
  HeadObjectCommand,
  ListPartsCommand,
  PutObjectCommand,
  type S3Client,
  UploadPartCommand,
} from '@aws-sdk/client-s3'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type LocalStack, startLocalStack } from '../../src/local-stack.ts'
import { sendSigned } from '../http/raw-request.ts'
import { s3ClientFor } from '../stack/s3-client.ts'

const Bucket = 'checksums'
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

const head = (Key: string) => s3.send(new HeadObjectCommand({ Bucket, Key, ChecksumMode: 'ENABLED' }))

describe('checksums of objects', () => {
  it('of every algorithm are verified, kept, and returned on request', async () => {
    for (const algorithm of ['CRC32', 'CRC32C', 'SHA1', 'SHA256'] as const) {
      const member = `Checksum${algorithm}` as const
      const put = await s3.send(
        new PutObjectCommand({ Bucket, Key: algorithm, Body: '123456789', ChecksumAlgorithm: algorithm }),
      )
      expect(put[member]).toBeDefined()
      expect(await head(algorithm)).toMatchObject({ [member]: put[member], ChecksumType: 'FULL_OBJECT' })
      // The client checks the bytes against it.
      const got = await s3.send(new GetObjectCommand({ Bucket, Key: algorithm, ChecksumMode: 'ENABLED' }))
      expect(got[member]).toBe(put[member])
      expect(await got.Body!.transformToString()).toBe('123456789')
      const streamed = await s3.send(
        new PutObjectCommand({
          Bucket,
          Key: `${algorithm} streamed`,
          Body: Readable.from([Buffer.from('12345'), Buffer.from('6789')]),
          ContentLength: 9,
          ChecksumAlgorithm: algorithm,
        }),
      )
      expect(streamed[member]).toBe(put[member])
    }
    const silent = await s3.send(new HeadObjectCommand({ Bucket, Key: 'CRC32' }))
    expect(silent.ChecksumCRC32).toBeUndefined()
    expect(Object.keys(ChecksumAlgorithm)).toContain('CRC64NVME')
  })

  it('that are wrong, in a header or a trailer, are refused and write nothing', async () => {
    const Key = 'wrong'
    for (const [more, name] of [
      [{ ChecksumCRC32: 'AAAAAA==' }, 'BadDigest'],
      [{ ChecksumCRC32C: 'AAAAAA==' }, 'BadDigest'],
      [{ ChecksumSHA1: Buffer.alloc(20).toString('base64') }, 'BadDigest'],
      [{ ChecksumSHA256: Buffer.alloc(32).toString('base64') }, 'BadDigest'],
      [{ ChecksumCRC64NVME: Buffer.alloc(8).toString('base64') }, 'BadDigest'],
      [{ ContentMD5: createHash('md5').update('other').digest('base64') }, 'BadDigest'],
      [{ ContentMD5: 'nonsense' }, 'InvalidDigest'],
      [{ ChecksumSHA256: 'AAAA' }, 'InvalidRequest'],
    ] as const) {
      const put = s3.send(new PutObjectCommand({ Bucket, Key, Body: 'body', ...more }))
      await expect(put, JSON.stringify(more)).rejects.toMatchObject({
        name,
        $metadata: { httpStatusCode: 400 },
      })
    }
    const trailer = await sendSigned(stack, {
      method: 'PUT',
      path: `/${Bucket}/${Key}`,
      payloadHash: 'STREAMING-UNSIGNED-PAYLOAD-TRAILER',
      headers: { 'x-amz-decoded-content-length': '4', 'x-amz-trailer': 'x-amz-checksum-crc32' },
      body: '4\r\nbody\r\n0\r\nx-amz-checksum-crc32:AAAAAA==\r\n\r\n',
    })
    expect([trailer.statusCode, trailer.body]).toEqual([
      400,
      expect.stringContaining('<Code>BadDigest</Code>'),
    ])
    await expect(head(Key)).rejects.toMatchObject({ name: 'NotFound' })
  })

  it('may be CRC64NVME; an algorithm we have not is refused by name', async () => {
    const put = await s3.send(
      new PutObjectCommand({ Bucket, Key: 'nvme', Body: '123456789', ChecksumCRC64NVME: 'rosUhgp5mIg=' }),
    )
    expect(put.ChecksumCRC64NVME).toBe('rosUhgp5mIg=')
    const answer = await sendSigned(stack, {
      method: 'PUT',
      path: `/${Bucket}/x`,
      headers: { 'x-amz-checksum-xxhash3': 'AAAAAAAAAAA=' },
      body: 'x',
    })
    expect([answer.statusCode, answer.body]).toEqual([501, expect.stringContaining('xxhash3')])
  })

  it('of multipart objects are composite, or of the whole when asked', async () => {
    for (const [ChecksumType, expected] of [
      [undefined, /^.{8}-1$/],
      ['FULL_OBJECT', /^y\/Q5Jg==$/],
    ] as const) {
      const Key = `multi ${ChecksumType}`
      const created = await s3.send(
        new CreateMultipartUploadCommand({
          Bucket,
          Key,
          ChecksumAlgorithm: 'CRC32',
          ...(ChecksumType ? { ChecksumType } : {}),
        }),
      )
      expect(created).toMatchObject({ ChecksumAlgorithm: 'CRC32', ChecksumType: ChecksumType ?? 'COMPOSITE' })
      const { UploadId } = created
      const part = await s3.send(
        new UploadPartCommand({
          Bucket,
          Key,
          UploadId,
          PartNumber: 1,
          Body: '123456789',
          ChecksumAlgorithm: 'CRC32',
        }),
      )
      expect(part.ChecksumCRC32).toBe('y/Q5Jg==')
      const { Parts } = await s3.send(new ListPartsCommand({ Bucket, Key, UploadId }))
      expect(Parts?.[0]?.ChecksumCRC32).toBe('y/Q5Jg==')
      const complete = (ChecksumCRC32: string) =>
        s3.send(
          new CompleteMultipartUploadCommand({
            Bucket,
            Key,
            UploadId,
            MultipartUpload: { Parts: [{ PartNumber: 1, ETag: part.ETag, ChecksumCRC32 }] },
          }),
        )
      await expect(complete('AAAAAA==')).rejects.toMatchObject({ name: 'InvalidPart' })
      expect((await complete('y/Q5Jg==')).ChecksumCRC32).toMatch(expected)
      expect((await head(Key)).ChecksumCRC32).toMatch(expected)
      const got = await s3.send(new GetObjectCommand({ Bucket, Key }))
      expect(await got.Body!.transformToString()).toBe('123456789')
    }
    await expect(
      s3.send(
        new CreateMultipartUploadCommand({
          Bucket,
          Key: 'x',
          ChecksumAlgorithm: 'SHA256',
          ChecksumType: 'FULL_OBJECT',
        }),
      ),
    ).rejects.toMatchObject({ name: 'InvalidRequest' })
  })
})

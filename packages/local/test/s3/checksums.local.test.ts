import {
  CompleteMultipartUploadCommand,
  CreateBucketCommand,
  CreateMultipartUploadCommand,
  HeadObjectCommand,
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

const _head = (Key: string) => s3.send(new HeadObjectCommand({ Bucket, Key, ChecksumMode: 'ENABLED' }))

describe('checksums of objects', () => {
  it('by an algorithm we have not are refused by name', async () => {
    const answer = await sendSigned(stack, {
      method: 'PUT',
      path: `/${Bucket}/x`,
      headers: { 'x-amz-checksum-xxhash3': 'AAAAAAAAAAA=' },
      body: 'x',
    })
    expect([answer.statusCode, answer.body]).toEqual([501, expect.stringContaining('xxhash3')])
  })

  it('of parts that are wrong when they are completed are InvalidPart', async () => {
    const Key = 'multi'
    const { UploadId } = await s3.send(
      new CreateMultipartUploadCommand({ Bucket, Key, ChecksumAlgorithm: 'CRC32' }),
    )
    const { ETag } = await s3.send(
      new UploadPartCommand({
        Bucket,
        Key,
        UploadId,
        PartNumber: 1,
        Body: 'x',
        ChecksumAlgorithm: 'CRC32',
      }),
    )
    const complete = new CompleteMultipartUploadCommand({
      Bucket,
      Key,
      UploadId,
      MultipartUpload: { Parts: [{ PartNumber: 1, ETag, ChecksumCRC32: 'AAAAAA==' }] },
    })
    await expect(s3.send(complete)).rejects.toMatchObject({ name: 'InvalidPart' })
  })
})

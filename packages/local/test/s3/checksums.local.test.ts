import {
  CompleteMultipartUploadCommand,
  CreateMultipartUploadCommand,
  UploadPartCommand,
} from '@aws-sdk/client-s3'
import { describe, expect, it } from 'vitest'
import { sendSigned } from '../http/raw-request.ts'
import { stackOfFile } from '../stack/stack-of-file.ts'

const Bucket = 'checksums'
const { stack, s3 } = await stackOfFile(Bucket)

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

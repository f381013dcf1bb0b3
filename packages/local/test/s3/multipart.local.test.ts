import {
  CompleteMultipartUploadCommand,
  CreateMultipartUploadCommand,
  ListMultipartUploadsCommand,
  PutObjectCommand,
  UploadPartCommand,
  UploadPartCopyCommand,
} from '@aws-sdk/client-s3'
import { describe, expect, it } from 'vitest'
import { stackOfFile } from '../stack/stack-of-file.ts'

const Bucket = 'multipart'
const { s3 } = await stackOfFile(Bucket)

const create = async (Key: string, more = {}) =>
  (await s3.send(new CreateMultipartUploadCommand({ Bucket, Key, ...more }))).UploadId!
const upload = async (Key: string, UploadId: string, PartNumber: number, Body: Uint8Array | string) => ({
  PartNumber,
  ETag: (await s3.send(new UploadPartCommand({ Bucket, Key, UploadId, PartNumber, Body }))).ETag!,
})
const complete = (Key: string, UploadId: string, Parts: { PartNumber: number; ETag: string }[]) =>
  s3.send(new CompleteMultipartUploadCommand({ Bucket, Key, UploadId, MultipartUpload: { Parts } }))

describe('multipart uploads', () => {
  it('complete again, the same way, with the same answer; another way, with NoSuchUpload', async () => {
    const UploadId = await create('again')
    const parts = [await upload('again', UploadId, 1, 'x')]
    const first = await complete('again', UploadId, parts)
    expect((await complete('again', UploadId, parts)).ETag).toBe(first.ETag)
    await s3.send(new PutObjectCommand({ Bucket, Key: 'again', Body: 'other' }))
    await expect(complete('again', UploadId, parts)).rejects.toMatchObject({ name: 'NoSuchUpload' })
  })

  it('are listed by prefix, and by pages that go on after an upload', async () => {
    for (const key of ['up/b', 'up/a', 'up/c/1', 'up/c/2']) await create(key)
    const list = (more = {}) => s3.send(new ListMultipartUploadsCommand({ Bucket, Prefix: 'up/', ...more }))
    const grouped = await list({ Delimiter: '/' })
    expect(grouped.Uploads?.map(({ Key }) => Key)).toEqual(['up/a', 'up/b'])
    expect(grouped.CommonPrefixes).toEqual([{ Prefix: 'up/c/' }])
    const first = await list({ MaxUploads: 3 })
    expect(first.IsTruncated).toBe(true)
    const rest = await list({ KeyMarker: first.NextKeyMarker, UploadIdMarker: first.NextUploadIdMarker })
    expect(rest.Uploads?.map(({ Key }) => Key)).toEqual(['up/c/2'])
  })

  it('whose id is a path lead nowhere', async () => {
    const parts = [{ PartNumber: 1, ETag: '"00"' }]
    await expect(complete('bad', '../../etc', parts)).rejects.toMatchObject({ name: 'NoSuchUpload' })
  })

  it('name the parts in ascending order, also where they are too small', async () => {
    const UploadId = await create('bad')
    const parts = [await upload('bad', UploadId, 2, 'last'), await upload('bad', UploadId, 1, 'small')]
    await expect(complete('bad', UploadId, parts)).rejects.toMatchObject({ name: 'InvalidPartOrder' })
  })

  it('take ranges of other objects only if spelled out and within them', async () => {
    await s3.send(new PutObjectCommand({ Bucket, Key: 'source', Body: '0123456789' }))
    const UploadId = await create('from-source')
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
  })
})

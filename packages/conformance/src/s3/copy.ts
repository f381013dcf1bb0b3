import { createHash } from 'node:crypto'
import { CopyObjectCommand, type CopyObjectCommandInput } from '@aws-sdk/client-s3'
import { describe, expect, it } from 'vitest'
import { type ObjectStore, refusal } from './object-store.ts'

export const describeCopy = (store: ObjectStore): void => {
  describe('copies', () => {
    const bucket = store.bucket('conformance-copy')
    const copy = (from: string, Key: string, more: Partial<CopyObjectCommandInput> = {}) =>
      store.client.send(
        new CopyObjectCommand({
          Bucket: bucket.name,
          Key,
          CopySource: `${bucket.name}/${encodeURIComponent(from)}`,
          ...more,
        }),
      )
    const described = { ContentType: 'text/plain', Metadata: { kind: 'old' } }

    it('have the bytes, the ETag, the content type and the metadata of their source', async () => {
      await bucket.put('from/a b+c%', 'copied', described)
      const { CopyObjectResult } = await copy('from/a b+c%', 'to/same')
      expect(CopyObjectResult?.ETag).toBe(`"${createHash('md5').update('copied').digest('hex')}"`)
      expect(CopyObjectResult?.LastModified).toBeInstanceOf(Date)
      expect(await bucket.head('to/same')).toMatchObject(described)
      expect(await bucket.text('to/same')).toBe('copied')
    })

    it('with REPLACE have the content type and the metadata of the request', async () => {
      await bucket.put('replace', 'copied', described)
      const renewed = { ContentType: 'text/csv', Metadata: { kind: 'new' } }
      await copy('replace', 'replace-new', { MetadataDirective: 'REPLACE', ...renewed })
      expect(await bucket.head('replace-new')).toMatchObject(renewed)
      expect(await bucket.text('replace-new')).toBe('copied')
    })

    it('of an object over itself are refused unless they change it', async () => {
      await bucket.put('self', 'same', described)
      await expect(copy('self', 'self')).rejects.toMatchObject(refusal('InvalidRequest', 400))
      await copy('self', 'self', { MetadataDirective: 'REPLACE', Metadata: { kind: 'new' } })
      expect((await bucket.head('self')).Metadata).toEqual({ kind: 'new' })
      expect(await bucket.text('self')).toBe('same')
    })

    it('of what is not there are NoSuchKey or NoSuchBucket', async () => {
      await expect(copy('nowhere', 'x')).rejects.toMatchObject(refusal('NoSuchKey', 404))
      await expect(copy('', 'x', { CopySource: 'conformance-nowhere/x' })).rejects.toMatchObject(
        refusal('NoSuchBucket', 404),
      )
    })

    it('are made only if the source is as the request says', async () => {
      const { ETag } = await bucket.put('conditional', 'x')
      const failed = refusal('PreconditionFailed', 412)
      await expect(copy('conditional', 'no', { CopySourceIfMatch: '"other"' })).rejects.toMatchObject(failed)
      await copy('conditional', 'yes', { CopySourceIfMatch: ETag! })
      expect(await bucket.text('yes')).toBe('x')
      await expect(bucket.head('no')).rejects.toMatchObject(refusal('NotFound', 404))
    })

    it('keep the checksum of their source', async () => {
      await bucket.put('checked', '123456789', { ChecksumSHA256: sha256 })
      await copy('checked', 'checked copy')
      const head = await bucket.head('checked copy', { ChecksumMode: 'ENABLED' })
      expect(head.ChecksumSHA256).toBe(sha256)
    })
  })
}

const sha256 = createHash('sha256').update('123456789').digest('base64')

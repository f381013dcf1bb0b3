import { randomBytes } from 'node:crypto'
import { Readable } from 'node:stream'
import type { PutObjectCommandInput } from '@aws-sdk/client-s3'
import { Upload } from '@aws-sdk/lib-storage'
import { describe, expect, it } from 'vitest'
import { type ObjectStore, refusal } from './object-store.ts'

const mebibyte = 1024 ** 2

export const describeManagedUploads = (store: ObjectStore): void => {
  describe('uploads by @aws-sdk/lib-storage', () => {
    const bucket = store.bucket('conformance-managed-uploads')
    const upload = (Key: string, Body: Buffer | Readable, more: Partial<PutObjectCommandInput> = {}) =>
      new Upload({
        client: store.client,
        params: { Bucket: bucket.name, Key, Body, ...more },
        partSize: 5 * mebibyte,
        queueSize: 3,
      }).done()

    it('of a stream whose length nobody knows come back byte for byte', async () => {
      const body = randomBytes(11 * mebibyte + 1)
      const pieces = Array.from({ length: 12 }, (_, n) => body.subarray(n * mebibyte, (n + 1) * mebibyte))
      const { ETag } = await upload('stream', Readable.from(pieces), { ContentType: 'text/csv' })
      expect(ETag).toMatch(/^"[0-9a-f]{32}-3"$/)
      const head = await bucket.head('stream')
      expect(head).toMatchObject({ ETag, ContentType: 'text/csv', ContentLength: body.length })
      expect((await bucket.bytes('stream')).equals(body)).toBe(true)
    })

    it('with IfNoneMatch, of one part, leave alone what is there', async () => {
      await upload('small', Buffer.from('first'), { IfNoneMatch: '*' })
      await expect(upload('small', Buffer.from('second'), { IfNoneMatch: '*' })).rejects.toMatchObject(
        refusal('PreconditionFailed', 412),
      )
      expect(await bucket.text('small')).toBe('first')
    })

    it('with IfNoneMatch, of several parts, leave alone what is there', async () => {
      await bucket.put('large', 'first')
      const body = randomBytes(6 * mebibyte)
      await expect(upload('large', body, { IfNoneMatch: '*' })).rejects.toMatchObject(
        refusal('PreconditionFailed', 412),
      )
      expect(await bucket.text('large')).toBe('first')
    })

    it('with IfNoneMatch, of several parts, write where nothing is', async () => {
      const body = randomBytes(6 * mebibyte)
      await upload('large and new', body, { IfNoneMatch: '*' })
      expect((await bucket.bytes('large and new')).equals(body)).toBe(true)
    })
  })
}

import { createHash, randomBytes } from 'node:crypto'
import { Readable } from 'node:stream'
import { DeleteObjectCommand } from '@aws-sdk/client-s3'
import { describe, expect, it } from 'vitest'
import { type ObjectStore, refusal } from './object-store.ts'
import { sendSigned } from './raw-request.ts'

const md5Hex = (body: string | Buffer) => createHash('md5').update(body).digest('hex')

export const describeObjects = (store: ObjectStore): void => {
  describe('objects', () => {
    const bucket = store.bucket('conformance-objects')

    it('come back byte for byte, with the MD5 of their bytes as their ETag', async () => {
      const body = randomBytes(300_001)
      const { ETag } = await bucket.put('bytes', body)
      expect(ETag).toBe(`"${md5Hex(body)}"`)
      const got = await bucket.get('bytes')
      expect(got).toMatchObject({ ETag, ContentLength: body.length, AcceptRanges: 'bytes' })
      expect(Buffer.from(await got.Body!.transformToByteArray()).equals(body)).toBe(true)
    })

    it('keep content type, metadata and the other headers they were put with', async () => {
      const more = {
        ContentType: 'application/x-thing',
        CacheControl: 'max-age=5',
        ContentDisposition: 'attachment; filename="x.csv"',
        ContentEncoding: 'gzip',
        ContentLanguage: 'de',
        Metadata: { owner: 'me', 'two-words': 'a b' },
      }
      await bucket.put('described', 'body', more)
      expect(await bucket.head('described')).toMatchObject({ ...more, ContentLength: 4 })
      const got = await bucket.get('described')
      expect(got).toMatchObject(more)
      expect(await got.Body!.transformToString()).toBe('body')
    })

    it('put without a content type have binary/octet-stream', async () => {
      await sendSigned(store.subject, { method: 'PUT', path: `/${bucket.name}/untyped`, body: 'x' })
      expect((await bucket.head('untyped')).ContentType).toBe('binary/octet-stream')
    })

    it('tell when they were last modified, to the second', async () => {
      await bucket.put('timed', 'x')
      const { LastModified } = await bucket.head('timed')
      expect(LastModified!.getMilliseconds()).toBe(0)
      expect(Math.abs(LastModified!.getTime() - Date.now())).toBeLessThan(60_000)
    })

    it('may be empty', async () => {
      const { ETag } = await bucket.put('empty', '')
      expect(ETag).toBe(`"${md5Hex('')}"`)
      const got = await bucket.get('empty')
      expect(got.ContentLength).toBe(0)
      expect(await got.Body!.transformToString()).toBe('')
    })

    it('sent as a stream are decoded from aws-chunked by length and bytes', async () => {
      const body = randomBytes(3_000_001)
      const pieces = [body.subarray(0, 8_192), body.subarray(8_192, 70_000), body.subarray(70_000)]
      const { ETag } = await bucket.put('streamed', Readable.from(pieces), { ContentLength: body.length })
      expect(ETag).toBe(`"${md5Hex(body)}"`)
      const got = await bucket.get('streamed')
      expect(got.ContentLength).toBe(body.length)
      expect(Buffer.from(await got.Body!.transformToByteArray()).equals(body)).toBe(true)
    })

    it('put again are replaced: bytes, length, ETag and content type', async () => {
      await bucket.put('replaced', 'a longer first', { ContentType: 'text/plain' })
      await bucket.put('replaced', 'second', { ContentType: 'text/csv' })
      const got = await bucket.get('replaced')
      expect(got).toMatchObject({ ContentType: 'text/csv', ETag: `"${md5Hex('second')}"`, ContentLength: 6 })
      expect(await got.Body!.transformToString()).toBe('second')
    })

    it('deleted are gone; deleting what is not there is no error', async () => {
      await bucket.put('gone', 'x')
      for (const _ of ['first', 'again']) {
        const answer = await bucket.client.send(new DeleteObjectCommand({ Bucket: bucket.name, Key: 'gone' }))
        expect(answer.$metadata.httpStatusCode).toBe(204)
      }
      await expect(bucket.get('gone')).rejects.toMatchObject(refusal('NoSuchKey', 404))
      await expect(bucket.head('gone')).rejects.toMatchObject(refusal('NotFound', 404))
    })

    it('answer HEAD as they answer GET, without the bytes', async () => {
      await bucket.put('alike', '0123456789', { ContentType: 'text/plain', Metadata: { kind: 'x' } })
      const path = `/${bucket.name}/alike`
      const get = await sendSigned(store.subject, { path })
      const head = await sendSigned(store.subject, { method: 'HEAD', path })
      expect([get.status, head.status, get.body, head.body]).toEqual([200, 200, '0123456789', ''])
      for (const name of ['content-length', 'content-type', 'etag', 'last-modified', 'x-amz-meta-kind']) {
        expect(get.headers[name], name).toBeDefined()
        expect(head.headers[name], name).toBe(get.headers[name])
      }
    })

    it('are answered with the headers a reader asks for in the query', async () => {
      await bucket.put('overridden', 'x', { ContentType: 'text/plain' })
      const got = await bucket.get('overridden', {
        ResponseContentType: 'text/csv',
        ResponseContentDisposition: 'inline',
        ResponseCacheControl: 'no-store',
      })
      await got.Body!.transformToString()
      expect(got).toMatchObject({
        ContentType: 'text/csv',
        ContentDisposition: 'inline',
        CacheControl: 'no-store',
      })
    })

    it('with more than 2 KB of metadata are refused', async () => {
      const put = bucket.put('much', 'x', { Metadata: { much: 'x'.repeat(2_100) } })
      await expect(put).rejects.toMatchObject(refusal('MetadataTooLarge', 400))
      await expect(bucket.head('much')).rejects.toMatchObject(refusal('NotFound', 404))
    })
  })
}

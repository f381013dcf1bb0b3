import { GetObjectCommand, HeadObjectCommand, PutObjectCommand } from '@aws-sdk/client-s3'
import { getSignedUrl } from '@aws-sdk/s3-request-presigner'
import { describe, expect, it } from 'vitest'
import { type ObjectStore, refusal } from './object-store.ts'
import { codeOf } from './raw-request.ts'

const minuteMillis = 60_000

export const describePresignedUrls = (store: ObjectStore): void => {
  describe('presigned URLs', () => {
    const bucket = store.bucket('conformance-presigned')
    const Bucket = bucket.name
    const answerOf = async (url: string, init: RequestInit = {}) => {
      const answer = await fetch(url, init)
      const body = await answer.text()
      return { status: answer.status, headers: answer.headers, body, code: codeOf({ body }) }
    }
    const getUrl = (Key: string, options: { expiresIn?: number; signingDate?: Date } = {}) =>
      getSignedUrl(store.client, new GetObjectCommand({ Bucket, Key }), options)

    it('let a plain GET through', async () => {
      await bucket.put('a b+c', 'hello')
      expect(await answerOf(await getUrl('a b+c', { expiresIn: 60 }))).toMatchObject({
        status: 200,
        body: 'hello',
      })
    })

    it('let a plain HEAD through', async () => {
      await bucket.put('head', 'hello')
      const url = await getSignedUrl(store.client, new HeadObjectCommand({ Bucket, Key: 'head' }))
      const { status, headers } = await answerOf(url, { method: 'HEAD' })
      expect([status, headers.get('content-length')]).toEqual([200, '5'])
    })

    it('let a plain PUT through, of whatever bytes', async () => {
      const client = store.clientWith({ requestChecksumCalculation: 'WHEN_REQUIRED' })
      const url = await getSignedUrl(client, new PutObjectCommand({ Bucket, Key: 'put' }))
      client.destroy()
      expect((await answerOf(url, { method: 'PUT', body: 'by url' })).status).toBe(200)
      expect(await bucket.text('put')).toBe('by url')
    })

    it('let a PUT through whatever CRC32 the SDK put into the query: there it binds nobody', async () => {
      // Presigned without a body the SDK adds the CRC32 of none; S3 looks at checksums in headers and trailers only.
      const url = await getSignedUrl(store.client, new PutObjectCommand({ Bucket, Key: 'put crc' }))
      expect(new URL(url).searchParams.get('x-amz-checksum-crc32')).toBe('AAAAAA==')
      expect((await answerOf(url, { method: 'PUT', body: '123456789' })).status).toBe(200)
      expect(await bucket.text('put crc')).toBe('123456789')
    })

    it('let a PUT through with a CRC32 in a signed header, and hold it to that', async () => {
      const command = new PutObjectCommand({ Bucket, Key: 'put header', ChecksumCRC32: 'y/Q5Jg==' })
      const url = await getSignedUrl(store.client, command, {
        unhoistableHeaders: new Set(['x-amz-checksum-crc32']),
      })
      const put = (body: string) =>
        answerOf(url, { method: 'PUT', body, headers: { 'x-amz-checksum-crc32': 'y/Q5Jg==' } })
      expect(await put('987654321')).toMatchObject({ status: 400, code: 'BadDigest' })
      await expect(bucket.head('put header')).rejects.toMatchObject(refusal('NotFound', 404))
      expect((await put('123456789')).status).toBe(200)
      expect(await bucket.text('put header')).toBe('123456789')
    })

    it('that expired are AccessDenied', async () => {
      await bucket.put('expired', 'x')
      const signingDate = new Date(Date.now() - 2 * minuteMillis)
      const url = await getUrl('expired', { expiresIn: 60, signingDate })
      expect(await answerOf(url)).toMatchObject({ status: 403, code: 'AccessDenied' })
      const later = await getUrl('expired', { expiresIn: 600, signingDate })
      expect(await answerOf(later)).toMatchObject({ status: 200, body: 'x' })
    })

    it('that were changed, or signed with a wrong secret, are SignatureDoesNotMatch', async () => {
      await bucket.put('changed', 'x')
      const mismatch = { status: 403, code: 'SignatureDoesNotMatch' }
      const url = await getUrl('changed', { expiresIn: 60 })
      expect(await answerOf(url.replace('changed?', 'other?'))).toMatchObject(mismatch)
      expect(await answerOf(url.replace('Expires=60', 'Expires=61'))).toMatchObject(mismatch)
      expect(await answerOf(url, { method: 'DELETE' })).toMatchObject(mismatch)
      const { accessKeyId } = store.subject
      const client = store.clientWith({ credentials: { accessKeyId, secretAccessKey: 'a guess' } })
      const guessed = await getSignedUrl(client, new GetObjectCommand({ Bucket, Key: 'changed' }))
      client.destroy()
      expect(await answerOf(guessed)).toMatchObject(mismatch)
    })

    it('that hold longer than a week are AuthorizationQueryParametersError', async () => {
      const url = new URL(await getUrl('week'))
      url.searchParams.set('X-Amz-Expires', String(7 * 24 * 3_600 + 1))
      expect(await answerOf(url.href)).toMatchObject({
        status: 400,
        code: 'AuthorizationQueryParametersError',
      })
    })

    it('override headers of the answer as they were signed to', async () => {
      await bucket.put('download', 'x')
      const command = new GetObjectCommand({ Bucket, Key: 'download', ResponseContentType: 'text/csv' })
      const { status, headers } = await answerOf(await getSignedUrl(store.client, command))
      expect([status, headers.get('content-type')]).toEqual([200, 'text/csv'])
    })
  })
}

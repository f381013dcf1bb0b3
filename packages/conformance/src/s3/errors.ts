import { describe, expect, it } from 'vitest'
import type { ObjectStore } from './object-store.ts'
import { codeOf, sendSigned } from './raw-request.ts'

export const describeErrors = (store: ObjectStore): void => {
  describe('errors', () => {
    const bucket = store.bucket('conformance-errors')

    it('are XML documents with code, message and request id', async () => {
      const answer = await sendSigned(store.subject, { path: `/${bucket.name}/missing` })
      expect([answer.status, codeOf(answer)]).toEqual([404, 'NoSuchKey'])
      expect(answer.headers['content-type']).toBe('application/xml')
      expect(answer.body).toMatch(/<Message>The specified key does not exist\.<\/Message>/)
      expect(answer.body).toMatch(/<RequestId>[^<]+<\/RequestId>/)
    })

    it('of HEAD have a status and no body', async () => {
      const answer = await sendSigned(store.subject, { method: 'HEAD', path: `/${bucket.name}/missing` })
      expect([answer.status, answer.body]).toEqual([404, ''])
    })

    it('and successes carry the id of the request', async () => {
      const ids = new Set<unknown>()
      for (const path of [`/${bucket.name}/missing`, `/${bucket.name}`]) {
        const { headers } = await sendSigned(store.subject, { path })
        expect(headers['x-amz-request-id']).toMatch(/\S/)
        ids.add(headers['x-amz-request-id'])
      }
      expect(ids.size).toBe(2)
    })

    it('of 304 have no body', async () => {
      const { ETag } = await bucket.put('cached', 'x')
      const path = `/${bucket.name}/cached`
      const answer = await sendSigned(store.subject, { path, headers: { 'if-none-match': ETag! } })
      expect([answer.status, answer.body]).toEqual([304, ''])
    })

    it('of 412 and 416 say their code', async () => {
      await bucket.put('plain', 'x')
      const path = `/${bucket.name}/plain`
      const failed = await sendSigned(store.subject, { path, headers: { 'if-match': '"other"' } })
      expect([failed.status, codeOf(failed)]).toEqual([412, 'PreconditionFailed'])
      const outside = await sendSigned(store.subject, { path, headers: { range: 'bytes=9-' } })
      expect([outside.status, codeOf(outside)]).toEqual([416, 'InvalidRange'])
    })

    it('of a method that S3 does not have are MethodNotAllowed', async () => {
      const answer = await sendSigned(store.subject, { method: 'PATCH', path: `/${bucket.name}` })
      expect([answer.status, codeOf(answer)]).toEqual([405, 'MethodNotAllowed'])
    })

    it('of an upload without a length are MissingContentLength', async () => {
      const answer = await sendSigned(store.subject, {
        method: 'PUT',
        path: `/${bucket.name}/lengthless`,
        payloadHash: 'STREAMING-UNSIGNED-PAYLOAD-TRAILER',
        headers: { 'x-amz-trailer': 'x-amz-checksum-crc32', 'content-encoding': 'aws-chunked' },
        body: '4\r\nbody\r\n0\r\nx-amz-checksum-crc32:AAAAAA==\r\n\r\n',
      })
      expect([answer.status, codeOf(answer)]).toEqual([411, 'MissingContentLength'])
    })

    it('of a chunk under 8 KB that is not the last are InvalidChunkSizeError', async () => {
      const answer = await sendSigned(store.subject, {
        method: 'PUT',
        path: `/${bucket.name}/small-chunks`,
        payloadHash: 'STREAMING-UNSIGNED-PAYLOAD-TRAILER',
        headers: {
          'content-encoding': 'aws-chunked',
          'x-amz-decoded-content-length': '9',
          'x-amz-trailer': 'x-amz-checksum-crc32',
        },
        body: '5\r\n12345\r\n4\r\n6789\r\n0\r\nx-amz-checksum-crc32:y/Q5Jg==\r\n\r\n',
      })
      expect([answer.status, codeOf(answer)]).toEqual([400, 'InvalidChunkSizeError'])
    })
  })
}

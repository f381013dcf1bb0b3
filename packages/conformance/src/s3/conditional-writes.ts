import {
  CompleteMultipartUploadCommand,
  CreateMultipartUploadCommand,
  DeleteObjectCommand,
  UploadPartCommand,
} from '@aws-sdk/client-s3'
import { describe, expect, it } from 'vitest'
import { type ObjectStore, refusal, winnersOf } from './object-store.ts'

interface Conditions {
  readonly IfMatch?: string
  readonly IfNoneMatch?: string
}

const failed = refusal('PreconditionFailed', 412)
const racers = Array.from({ length: 30 }, (_, n) => n)
/** 412: another was first; 409: another was under way. Nothing else may come out of a race. */
const lost = (error: { $metadata: { httpStatusCode: number } }) =>
  [409, 412].includes(error.$metadata.httpStatusCode)

export const describeConditionalWrites = (store: ObjectStore): void => {
  describe('conditional writes', () => {
    const bucket = store.bucket('conformance-conditional-writes')
    const put = (Key: string, Body: string, conditions: Conditions = {}) => bucket.put(Key, Body, conditions)

    /** An upload of one part, ready to be completed. */
    const staged = async (Key: string, Body: string) => {
      const Bucket = bucket.name
      const { UploadId } = await store.client.send(new CreateMultipartUploadCommand({ Bucket, Key }))
      const { ETag } = await store.client.send(
        new UploadPartCommand({ Bucket, Key, UploadId, PartNumber: 1, Body }),
      )
      const MultipartUpload = { Parts: [{ PartNumber: 1, ETag }] }
      return (conditions: Conditions = {}) =>
        store.client.send(
          new CompleteMultipartUploadCommand({ Bucket, Key, UploadId, MultipartUpload, ...conditions }),
        )
    }

    it('with If-None-Match: * write where nothing is', async () => {
      await put('new', 'first', { IfNoneMatch: '*' })
      expect(await bucket.text('new')).toBe('first')
    })

    it('with If-None-Match: * leave alone what is there', async () => {
      await put('there', 'first')
      await expect(put('there', 'second', { IfNoneMatch: '*' })).rejects.toMatchObject(failed)
      expect(await bucket.text('there')).toBe('first')
    })

    it('with If-None-Match: * write again once the object was deleted', async () => {
      await put('deleted', 'first', { IfNoneMatch: '*' })
      await store.client.send(new DeleteObjectCommand({ Bucket: bucket.name, Key: 'deleted' }))
      await put('deleted', 'second', { IfNoneMatch: '*' })
      expect(await bucket.text('deleted')).toBe('second')
    })

    it('with If-Match write over the object whose ETag they name', async () => {
      const { ETag } = await put('named', 'first')
      await put('named', 'second', { IfMatch: ETag! })
      expect(await bucket.text('named')).toBe('second')
    })

    it('with If-Match leave alone an object that changed meanwhile', async () => {
      const { ETag } = await put('changed', 'first')
      await put('changed', 'second')
      await expect(put('changed', 'third', { IfMatch: ETag! })).rejects.toMatchObject(failed)
      expect(await bucket.text('changed')).toBe('second')
    })

    it('with If-Match of a key that is not there are NoSuchKey', async () => {
      await expect(put('missing', 'x', { IfMatch: '"abc"' })).rejects.toMatchObject(refusal('NoSuchKey', 404))
      await expect(bucket.head('missing')).rejects.toMatchObject(refusal('NotFound', 404))
    })

    it('with If-None-Match: *, 30 at once, have one winner whose bytes stay', async () => {
      const { winners, refusals } = await winnersOf(
        racers.map((n) => put('race', `writer ${n}`, { IfNoneMatch: '*' })),
      )
      expect(winners).toHaveLength(1)
      expect(refusals.every(lost)).toBe(true)
      expect(await bucket.text('race')).toBe(`writer ${winners[0]}`)
    })

    it('with If-Match over one version, 30 at once, have one winner whose bytes stay', async () => {
      const { ETag } = await put('swap', 'start')
      const { winners, refusals } = await winnersOf(
        racers.map((n) => put('swap', `writer ${n}`, { IfMatch: ETag! })),
      )
      expect(winners).toHaveLength(1)
      expect(refusals.every(lost)).toBe(true)
      expect(await bucket.text('swap')).toBe(`writer ${winners[0]}`)
    })

    it('by CompleteMultipartUpload with If-None-Match: * leave alone what is there', async () => {
      const first = await staged('multipart', 'first')
      const second = await staged('multipart', 'second')
      await first({ IfNoneMatch: '*' })
      await expect(second({ IfNoneMatch: '*' })).rejects.toMatchObject(failed)
      expect(await bucket.text('multipart')).toBe('first')
    })

    it('by CompleteMultipartUpload with If-Match write only over the object they name', async () => {
      const { ETag } = await put('multipart swap', 'first')
      const second = await staged('multipart swap', 'second')
      await expect(second({ IfMatch: '"00000000000000000000000000000000"' })).rejects.toMatchObject(failed)
      await second({ IfMatch: ETag! })
      expect(await bucket.text('multipart swap')).toBe('second')
    })

    it('by CompleteMultipartUpload, 30 at once, have one winner whose bytes stay', async () => {
      const completions = await Promise.all(racers.map((n) => staged('multipart race', `writer ${n}`)))
      const { winners, refusals } = await winnersOf(
        completions.map((complete) => complete({ IfNoneMatch: '*' })),
      )
      expect(winners).toHaveLength(1)
      expect(refusals.every(lost)).toBe(true)
      expect(await bucket.text('multipart race')).toBe(`writer ${winners[0]}`)
    })
  })
}

import type { GetObjectCommandInput } from '@aws-sdk/client-s3'
import { describe, expect, it, vi } from 'vitest'
import type { ObjectStore } from './object-store.ts'

const hourMillis = 3_600_000
const secondMillis = 1_000

export const describeConditionalReads = (store: ObjectStore): void => {
  describe('conditional reads', () => {
    const bucket = store.bucket('conformance-conditional-reads')

    /** What GET answers, which must be what HEAD answers. */
    const status = async (Key: string, conditions: Partial<GetObjectCommandInput>) => {
      const statusOf = (error: { $metadata: { httpStatusCode: number } }) => error.$metadata.httpStatusCode
      const got = await bucket.get(Key, conditions).then(async (answer) => {
        await answer.Body!.transformToString()
        return answer.$metadata.httpStatusCode
      }, statusOf)
      const head = await bucket
        .head(Key, conditions)
        .then((answer) => answer.$metadata.httpStatusCode, statusOf)
      expect(head).toBe(got)
      return got
    }

    it('with If-None-Match answer 304 to who has that version already', async () => {
      const { ETag } = await bucket.put('cached', 'x')
      expect(await status('cached', { IfNoneMatch: ETag })).toBe(304)
      expect(await status('cached', { IfNoneMatch: '"other"' })).toBe(200)
    })

    it('with If-Match answer 412 for another version', async () => {
      const { ETag } = await bucket.put('exact', 'x')
      expect(await status('exact', { IfMatch: ETag })).toBe(200)
      expect(await status('exact', { IfMatch: '"other"' })).toBe(412)
    })

    it('with a time answer 304 when not modified since, and 412 when modified since', async () => {
      await bucket.put('timed', 'x')
      const before = new Date(Date.now() - hourMillis)
      const after = new Date((await bucket.head('timed')).LastModified!.getTime() + secondMillis)
      // A time in the future is no time to compare with.
      await vi.waitUntil(() => Date.now() > after.getTime(), { timeout: 10_000 })
      expect(await status('timed', { IfModifiedSince: before })).toBe(200)
      expect(await status('timed', { IfModifiedSince: after })).toBe(304)
      expect(await status('timed', { IfUnmodifiedSince: before })).toBe(412)
      expect(await status('timed', { IfUnmodifiedSince: after })).toBe(200)
    })

    it('with an ETag and a time go by the ETag', async () => {
      const { ETag } = await bucket.put('both', 'x')
      const before = new Date(Date.now() - hourMillis)
      const after = new Date((await bucket.head('both')).LastModified!.getTime() + secondMillis)
      expect(await status('both', { IfMatch: ETag, IfUnmodifiedSince: before })).toBe(200)
      expect(await status('both', { IfNoneMatch: '"other"', IfModifiedSince: after })).toBe(200)
    })
  })
}

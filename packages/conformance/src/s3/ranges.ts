import { describe, expect, it } from 'vitest'
import { type ObjectStore, refusal } from './object-store.ts'
import { sendSigned } from './raw-request.ts'

export const describeRanges = (store: ObjectStore): void => {
  describe('ranges', () => {
    const bucket = store.bucket('conformance-ranges')
    const range = async (Key: string, Range: string) => {
      await bucket.put(Key, '0123456789')
      const answer = await bucket.get(Key, { Range })
      const body = await answer.Body!.transformToString()
      expect(answer.ContentLength).toBe(body.length)
      return [answer.$metadata.httpStatusCode, answer.ContentRange, body]
    }

    it('from one byte to another, both of them included', async () => {
      expect(await range('inner', 'bytes=2-4')).toEqual([206, 'bytes 2-4/10', '234'])
    })

    it('from a byte to the end', async () => {
      expect(await range('open', 'bytes=7-')).toEqual([206, 'bytes 7-9/10', '789'])
    })

    it('of the last bytes', async () => {
      expect(await range('suffix', 'bytes=-3')).toEqual([206, 'bytes 7-9/10', '789'])
    })

    it('that reach beyond the end stop at the end', async () => {
      expect(await range('beyond', 'bytes=7-99')).toEqual([206, 'bytes 7-9/10', '789'])
      expect(await range('long suffix', 'bytes=-99')).toEqual([206, 'bytes 0-9/10', '0123456789'])
    })

    it('that begin behind the end are InvalidRange', async () => {
      await bucket.put('short', '0123456789')
      await expect(bucket.get('short', { Range: 'bytes=10-' })).rejects.toMatchObject(
        refusal('InvalidRange', 416),
      )
    })

    it('that make no sense are passed over, and the whole object comes', async () => {
      for (const nonsense of ['bytes=4-2', 'lines=1-2', 'bytes=']) {
        const [status, contentRange, body] = await range('nonsense', nonsense)
        expect([status, contentRange, body], nonsense).toEqual([200, undefined, '0123456789'])
      }
    })

    it('hold for HEAD too', async () => {
      await bucket.put('head', '0123456789')
      const path = `/${bucket.name}/head`
      const { status, headers } = await sendSigned(store.subject, {
        method: 'HEAD',
        path,
        headers: { range: 'bytes=2-4' },
      })
      expect([status, headers['content-range'], headers['content-length']]).toEqual([
        206,
        'bytes 2-4/10',
        '3',
      ])
    })
  })
}

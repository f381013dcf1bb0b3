import { describe, expect, it } from 'vitest'
import { bytes, collect, type SubjectHolder } from './subject.ts'

export const describeConditionalPuts = (holder: SubjectHolder): void => {
  describe('putIfAbsent', () => {
    const put = (key: string, text: string) => holder.store.putIfAbsent(key, bytes(text))

    it('creates what is not there, seen at once by every read', async () => {
      expect(await put('put/new', 'body')).toBe('created')
      expect(await holder.text('put/new')).toBe('body')
      const head = await holder.store.head('put/new')
      expect(head).toMatchObject({ size: 4, metadata: {} })
      expect(await collect(holder.store.list('put/new'))).toEqual([
        { key: 'put/new', size: 4, etag: head!.etag },
      ])
    })

    it('leaves what is there, be it the same or not', async () => {
      await holder.put('put/taken', 'first')
      expect(await put('put/taken', 'second')).toBe('exists')
      expect(await put('put/taken', 'first')).toBe('exists')
      expect(await holder.text('put/taken')).toBe('first')
    })

    it('is won by one of many that are sent side by side', async () => {
      for (let round = 0; round < 5; round += 1) {
        const key = `put/race-${round}`
        const answers = await Promise.all(Array.from({ length: 8 }, (_, n) => put(key, `by ${n}`)))
        expect(answers.filter((answer) => answer === 'created')).toHaveLength(1)
        expect(await holder.text(key)).toBe(`by ${answers.indexOf('created')}`)
      }
    })

    it('takes an empty body, and one of several MiB', async () => {
      expect(await put('put/empty', '')).toBe('created')
      expect(await holder.store.get('put/empty')).toEqual(new Uint8Array())
      expect(await put('put/empty', 'x')).toBe('exists')
      const big = Uint8Array.from({ length: 6 * 1024 ** 2 }, (_, n) => n * 31)
      expect(await holder.store.putIfAbsent('put/big', big)).toBe('created')
      expect(Buffer.compare((await holder.store.get('put/big'))!, big)).toBe(0)
    })

    it('does not see an upload that is not completed, and sees the object it becomes', async () => {
      const { uploadId, parts } = await holder.staged('put/upload', 'staged')
      expect(await put('put/upload', 'put')).toBe('created')
      expect(await holder.store.completeUpload('put/upload', uploadId, parts)).toBe('completed')
      expect(await put('put/upload', 'again')).toBe('exists')
      expect(await holder.text('put/upload')).toBe('staged')
    })

    it('creates again what was deleted', async () => {
      await holder.put('put/deleted', 'old')
      await holder.store.delete('put/deleted')
      expect(await put('put/deleted', 'new')).toBe('created')
      expect(await holder.text('put/deleted')).toBe('new')
    })
  })
}

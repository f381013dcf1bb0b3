import { describe, expect, it } from 'vitest'
import { bytes, collect, inTurns, refused, type SubjectHolder } from './subject.ts'

const partBytes = 5 * 1024 ** 2

export const describeUploads = (holder: SubjectHolder): void => {
  describe('uploads', () => {
    const listed = (prefix: string) => collect(holder.store.listUploads(prefix))

    it('become one object of their parts in the order of their numbers, with gaps between', async () => {
      const { store } = holder
      const metadata = { sink: 'trades', 'claim-id': '0f' }
      const { uploadId } = await store.createUpload('up/joined', { metadata, contentType: 'text/plain' })
      const last = await store.uploadPart('up/joined', uploadId, 9, bytes('end'))
      const first = await store.uploadPart('up/joined', uploadId, 2, new Uint8Array(partBytes).fill(7))
      const parts = [
        { partNumber: 2, etag: first.etag },
        { partNumber: 9, etag: last.etag },
      ]
      expect(await store.completeUpload('up/joined', uploadId, parts)).toBe('completed')
      const got = (await store.get('up/joined'))!
      expect(got).toHaveLength(partBytes + 3)
      expect([got[0], got[partBytes - 1]]).toEqual([7, 7])
      expect(new TextDecoder().decode(got.subarray(partBytes))).toBe('end')
      expect(await store.head('up/joined')).toMatchObject({ size: partBytes + 3, metadata })
    })

    it('show nothing before they are completed, and leave what is there', async () => {
      await holder.put('up/there', 'before')
      await holder.staged('up/there', 'after')
      await holder.staged('up/invisible')
      expect(await holder.store.get('up/invisible')).toBeUndefined()
      expect(await holder.store.head('up/invisible')).toBeUndefined()
      expect(await holder.text('up/there')).toBe('before')
    })

    it('take the place of what is there when they are completed', async () => {
      await holder.put('up/over', 'before')
      const { uploadId, parts } = await holder.staged('up/over', 'after')
      expect(await holder.store.completeUpload('up/over', uploadId, parts)).toBe('completed')
      expect(await holder.text('up/over')).toBe('after')
    })

    it('that are completed are completed again or gone, and nothing changes', async () => {
      const { store } = holder
      const { uploadId, parts } = await holder.staged('up/twice', 'body')
      expect(await store.completeUpload('up/twice', uploadId, parts)).toBe('completed')
      const { etag } = (await store.head('up/twice'))!
      expect(await store.completeUpload('up/twice', uploadId, parts)).toMatch(/^(completed|gone)$/)
      expect(await holder.text('up/twice')).toBe('body')
      expect((await store.head('up/twice'))?.etag).toBe(etag)
      await store.abortUpload('up/twice', uploadId)
      expect(await holder.text('up/twice')).toBe('body')
    })

    it('that are completed do not bring back an object that was deleted', async () => {
      const { store } = holder
      const { uploadId, parts } = await holder.staged('up/deleted', 'body')
      await store.completeUpload('up/deleted', uploadId, parts)
      await store.delete('up/deleted')
      expect(await store.completeUpload('up/deleted', uploadId, parts)).toBe('gone')
      expect(await store.get('up/deleted')).toBeUndefined()
    })

    it('that are completed do not take the place of the object another one became', async () => {
      const { store } = holder
      const first = await holder.staged('up/replaced', 'first')
      const second = await holder.staged('up/replaced', 'second')
      await store.completeUpload('up/replaced', first.uploadId, first.parts)
      await store.completeUpload('up/replaced', second.uploadId, second.parts)
      const again = await store.completeUpload('up/replaced', first.uploadId, first.parts)
      expect(again).toMatch(/^(completed|gone)$/)
      expect(await holder.text('up/replaced')).toBe('second')
    })

    it('are completed by any of many that do it side by side', async () => {
      const { uploadId, parts } = await holder.staged('up/race', 'body')
      const answers = await Promise.allSettled(
        Array.from({ length: 6 }, () => holder.store.completeUpload('up/race', uploadId, parts)),
      )
      expect(answers).toContainEqual({ status: 'fulfilled', value: 'completed' })
      expect(await holder.text('up/race')).toBe('body')
      expect(await collect(holder.store.listUploads('up/race'))).toEqual([])
    })

    it('are gone once they are aborted, for whoever completes, aborts, sends or lists parts', async () => {
      const { store } = holder
      const { uploadId, parts } = await holder.staged('up/aborted')
      expect(await store.abortUpload('up/aborted', uploadId)).toBeUndefined()
      expect(await store.completeUpload('up/aborted', uploadId, parts)).toBe('gone')
      expect(await store.abortUpload('up/aborted', uploadId)).toBeUndefined()
      await expect(store.uploadPart('up/aborted', uploadId, 2, bytes('x'))).rejects.toMatchObject(
        refused(404),
      )
      await expect(store.listParts('up/aborted', uploadId)).rejects.toMatchObject(refused(404))
      expect(await store.get('up/aborted')).toBeUndefined()
      expect(await listed('up/aborted')).toEqual([])
    })

    it('that nobody made are gone', async () => {
      const { store } = holder
      // As a server that keeps uploads might have made it; others say that it is none of theirs just so.
      const { uploadId } = await store.createUpload('up/never')
      await store.abortUpload('up/never', uploadId)
      const unknownId = uploadId.replace(/[0-9a-f]/g, (digit) => (digit === '1' ? '2' : '1'))
      expect(
        await store.completeUpload('up/never', unknownId, [{ partNumber: 1, etag: `"${'0'.repeat(32)}"` }]),
      ).toBe('gone')
      expect(await store.abortUpload('up/never', unknownId)).toBeUndefined()
    })

    it('belong to the key they were made for', async () => {
      const { store } = holder
      const { uploadId, parts } = await holder.staged('up/owner')
      expect(await store.completeUpload('up/other', uploadId, parts)).toBe('gone')
      await expect(store.uploadPart('up/other', uploadId, 2, bytes('x'))).rejects.toMatchObject(refused(404))
      await expect(store.listParts('up/other', uploadId)).rejects.toMatchObject(refused(404))
      expect(await store.abortUpload('up/other', uploadId)).toBeUndefined()
      expect(await store.completeUpload('up/owner', uploadId, parts)).toBe('completed')
    })

    it('of one key stand beside each other; the one completed last is seen', async () => {
      const first = await holder.staged('up/same', 'first')
      const second = await holder.staged('up/same', 'second')
      expect(new Set((await listed('up/same')).map(({ uploadId }) => uploadId))).toEqual(
        new Set([first.uploadId, second.uploadId]),
      )
      await holder.store.completeUpload('up/same', second.uploadId, second.parts)
      expect(await holder.text('up/same')).toBe('second')
      await holder.store.completeUpload('up/same', first.uploadId, first.parts)
      expect(await holder.text('up/same')).toBe('first')
    })

    it('take a part that is sent again in place of the first', async () => {
      const { store } = holder
      const { uploadId, parts } = await holder.staged('up/again', 'old')
      const { etag } = await store.uploadPart('up/again', uploadId, 1, bytes('newer'))
      await expect(store.completeUpload('up/again', uploadId, parts)).rejects.toMatchObject(refused(400))
      expect(await store.completeUpload('up/again', uploadId, [{ partNumber: 1, etag }])).toBe('completed')
      expect(await holder.text('up/again')).toBe('newer')
    })

    it('stay as they are when completing is refused: unknown, wrong, unordered, small or no parts', async () => {
      const { store } = holder
      const { uploadId } = await store.createUpload('up/refused')
      const part = async (partNumber: number, size: number) => {
        const { etag } = await store.uploadPart('up/refused', uploadId, partNumber, new Uint8Array(size))
        return { partNumber, etag }
      }
      const [one, two, small] = [await part(1, partBytes), await part(2, partBytes), await part(3, 9)]
      const late = await part(4, partBytes)
      for (const [what, parts] of Object.entries({
        unknown: [one, { ...two, partNumber: 8 }],
        wrong: [{ ...one, etag: small.etag }, two],
        unordered: [two, one],
        small: [one, small, late],
        none: [],
      })) {
        await expect(store.completeUpload('up/refused', uploadId, parts), what).rejects.toMatchObject(
          refused(400),
        )
        expect(await store.head('up/refused'), what).toBeUndefined()
      }
      expect(await store.completeUpload('up/refused', uploadId, [one, two, small])).toBe('completed')
    })

    it('have parts numbered from 1 to 10,000', async () => {
      const { uploadId } = await holder.store.createUpload('up/numbers')
      const send = (n: number) => holder.store.uploadPart('up/numbers', uploadId, n, bytes('x'))
      for (const n of [0, 10_001]) await expect(send(n), `part ${n}`).rejects.toMatchObject(refused(400))
      const { etag } = await send(10_000)
      const parts = [{ partNumber: 10_000, etag }]
      expect(await holder.store.completeUpload('up/numbers', uploadId, parts)).toBe('completed')
    })
  })

  describe('listParts', () => {
    it('answers number, size and ETag in order, enough to complete with', async () => {
      const { store } = holder
      const { uploadId } = await store.createUpload('parts/few')
      expect(await store.listParts('parts/few', uploadId)).toEqual([])
      const second = await store.uploadPart('parts/few', uploadId, 2, bytes('second'))
      const first = await store.uploadPart('parts/few', uploadId, 1, new Uint8Array(partBytes))
      const parts = await store.listParts('parts/few', uploadId)
      expect(parts).toEqual([
        { partNumber: 1, size: partBytes, etag: first.etag },
        { partNumber: 2, size: 6, etag: second.etag },
      ])
      expect(await store.completeUpload('parts/few', uploadId, parts)).toBe('completed')
      await expect(store.listParts('parts/few', uploadId)).rejects.toMatchObject(refused(404))
    })

    it('goes on over pages', async () => {
      const { uploadId } = await holder.store.createUpload('parts/many')
      await inTurns(1_003, (n) => holder.store.uploadPart('parts/many', uploadId, n + 1, bytes('x')))
      const parts = await holder.store.listParts('parts/many', uploadId)
      expect(parts.map(({ partNumber }) => partNumber)).toEqual(
        Array.from({ length: 1_003 }, (_, n) => n + 1),
      )
    })
  })

  describe('listUploads', () => {
    it('answers those of a prefix by key, with when they began, until they are completed or aborted', async () => {
      const begun = Date.now()
      const ids = new Map<string, string>()
      for (const key of ['open/b', 'open/a', 'open/c', 'opened']) {
        ids.set(key, (await holder.store.createUpload(key)).uploadId)
      }
      const uploads = await collect(holder.store.listUploads('open/'))
      expect(uploads.map(({ key, uploadId }) => [key, uploadId])).toEqual(
        ['open/a', 'open/b', 'open/c'].map((key) => [key, ids.get(key)]),
      )
      for (const { initiated } of uploads) expect(Math.abs(initiated - begun)).toBeLessThan(60_000)
      await holder.store.abortUpload('open/b', ids.get('open/b')!)
      const { etag } = await holder.store.uploadPart('open/a', ids.get('open/a')!, 1, bytes('x'))
      await holder.store.completeUpload('open/a', ids.get('open/a')!, [{ partNumber: 1, etag }])
      expect((await collect(holder.store.listUploads('open/'))).map(({ key }) => key)).toEqual(['open/c'])
      expect(await collect(holder.store.listUploads('none/'))).toEqual([])
    })

    it('goes on over pages, each upload once, also where many are of one key', async ({ skip }) => {
      skip(holder.subject.refusesUploadMarkers === true, 'the server refuses the marker of its own answer')
      const made = new Set<string>()
      await inTurns(1_005, async (n) => {
        const { uploadId } = await holder.store.createUpload(n < 500 ? 'crowd/a' : `crowd/b${n}`)
        made.add(uploadId)
      })
      const found = (await collect(holder.store.listUploads('crowd/'))).map(({ uploadId }) => uploadId)
      expect(found).toHaveLength(1_005)
      expect(new Set(found)).toEqual(made)
    })
  })
}

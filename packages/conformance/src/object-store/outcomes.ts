import type { ObjectStore } from '@stockpipe/core'
import { describe, expect, it } from 'vitest'
import { bytes, collect, type FaultyCall, refused, type SubjectHolder, unknown } from './subject.ts'

const parts = [{ partNumber: 1, etag: '"0123456789abcdef0123456789abcdef"' }]

/** Each call once, on what is not there. */
const calls: Readonly<Record<Exclude<keyof ObjectStore, symbol>, (store: ObjectStore) => Promise<unknown>>> =
  {
    putIfAbsent: (store) => store.putIfAbsent('no', bytes('x')),
    createUpload: (store) => store.createUpload('no'),
    uploadPart: (store) => store.uploadPart('no', 'upload', 1, bytes('x')),
    completeUpload: (store) => store.completeUpload('no', 'upload', parts),
    abortUpload: (store) => store.abortUpload('no', 'upload'),
    listParts: (store) => store.listParts('no', 'upload'),
    listUploads: (store) => collect(store.listUploads('no')),
    get: (store) => store.get('no'),
    head: (store) => store.head('no'),
    list: (store) => collect(store.list('no')),
    delete: (store) => store.delete('no'),
  }
const names = Object.keys(calls) as (keyof typeof calls)[]

export const describeOutcomes = (holder: SubjectHolder): void => {
  describe('a call', () => {
    it.each(names)('%s that is forbidden was refused for good', async (name) => {
      await expect(calls[name](holder.subject.forbidden)).rejects.toMatchObject(refused(403))
    })

    // An answer to HEAD has no body, so it cannot tell that it is the bucket that is missing.
    it.each(names.filter((name) => name !== 'head'))(
      '%s on a bucket that is not there was refused for good, never answered as absent',
      async (name) => {
        await expect(calls[name](holder.subject.bucketless)).rejects.toMatchObject(refused(404))
      },
    )

    it.each(names)('%s that reaches nobody has no certain answer', async (name) => {
      await expect(calls[name](holder.subject.unreachable)).rejects.toMatchObject(unknown)
    })

    it.each(names)("%s rejects with its signal's reason and does nothing", async (name) => {
      const reason = new Error('enough')
      const { store } = holder
      const aborted = { signal: AbortSignal.abort(reason) }
      const ended: Record<keyof typeof calls, () => Promise<unknown>> = {
        putIfAbsent: () => store.putIfAbsent('ended', bytes('x'), aborted),
        createUpload: () => store.createUpload('ended', aborted),
        uploadPart: () => store.uploadPart('ended', 'upload', 1, bytes('x'), aborted),
        completeUpload: () => store.completeUpload('ended', 'upload', parts, aborted),
        abortUpload: () => store.abortUpload('ended', 'upload', aborted),
        listParts: () => store.listParts('ended', 'upload', aborted),
        listUploads: () => collect(store.listUploads('ended', aborted)),
        get: () => store.get('ended', aborted),
        head: () => store.head('ended', aborted),
        list: () => collect(store.list('ended', aborted)),
        delete: () => store.delete('ended', aborted),
      }
      await expect(ended[name]()).rejects.toBe(reason)
      expect(await store.get('ended')).toBeUndefined()
      expect(await collect(store.listUploads('ended'))).toEqual([])
    })
  })

  describe('a write whose answer is not heard', () => {
    const failNext = (
      call: FaultyCall,
      key: string,
      fault: 'cut' | 'loseAnswer' | 'unavailable' | 'conflict',
    ) => holder.subject.failNext!(call, key, fault)
    const faulty = (sentence: string, run: () => Promise<void>) =>
      it(sentence, async ({ skip }) => {
        skip(holder.subject.failNext === undefined, 'the server cannot be told to fail')
        await run()
      })

    faulty('may have put the object: putting it again tells', async () => {
      failNext('putIfAbsent', 'lost/put', 'loseAnswer')
      await expect(holder.store.putIfAbsent('lost/put', bytes('x'))).rejects.toMatchObject(unknown)
      expect(await holder.store.putIfAbsent('lost/put', bytes('y'))).toBe('exists')
      expect(await holder.text('lost/put')).toBe('x')
    })

    faulty('may have completed the upload: completing it again or looking for the object tells', async () => {
      const { uploadId, parts } = await holder.staged('lost/complete', 'body')
      failNext('completeUpload', 'lost/complete', 'loseAnswer')
      await expect(holder.store.completeUpload('lost/complete', uploadId, parts)).rejects.toMatchObject(
        unknown,
      )
      expect(await holder.store.completeUpload('lost/complete', uploadId, parts)).toMatch(
        /^(completed|gone)$/,
      )
      expect(await holder.text('lost/complete')).toBe('body')
    })

    faulty('may have sent the part, aborted, created or deleted', async () => {
      const { store } = holder
      const { uploadId } = await holder.staged('lost/rest')
      failNext('uploadPart', 'lost/rest', 'loseAnswer')
      await expect(store.uploadPart('lost/rest', uploadId, 2, bytes('x'))).rejects.toMatchObject(unknown)
      expect(await store.listParts('lost/rest', uploadId)).toHaveLength(2)
      failNext('abortUpload', 'lost/rest', 'loseAnswer')
      await expect(store.abortUpload('lost/rest', uploadId)).rejects.toMatchObject(unknown)
      expect(await collect(store.listUploads('lost/rest'))).toEqual([])
      failNext('createUpload', 'lost/rest', 'loseAnswer')
      await expect(store.createUpload('lost/rest')).rejects.toMatchObject(unknown)
      expect(await collect(store.listUploads('lost/rest'))).toHaveLength(1)
      await holder.put('lost/rest')
      failNext('delete', 'lost/rest', 'loseAnswer')
      await expect(store.delete('lost/rest')).rejects.toMatchObject(unknown)
      expect(await store.get('lost/rest')).toBeUndefined()
    })

    for (const fault of ['cut', 'unavailable'] as const) {
      faulty(`may have done nothing (${fault}), and can be made again`, async () => {
        const { store } = holder
        const key = `unheard/${fault}`
        failNext('putIfAbsent', key, fault)
        await expect(store.putIfAbsent(key, bytes('x'))).rejects.toMatchObject(unknown)
        expect(await store.get(key)).toBeUndefined()
        expect(await store.putIfAbsent(key, bytes('x'))).toBe('created')
        const { uploadId, parts } = await holder.staged(key, 'body')
        failNext('completeUpload', key, fault)
        await expect(store.completeUpload(key, uploadId, parts)).rejects.toMatchObject(unknown)
        expect(await holder.text(key)).toBe('x')
        expect(await store.completeUpload(key, uploadId, parts)).toBe('completed')
      })
    }

    faulty('but refused for another write that is under way did nothing, and can be made again', async () => {
      failNext('putIfAbsent', 'conflict', 'conflict')
      await expect(holder.store.putIfAbsent('conflict', bytes('x'))).rejects.toMatchObject(refused(409, true))
      expect(await holder.store.get('conflict')).toBeUndefined()
      expect(await holder.store.putIfAbsent('conflict', bytes('x'))).toBe('created')
    })
  })
}

import { describe, expect, it } from 'vitest'
import { keysBeyondPaths, pathKeys } from '../keys.ts'
import { bytes, collect, inTurns, type SubjectHolder } from './subject.ts'

const inByteOrder = (keys: readonly string[]) =>
  [...keys].sort((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b)))

export const describeObjects = (holder: SubjectHolder): void => {
  const keysOf = async (...[prefix, options]: Parameters<typeof holder.store.list>) =>
    (await collect(holder.store.list(prefix, options))).map(({ key }) => key)

  describe('get, head and delete', () => {
    it('answer that nothing is there', async () => {
      expect(await holder.store.get('none')).toBeUndefined()
      expect(await holder.store.head('none')).toBeUndefined()
      expect(await holder.store.delete('none')).toBeUndefined()
    })

    it('do not take the folder of a key for an object', async () => {
      await holder.put('folder/below/key')
      expect(await holder.store.get('folder/below')).toBeUndefined()
      expect(await holder.store.head('folder')).toBeUndefined()
    })

    it('are done with an object once it is deleted', async () => {
      await holder.put('deleted')
      await holder.store.delete('deleted')
      expect(await holder.store.get('deleted')).toBeUndefined()
      expect(await holder.store.head('deleted')).toBeUndefined()
      expect(await keysOf('deleted')).toEqual([])
    })

    it('leave alone an upload of that key', async () => {
      const { uploadId, parts } = await holder.staged('deleted beneath')
      await holder.store.delete('deleted beneath')
      expect(await holder.store.completeUpload('deleted beneath', uploadId, parts)).toBe('completed')
    })

    it('answer bytes that are the callers own', async () => {
      await holder.put('own', 'own')
      const got = (await holder.store.get('own'))!
      got.fill(0)
      expect(await holder.text('own')).toBe('own')
    })
  })

  describe('list', () => {
    it('answers the keys of a prefix in the order of their UTF-8 bytes', async () => {
      const keys = ['o/A', 'o/a', 'o/a b', 'o/a+b', 'o/ab/c', 'o/z', 'o/é', 'o/\uffee', 'o/🚀']
      for (const key of [...keys, 'oo/x', 'p/x'].reverse()) await holder.put(key)
      expect(await keysOf('o/')).toEqual(inByteOrder(keys))
      expect(await keysOf('o/a+')).toEqual(['o/a+b'])
      expect(await keysOf('o/none')).toEqual([])
    })

    it('begins after a key, there or not, and ends at its limit', async () => {
      for (const key of ['after/a', 'after/b', 'after/c', 'after/d']) await holder.put(key)
      expect(await keysOf('after/', { startAfter: 'after/b' })).toEqual(['after/c', 'after/d'])
      expect(await keysOf('after/', { startAfter: 'after/bb' })).toEqual(['after/c', 'after/d'])
      expect(await keysOf('after/', { startAfter: 'after/d' })).toEqual([])
      expect(await keysOf('after/', { startAfter: 'aaa' })).toHaveLength(4)
      expect(await keysOf('after/', { limit: 1 })).toEqual(['after/a'])
      expect(await keysOf('after/', { limit: 2, startAfter: 'after/a' })).toEqual(['after/b', 'after/c'])
    })

    it('goes on over pages, each key once', async () => {
      const keys = Array.from({ length: 1_005 }, (_, n) => `many/${String(n).padStart(4, '0')}`)
      await inTurns(keys.length, (n) => holder.store.putIfAbsent(keys[n]!, bytes('x')))
      expect(await keysOf('many/')).toEqual(keys)
      expect(await keysOf('many/', { limit: 1_002 })).toEqual(keys.slice(0, 1_002))
      expect(await keysOf('many/', { startAfter: keys[3]! })).toEqual(keys.slice(4))
    })

    it('may be left before its end', async () => {
      for await (const { key } of holder.store.list('many/')) {
        expect(key).toBe('many/0000')
        break
      }
    })

    it('does not answer uploads that are not completed', async () => {
      await holder.staged('pending/key')
      expect(await keysOf('pending/')).toEqual([])
    })
  })

  describe('keys', () => {
    for (const [kind, keys] of Object.entries({ ...pathKeys, ...keysBeyondPaths })) {
      it(`${kind} are put, read, listed, uploaded and deleted, each as itself`, async ({ skip }) => {
        const { keysAreFilePaths = false } = holder.subject
        skip(keysAreFilePaths && kind in keysBeyondPaths, 'the server keeps an object in a file of that name')
        const before = await keysOf('')
        const added = async () => (await keysOf('')).filter((key) => !before.includes(key))
        const [first, ...others] = keys as [string, ...string[]]
        for (const key of others) await holder.put(key, `body of ${key}`)
        const { uploadId, parts } = await holder.staged(first, `body of ${first}`)
        const uploads = await collect(holder.store.listUploads(first))
        expect(uploads).toMatchObject([{ key: first, uploadId }])
        expect(await holder.store.listParts(first, uploadId)).toMatchObject(parts)
        expect(await holder.store.completeUpload(first, uploadId, parts)).toBe('completed')
        for (const key of keys) {
          expect(await holder.text(key), key).toBe(`body of ${key}`)
          expect((await holder.store.head(key))?.size, key).toBe(bytes(`body of ${key}`).length)
        }
        expect(await added()).toEqual(inByteOrder(keys))
        for (const key of keys) {
          await holder.store.delete(key)
          expect(await holder.store.get(key), key).toBeUndefined()
        }
        expect(await added()).toEqual([])
      })
    }
  })
}

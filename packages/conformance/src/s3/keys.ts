import { DeleteObjectCommand, ListObjectsV2Command } from '@aws-sdk/client-s3'
import { describe, expect, it } from 'vitest'
import { keysBeyondPaths, pathKeys } from '../keys.ts'
import { type ObjectStore, refusal } from './object-store.ts'

export const describeKeys = (store: ObjectStore): void => {
  describe('keys', () => {
    const bucket = store.bucket('conformance-keys')

    for (const [kind, keys] of Object.entries({ ...pathKeys, ...keysBeyondPaths })) {
      it(`${kind} are written, read, listed and deleted, each as itself`, async ({ skip }) => {
        const { keysAreFilePaths = false } = store.subject
        skip(keysAreFilePaths && kind in keysBeyondPaths, 'the server keeps an object in a file of that name')
        const listed = async () =>
          (await store.client.send(new ListObjectsV2Command({ Bucket: bucket.name }))).Contents?.map(
            ({ Key }) => Key,
          ) ?? []
        for (const key of keys) await bucket.put(key, `body of ${key}`)
        for (const key of keys) expect(await bucket.text(key), key).toBe(`body of ${key}`)
        expect(await listed()).toEqual(
          [...keys].sort((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b))),
        )
        for (const Key of keys) {
          await store.client.send(new DeleteObjectCommand({ Bucket: bucket.name, Key }))
          await expect(bucket.get(Key), Key).rejects.toMatchObject(refusal('NoSuchKey', 404))
        }
        expect(await listed()).toEqual([])
      })
    }

    it('that end with / are folders of tools that make them, beside the keys below', async () => {
      await bucket.put('folder/', '')
      await bucket.put('folder/file', 'x')
      expect((await bucket.head('folder/')).ContentLength).toBe(0)
      const list = new ListObjectsV2Command({ Bucket: bucket.name, Prefix: 'folder/' })
      const { Contents } = await store.client.send(list)
      expect(Contents?.map(({ Key }) => Key)).toEqual(['folder/', 'folder/file'])
      for (const Key of ['folder/file', 'folder/']) {
        await store.client.send(new DeleteObjectCommand({ Bucket: bucket.name, Key }))
      }
      expect((await store.client.send(list)).Contents).toBeUndefined()
    })

    it('may be as long as 1,024 bytes', async () => {
      const longest = `${'d'.repeat(200)}/`.repeat(5) + 'k'.repeat(19)
      expect(Buffer.byteLength(longest)).toBe(1_024)
      await bucket.put(longest, 'long')
      expect(await bucket.text(longest)).toBe('long')
    })
  })
}

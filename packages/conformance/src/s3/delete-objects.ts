import { DeleteObjectsCommand, ListObjectsV2Command } from '@aws-sdk/client-s3'
import { describe, expect, it } from 'vitest'
import { type ObjectStore, refusal } from './object-store.ts'

export const describeDeleteObjects = (store: ObjectStore): void => {
  describe('deletions of many objects', () => {
    const bucket = store.bucket('conformance-delete-objects')
    const remove = (keys: readonly string[]) =>
      store.client.send(
        new DeleteObjectsCommand({
          Bucket: bucket.name,
          Delete: { Objects: keys.map((Key) => ({ Key })) },
        }),
      )

    it('name every key they deleted, also those that were not there', async () => {
      const keys = ['del/1', 'del/a b', 'del/<&>', 'del/é', 'del/missing']
      for (const key of keys.slice(0, 4)) await bucket.put(key, 'x')
      await bucket.put('del/kept', 'x')
      const answer = await remove(keys)
      expect(answer.Deleted?.map(({ Key }) => Key).sort()).toEqual([...keys].sort())
      expect(answer.Errors ?? []).toEqual([])
      const left = await store.client.send(new ListObjectsV2Command({ Bucket: bucket.name, Prefix: 'del/' }))
      expect(left.Contents?.map(({ Key }) => Key)).toEqual(['del/kept'])
    })

    it('take a thousand keys', async () => {
      const keys = Array.from({ length: 1_000 }, (_, n) => `many/${n}`)
      for (const key of [keys[0]!, keys[999]!]) await bucket.put(key, 'x')
      expect((await remove(keys)).Deleted).toHaveLength(1_000)
      for (const key of [keys[0]!, keys[999]!]) {
        await expect(bucket.get(key)).rejects.toMatchObject(refusal('NoSuchKey', 404))
      }
    })
  })
}

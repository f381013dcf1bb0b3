import { DeleteObjectCommand, ListObjectsV2Command } from '@aws-sdk/client-s3'
import { describe, expect, it } from 'vitest'
import { type ObjectStore, refusal } from './object-store.ts'

/** Every kind that a file system over which a third-party server may lie can hold as a path. */
const kinds: Readonly<Record<string, readonly string[]>> = {
  'in Hive style': ['dt=2024-01-02/symbol=BRK.B/a b+c%', 'dt=__HIVE_DEFAULT_PARTITION__/symbol=BRK%2FB/x'],
  'with characters that URLs keep for themselves': ['q?x=1&y#z', "!'()~-_.*", 'a:b@c,d;e$f', '%2F', '%'],
  'with characters that XML keeps for itself': ['<key>&amp;"quoted"\'</key>', ']]>', '&#65;'],
  'beyond ASCII': ['ünï/日本/🚀', 'e\u0301', '\u00e9'],
  'that differ in case only': ['Case', 'case', 'CASE'],
  'with spaces around and dots within': ['space ', ' lead', 'dot.', '...', 'a..b/c'],
}

export const describeKeys = (store: ObjectStore): void => {
  describe('keys', () => {
    const bucket = store.bucket('conformance-keys')

    for (const [kind, keys] of Object.entries(kinds)) {
      it(`${kind} are written, read, listed and deleted, each as itself`, async () => {
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

    it('may be as long as 1,024 bytes', async () => {
      const longest = `${'d'.repeat(200)}/`.repeat(5) + 'k'.repeat(19)
      expect(Buffer.byteLength(longest)).toBe(1_024)
      await bucket.put(longest, 'long')
      expect(await bucket.text(longest)).toBe('long')
    })
  })
}

import { DeleteObjectCommand, ListObjectsV2Command } from '@aws-sdk/client-s3'
import { describe, expect, it } from 'vitest'
import { type ObjectStore, refusal } from './object-store.ts'

/** Every kind that a file system over which a third-party server may lie can hold as a path. */
const kinds: Readonly<Record<string, readonly string[]>> = {
  'in Hive style': [
    'dt=2024-01-02/symbol=BRK.B/a b+c%',
    'dt=../symbol=BRK.B/a b+c%',
    'dt=__HIVE_DEFAULT_PARTITION__/symbol=BRK%2FB/x',
  ],
  'with characters that URLs keep for themselves': ['q?x=1&y#z', "!'()~-_.*", 'a:b@c,d;e$f', '%2F', '%'],
  'with characters that XML keeps for itself': ['<key>&amp;"quoted"\'</key>', ']]>', '&#65;'],
  'beyond ASCII': ['ünï/日本/🚀', 'e\u0301', '\u00e9'],
  'that differ in case only': ['Case', 'case', 'CASE'],
  'with spaces around and dots within': ['space ', ' lead', 'dot.', '...', 'a..b/c'],
  'that are no file names on Windows': ['con/nul.txt', 'com1', 'back\\slash', 'c:/x', 'a*b|c'],
  'with segments of 255 bytes': ['s'.repeat(255), `${'d'.repeat(255)}/k`, `${'é'.repeat(127)}x`],
}

/** What no file can be called, or what cannot be beside each other in a file system. */
const kindsBeyondPaths: Readonly<Record<string, readonly string[]>> = {
  'beside and below each other': ['a', 'a/b', 'a/b/c'],
  'with empty segments': ['x//y', 'x/y', '/lead', 'lead', '//', 'dir/', 'dir/file'],
  'with segments that are only dots': ['.', '..', '../up', 'w/../z', 'w/./z', 'z'],
  'with segments of more than 255 bytes': ['s'.repeat(256), `${'d'.repeat(600)}/${'e'.repeat(400)}`],
}

export const describeKeys = (store: ObjectStore): void => {
  describe('keys', () => {
    const bucket = store.bucket('conformance-keys')

    for (const [kind, keys] of Object.entries({ ...kinds, ...kindsBeyondPaths })) {
      it(`${kind} are written, read, listed and deleted, each as itself`, async ({ skip }) => {
        const { keysAreFilePaths = false } = store.subject
        skip(
          keysAreFilePaths && kind in kindsBeyondPaths,
          'the server keeps an object in a file of that name',
        )
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

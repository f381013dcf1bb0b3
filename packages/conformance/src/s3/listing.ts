import {
  CreateBucketCommand,
  ListObjectsCommand,
  ListObjectsV2Command,
  type ListObjectsV2CommandInput,
  PutObjectCommand,
  paginateListObjectsV2,
} from '@aws-sdk/client-s3'
import { beforeAll, describe, expect, it } from 'vitest'
import { type ObjectStore, refusal } from './object-store.ts'
import { sendSigned } from './raw-request.ts'

const oddKeys = ['odd/A', 'odd/a', 'odd/a b', 'odd/a+b', 'odd/ab/c', 'odd/z', 'odd/é', 'odd/\uffee', 'odd/🚀']
const byBytes = (a: string, b: string) => Buffer.compare(Buffer.from(a), Buffer.from(b))
const keysOf = ({ Contents = [] }: { Contents?: { Key?: string | undefined }[] | undefined }) =>
  Contents.map(({ Key }) => Key)
const prefixesOf = ({
  CommonPrefixes = [],
}: {
  CommonPrefixes?: { Prefix?: string | undefined }[] | undefined
}) => CommonPrefixes.map(({ Prefix }) => Prefix)

export const describeListing = (store: ObjectStore): void => {
  describe('listings', () => {
    const bucket = store.bucket('conformance-listing')
    const list = (more: Partial<ListObjectsV2CommandInput> = {}) =>
      store.client.send(new ListObjectsV2Command({ Bucket: bucket.name, ...more }))
    beforeAll(async () => {
      for (const key of [...oddKeys].reverse()) await bucket.put(key, key)
    })

    it('are in the order of UTF-8 bytes', async () => {
      const answer = await list({ Prefix: 'odd/' })
      expect(keysOf(answer)).toEqual([...oddKeys].sort(byBytes))
      expect(answer).toMatchObject({ KeyCount: oddKeys.length, IsTruncated: false, Prefix: 'odd/' })
    })

    it('tell size, ETag, time and storage class of each object', async () => {
      const head = await bucket.head('odd/a b')
      const { Contents } = await list({ Prefix: 'odd/a b' })
      expect(Contents).toHaveLength(1)
      expect(Contents![0]).toMatchObject({ Size: 7, ETag: head.ETag, StorageClass: 'STANDARD' })
      const seconds = (time: Date | undefined) => Math.floor(time!.getTime() / 1_000)
      expect(seconds(Contents![0]!.LastModified)).toBe(seconds(head.LastModified))
    })

    it('of a prefix that no key has are empty', async () => {
      const answer = await list({ Prefix: 'none' })
      expect([answer.KeyCount, keysOf(answer), answer.IsTruncated]).toEqual([0, [], false])
    })

    it('have what an object was put or deleted with at once', async () => {
      for (let round = 0; round < 5; round++) {
        await bucket.put(`fresh/${round}`, 'x')
        expect((await list({ Prefix: 'fresh/' })).KeyCount).toBe(round + 1)
      }
    })

    it('with a delimiter put keys beneath it together', async () => {
      const grouped = await list({ Prefix: 'odd', Delimiter: '/' })
      expect([prefixesOf(grouped), keysOf(grouped), grouped.KeyCount]).toEqual([['odd/'], [], 1])
      const deeper = await list({ Prefix: 'odd/a', Delimiter: '/' })
      expect([prefixesOf(deeper), keysOf(deeper)]).toEqual([['odd/ab/'], ['odd/a', 'odd/a b', 'odd/a+b']])
      expect(deeper.KeyCount).toBe(4)
    })

    it('start after a key, be it there or not', async () => {
      expect(keysOf(await list({ StartAfter: 'odd/a+b', MaxKeys: 2 }))).toEqual(['odd/ab/c', 'odd/z'])
      expect(keysOf(await list({ StartAfter: 'odd/aa', MaxKeys: 1 }))).toEqual(['odd/ab/c'])
      expect(keysOf(await list({ Prefix: 'odd/', StartAfter: 'odd/🚀' }))).toEqual([])
    })

    it('of one key at a time reach every key once', async () => {
      const seen: (string | undefined)[] = []
      const pages = paginateListObjectsV2(
        { client: store.client, pageSize: 1 },
        { Bucket: bucket.name, Prefix: 'odd/' },
      )
      for await (const page of pages) {
        expect([page.KeyCount, page.MaxKeys]).toEqual([1, 1])
        seen.push(...keysOf(page))
      }
      expect(seen).toEqual([...oddKeys].sort(byBytes))
    })

    it('by a delimiter, one at a time, reach every key and every prefix once', async () => {
      for (const key of ['groups/a/1', 'groups/a/2', 'groups/b', 'groups/c/1', 'groups/c/2'])
        await bucket.put(key, 'x')
      const seen: (string | undefined)[] = []
      const pages = paginateListObjectsV2(
        { client: store.client, pageSize: 1 },
        { Bucket: bucket.name, Prefix: 'groups/', Delimiter: '/' },
      )
      for await (const page of pages) seen.push(...keysOf(page), ...prefixesOf(page))
      expect(seen).toEqual(['groups/a/', 'groups/b', 'groups/c/'])
    })

    it('of no keys at all answer none, and are not truncated', async () => {
      expect(await list({ MaxKeys: 0 })).toMatchObject({ KeyCount: 0, MaxKeys: 0, IsTruncated: false })
    })

    it('with a number of keys that is none are refused', async () => {
      await expect(list({ MaxKeys: -1 })).rejects.toMatchObject(refusal('InvalidArgument', 400))
    })

    it('of the first version go on by marker', async () => {
      const Bucket = bucket.name
      const first = await store.client.send(new ListObjectsCommand({ Bucket, Prefix: 'odd/', MaxKeys: 4 }))
      expect(first.IsTruncated).toBe(true)
      const rest = await store.client.send(
        new ListObjectsCommand({ Bucket, Prefix: 'odd/', Marker: first.Contents!.at(-1)!.Key! }),
      )
      expect([...keysOf(first), ...keysOf(rest)]).toEqual([...oddKeys].sort(byBytes))
    })

    it('are XML in the namespace of S3', async () => {
      const answer = await sendSigned(store.subject, {
        path: `/${bucket.name}`,
        query: { 'list-type': '2', prefix: 'odd/z' },
      })
      expect(answer.headers['content-type']).toBe('application/xml')
      expect(answer.body).toMatch(
        /^<\?xml version="1.0" encoding="UTF-8"\?>\s*<ListBucketResult xmlns="http:\/\/s3.amazonaws.com\/doc\/2006-03-01\/">/,
      )
      expect(answer.body).toContain('<Key>odd/z</Key>')
    })

    it('over more than a thousand keys come in pages of a thousand', async () => {
      const Bucket = 'conformance-many-keys'
      await store.client.send(new CreateBucketCommand({ Bucket }))
      const keys = Array.from({ length: 1_100 }, (_, n) => `k/${String(n).padStart(5, '0')}`)
      for (let start = 0; start < keys.length; start += 50) {
        await Promise.all(
          keys
            .slice(start, start + 50)
            .map((Key) => store.client.send(new PutObjectCommand({ Bucket, Key, Body: 'x' }))),
        )
      }
      const pages: (number | undefined)[] = []
      const seen: (string | undefined)[] = []
      for await (const page of paginateListObjectsV2({ client: store.client }, { Bucket })) {
        pages.push(page.KeyCount)
        seen.push(...keysOf(page))
      }
      expect(pages).toEqual([1_000, 100])
      expect(seen).toEqual(keys)
    })
  })
}

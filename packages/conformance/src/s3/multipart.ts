import { createHash, randomBytes } from 'node:crypto'
import {
  AbortMultipartUploadCommand,
  type CompletedPart,
  CompleteMultipartUploadCommand,
  CreateMultipartUploadCommand,
  ListMultipartUploadsCommand,
  ListPartsCommand,
  UploadPartCommand,
  UploadPartCopyCommand,
} from '@aws-sdk/client-s3'
import { describe, expect, it } from 'vitest'
import { type ObjectStore, refusal } from './object-store.ts'

const mebibyte = 1024 ** 2
const md5 = (body: Uint8Array) => createHash('md5').update(body).digest()

export const describeMultipart = (store: ObjectStore): void => {
  describe('multipart uploads', () => {
    const bucket = store.bucket('conformance-multipart')
    const Bucket = bucket.name
    const create = async (Key: string, more = {}) =>
      (await store.client.send(new CreateMultipartUploadCommand({ Bucket, Key, ...more }))).UploadId!
    const upload = async (Key: string, UploadId: string, PartNumber: number, Body: Uint8Array | string) => {
      const part = new UploadPartCommand({ Bucket, Key, UploadId, PartNumber, Body })
      return { PartNumber, ETag: (await store.client.send(part)).ETag! }
    }
    const complete = (Key: string, UploadId: string, Parts: CompletedPart[]) =>
      store.client.send(
        new CompleteMultipartUploadCommand({ Bucket, Key, UploadId, MultipartUpload: { Parts } }),
      )
    const abort = (Key: string, UploadId: string) =>
      store.client.send(new AbortMultipartUploadCommand({ Bucket, Key, UploadId }))

    it('of 20 MiB become one object whose ETag is made of those of its parts', async () => {
      const Key = 'big'
      const bodies = [5, 5, 7, 3].map((size) => randomBytes(size * mebibyte))
      const UploadId = await create(Key, { ContentType: 'application/parquet', Metadata: { rows: '7' } })
      const parts = await Promise.all(bodies.map((body, n) => upload(Key, UploadId, n + 1, body)))
      expect(parts.map(({ ETag }) => ETag)).toEqual(bodies.map((body) => `"${md5(body).toString('hex')}"`))
      const { ETag } = await complete(Key, UploadId, parts)
      expect(ETag).toBe(`"${md5(Buffer.concat(bodies.map(md5))).toString('hex')}-4"`)
      const got = await bucket.get(Key)
      expect(got).toMatchObject({
        ETag,
        ContentType: 'application/parquet',
        Metadata: { rows: '7' },
        ContentLength: 20 * mebibyte,
      })
      const bytes = Buffer.from(await got.Body!.transformToByteArray())
      expect(bytes.equals(Buffer.concat(bodies))).toBe(true)
    })

    it('are read by the part, with the number of parts', async () => {
      const Key = 'by part'
      const first = randomBytes(5 * mebibyte)
      const UploadId = await create(Key)
      const parts = [await upload(Key, UploadId, 1, first), await upload(Key, UploadId, 2, 'the end')]
      await complete(Key, UploadId, parts)
      const got = await bucket.get(Key, { PartNumber: 2 })
      expect(await got.Body!.transformToString()).toBe('the end')
      expect(got.PartsCount).toBe(2)
      expect(got.$metadata.httpStatusCode).toBe(206)
      const { ContentLength } = await bucket.head(Key, { PartNumber: 1 })
      expect(ContentLength).toBe(first.length)
    })

    it('show nothing before they are completed, and leave what was there', async () => {
      await bucket.put('pending there', 'before')
      for (const Key of ['pending new', 'pending there']) await upload(Key, await create(Key), 1, 'part')
      await expect(bucket.head('pending new')).rejects.toMatchObject(refusal('NotFound', 404))
      expect(await bucket.text('pending there')).toBe('before')
    })

    it('may leave out parts and number the rest as they like', async () => {
      const UploadId = await create('sparse')
      await upload('sparse', UploadId, 3, 'left out')
      const part = await upload('sparse', UploadId, 10_000, 'the only part')
      await complete('sparse', UploadId, [part])
      expect(await bucket.text('sparse')).toBe('the only part')
    })

    it('take a part sent again in place of the first', async () => {
      const UploadId = await create('resent')
      const old = await upload('resent', UploadId, 1, 'old')
      const part = await upload('resent', UploadId, 1, 'newer')
      await expect(complete('resent', UploadId, [old])).rejects.toMatchObject(refusal('InvalidPart', 400))
      await complete('resent', UploadId, [part])
      expect(await bucket.text('resent')).toBe('newer')
    })

    it('list their parts in order and by pages', async () => {
      const UploadId = await create('parts')
      for (const n of [3, 1, 2]) await upload('parts', UploadId, n, `part ${n}`)
      const list = (more: { MaxParts?: number; PartNumberMarker?: string }) =>
        store.client.send(new ListPartsCommand({ Bucket, Key: 'parts', UploadId, ...more }))
      const first = await list({ MaxParts: 2 })
      expect(first.Parts?.map(({ PartNumber, Size }) => [PartNumber, Size])).toEqual([
        [1, 6],
        [2, 6],
      ])
      expect(first.Parts?.[0]?.ETag).toBe(`"${md5(Buffer.from('part 1')).toString('hex')}"`)
      expect(first).toMatchObject({ IsTruncated: true, NextPartNumberMarker: '2' })
      const second = await list({ PartNumberMarker: '2' })
      expect(second.Parts?.map(({ PartNumber }) => PartNumber)).toEqual([3])
      expect(second.IsTruncated).toBe(false)
    })

    it('are listed by key, until they are completed or aborted', async () => {
      const list = async () =>
        (await store.client.send(new ListMultipartUploadsCommand({ Bucket, Prefix: 'up/' }))).Uploads ?? []
      const ids = new Map<string, string>()
      for (const Key of ['up/b', 'up/a', 'up/c']) ids.set(Key, await create(Key))
      expect((await list()).map(({ Key, UploadId }) => [Key, UploadId])).toEqual(
        ['up/a', 'up/b', 'up/c'].map((Key) => [Key, ids.get(Key)]),
      )
      const UploadId = ids.get('up/a')!
      await complete('up/a', UploadId, [await upload('up/a', UploadId, 1, 'x')])
      await abort('up/b', ids.get('up/b')!)
      expect((await list()).map(({ Key }) => Key)).toEqual(['up/c'])
    })

    it('are listed by pages that go on after a key', async () => {
      for (const Key of ['page/a', 'page/b', 'page/c']) await create(Key)
      const list = (more: { MaxUploads?: number; KeyMarker?: string }) =>
        store.client.send(new ListMultipartUploadsCommand({ Bucket, Prefix: 'page/', ...more }))
      const first = await list({ MaxUploads: 2 })
      expect(first.Uploads?.map(({ Key }) => Key)).toEqual(['page/a', 'page/b'])
      expect(first.IsTruncated).toBe(true)
      expect(first.NextKeyMarker).toBe('page/b')
      const rest = await list({ KeyMarker: first.NextKeyMarker! })
      expect(rest.Uploads?.map(({ Key }) => Key)).toEqual(['page/c'])
      expect(rest.IsTruncated).toBe(false)
    })

    it('that were aborted are NoSuchUpload to whatever is asked of them', async () => {
      const UploadId = await create('aborted')
      const part = await upload('aborted', UploadId, 1, 'x')
      expect((await abort('aborted', UploadId)).$metadata.httpStatusCode).toBe(204)
      for (const call of [
        () => upload('aborted', UploadId, 2, 'x'),
        () => complete('aborted', UploadId, [part]),
        () => abort('aborted', UploadId),
        () => store.client.send(new ListPartsCommand({ Bucket, Key: 'aborted', UploadId })),
      ]) {
        await expect(call(), String(call)).rejects.toMatchObject(refusal('NoSuchUpload', 404))
      }
      await expect(bucket.head('aborted')).rejects.toMatchObject(refusal('NotFound', 404))
    })

    it('belong to the key they were made for', async () => {
      const UploadId = await create('owned')
      const part = await upload('owned', UploadId, 1, 'x')
      await expect(complete('other', UploadId, [part])).rejects.toMatchObject(refusal('NoSuchUpload', 404))
    })

    it('are not completed with unknown, wrong, unordered or no parts', async () => {
      const UploadId = await create('bad')
      const one = await upload('bad', UploadId, 1, randomBytes(5 * mebibyte))
      const two = await upload('bad', UploadId, 2, randomBytes(5 * mebibyte))
      const wrong = { ...one, ETag: '"00000000000000000000000000000000"' }
      for (const [parts, name] of [
        [[one, { ...two, PartNumber: 9 }], 'InvalidPart'],
        [[wrong, two], 'InvalidPart'],
        [[two, one], 'InvalidPartOrder'],
        [[], 'MalformedXML'],
      ] as const) {
        await expect(complete('bad', UploadId, [...parts]), name).rejects.toMatchObject(refusal(name, 400))
      }
      await complete('bad', UploadId, [one, two])
      expect((await bucket.head('bad')).ContentLength).toBe(10 * mebibyte)
    })

    it('have parts of at least 5 MiB, but for the last', async () => {
      const UploadId = await create('small')
      const parts = [await upload('small', UploadId, 1, 'small'), await upload('small', UploadId, 2, 'last')]
      await expect(complete('small', UploadId, parts)).rejects.toMatchObject(refusal('EntityTooSmall', 400))
    })

    it('have parts numbered from 1 to 10,000', async () => {
      const UploadId = await create('numbers')
      for (const n of [0, 10_001]) {
        await expect(upload('numbers', UploadId, n, 'x'), `part ${n}`).rejects.toMatchObject(
          refusal('InvalidArgument', 400),
        )
      }
    })

    it('take parts from other objects, or from a range of them', async () => {
      await bucket.put('source', '0123456789')
      const UploadId = await create('from source')
      const copy = new UploadPartCopyCommand({
        Bucket,
        Key: 'from source',
        UploadId,
        PartNumber: 1,
        CopySource: `${Bucket}/source`,
        CopySourceRange: 'bytes=2-5',
      })
      const { CopyPartResult } = await store.client.send(copy)
      expect(CopyPartResult?.ETag).toBe(`"${md5(Buffer.from('2345')).toString('hex')}"`)
      await complete('from source', UploadId, [{ PartNumber: 1, ETag: CopyPartResult!.ETag! }])
      expect(await bucket.text('from source')).toBe('2345')
    })
  })
}

import {
  CreateBucketCommand,
  CreateMultipartUploadCommand,
  DeleteBucketCommand,
  DeleteObjectCommand,
  DeleteObjectsCommand,
  GetBucketLocationCommand,
  GetObjectCommand,
  HeadBucketCommand,
  ListBucketsCommand,
  ListMultipartUploadsCommand,
  ListObjectsV2Command,
  PutObjectCommand,
} from '@aws-sdk/client-s3'
import { describe, expect, it } from 'vitest'
import { type ObjectStore, refusal } from './object-store.ts'

export const describeBuckets = (store: ObjectStore): void => {
  describe('buckets', () => {
    const bucket = store.bucket('conformance-buckets')

    it('are found by HeadBucket once they are made', async () => {
      const answer = await store.client.send(new HeadBucketCommand({ Bucket: bucket.name }))
      expect(answer.$metadata.httpStatusCode).toBe(200)
      expect(answer.BucketRegion).toBe(store.subject.region)
    })

    it('are listed with the time they were made', async () => {
      const { Buckets, Owner } = await store.client.send(new ListBucketsCommand({}))
      const found = Buckets?.find(({ Name }) => Name === bucket.name)
      expect(found?.CreationDate).toBeInstanceOf(Date)
      expect(Owner?.ID).toBeDefined()
    })

    it('in us-east-1 have no location constraint', async () => {
      const answer = await store.client.send(new GetBucketLocationCommand({ Bucket: bucket.name }))
      expect(answer.LocationConstraint).toBeUndefined()
    })

    it('made again by their owner keep their objects', async () => {
      await bucket.put('kept', 'still here')
      // us-east-1 lets its owner, and every other region answers BucketAlreadyOwnedByYou; never is anything lost.
      const again = new CreateBucketCommand({ Bucket: bucket.name })
      await store.client.send(again).catch((error: unknown) => {
        expect(error).toMatchObject(refusal('BucketAlreadyOwnedByYou', 409))
      })
      expect(await bucket.text('kept')).toBe('still here')
    })

    it('that hold an object are not removed', async () => {
      const Bucket = 'conformance-not-empty'
      await store.client.send(new CreateBucketCommand({ Bucket }))
      await store.client.send(new PutObjectCommand({ Bucket, Key: 'a/b', Body: 'x' }))
      await expect(store.client.send(new DeleteBucketCommand({ Bucket }))).rejects.toMatchObject(
        refusal('BucketNotEmpty', 409),
      )
    })

    it('are removed when empty, are then not found, and may be made afresh', async () => {
      const Bucket = 'conformance-short-lived'
      await store.client.send(new CreateBucketCommand({ Bucket }))
      await store.client.send(new PutObjectCommand({ Bucket, Key: 'a/b', Body: 'x' }))
      await store.client.send(new DeleteObjectCommand({ Bucket, Key: 'a/b' }))
      const removed = await store.client.send(new DeleteBucketCommand({ Bucket }))
      expect(removed.$metadata.httpStatusCode).toBe(204)
      await expect(store.client.send(new HeadBucketCommand({ Bucket }))).rejects.toMatchObject(
        refusal('NotFound', 404),
      )
      await store.client.send(new CreateBucketCommand({ Bucket }))
      expect((await store.client.send(new ListObjectsV2Command({ Bucket }))).KeyCount).toBe(0)
    })

    it('must have a name that S3 allows', async () => {
      for (const Bucket of ['ab', 'Upper-case', 'under_score', '192.168.0.1', '-dash', 'x'.repeat(64)]) {
        await expect(store.client.send(new CreateBucketCommand({ Bucket })), Bucket).rejects.toMatchObject(
          refusal('InvalidBucketName', 400),
        )
      }
    })

    it('that are not there are NoSuchBucket to whatever is asked of them', async () => {
      const missing = { Bucket: 'conformance-nowhere', Key: 'x' }
      const answers = [
        store.client.send(new GetObjectCommand(missing)),
        store.client.send(new PutObjectCommand({ ...missing, Body: 'x' })),
        store.client.send(new DeleteObjectCommand(missing)),
        store.client.send(new DeleteObjectsCommand({ ...missing, Delete: { Objects: [{ Key: 'x' }] } })),
        store.client.send(new ListObjectsV2Command(missing)),
        store.client.send(new ListMultipartUploadsCommand(missing)),
        store.client.send(new CreateMultipartUploadCommand(missing)),
        store.client.send(new DeleteBucketCommand(missing)),
      ]
      for (const [n, answer] of (await Promise.allSettled(answers)).entries()) {
        expect(answer, `call ${n}`).toMatchObject({
          status: 'rejected',
          reason: refusal('NoSuchBucket', 404),
        })
      }
    })
  })
}

import { addAbortSignal, Readable } from 'node:stream'
import type { S3Client } from '@aws-sdk/client-s3'
import { loadPeer } from './optional-peer.ts'
import { canReadParquet, openParquet } from './parquet-file.ts'
import { type ResultStore, type StoredLocation, type StoredObject, UnreadableObject } from './result-store.ts'

/** What the store asks of an S3 client. */
export type S3Sender = Pick<S3Client, 'send'>

const loadCommands = () =>
  loadPeer('@aws-sdk/client-s3', 'Reading results from S3', () => import('@aws-sdk/client-s3'))

/**
 * Results in S3, read with a client of the AWS SDK: its credentials need `s3:GetObject` where Athena writes results, and
 * `s3:ListBucket` and `s3:DeleteObject` beneath `unloadLocation`.
 */
export const s3ResultStore = (client: S3Sender): ResultStore => ({
  openParquet,
  canReadParquet,

  async open({ bucket, key }, { start, end, etag }, signal) {
    const { GetObjectCommand } = await loadCommands()
    const isPart = start > 0 || end !== undefined
    const command = new GetObjectCommand({
      Bucket: bucket,
      Key: key,
      ...(isPart ? { Range: `bytes=${start}-${end === undefined ? '' : end - 1}` } : {}),
      ...(etag === undefined ? {} : { IfMatch: etag }),
    })
    try {
      const answer = await client.send(command, signal ? { abortSignal: signal } : {})
      const body = answer.Body
      if (!(body instanceof Readable)) {
        throw misread(new TypeError('the S3 client gives bodies that are no Node.js streams'))
      }
      if (isPart && !answer.ContentRange?.startsWith(`bytes ${start}-`)) {
        body.destroy()
        const answered = answer.ContentRange ?? 'all of it'
        throw misread(new Error(`S3 answers ${answered} where bytes from ${start} on were asked for`))
      }
      if (signal) addAbortSignal(signal, body)
      const whole = /\/(\d+)$/.exec(answer.ContentRange ?? '')?.[1] ?? answer.ContentLength ?? 0
      return { size: Number(whole), etag: answer.ETag ?? '', body }
    } catch (error) {
      if (signal?.aborted) throw signal.reason
      throw error instanceof UnreadableObject ? error : unreadable(error)
    }
  },

  async *list({ bucket, key }, signal) {
    const { ListObjectsV2Command } = await loadCommands()
    let token: string | undefined
    do {
      const command = new ListObjectsV2Command({
        Bucket: bucket,
        Prefix: key,
        ...(token === undefined ? {} : { ContinuationToken: token }),
      })
      const answer = await client.send(command, signal ? { abortSignal: signal } : {})
      for (const { Key, Size = 0, ETag = '' } of answer.Contents ?? []) {
        if (Key !== undefined) yield { bucket, key: Key, size: Size, etag: ETag } satisfies StoredObject
      }
      token = answer.NextContinuationToken
    } while (token !== undefined)
  },

  async delete(objects: readonly StoredLocation[], signal) {
    const { DeleteObjectsCommand } = await loadCommands()
    for (let start = 0; start < objects.length; start += 1000) {
      const some = objects.slice(start, start + 1000)
      const command = new DeleteObjectsCommand({
        Bucket: some[0]!.bucket,
        Delete: { Objects: some.map(({ key }) => ({ Key: key })), Quiet: true },
      })
      const { Errors: errors = [] } = await client.send(command, signal ? { abortSignal: signal } : {})
      const first = errors[0]
      if (first) throw new Error(`${first.Code}: ${first.Message} (s3://${some[0]!.bucket}/${first.Key})`)
    }
  },
})

/** The same call would be answered no better. */
const misread = (why: Error): UnreadableObject => new UnreadableObject('other', false, why)

const unreadable = (error: unknown): UnreadableObject => {
  const { name, $metadata: metadata } = (error ?? {}) as {
    name?: unknown
    $metadata?: { httpStatusCode?: number }
  }
  const status = metadata?.httpStatusCode
  if (status === 412 || status === 416) return new UnreadableObject('changed', false, error)
  if (status === 404 || status === 403 || name === 'NoSuchKey' || name === 'AccessDenied') {
    return new UnreadableObject('unavailable', false, error)
  }
  return new UnreadableObject('other', status === undefined || status === 429 || status >= 500, error)
}

import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { s3Client } from '../stack/plain-clients.js'

const {
  AbortMultipartUploadCommand,
  CompleteMultipartUploadCommand,
  CreateBucketCommand,
  CreateMultipartUploadCommand,
  DeleteObjectCommand,
  GetObjectCommand,
  ListMultipartUploadsCommand,
  ListObjectsV2Command,
  PutObjectCommand,
  S3Client,
  UploadPartCommand,
} = s3Client

export const bucket = 'kill'
const absent = 'absent'
const keysOfWriter = 25
const firstPartBytes = 5 * 1024 * 1024

const sha256 = (bytes) => createHash('sha256').update(bytes).digest('hex')

/** A client that asks once and never again by itself. */
export const openS3 = ({ aws }) =>
  new S3Client({
    endpoint: aws.endpoint,
    region: aws.region,
    credentials: { accessKeyId: aws.accessKeyId, secretAccessKey: aws.secretAccessKey },
    forcePathStyle: true,
    maxAttempts: 1,
  })

export const createBucket = (s3) => s3.send(new CreateBucketCommand({ Bucket: bucket }))

/** What every key must hold: the hash acknowledged last, or that of the write that was under way. */
export class ObjectLedger {
  /** `{ acknowledged, pending, etag }` by key; `absent` for no object. */
  objects = new Map()
  /** Uploads with an acknowledged part, to be completed after the kill. */
  openUploads = []
  acknowledgedCount = 0
  #bodies = 0

  body(random, byteCount) {
    const body = Buffer.alloc(byteCount, random.bytes(Math.min(byteCount, 997)))
    body.write(`${++this.#bodies}:`, 0)
    return body
  }

  object(key) {
    const found = this.objects.get(key) ?? { acknowledged: absent, pending: undefined }
    this.objects.set(key, found)
    return found
  }

  /** Runs a write that makes the key hold `hash`; when it fails, it may have happened or not. */
  async change(key, hash, write) {
    const fact = this.object(key)
    fact.pending = hash
    const answer = await write(fact)
    fact.acknowledged = hash
    fact.pending = undefined
    fact.etag = answer?.ETag
    this.acknowledgedCount++
  }
}

const uploadParts = async (s3, key, bodies) => {
  const hash = sha256(Buffer.concat(bodies))
  const create = new CreateMultipartUploadCommand({ Bucket: bucket, Key: key, Metadata: { sha256: hash } })
  const { UploadId } = await s3.send(create)
  const parts = []
  for (const [index, Body] of bodies.entries()) {
    const part = { Bucket: bucket, Key: key, UploadId, PartNumber: index + 1, Body }
    const { ETag } = await s3.send(new UploadPartCommand(part))
    parts.push({ ETag, PartNumber: index + 1 })
  }
  return { key, hash, UploadId, parts }
}

const complete = (s3, { key, UploadId, parts }) =>
  s3.send(
    new CompleteMultipartUploadCommand({
      Bucket: bucket,
      Key: key,
      UploadId,
      MultipartUpload: { Parts: parts },
    }),
  )

const put = (s3, key, body, conditions) => {
  const hash = sha256(body)
  const command = new PutObjectCommand({
    Bucket: bucket,
    Key: key,
    Body: body,
    Metadata: { sha256: hash },
    ...conditions,
  })
  return { hash, send: () => s3.send(command) }
}

/** Puts, conditional puts, multipart uploads and deletes on keys that only this writer writes. */
export const writeObjects = async (stack, round, random, name) => {
  const { objects: ledger, stopping } = round
  const s3 = openS3(stack)
  round.onEnd(() => s3.destroy())
  while (!stopping.aborted) {
    const number = random.below(keysOfWriter)
    const key = number % 5 === 0 ? `${name}/deep/${number}/Ünï A&b` : `${name}/k${number}`
    const fact = ledger.object(key)
    const kind = random.below(100)
    const body = ledger.body(random, 16 + random.below(kind < 5 ? 3_000_000 : 60_000))
    if (kind < 45) {
      const { hash, send } = put(s3, key, body)
      await ledger.change(key, hash, send)
      round.progress('put')
    } else if (kind < 65) {
      const isThere = fact.acknowledged !== absent
      const condition = isThere && fact.etag ? { IfMatch: fact.etag } : { IfNoneMatch: '*' }
      const { hash, send } = put(s3, key, body, condition)
      if (isThere && !fact.etag) await assert.rejects(send(), { name: 'PreconditionFailed' })
      else await ledger.change(key, hash, send)
      round.progress('conditional put')
    } else if (kind < 80) {
      const bodies = kind < 66 ? [Buffer.alloc(firstPartBytes, body), body] : [body]
      const upload = await uploadParts(s3, key, bodies)
      if (kind >= 78 && ledger.openUploads.length < 20) {
        ledger.openUploads.push(upload)
      } else {
        await ledger.change(key, upload.hash, () => complete(s3, upload))
        round.progress('multipart')
      }
    } else {
      const command = new DeleteObjectCommand({ Bucket: bucket, Key: key })
      await ledger.change(key, absent, () => s3.send(command))
      round.progress('delete')
    }
  }
}

const listAll = async (s3) => {
  const listed = new Map()
  for (let ContinuationToken; ; ) {
    const page = await s3.send(new ListObjectsV2Command({ Bucket: bucket, ContinuationToken }))
    for (const { Key, Size, ETag } of page.Contents ?? []) listed.set(Key, { Size, ETag })
    if (!page.IsTruncated) return listed
    ContinuationToken = page.NextContinuationToken
  }
}

/** The hash of what is read, which must be the one its metadata tells and as long as the listing says. */
const readWhole = async (s3, key, listed) => {
  const answer = await s3.send(new GetObjectCommand({ Bucket: bucket, Key: key }))
  const body = Buffer.from(await answer.Body.transformToByteArray())
  const hash = sha256(body)
  assert.equal(answer.Metadata.sha256, hash, `${key}: content and metadata are of two writes`)
  assert.equal(answer.ContentLength, body.length)
  assert.deepEqual(
    listed,
    { Size: body.length, ETag: answer.ETag },
    `${key}: the listing tells another version`,
  )
  return hash
}

/** Throws unless every object is whole and one the ledger allows; settles what was under way. */
export const verifyObjects = async (stack, ledger) => {
  const s3 = openS3(stack)
  try {
    const listed = await listAll(s3)
    for (const key of listed.keys()) assert.ok(ledger.objects.has(key), `${key} was never written`)
    for (const [key, fact] of ledger.objects) {
      const found = listed.has(key) ? await readWhole(s3, key, listed.get(key)) : absent
      const isAllowed = found === fact.acknowledged || (fact.pending !== undefined && found === fact.pending)
      assert.ok(isAllowed, `LOST: ${key} holds ${found}, acknowledged was ${fact.acknowledged}`)
      fact.acknowledged = found
      fact.pending = undefined
      fact.etag = listed.get(key)?.ETag
    }
    return { objects: listed.size }
  } finally {
    s3.destroy()
  }
}

/** Uploads whose parts were acknowledged before a kill complete after it; the others can be aborted. */
export const settleUploads = async (stack, ledger) => {
  const s3 = openS3(stack)
  try {
    let completed = 0
    for (const upload of ledger.openUploads.splice(0)) {
      await ledger.change(upload.key, upload.hash, () => complete(s3, upload))
      completed++
    }
    const { Uploads = [] } = await s3.send(new ListMultipartUploadsCommand({ Bucket: bucket }))
    for (const { Key, UploadId } of Uploads) {
      await s3.send(new AbortMultipartUploadCommand({ Bucket: bucket, Key, UploadId }))
    }
    return completed
  } finally {
    s3.destroy()
  }
}

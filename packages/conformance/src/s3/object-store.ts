import {
  CreateBucketCommand,
  GetObjectCommand,
  type GetObjectCommandInput,
  HeadObjectCommand,
  type HeadObjectCommandInput,
  PutObjectCommand,
  type PutObjectCommandInput,
  S3Client,
  type S3ClientConfig,
} from '@aws-sdk/client-s3'
import { beforeAll } from 'vitest'

/** An S3 service under test. */
export interface ObjectStoreSubject {
  readonly endpoint: string
  readonly region: string
  readonly accessKeyId: string
  readonly secretAccessKey: string
  /** An object is a file of its key's name, so that keys which no file can have are refused or changed. Default false. */
  readonly keysAreFilePaths?: boolean
}

/** The service under test, open between the first case and the last, and the unmodified client that speaks to it. */
export class ObjectStore {
  readonly #start: () => Promise<ObjectStoreSubject & AsyncDisposable>
  #subject: (ObjectStoreSubject & AsyncDisposable) | undefined
  #client: S3Client | undefined

  constructor(start: () => Promise<ObjectStoreSubject & AsyncDisposable>) {
    this.#start = start
  }

  async open(): Promise<void> {
    this.#subject = await this.#start()
    this.#client = this.clientWith({})
  }

  async close(): Promise<void> {
    this.#client?.destroy()
    await this.#subject?.[Symbol.asyncDispose]()
  }

  get subject(): ObjectStoreSubject {
    if (!this.#subject) throw new Error('The service under test has not started.')
    return this.#subject
  }

  get client(): S3Client {
    if (!this.#client) throw new Error('The service under test has not started.')
    return this.#client
  }

  /** A client of its own settings. It never tries again: what a case sees is the first answer. */
  clientWith(config: S3ClientConfig): S3Client {
    const { endpoint, region, accessKeyId, secretAccessKey } = this.subject
    return new S3Client({
      endpoint,
      region,
      credentials: { accessKeyId, secretAccessKey },
      forcePathStyle: true,
      maxAttempts: 1,
      ...config,
    })
  }

  /** A bucket for the cases of one concept, there before the first of them. */
  bucket(name: string): TestBucket {
    const bucket = new TestBucket(this, name)
    beforeAll(async () => {
      await this.client.send(new CreateBucketCommand({ Bucket: name }))
    })
    return bucket
  }
}

/** A bucket and the calls that nearly every case makes. */
export class TestBucket {
  readonly store: ObjectStore
  readonly name: string

  constructor(store: ObjectStore, name: string) {
    this.store = store
    this.name = name
  }

  get client(): S3Client {
    return this.store.client
  }

  put(
    Key: string,
    Body: NonNullable<PutObjectCommandInput['Body']>,
    more: Partial<PutObjectCommandInput> = {},
  ) {
    return this.client.send(new PutObjectCommand({ Bucket: this.name, Key, Body, ...more }))
  }

  get(Key: string, more: Partial<GetObjectCommandInput> = {}) {
    return this.client.send(new GetObjectCommand({ Bucket: this.name, Key, ...more }))
  }

  head(Key: string, more: Partial<HeadObjectCommandInput> = {}) {
    return this.client.send(new HeadObjectCommand({ Bucket: this.name, Key, ...more }))
  }

  async text(Key: string, more: Partial<GetObjectCommandInput> = {}): Promise<string> {
    return (await this.get(Key, more)).Body!.transformToString()
  }

  async bytes(Key: string, more: Partial<GetObjectCommandInput> = {}): Promise<Buffer> {
    return Buffer.from(await (await this.get(Key, more)).Body!.transformToByteArray())
  }
}

/** What a refused call looks like to a user of the client. */
export const refusal = (name: string, httpStatusCode: number) => ({ name, $metadata: { httpStatusCode } })

/** Which of the calls, all under way at once, did what they were asked, and how the others were refused. */
export const winnersOf = async (calls: readonly Promise<unknown>[]) => {
  const outcomes = await Promise.allSettled(calls)
  return {
    winners: outcomes.flatMap((outcome, n) => (outcome.status === 'fulfilled' ? [n] : [])),
    refusals: outcomes.flatMap((outcome) => (outcome.status === 'rejected' ? [outcome.reason] : [])),
  }
}

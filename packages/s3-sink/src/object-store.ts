import {
  AbortMultipartUploadCommand,
  CompleteMultipartUploadCommand,
  CreateMultipartUploadCommand,
  DeleteObjectCommand,
  GetBucketLifecycleConfigurationCommand,
  GetObjectCommand,
  HeadObjectCommand,
  PutObjectCommand,
  type S3Client,
  UploadPartCommand,
} from '@aws-sdk/client-s3'
import {
  type CallOptions,
  ConfigurationError,
  freeMemory,
  type ObjectMetadata,
  type ObjectSummary,
  type Runtime,
  systemRuntime,
  type UploadedPart,
  type UploadSummary,
} from '@stockpipe/core'
import { type ObjectFields, type ObjectSettings, objectFields } from './object-settings.ts'
import { isNotFound, isPreconditionFailed, statusOf } from './object-store-failure.ts'
import { callMillis, given, middlewareStackOf, S3Calls } from './s3-call.ts'
import { lifecycleRule } from './s3-lifecycle-rule.ts'
import { type BucketFields, type ListOptions, S3Listings } from './s3-listings.ts'
import { signingTimeGuard } from './signing-time-guard.ts'
import type {
  LifecycleRule,
  PutIfAbsentOptions,
  SinkObjectStore,
  UploadPartOptions,
} from './sink-object-store.ts'

const partMillis = 120_000
/** A put gets a second more for each MiB. */
const slowestBytesPerMilli = 1024
/** Completing may run for minutes. */
const completeMillis = 300_000

export interface S3ObjectStoreOptions extends ObjectSettings {
  /**
   * Any client of AWS SDK v3, with the credentials, region, endpoint and proxies it was made with; its own retries do
   * not apply here: every call is made once.
   */
  readonly client: S3Client
  readonly bucket: string
  readonly runtime?: Runtime
}

/**
 * The object store over one bucket of S3. Throws a `ConfigurationError` for a directory bucket and for settings that
 * do not fit together.
 */
export const createS3ObjectStore = (options: S3ObjectStoreOptions): SinkObjectStore => {
  if (options.bucket.endsWith('--x-s3')) {
    throw new ConfigurationError({
      code: 'DIRECTORY_BUCKET',
      message: `${options.bucket} is a directory bucket: it lists keys in no order, so no journal can be kept there. Use a general purpose bucket.`,
      facts: { bucket: options.bucket },
    })
  }
  return new S3ObjectStore(options)
}

class S3ObjectStore implements SinkObjectStore {
  readonly #client: S3Client
  readonly #bucket: string
  readonly #runtime: Runtime
  readonly #calls: S3Calls
  readonly #listings: S3Listings
  readonly #fields: ObjectFields

  constructor(options: S3ObjectStoreOptions) {
    this.#client = options.client
    this.#bucket = options.bucket
    this.#runtime = options.runtime ?? systemRuntime
    this.#calls = new S3Calls(options.bucket, this.#runtime)
    this.#fields = objectFields(options)
    this.#listings = new S3Listings(this.#client, this.#at, this.#calls)
  }

  async putIfAbsent(
    key: string,
    body: Uint8Array,
    options: PutIfAbsentOptions = {},
  ): Promise<'created' | 'exists'> {
    const command = new PutObjectCommand({
      ...this.#at,
      Key: key,
      Body: body,
      IfNoneMatch: '*',
      ...(options.dataFile ? this.#fields.upload : this.#fields.put),
      ContentType: options.contentType,
      Metadata: options.metadata,
    })
    if (options.signedBefore !== undefined) {
      middlewareStackOf(command).addRelativeTo(signingTimeGuard(this.#runtime, key, options.signedBefore), {
        name: 'stockpipeSigningTimeGuard',
        relation: 'after',
        toMiddleware: 'httpSigningMiddleware',
      })
    }
    const millis = callMillis + body.length / slowestBytesPerMilli
    const call = { operation: 'PutObject', key, millis, signal: options.signal }
    return this.#calls.make(
      call,
      command,
      async (send) => {
        await this.#client.send(command, send)
        return 'created' as const
      },
      { isAnswer: isPreconditionFailed, answer: 'exists' as const },
    )
  }

  async createUpload(
    key: string,
    options: CallOptions & { readonly metadata?: ObjectMetadata; readonly contentType?: string } = {},
  ): Promise<{ readonly uploadId: string }> {
    const command = new CreateMultipartUploadCommand({
      ...this.#at,
      Key: key,
      ContentType: options.contentType,
      Metadata: options.metadata,
      ...this.#fields.upload,
    })
    const call = { operation: 'CreateMultipartUpload', key, millis: callMillis, signal: options.signal }
    return this.#calls.make(call, command, async (send) => ({
      uploadId: given((await this.#client.send(command, send)).UploadId, 'UploadId'),
    }))
  }

  async uploadPart(
    key: string,
    uploadId: string,
    partNumber: number,
    body: Uint8Array,
    options: UploadPartOptions = {},
  ): Promise<{ readonly etag: string }> {
    const command = new UploadPartCommand({
      ...this.#at,
      Key: key,
      UploadId: uploadId,
      PartNumber: partNumber,
      Body: body,
    })
    const call = { operation: 'UploadPart', key, millis: partMillis, signal: options.signal }
    const part = await this.#calls.make(call, command, async (send) => ({
      etag: given((await this.#client.send(command, send)).ETag, 'ETag'),
    }))
    if (options.bodyIsGiven) freeMemory(body)
    return part
  }

  async completeUpload(
    key: string,
    uploadId: string,
    parts: readonly { readonly partNumber: number; readonly etag: string }[],
    options: CallOptions = {},
  ): Promise<'completed' | 'gone'> {
    const command = new CompleteMultipartUploadCommand({
      ...this.#at,
      Key: key,
      UploadId: uploadId,
      MultipartUpload: {
        Parts: parts.map(({ partNumber, etag }) => ({ PartNumber: partNumber, ETag: etag })),
      },
    })
    const call = { operation: 'CompleteMultipartUpload', key, millis: completeMillis, signal: options.signal }
    return this.#calls.make(
      call,
      command,
      async (send) => {
        // The SDK throws the error that a 200 may carry in its body; an answer without an ETag is no answer either.
        given((await this.#client.send(command, send)).ETag, 'ETag')
        return 'completed' as const
      },
      { isAnswer: isNotFound, answer: 'gone' as const },
    )
  }

  async abortUpload(key: string, uploadId: string, options: CallOptions = {}): Promise<void> {
    const command = new AbortMultipartUploadCommand({ ...this.#at, Key: key, UploadId: uploadId })
    const call = { operation: 'AbortMultipartUpload', key, millis: callMillis, signal: options.signal }
    await this.#calls.make(
      call,
      command,
      async (send) => {
        await this.#client.send(command, send)
      },
      { isAnswer: isNotFound, answer: undefined },
    )
  }

  listParts(key: string, uploadId: string, options: CallOptions = {}): Promise<readonly UploadedPart[]> {
    return this.#listings.parts(key, uploadId, options)
  }

  listUploads(prefix: string, options: CallOptions = {}): AsyncIterable<UploadSummary> {
    return this.#listings.uploads(prefix, options)
  }

  list(prefix: string, options: ListOptions = {}): AsyncIterable<ObjectSummary> {
    return this.#listings.objects(prefix, options)
  }

  async get(
    key: string,
    options: CallOptions & { readonly lastBytes?: number } = {},
  ): Promise<Uint8Array | undefined> {
    const command = new GetObjectCommand({
      ...this.#at,
      Key: key,
      Range: options.lastBytes === undefined ? undefined : `bytes=-${options.lastBytes}`,
    })
    const call = { operation: 'GetObject', key, millis: partMillis, signal: options.signal }
    return this.#calls.make<Uint8Array | undefined>(
      call,
      command,
      async (send) => {
        const { Body } = await this.#client.send(command, send)
        return given(Body, 'Body').transformToByteArray()
      },
      { isAnswer: isNotFound, answer: undefined },
      // An empty object has no range.
      { isAnswer: (error) => statusOf(error) === 416, answer: new Uint8Array() },
    )
  }

  async head(
    key: string,
    options: CallOptions = {},
  ): Promise<{ size: number; etag: string; metadata: ObjectMetadata } | undefined> {
    const command = new HeadObjectCommand({ ...this.#at, Key: key })
    const call = { operation: 'HeadObject', key, millis: callMillis, signal: options.signal }
    return this.#calls.make(
      call,
      command,
      async (send) => {
        const answer = await this.#client.send(command, send)
        return { size: answer.ContentLength ?? 0, etag: answer.ETag ?? '', metadata: answer.Metadata ?? {} }
      },
      { isAnswer: isNotFound, answer: undefined },
    )
  }

  async delete(key: string, options: CallOptions = {}): Promise<void> {
    const command = new DeleteObjectCommand({ ...this.#at, Key: key })
    const call = { operation: 'DeleteObject', key, millis: callMillis, signal: options.signal }
    await this.#calls.make(call, command, (send) => this.#client.send(command, send))
  }

  /** What every command says of the bucket. */
  get #at(): BucketFields {
    return { Bucket: this.#bucket, ...this.#fields.owner }
  }

  async lifecycleRules(options: CallOptions = {}): Promise<readonly LifecycleRule[]> {
    const command = new GetBucketLifecycleConfigurationCommand({ ...this.#at })
    const call = {
      operation: 'GetBucketLifecycleConfiguration',
      key: '',
      millis: callMillis,
      signal: options.signal,
    }
    return this.#calls.make(
      call,
      command,
      async (send) => {
        const { Rules = [] } = await this.#client.send(command, send)
        return Rules.filter(({ Status }) => Status === 'Enabled').map(lifecycleRule)
      },
      { isAnswer: isNotFound, answer: [] },
    )
  }
}

import {
  AbortMultipartUploadCommand,
  CompleteMultipartUploadCommand,
  CreateMultipartUploadCommand,
  DeleteObjectCommand,
  GetBucketLifecycleConfigurationCommand,
  GetObjectCommand,
  HeadObjectCommand,
  ListMultipartUploadsCommand,
  ListObjectsV2Command,
  ListPartsCommand,
  PutObjectCommand,
  type S3Client,
  type LifecycleRule as S3LifecycleRule,
  UploadPartCommand,
} from '@aws-sdk/client-s3'
import {
  type CallOptions,
  ConfigurationError,
  type ObjectMetadata,
  type ObjectSummary,
  type Runtime,
  systemRuntime,
  type UploadedPart,
  type UploadSummary,
} from '@stockpipe/core'
import { abortWith } from './call-signal.ts'
import { type ObjectFields, type ObjectSettings, objectFields } from './object-settings.ts'
import { isNotFound, isPreconditionFailed, objectStoreFailure, statusOf } from './object-store-failure.ts'
import { signingTimeGuard } from './signing-time-guard.ts'
import type { LifecycleRule, PutIfAbsentOptions, SinkObjectStore } from './sink-object-store.ts'

const callMillis = 30_000
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

/** Where a command takes middleware; the SDK's own type needs its five type parameters. */
interface CommandStack {
  add(middleware: unknown, options: object): void
  addRelativeTo(middleware: unknown, options: object): void
}

interface Call {
  readonly operation: string
  readonly key: string
  readonly millis: number
  readonly signal: AbortSignal | undefined
}

const passThrough =
  <Input, Output>(next: (input: Input) => Promise<Output>) =>
  (input: Input): Promise<Output> =>
    next(input)

class S3ObjectStore implements SinkObjectStore {
  readonly #client: S3Client
  readonly #bucket: string
  readonly #runtime: Runtime
  readonly #fields: ObjectFields

  constructor(options: S3ObjectStoreOptions) {
    this.#client = options.client
    this.#bucket = options.bucket
    this.#runtime = options.runtime ?? systemRuntime
    this.#fields = objectFields(options)
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
      stackOf(command).addRelativeTo(signingTimeGuard(this.#runtime, key, options.signedBefore), {
        name: 'stockpipeSigningTimeGuard',
        relation: 'after',
        toMiddleware: 'httpSigningMiddleware',
      })
    }
    const millis = callMillis + body.length / slowestBytesPerMilli
    const call = this.#call('PutObject', key, millis, options.signal)
    return this.#once(call, command, async (send) => {
      await this.#client.send(command, send)
      return 'created' as const
    }).catch(answerWhen(isPreconditionFailed, 'exists' as const, call, this.#bucket))
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
    const call = this.#call('CreateMultipartUpload', key, callMillis, options.signal)
    return this.#settled(call, command, async (send) => ({
      uploadId: given((await this.#client.send(command, send)).UploadId, 'UploadId'),
    }))
  }

  async uploadPart(
    key: string,
    uploadId: string,
    partNumber: number,
    body: Uint8Array,
    options: CallOptions = {},
  ): Promise<{ readonly etag: string }> {
    const command = new UploadPartCommand({
      ...this.#at,
      Key: key,
      UploadId: uploadId,
      PartNumber: partNumber,
      Body: body,
    })
    const call = this.#call('UploadPart', key, partMillis, options.signal)
    return this.#settled(call, command, async (send) => ({
      etag: given((await this.#client.send(command, send)).ETag, 'ETag'),
    }))
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
    const call = this.#call('CompleteMultipartUpload', key, completeMillis, options.signal)
    return this.#once(call, command, async (send) => {
      // The SDK throws the error that a 200 may carry in its body; an answer without an ETag is no answer either.
      given((await this.#client.send(command, send)).ETag, 'ETag')
      return 'completed' as const
    }).catch(answerWhen(isNotFound, 'gone' as const, call, this.#bucket))
  }

  async abortUpload(key: string, uploadId: string, options: CallOptions = {}): Promise<void> {
    const command = new AbortMultipartUploadCommand({ ...this.#at, Key: key, UploadId: uploadId })
    const call = this.#call('AbortMultipartUpload', key, callMillis, options.signal)
    await this.#once(call, command, async (send) => {
      await this.#client.send(command, send)
    }).catch(answerWhen(isNotFound, undefined, call, this.#bucket))
  }

  async listParts(
    key: string,
    uploadId: string,
    options: CallOptions = {},
  ): Promise<readonly UploadedPart[]> {
    const parts: UploadedPart[] = []
    let marker: string | undefined
    do {
      const command = new ListPartsCommand({
        ...this.#at,
        Key: key,
        UploadId: uploadId,
        PartNumberMarker: marker,
      })
      const call = this.#call('ListParts', key, callMillis, options.signal)
      const page = await this.#settled(call, command, (send) => this.#client.send(command, send))
      for (const part of page.Parts ?? []) {
        parts.push({ partNumber: part.PartNumber ?? 0, etag: part.ETag ?? '', size: part.Size ?? 0 })
      }
      marker = page.IsTruncated ? page.NextPartNumberMarker : undefined
    } while (marker !== undefined)
    return parts
  }

  async *listUploads(prefix: string, options: CallOptions = {}): AsyncGenerator<UploadSummary> {
    let marker: { key: string | undefined; upload: string | undefined } | undefined
    do {
      const command = new ListMultipartUploadsCommand({
        ...this.#at,
        Prefix: prefix,
        KeyMarker: marker?.key,
        UploadIdMarker: marker?.upload,
      })
      const call = this.#call('ListMultipartUploads', prefix, callMillis, options.signal)
      const page = await this.#settled(call, command, (send) => this.#client.send(command, send))
      for (const upload of page.Uploads ?? []) {
        yield {
          key: given(upload.Key, 'Key'),
          uploadId: given(upload.UploadId, 'UploadId'),
          initiated: upload.Initiated?.getTime() ?? 0,
        }
      }
      marker = page.IsTruncated ? { key: page.NextKeyMarker, upload: page.NextUploadIdMarker } : undefined
    } while (marker !== undefined)
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
    const call = this.#call('GetObject', key, partMillis, options.signal)
    return this.#once(call, command, async (send) => {
      const { Body } = await this.#client.send(command, send)
      return given(Body, 'Body').transformToByteArray()
    }).catch((error: unknown) => {
      // An empty object has no range.
      if (statusOf(error) === 416) return new Uint8Array()
      return answerWhen(isNotFound, undefined, call, this.#bucket)(error)
    })
  }

  async head(
    key: string,
    options: CallOptions = {},
  ): Promise<{ size: number; etag: string; metadata: ObjectMetadata } | undefined> {
    const command = new HeadObjectCommand({ ...this.#at, Key: key })
    const call = this.#call('HeadObject', key, callMillis, options.signal)
    return this.#once(call, command, async (send) => {
      const answer = await this.#client.send(command, send)
      return { size: answer.ContentLength ?? 0, etag: answer.ETag ?? '', metadata: answer.Metadata ?? {} }
    }).catch(answerWhen(isNotFound, undefined, call, this.#bucket))
  }

  async *list(
    prefix: string,
    options: CallOptions & { readonly startAfter?: string; readonly limit?: number } = {},
  ): AsyncGenerator<ObjectSummary> {
    let left = options.limit ?? Number.POSITIVE_INFINITY
    let token: string | undefined
    do {
      const command = new ListObjectsV2Command({
        ...this.#at,
        Prefix: prefix,
        StartAfter: options.startAfter,
        ContinuationToken: token,
        MaxKeys: Math.min(1000, left),
      })
      const call = this.#call('ListObjectsV2', prefix, callMillis, options.signal)
      const page = await this.#settled(call, command, (send) => this.#client.send(command, send))
      for (const object of page.Contents ?? []) {
        yield { key: given(object.Key, 'Key'), size: object.Size ?? 0, etag: object.ETag ?? '' }
        left -= 1
      }
      token = page.IsTruncated && left > 0 ? page.NextContinuationToken : undefined
    } while (token !== undefined)
  }

  async delete(key: string, options: CallOptions = {}): Promise<void> {
    const command = new DeleteObjectCommand({ ...this.#at, Key: key })
    const call = this.#call('DeleteObject', key, callMillis, options.signal)
    await this.#settled(call, command, (send) => this.#client.send(command, send))
  }

  /** What every command says of the bucket. */
  get #at(): { readonly Bucket: string; readonly ExpectedBucketOwner?: string } {
    return { Bucket: this.#bucket, ...this.#fields.owner }
  }

  async lifecycleRules(options: CallOptions = {}): Promise<readonly LifecycleRule[]> {
    const command = new GetBucketLifecycleConfigurationCommand({ ...this.#at })
    const call = this.#call('GetBucketLifecycleConfiguration', '', callMillis, options.signal)
    return this.#once(call, command, async (send) => {
      const { Rules = [] } = await this.#client.send(command, send)
      return Rules.filter(({ Status }) => Status === 'Enabled').map(lifecycleRule)
    }).catch(answerWhen(isNotFound, [], call, this.#bucket))
  }

  #call(operation: string, key: string, millis: number, signal: AbortSignal | undefined): Call {
    return { operation, key, millis, signal }
  }

  #settled<T>(call: Call, command: object, run: Run<T>): Promise<T> {
    return this.#once(call, command, run).catch((error: unknown) => {
      throw failureOf(error, call, this.#bucket)
    })
  }

  /** Sends a command without the SDK's own repeats, within the call's time. Throws what the SDK throws. */
  async #once<T>(call: Call, command: object, run: Run<T>): Promise<T> {
    call.signal?.throwIfAborted()
    stackOf(command).add(passThrough, {
      name: 'retryMiddleware',
      step: 'finalizeRequest',
      priority: 'high',
      override: true,
    })
    const late = new AbortController()
    const timer = this.#runtime.setTimer(() => late.abort(), call.millis)
    const unfollow = call.signal && abortWith(call.signal, late)
    try {
      return await run({ abortSignal: late.signal })
    } finally {
      timer.cancel()
      unfollow?.()
    }
  }
}

const archiveClasses = new Set<string | undefined>(['GLACIER', 'DEEP_ARCHIVE'])

const lifecycleRule = (rule: S3LifecycleRule): LifecycleRule => {
  const { Filter, Expiration, Transitions = [], AbortIncompleteMultipartUpload: aborted } = rule
  const { And } = Filter ?? {}
  return {
    id: rule.ID ?? '',
    prefix: And?.Prefix ?? Filter?.Prefix ?? rule.Prefix ?? '',
    filtered: [Filter?.Tag, Filter?.ObjectSizeGreaterThan, Filter?.ObjectSizeLessThan, And].some(
      (part) => part !== undefined,
    ),
    expires: Expiration?.Days !== undefined || Expiration?.Date !== undefined,
    archives: Transitions.some(({ StorageClass }) => archiveClasses.has(StorageClass)),
    abortsUploadsAfterDays: aborted?.DaysAfterInitiation,
  }
}

type Run<T> = (send: { readonly abortSignal: AbortSignal }) => Promise<T>

const stackOf = (command: object): CommandStack =>
  (command as { middlewareStack: CommandStack }).middlewareStack

const failureOf = (error: unknown, call: Call, bucket: string): unknown =>
  call.signal?.aborted ? call.signal.reason : objectStoreFailure(error, { ...call, bucket })

/** An error that is an answer becomes it; every other is classified and thrown. */
const answerWhen =
  <T>(isAnswer: (error: unknown) => boolean, answer: T, call: Call, bucket: string) =>
  (error: unknown): T => {
    if (isAnswer(error)) return answer
    throw failureOf(error, call, bucket)
  }

const given = <T>(value: T | undefined, name: string): T => {
  if (value === undefined) throw new Error(`the answer has no ${name}`)
  return value
}

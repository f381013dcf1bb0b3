import { createHash } from 'node:crypto'
import type { CallOptions, ObjectMetadata, ObjectSummary, UploadedPart, UploadSummary } from '@stockpipe/core'
import { ObjectStoreError } from '../../src/errors.ts'
import type { PutIfAbsentOptions, SinkObjectStore } from '../../src/sink-object-store.ts'

type Operation = Exclude<keyof SinkObjectStore, symbol>

export interface StoreCall {
  readonly operation: Operation
  readonly key: string
  /** From 1, over all calls. */
  readonly number: number
  /** As `putIfAbsent` was told: later than this it must not be signed. */
  readonly signedBefore?: number | undefined
}

/** Comes between a call and its effect: `apply` lets it take effect, now or ever. */
export type Interceptor = (call: StoreCall, apply: () => unknown) => unknown

interface StoredObject {
  readonly bytes: Uint8Array
  readonly etag: string
  readonly metadata: ObjectMetadata
  readonly contentType: string | undefined
  /** The upload it was made by. */
  readonly uploadId?: string
}

interface Upload {
  readonly key: string
  readonly initiated: number
  readonly metadata: ObjectMetadata
  readonly contentType: string | undefined
  readonly parts: Map<number, { bytes: Uint8Array; etag: string }>
}

export const unknownOutcome = (status = 503): ObjectStoreError =>
  new ObjectStoreError({
    code: 'OBJECT_STORE_UNKNOWN',
    message: `no certain answer (${status})`,
    outcome: 'unknown',
    retryable: true,
    status,
  })

export const refusal = (status: number, retryable = false): ObjectStoreError =>
  new ObjectStoreError({
    code: 'OBJECT_STORE_REFUSED',
    message: `refused (${status})`,
    outcome: 'refused',
    retryable,
    status,
  })

export interface BucketOptions {
  /** Bytes of every part but the last. S3 wants 5 MiB; default 0, for tests of small groups. */
  readonly leastPartBytes?: number
  /** Completing a completed upload again is answered like the first time while its object is there, as S3 may. */
  readonly completesAgain?: boolean
  /** Milliseconds since the epoch; default 0. */
  readonly now?: () => number
}

/** What one bucket holds; shared by all who have a handle to it. */
export class MemoryBucket {
  readonly objects = new Map<string, StoredObject>()
  readonly uploads = new Map<string, Upload>()
  uploadsMade = 0
  /** Part numbers sent twice to one upload: never allowed to the sink. */
  readonly partsSentTwice: string[] = []

  readonly options: BucketOptions

  constructor(options: BucketOptions = {}) {
    this.options = options
  }

  text(key: string): string | undefined {
    const object = this.objects.get(key)
    return object && new TextDecoder().decode(object.bytes)
  }

  keys(part = ''): string[] {
    return [...this.objects.keys()].filter((key) => key.includes(part)).sort()
  }
}

const byBytes = (a: string, b: string): number => Buffer.compare(Buffer.from(a), Buffer.from(b))

const etagOf = (bytes: Uint8Array): string => `"${createHash('md5').update(bytes).digest('hex')}"`

/** An object store in memory that evaluates conditions as S3 does, and fails as it is told. */
export class MemoryObjectStore implements SinkObjectStore {
  readonly bucket: MemoryBucket
  readonly calls: StoreCall[] = []
  readonly #partsSent = new Set<string>()
  intercept: Interceptor = (_, apply) => apply()

  constructor(bucket = new MemoryBucket()) {
    this.bucket = bucket
  }

  count(operation: Operation, part = ''): number {
    return this.calls.filter((call) => call.operation === operation && call.key.includes(part)).length
  }

  putIfAbsent(
    key: string,
    body: Uint8Array,
    options: PutIfAbsentOptions = {},
  ): Promise<'created' | 'exists'> {
    return this.#call('putIfAbsent', key, options, () => {
      if (this.bucket.objects.has(key)) return 'exists'
      const { contentType, metadata = {} } = options
      this.bucket.objects.set(key, { bytes: body.slice(), etag: etagOf(body), metadata, contentType })
      return 'created'
    })
  }

  createUpload(
    key: string,
    options: CallOptions & { readonly metadata?: ObjectMetadata; readonly contentType?: string } = {},
  ): Promise<{ uploadId: string }> {
    return this.#call('createUpload', key, options, () => {
      this.bucket.uploadsMade += 1
      const uploadId = `upload-${this.bucket.uploadsMade}`
      const { metadata = {}, contentType } = options
      const initiated = this.bucket.options.now?.() ?? 0
      this.bucket.uploads.set(uploadId, { key, initiated, metadata, contentType, parts: new Map() })
      return { uploadId }
    })
  }

  uploadPart(
    key: string,
    uploadId: string,
    partNumber: number,
    body: Uint8Array,
    options: CallOptions = {},
  ): Promise<{ etag: string }> {
    const part = `${key} ${uploadId} ${partNumber}`
    if (this.#partsSent.has(part)) this.bucket.partsSentTwice.push(`${key} ${partNumber}`)
    if (!options.signal?.aborted) this.#partsSent.add(part)
    const bytes = body.slice()
    return this.#call('uploadPart', part, options, () => {
      const upload = this.bucket.uploads.get(uploadId)
      if (upload?.key !== key) throw refusal(404)
      if (partNumber < 1 || partNumber > 10_000) throw refusal(400)
      const etag = etagOf(bytes)
      upload.parts.set(partNumber, { bytes, etag })
      return { etag }
    })
  }

  completeUpload(
    key: string,
    uploadId: string,
    parts: readonly { readonly partNumber: number; readonly etag: string }[],
    options: CallOptions = {},
  ): Promise<'completed' | 'gone'> {
    return this.#call('completeUpload', key, options, () => {
      const upload = this.bucket.uploads.get(uploadId)
      if (upload?.key !== key) {
        const again =
          this.bucket.options.completesAgain && this.bucket.objects.get(key)?.uploadId === uploadId
        return again ? 'completed' : 'gone'
      }
      const { leastPartBytes = 0 } = this.bucket.options
      const sent = parts.map(({ partNumber, etag }, n) => {
        const part = upload.parts.get(partNumber)
        if (part?.etag !== etag || partNumber <= (parts[n - 1]?.partNumber ?? 0)) throw refusal(400)
        if (n < parts.length - 1 && part.bytes.length < leastPartBytes) throw refusal(400)
        return part.bytes
      })
      if (sent.length === 0) throw refusal(400)
      const bytes = new Uint8Array(Buffer.concat(sent))
      const { metadata, contentType } = upload
      this.bucket.objects.set(key, { bytes, etag: etagOf(bytes), metadata, contentType, uploadId })
      this.bucket.uploads.delete(uploadId)
      return 'completed'
    })
  }

  abortUpload(key: string, uploadId: string, options: CallOptions = {}): Promise<void> {
    return this.#call('abortUpload', key, options, () => {
      if (this.bucket.uploads.get(uploadId)?.key === key) this.bucket.uploads.delete(uploadId)
    })
  }

  listParts(key: string, uploadId: string, options: CallOptions = {}): Promise<UploadedPart[]> {
    return this.#call('listParts', key, options, () => {
      const upload = this.bucket.uploads.get(uploadId)
      if (upload?.key !== key) throw refusal(404)
      return [...upload.parts]
        .map(([partNumber, { bytes, etag }]) => ({ partNumber, etag, size: bytes.length }))
        .sort((a, b) => a.partNumber - b.partNumber)
    })
  }

  async *listUploads(prefix: string, options: CallOptions = {}): AsyncGenerator<UploadSummary> {
    yield* await this.#call('listUploads', prefix, options, () =>
      [...this.bucket.uploads]
        .filter(([, { key }]) => key.startsWith(prefix))
        .map(([uploadId, { key, initiated }]) => ({ key, uploadId, initiated }))
        .sort((a, b) => byBytes(a.key, b.key)),
    )
  }

  get(key: string, options: CallOptions = {}): Promise<Uint8Array | undefined> {
    return this.#call('get', key, options, () => this.bucket.objects.get(key)?.bytes.slice())
  }

  head(key: string, options: CallOptions = {}) {
    return this.#call('head', key, options, () => {
      const object = this.bucket.objects.get(key)
      return object && { size: object.bytes.length, etag: object.etag, metadata: object.metadata }
    })
  }

  async *list(
    prefix: string,
    options: CallOptions & { readonly startAfter?: string; readonly limit?: number } = {},
  ): AsyncGenerator<ObjectSummary> {
    yield* await this.#call('list', prefix, options, () =>
      [...this.bucket.objects.keys()]
        .filter((key) => key.startsWith(prefix) && byBytes(key, options.startAfter ?? '') > 0)
        .sort(byBytes)
        .slice(0, options.limit)
        .map((key) => {
          const { bytes, etag } = this.bucket.objects.get(key)!
          return { key, size: bytes.length, etag }
        }),
    )
  }

  delete(key: string, options: CallOptions = {}): Promise<void> {
    return this.#call('delete', key, options, () => {
      this.bucket.objects.delete(key)
    })
  }

  async #call<T>(operation: Operation, key: string, options: PutIfAbsentOptions, apply: () => T): Promise<T> {
    options.signal?.throwIfAborted()
    const call = { operation, key, number: this.calls.length + 1, signedBefore: options.signedBefore }
    this.calls.push(call)
    await Promise.resolve()
    const answer = this.intercept(call, apply) as T | Promise<T>
    return options.signal ? orAborted(answer, options.signal) : answer
  }
}

const orAborted = <T>(answer: T | Promise<T>, signal: AbortSignal): Promise<T> =>
  new Promise((resolve, reject) => {
    const onAbort = () => reject(signal.reason)
    signal.addEventListener('abort', onAbort, { once: true })
    Promise.resolve(answer)
      .then(resolve, reject)
      .finally(() => signal.removeEventListener('abort', onAbort))
  })

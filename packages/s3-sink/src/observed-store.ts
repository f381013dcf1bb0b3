import {
  type CallOptions,
  channels,
  type ObjectMetadata,
  type ObjectSummary,
  type Runtime,
  type StoreRequest,
  type UploadedPart,
  type UploadSummary,
} from '@stockpipe/core'
import { ObjectStoreError } from './errors.ts'
import type { LifecycleRule, PutIfAbsentOptions, SinkObjectStore } from './sink-object-store.ts'

const pageKeys = 1000
const { request } = channels.s3Sink

export interface ObservedStoreOptions {
  readonly sink: string
  readonly store: StoreRequest['store']
  readonly runtime: Runtime
}

interface Observed {
  readonly operation: string
  readonly key: string
  readonly sentBytes?: number
  readonly signal?: AbortSignal | undefined
}

/** A store whose every request is published on `stockpipe:s3-sink:request`; silent while nobody listens. */
export class ObservedStore implements SinkObjectStore {
  readonly #store: SinkObjectStore
  readonly #options: ObservedStoreOptions

  constructor(store: SinkObjectStore, options: ObservedStoreOptions) {
    this.#store = store
    this.#options = options
  }

  putIfAbsent(key: string, body: Uint8Array, options?: PutIfAbsentOptions): Promise<'created' | 'exists'> {
    return this.#call({ operation: 'PutObject', key, sentBytes: body.length, signal: options?.signal }, () =>
      this.#store.putIfAbsent(key, body, options),
    )
  }

  createUpload(
    key: string,
    options?: CallOptions & { readonly metadata?: ObjectMetadata; readonly contentType?: string },
  ): Promise<{ readonly uploadId: string }> {
    return this.#call({ operation: 'CreateMultipartUpload', key, signal: options?.signal }, () =>
      this.#store.createUpload(key, options),
    )
  }

  uploadPart(
    key: string,
    uploadId: string,
    partNumber: number,
    body: Uint8Array,
    options?: CallOptions,
  ): Promise<{ readonly etag: string }> {
    return this.#call({ operation: 'UploadPart', key, sentBytes: body.length, signal: options?.signal }, () =>
      this.#store.uploadPart(key, uploadId, partNumber, body, options),
    )
  }

  completeUpload(
    key: string,
    uploadId: string,
    parts: readonly { readonly partNumber: number; readonly etag: string }[],
    options?: CallOptions,
  ): Promise<'completed' | 'gone'> {
    return this.#call({ operation: 'CompleteMultipartUpload', key, signal: options?.signal }, () =>
      this.#store.completeUpload(key, uploadId, parts, options),
    )
  }

  abortUpload(key: string, uploadId: string, options?: CallOptions): Promise<void> {
    return this.#call({ operation: 'AbortMultipartUpload', key, signal: options?.signal }, () =>
      this.#store.abortUpload(key, uploadId, options),
    )
  }

  listParts(key: string, uploadId: string, options?: CallOptions): Promise<readonly UploadedPart[]> {
    return this.#call({ operation: 'ListParts', key, signal: options?.signal }, () =>
      this.#store.listParts(key, uploadId, options),
    )
  }

  listUploads(prefix: string, options?: CallOptions): AsyncIterable<UploadSummary> {
    const listing = this.#store.listUploads(prefix, options)
    return this.#pages({ operation: 'ListMultipartUploads', key: prefix, signal: options?.signal }, listing)
  }

  get(key: string, options?: CallOptions & { readonly lastBytes?: number }): Promise<Uint8Array | undefined> {
    return this.#call({ operation: 'GetObject', key, signal: options?.signal }, () =>
      this.#store.get(key, options),
    )
  }

  head(key: string, options?: CallOptions): ReturnType<SinkObjectStore['head']> {
    return this.#call({ operation: 'HeadObject', key, signal: options?.signal }, () =>
      this.#store.head(key, options),
    )
  }

  list(
    prefix: string,
    options?: CallOptions & { readonly startAfter?: string; readonly limit?: number },
  ): AsyncIterable<ObjectSummary> {
    const listing = this.#store.list(prefix, options)
    return this.#pages({ operation: 'ListObjectsV2', key: prefix, signal: options?.signal }, listing)
  }

  delete(key: string, options?: CallOptions): Promise<void> {
    return this.#call({ operation: 'DeleteObject', key, signal: options?.signal }, () =>
      this.#store.delete(key, options),
    )
  }

  async lifecycleRules(options?: CallOptions): Promise<readonly LifecycleRule[]> {
    if (!this.#store.lifecycleRules) return []
    return this.#call(
      { operation: 'GetBucketLifecycleConfiguration', key: '', signal: options?.signal },
      async () => this.#store.lifecycleRules!(options),
    )
  }

  #call<Answer>(observed: Observed, call: () => Promise<Answer>): Promise<Answer> {
    return request.hasSubscribers ? this.#timed(observed, call) : call()
  }

  async #timed<Answer>(observed: Observed, call: () => Promise<Answer>): Promise<Answer> {
    const begun = this.#options.runtime.monotonic()
    try {
      const answer = await call()
      const received = answer instanceof Uint8Array ? answer.length : 0
      this.#publish(observed, begun, 'ok', observed.sentBytes ?? received)
      return answer
    } catch (error) {
      this.#publish(observed, begun, outcomeOf(error, observed.signal), observed.sentBytes ?? 0)
      throw error
    }
  }

  #pages<Item>(observed: Observed, listing: AsyncIterable<Item>): AsyncIterable<Item> {
    return request.hasSubscribers ? this.#timedPages(observed, listing) : listing
  }

  /** One event a page of a thousand, as S3 answers them; the time others take between the pages is not counted. */
  async *#timedPages<Item>(observed: Observed, listing: AsyncIterable<Item>): AsyncGenerator<Item> {
    const items = listing[Symbol.asyncIterator]()
    try {
      for (let page = 0; ; page += 1) {
        const begun = this.#options.runtime.monotonic()
        let item = await this.#nextItem(items, observed, begun)
        // A listing that ends right after a full page made no further request.
        if (page === 0 || !item.done) this.#publish(observed, begun, 'ok', 0)
        for (let count = 1; !item.done; count += 1) {
          yield item.value
          if (count === pageKeys) break
          item = await this.#nextItem(items, observed, begun)
        }
        if (item.done) return
      }
    } finally {
      await items.return?.()
    }
  }

  async #nextItem<Item>(
    items: AsyncIterator<Item>,
    observed: Observed,
    begun: number,
  ): Promise<IteratorResult<Item>> {
    try {
      return await items.next()
    } catch (error) {
      this.#publish(observed, begun, outcomeOf(error, observed.signal), 0)
      throw error
    }
  }

  #publish(
    { operation, key }: Observed,
    begun: number,
    outcome: StoreRequest['outcome'],
    bytes: number,
  ): void {
    const { sink, store, runtime } = this.#options
    const millis = runtime.monotonic() - begun
    request.publish(() => ({ sink, store, operation, key, millis, outcome, bytes }))
  }
}

const outcomeOf = (error: unknown, signal: AbortSignal | undefined): StoreRequest['outcome'] => {
  if (signal?.aborted) return 'aborted'
  return error instanceof ObjectStoreError ? error.outcome : 'unknown'
}

import type { CallOptions, ObjectMetadata, ObjectSummary, UploadedPart, UploadSummary } from '@stockpipe/core'
import type {
  LifecycleRule,
  PutIfAbsentOptions,
  SinkObjectStore,
  UploadPartOptions,
} from './sink-object-store.ts'

/** A call to a store, in S3's words. */
export interface StoreCall {
  readonly operation: string
  readonly key: string
  readonly sentBytes?: number
  readonly signal?: AbortSignal | undefined
}

/** What comes between a caller and a store. */
export interface StoreInterceptor {
  call<Answer>(call: StoreCall, run: () => Promise<Answer>): Promise<Answer>
  listing<Item>(call: StoreCall, items: AsyncIterable<Item>): AsyncIterable<Item>
}

/** A store whose every call goes through an interceptor. */
export class InterceptedStore implements SinkObjectStore {
  readonly #store: SinkObjectStore
  readonly #interceptor: StoreInterceptor

  constructor(store: SinkObjectStore, interceptor: StoreInterceptor) {
    this.#store = store
    this.#interceptor = interceptor
  }

  putIfAbsent(key: string, body: Uint8Array, options?: PutIfAbsentOptions): Promise<'created' | 'exists'> {
    return this.#interceptor.call(
      { operation: 'PutObject', key, sentBytes: body.length, signal: options?.signal },
      () => this.#store.putIfAbsent(key, body, options),
    )
  }

  createUpload(
    key: string,
    options?: CallOptions & { readonly metadata?: ObjectMetadata; readonly contentType?: string },
  ): Promise<{ readonly uploadId: string }> {
    return this.#interceptor.call({ operation: 'CreateMultipartUpload', key, signal: options?.signal }, () =>
      this.#store.createUpload(key, options),
    )
  }

  uploadPart(
    key: string,
    uploadId: string,
    partNumber: number,
    body: Uint8Array,
    options?: UploadPartOptions,
  ): Promise<{ readonly etag: string }> {
    return this.#interceptor.call(
      { operation: 'UploadPart', key, sentBytes: body.length, signal: options?.signal },
      () => this.#store.uploadPart(key, uploadId, partNumber, body, options),
    )
  }

  completeUpload(
    key: string,
    uploadId: string,
    parts: readonly { readonly partNumber: number; readonly etag: string }[],
    options?: CallOptions,
  ): Promise<'completed' | 'gone'> {
    return this.#interceptor.call(
      { operation: 'CompleteMultipartUpload', key, signal: options?.signal },
      () => this.#store.completeUpload(key, uploadId, parts, options),
    )
  }

  abortUpload(key: string, uploadId: string, options?: CallOptions): Promise<void> {
    return this.#interceptor.call({ operation: 'AbortMultipartUpload', key, signal: options?.signal }, () =>
      this.#store.abortUpload(key, uploadId, options),
    )
  }

  listParts(key: string, uploadId: string, options?: CallOptions): Promise<readonly UploadedPart[]> {
    return this.#interceptor.call({ operation: 'ListParts', key, signal: options?.signal }, () =>
      this.#store.listParts(key, uploadId, options),
    )
  }

  listUploads(prefix: string, options?: CallOptions): AsyncIterable<UploadSummary> {
    const listing = this.#store.listUploads(prefix, options)
    return this.#interceptor.listing(
      { operation: 'ListMultipartUploads', key: prefix, signal: options?.signal },
      listing,
    )
  }

  get(key: string, options?: CallOptions & { readonly lastBytes?: number }): Promise<Uint8Array | undefined> {
    return this.#interceptor.call({ operation: 'GetObject', key, signal: options?.signal }, () =>
      this.#store.get(key, options),
    )
  }

  head(key: string, options?: CallOptions): ReturnType<SinkObjectStore['head']> {
    return this.#interceptor.call({ operation: 'HeadObject', key, signal: options?.signal }, () =>
      this.#store.head(key, options),
    )
  }

  list(
    prefix: string,
    options?: CallOptions & { readonly startAfter?: string; readonly limit?: number },
  ): AsyncIterable<ObjectSummary> {
    const listing = this.#store.list(prefix, options)
    return this.#interceptor.listing(
      { operation: 'ListObjectsV2', key: prefix, signal: options?.signal },
      listing,
    )
  }

  delete(key: string, options?: CallOptions): Promise<void> {
    return this.#interceptor.call({ operation: 'DeleteObject', key, signal: options?.signal }, () =>
      this.#store.delete(key, options),
    )
  }

  async lifecycleRules(options?: CallOptions): Promise<readonly LifecycleRule[]> {
    if (!this.#store.lifecycleRules) return []
    return this.#interceptor.call(
      { operation: 'GetBucketLifecycleConfiguration', key: '', signal: options?.signal },
      async () => this.#store.lifecycleRules!(options),
    )
  }
}

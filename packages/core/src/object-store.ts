/** Metadata a store keeps beside an object; keys in lower case. */
export type ObjectMetadata = Readonly<Record<string, string>>

export interface ObjectSummary {
  readonly key: string
  readonly size: number
  readonly etag: string
}

export interface UploadSummary {
  readonly key: string
  readonly uploadId: string
  /** Milliseconds since the epoch. */
  readonly initiated: number
}

export interface UploadedPart {
  readonly partNumber: number
  readonly etag: string
  readonly size: number
}

/** What a call does about the caller's patience. */
export interface CallOptions {
  readonly signal?: AbortSignal
}

/**
 * The calls the journal makes on one bucket.
 *
 * A definite refusal by the store is an answer where the result type has one, otherwise an `ObjectStoreError`
 * with `outcome: 'refused'`; when nothing is known (time-out, 5xx, lost connection) it is `outcome: 'unknown'`:
 * the call may have taken effect, or may still. Calls are made once; whoever calls decides about repeating.
 */
export interface ObjectStore {
  /** PutObject with `If-None-Match: *`. `exists`: the key is taken. */
  putIfAbsent(
    key: string,
    body: Uint8Array,
    options?: CallOptions & { readonly contentType?: string },
  ): Promise<'created' | 'exists'>
  createUpload(
    key: string,
    options?: CallOptions & { readonly metadata?: ObjectMetadata; readonly contentType?: string },
  ): Promise<{ readonly uploadId: string }>
  uploadPart(
    key: string,
    uploadId: string,
    partNumber: number,
    body: Uint8Array,
    options?: CallOptions,
  ): Promise<{ readonly etag: string }>
  /**
   * Completes an upload. `gone`: the store knows no such upload (completed before, aborted, or never made). One that was
   * completed before may be answered `completed` again; nothing changes then.
   */
  completeUpload(
    key: string,
    uploadId: string,
    parts: readonly { readonly partNumber: number; readonly etag: string }[],
    options?: CallOptions,
  ): Promise<'completed' | 'gone'>
  /** Aborts an upload; one that is gone is fine. */
  abortUpload(key: string, uploadId: string, options?: CallOptions): Promise<void>
  listParts(key: string, uploadId: string, options?: CallOptions): Promise<readonly UploadedPart[]>
  /** Uploads not completed whose key begins with `prefix`. */
  listUploads(prefix: string, options?: CallOptions): AsyncIterable<UploadSummary>
  get(key: string, options?: CallOptions): Promise<Uint8Array | undefined>
  head(
    key: string,
    options?: CallOptions,
  ): Promise<{ readonly size: number; readonly etag: string; readonly metadata: ObjectMetadata } | undefined>
  /** Keys that begin with `prefix`, in UTF-8 binary order. `limit` bounds how many are asked for. */
  list(
    prefix: string,
    options?: CallOptions & { readonly startAfter?: string; readonly limit?: number },
  ): AsyncIterable<ObjectSummary>
  delete(key: string, options?: CallOptions): Promise<void>
}

import type { CallOptions, ObjectMetadata, ObjectStore } from '@stockpipe/core'

/** Options of `putIfAbsent` that a claim or the last resort needs. */
export interface PutIfAbsentOptions extends CallOptions {
  readonly contentType?: string
  readonly metadata?: ObjectMetadata
  /** The object is a data file and written with their settings, not with the journal's. */
  readonly dataFile?: boolean
  /**
   * Milliseconds since the epoch. A request that would be signed later is not sent (`ObjectStoreError`, code
   * `SIGNED_TOO_LATE`, refused); a store may only send what was signed at the time it is sent.
   */
  readonly signedBefore?: number
}

/** Options of `uploadPart` that a group needs. */
export interface UploadPartOptions extends CallOptions {
  /** The body is the store's: once the part is there nobody looks into it, and its memory may be freed. */
  readonly bodyIsGiven?: boolean
}

/** What a lifecycle rule of a bucket does, as far as a sink has to know. */
export interface LifecycleRule {
  readonly id: string
  /** Key prefix it holds for; empty: every key. */
  readonly prefix: string
  /** It holds only for objects of some tags or sizes. */
  readonly filtered: boolean
  /** It deletes objects. */
  readonly expires: boolean
  /** It moves objects to a class that cannot be read at once. */
  readonly archives: boolean
  /** Days after which it removes uploads that are not completed; undefined: it does not. */
  readonly abortsUploadsAfterDays: number | undefined
}

/**
 * An object store as the sink calls it: the contract of core, with wishes a plain `ObjectStore` may ignore.
 * Every `ObjectStore` is one.
 */
export interface SinkObjectStore extends ObjectStore {
  putIfAbsent(key: string, body: Uint8Array, options?: PutIfAbsentOptions): Promise<'created' | 'exists'>
  uploadPart(
    key: string,
    uploadId: string,
    partNumber: number,
    body: Uint8Array,
    options?: UploadPartOptions,
  ): Promise<{ readonly etag: string }>
  /** `lastBytes`: only the end of the object is of use; more may be answered. */
  get(key: string, options?: CallOptions & { readonly lastBytes?: number }): Promise<Uint8Array | undefined>
  /** The rules of the bucket that are switched on; where it cannot be had, start-up does not report them. */
  lifecycleRules?(options?: CallOptions): Promise<readonly LifecycleRule[]>
}

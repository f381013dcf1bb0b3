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

/**
 * An object store as the sink calls it: the contract of core, with two wishes a plain `ObjectStore` may ignore.
 * Every `ObjectStore` is one.
 */
export interface SinkObjectStore extends ObjectStore {
  putIfAbsent(key: string, body: Uint8Array, options?: PutIfAbsentOptions): Promise<'created' | 'exists'>
  /** `lastBytes`: only the end of the object is of use; more may be answered. */
  get(key: string, options?: CallOptions & { readonly lastBytes?: number }): Promise<Uint8Array | undefined>
}

import type { OpenParquet } from './column-data.ts'

/** A place in S3, taken apart. */
export interface StoredLocation {
  readonly bucket: string
  readonly key: string
}

/** An object, or a part of it, as its bytes arrive. */
export interface OpenedObject {
  /** Bytes of the whole object, however few of them were asked for. */
  readonly size: number
  readonly etag: string
  /** Ending the iteration ends the download. */
  readonly body: AsyncIterable<Uint8Array>
}

export interface StoredObject extends StoredLocation {
  readonly size: number
  readonly etag: string
}

/** Why an object could not be opened: it is not there or not ours to read, it is another one by now, or something else. */
export type UnreadableReason = 'unavailable' | 'changed' | 'other'

/** What a store throws when an object cannot be opened; its cause is what S3 said. */
export class UnreadableObject extends Error {
  readonly reason: UnreadableReason
  /** The same call may succeed later. */
  readonly passing: boolean

  constructor(reason: UnreadableReason, passing: boolean, cause: unknown) {
    super(cause instanceof Error ? cause.message : String(cause), { cause })
    this.reason = reason
    this.passing = passing
  }
}

/** The objects that hold results; `s3ResultStore` makes it over an S3 client. */
export interface ResultStore {
  /**
   * Opens an object from a byte on, up to one (not included), and only while it has the ETag.
   *
   * Throws an `UnreadableObject`, or `signal.reason`.
   */
  open(
    location: StoredLocation,
    range: { readonly start: number; readonly end?: number; readonly etag?: string },
    signal?: AbortSignal,
  ): Promise<OpenedObject>
  /** The objects whose key begins with `key`. */
  list(location: StoredLocation, signal?: AbortSignal): AsyncIterable<StoredObject>
  /** Deletes objects of one bucket; those that are gone are fine. */
  delete(objects: readonly StoredLocation[], signal?: AbortSignal): Promise<void>
  /** Reads the Parquet files of UNLOAD. */
  readonly openParquet: OpenParquet
  /** Whether the libraries for that are installed. */
  canReadParquet(): Promise<boolean>
}

/** Takes `s3://bucket/key` apart; undefined for anything else. */
export const parseStoredLocation = (text: string | undefined): StoredLocation | undefined => {
  const [, bucket, key] = /^s3:\/\/([^/]+)\/(.*)$/s.exec(text ?? '') ?? []
  return bucket === undefined || key === undefined ? undefined : { bucket, key }
}

/** One stored object as the other embedded services see it. */
export interface StoredObject {
  readonly bucket: string
  readonly key: string
  readonly size: number
  readonly etag: string
  /** Milliseconds since the epoch. */
  readonly lastModified: number
  /** The plain file that holds the object's bytes; readable by DuckDB and any other tool. */
  readonly filePath: string
}

/** What the embedded Glue crawler and Athena ask of the embedded S3, in process. */
export interface ObjectStorage {
  /** All objects whose key begins with `prefix`, in UTF-8 binary order; empty when the bucket does not exist. */
  listObjects(bucket: string, prefix: string): AsyncIterable<StoredObject>
  /** The object, or undefined when bucket or key does not exist. */
  findObject(bucket: string, key: string): Promise<StoredObject | undefined>
  /** Writes an object whole and atomically, from bytes or as they come. Throws a `NoSuchBucket` service error when the bucket does not exist. */
  writeObject(
    bucket: string,
    key: string,
    body: Uint8Array | AsyncIterable<Uint8Array>,
    options?: { contentType?: string },
  ): Promise<void>
  bucketExists(bucket: string): Promise<boolean>
}

import { readdir, readFile, rm, rmdir, stat } from 'node:fs/promises'
import path from 'node:path'
import { type Durability, withoutFsync } from '../durability.ts'
import type { ObjectStorage, StoredObject } from '../object-storage.ts'
import { Bucket, type ListedObject } from './bucket.ts'
import { KeyLocks } from './key-locks.ts'
import { MultipartUploads } from './multipart-uploads.ts'
import { fileNamesOfKey, keyOfFileNames } from './object-file-path.ts'
import { writeFileAtomically } from './object-metadata.ts'
import { noSuchBucket, s3Error } from './s3-error.ts'
import { type Staging, stageBody } from './staged-body.ts'

export interface BucketFacts {
  readonly name: string
  readonly region: string
  /** Milliseconds since the epoch. */
  readonly createdMillis: number
}

interface OpenBucket {
  readonly objects: Bucket
  readonly uploads: MultipartUploads
}

const bucketNamePattern = /^(?!.*\.\.)(?!\d+\.\d+\.\d+\.\d+$)(?!xn--)[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$/
const defaultRegion = 'us-east-1'

/**
 * Buckets in a directory: objects as plain files in `s3/<bucket>/`, metadata and open uploads in
 * `s3-meta/<bucket>/`, what is being written in `s3-meta/.staging/`.
 */
export class FileObjectStorage implements ObjectStorage, Staging {
  readonly #objectsDirectory: string
  readonly #metadataDirectory: string
  readonly #locks = new KeyLocks()
  readonly #buckets = new Map<string, OpenBucket>()
  /** Where bodies are staged. */
  readonly stagingDirectory: string
  readonly durability: Durability

  private constructor(dataDirectory: string, durability: Durability) {
    this.durability = durability
    this.#objectsDirectory = path.join(dataDirectory, 's3')
    this.#metadataDirectory = path.join(dataDirectory, 's3-meta')
    this.stagingDirectory = path.join(this.#metadataDirectory, '.staging')
  }

  /** Opens the storage in a data directory, made if need be; drops what an earlier process was in the middle of. */
  static async open(
    dataDirectory: string,
    durability: Durability = withoutFsync,
  ): Promise<FileObjectStorage> {
    const storage = new FileObjectStorage(dataDirectory, durability)
    await rm(storage.stagingDirectory, { recursive: true, force: true })
    durability.makeDirectory(storage.stagingDirectory)
    durability.makeDirectory(storage.#objectsDirectory)
    for (const directory of [dataDirectory, storage.#objectsDirectory, storage.#metadataDirectory]) {
      durability.directoryChanged(directory)
    }
    return storage
  }

  /** Makes a bucket. Throws `InvalidBucketName`, `BucketAlreadyOwnedByYou` (not in us-east-1, as S3 has it). */
  async createBucket(name: string, region = defaultRegion): Promise<void> {
    if (!bucketNamePattern.test(name)) {
      throw s3Error('InvalidBucketName', 400, 'The specified bucket is not valid.', { BucketName: name })
    }
    await this.#locks.run(name, async () => {
      const existing = await this.bucketFacts(name)
      if (existing) {
        if (existing.region === defaultRegion && region === defaultRegion) return
        throw s3Error(
          'BucketAlreadyOwnedByYou',
          409,
          'Your previous request to create the named bucket succeeded and you already own it.',
          { BucketName: name },
        )
      }
      const facts: BucketFacts = { name, region, createdMillis: Date.now() }
      // What a deletion that was cut short has left.
      this.#buckets.delete(name)
      await rm(this.#bucketMetadata(name), { recursive: true, force: true })
      this.durability.directoryChanged(this.#metadataDirectory)
      this.durability.makeDirectory(this.#bucketMetadata(name))
      await writeFileAtomically(this, this.#factsPath(name), JSON.stringify(facts))
      this.durability.makeDirectory(this.#bucketDirectory(name))
      await this.durability.settled()
    })
  }

  /** Removes an empty bucket and its open uploads. Throws `NoSuchBucket`, `BucketNotEmpty`. */
  async deleteBucket(name: string): Promise<void> {
    const { objects } = await this.bucket(name)
    await this.#locks.run(name, async () => {
      await objects.markDeleted()
      this.#buckets.delete(name)
      await rmdir(this.#bucketDirectory(name)).catch(() => {
        throw s3Error(
          'BucketNotEmpty',
          409,
          `The bucket has no objects, but its directory ${this.#bucketDirectory(name)} has files that are none.`,
          { BucketName: name },
        )
      })
      this.durability.directoryChanged(this.#objectsDirectory)
      await this.durability.settled()
      await rm(this.#bucketMetadata(name), { recursive: true, force: true })
    })
  }

  /** All buckets by name. */
  async listBuckets(): Promise<BucketFacts[]> {
    const names = (await readdir(this.#objectsDirectory))
      .map((name) => keyOfFileNames([name]))
      .filter((name) => name !== undefined)
    const facts = await Promise.all(names.sort().map((name) => this.bucketFacts(name)))
    return facts.filter((bucket) => bucket !== undefined)
  }

  /** What is known of a bucket; undefined when there is none. A directory made by hand is a bucket too. */
  async bucketFacts(name: string): Promise<BucketFacts | undefined> {
    if (!bucketNamePattern.test(name)) return undefined
    const stats = await stat(this.#bucketDirectory(name)).catch(() => undefined)
    if (!stats?.isDirectory()) return undefined
    try {
      return JSON.parse(await readFile(this.#factsPath(name), 'utf8')) as BucketFacts
    } catch {
      return { name, region: defaultRegion, createdMillis: stats.birthtimeMs }
    }
  }

  /** The objects and uploads of a bucket. Throws `NoSuchBucket`. */
  async bucket(name: string): Promise<OpenBucket> {
    const open = this.#buckets.get(name)
    if (open) return open
    return this.#locks.run(name, async () => {
      const opened = this.#buckets.get(name)
      if (opened) return opened
      if (!(await this.bucketFacts(name))) throw noSuchBucket(name)
      const metadata = this.#bucketMetadata(name)
      // What a killed process has left may never have reached the disk.
      this.durability.directoryChanged(metadata)
      const bucket: OpenBucket = {
        objects: new Bucket(
          name,
          { objects: this.#bucketDirectory(name), metadata: path.join(metadata, 'objects') },
          this.durability,
        ),
        uploads: new MultipartUploads(path.join(metadata, 'uploads'), this),
      }
      this.#buckets.set(name, bucket)
      return bucket
    })
  }

  async *listObjects(bucket: string, prefix: string): AsyncIterable<StoredObject> {
    if (!(await this.bucketExists(bucket))) return
    const { objects } = await this.bucket(bucket)
    const index = await objects.index()
    const pageKeys = 1_000
    for (let position = index.lowerBound(prefix); ; ) {
      const keys: string[] = []
      for (let key = index.keyAt(position); key?.startsWith(prefix); key = index.keyAt(++position)) {
        if (keys.push(key) === pageKeys) break
      }
      for (const object of await objects.describe(keys)) yield this.#stored(bucket, object)
      if (keys.length < pageKeys) return
      position = index.upperBound(keys.at(-1)!)
    }
  }

  async findObject(bucket: string, key: string): Promise<StoredObject | undefined> {
    if (!(await this.bucketExists(bucket))) return undefined
    const { objects } = await this.bucket(bucket)
    const [found] = await objects.describe([key])
    return found && this.#stored(bucket, found)
  }

  async writeObject(
    bucket: string,
    key: string,
    body: Uint8Array | AsyncIterable<Uint8Array>,
    options: { contentType?: string } = {},
  ): Promise<void> {
    const { objects } = await this.bucket(bucket)
    const chunks = (async function* () {
      if (body instanceof Uint8Array) yield body
      else yield* body
    })()
    const staged = await stageBody(this, { chunks, trailers: new Map() })
    try {
      await objects.write(key, {
        filePath: staged.filePath,
        size: staged.size,
        etag: staged.md5,
        headers: options.contentType ? { 'content-type': options.contentType } : {},
        userMetadata: {},
      })
    } finally {
      await staged.discard()
    }
  }

  async bucketExists(bucket: string): Promise<boolean> {
    return this.#buckets.has(bucket) || (await this.bucketFacts(bucket)) !== undefined
  }

  #stored(bucket: string, object: ListedObject): StoredObject {
    const { modifiedMillis, ...rest } = object
    return { bucket, ...rest, lastModified: modifiedMillis }
  }

  #bucketDirectory(name: string): string {
    return path.join(this.#objectsDirectory, ...fileNamesOfKey(name))
  }

  #bucketMetadata(name: string): string {
    return path.join(this.#metadataDirectory, ...fileNamesOfKey(name))
  }

  #factsPath(name: string): string {
    return path.join(this.#bucketMetadata(name), 'bucket.json')
  }
}

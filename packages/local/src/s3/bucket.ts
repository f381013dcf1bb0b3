import { createHash } from 'node:crypto'
import { createReadStream, readFileSync, renameSync, rmdirSync, statSync, unlinkSync } from 'node:fs'
import { type FileHandle, open, readdir, rmdir, stat, utimes } from 'node:fs/promises'
import path from 'node:path'
import type { Durability } from '../durability.ts'
import type { Checksum } from './checksums.ts'
import { checkWriteConditions, type WriteConditions } from './conditions.ts'
import { KeyLocks } from './key-locks.ts'
import { keyOfFileNames } from './object-file-path.ts'
import { type IndexEntry, ObjectIndex } from './object-index.ts'
import {
  modifiedMillis,
  type ObjectAttributes,
  type ObjectMetadata,
  ObjectMetadataVersions,
} from './object-metadata.ts'
import { noSuchBucket, s3Error } from './s3-error.ts'

/** A file to become an object. */
export interface ObjectWrite extends ObjectAttributes {
  readonly filePath: string
  readonly size: number
  readonly etag: string
  readonly checksum?: Checksum | undefined
  readonly partSizes?: readonly number[] | undefined
  readonly uploadId?: string | undefined
}

/** An object open for reading: these bytes stay, whatever is written at its key meanwhile. */
export interface OpenObject {
  readonly metadata: ObjectMetadata
  readonly file: FileHandle
}

/** One object in a listing. */
export interface ListedObject {
  readonly key: string
  readonly filePath: string
  readonly size: number
  readonly etag: string
  readonly modifiedMillis: number
}

export interface BucketDirectories {
  /** Holds the objects as plain files. */
  readonly objects: string
  /** Holds their metadata. */
  readonly metadata: string
}

const smallFileBytes = 65_536

const md5OfFile = async (filePath: string, size: number): Promise<string> => {
  if (size <= smallFileBytes) return createHash('md5').update(readFileSync(filePath)).digest('hex')
  const hash = createHash('md5')
  for await (const chunk of createReadStream(filePath)) hash.update(chunk as Buffer)
  return hash.digest('hex')
}

/** The objects of one bucket: plain files, their metadata, and the order of their keys. */
export class Bucket {
  readonly name: string
  readonly #directories: BucketDirectories
  readonly #durability: Durability
  readonly #metadataVersions: ObjectMetadataVersions
  readonly #locks = new KeyLocks()
  #index: Promise<ObjectIndex> | undefined
  #deleted = false

  constructor(name: string, directories: BucketDirectories, durability: Durability) {
    this.name = name
    this.#directories = directories
    this.#durability = durability
    this.#metadataVersions = new ObjectMetadataVersions(directories.metadata, durability)
  }

  /** The keys, read from disk the first time they are asked for. */
  index(): Promise<ObjectIndex> {
    this.#index ??= this.#scan().catch((error: unknown) => {
      this.#index = undefined
      throw error
    })
    return this.#index
  }

  /** The metadata of an object, or undefined when there is none. */
  find(key: string): Promise<ObjectMetadata | undefined> {
    return this.#locks.run(key, async () => {
      const entry = (await this.index()).get(key)
      return entry && this.#metadata(key, entry)
    })
  }

  /** Opens an object, or undefined when there is none. The caller closes the file. */
  open(key: string): Promise<OpenObject | undefined> {
    return this.#locks.run(key, async () => {
      const entry = (await this.index()).get(key)
      const metadata = entry && (await this.#metadata(key, entry))
      return metadata && { metadata, file: await open(this.filePath(entry.path), 'r') }
    })
  }

  /** Makes a staged file the object at `key`, if the conditions hold then; durably, when it resolves. */
  write(key: string, write: ObjectWrite, conditions: WriteConditions = {}): Promise<ObjectMetadata> {
    return this.#locks.run(key, async () => {
      const index = await this.index()
      const entry = index.get(key)
      const previous = entry && (await this.#metadata(key, entry))
      checkWriteConditions(conditions, key, previous?.etag)
      const { filePath, ...facts } = write
      const metadata = { ...facts, modifiedNanos: await this.#distinctTime(write, previous) }
      // No line may get into the log of a bucket that is gone: its name may be another bucket's by now.
      if (this.#deleted) throw noSuchBucket(this.name)
      this.#metadataVersions.write(key, metadata, previous)
      // No bytes without their metadata, also not after a power loss.
      await this.#durability.settled()
      if (this.#deleted) throw noSuchBucket(this.name)
      this.#moveIn(index, key, filePath, metadata)
      await this.#durability.settled()
      return metadata
    })
  }

  /** Removes an object, durably, when it resolves; without a word when there is none. */
  delete(key: string, conditions: WriteConditions = {}): Promise<void> {
    return this.#locks.run(key, async () => {
      const index = await this.index()
      const entry = index.get(key)
      if (conditions.ifMatch !== undefined) {
        checkWriteConditions(conditions, key, entry && (await this.#metadata(key, entry))?.etag)
      }
      if (entry) this.#moveOut(index, key, entry)
      // Also where there is none any more: whoever removed it may have failed to settle that.
      await this.#durability.settled()
      if (entry && !this.#deleted) this.#metadataVersions.remove(key)
    })
  }

  /** The facts of listed keys, in the same order; keys that went away meanwhile are left out. */
  async describe(keys: readonly string[]): Promise<ListedObject[]> {
    const index = await this.index()
    const described: ListedObject[] = []
    const concurrency = 16
    for (let start = 0; start < keys.length; start += concurrency) {
      const some = await Promise.all(
        keys.slice(start, start + concurrency).map(async (key) => {
          const entry = index.get(key)
          if (!entry) return undefined
          if (!entry.facts) await this.find(key)
          return entry.facts && { key, filePath: this.filePath(entry.path), ...entry.facts }
        }),
      )
      described.push(...some.filter((object) => object !== undefined))
    }
    return described
  }

  /** Refuses every write from here on. Throws `BucketNotEmpty`. */
  async markDeleted(): Promise<void> {
    if ((await this.index()).size > 0) {
      throw s3Error('BucketNotEmpty', 409, 'The bucket you tried to delete is not empty', {
        BucketName: this.name,
      })
    }
    this.#deleted = true
  }

  /** The absolute path of a path in the index. */
  filePath(indexPath: string): string {
    return path.join(this.#directories.objects, ...indexPath.split('/'))
  }

  async #scan(): Promise<ObjectIndex> {
    const found: [key: string, path: string][] = []
    const walk = async (names: readonly string[]): Promise<void> => {
      const directory = path.join(this.#directories.objects, ...names)
      const entries = await readdir(directory, { withFileTypes: true })
      // What a killed process has left may never have reached the disk.
      this.#durability.directoryChanged(directory)
      // Left by a crash between the last object in it and itself; it could stand in the way of a file.
      if (entries.length === 0 && names.length > 0) await rmdir(directory)
      for (const entry of entries) {
        const below = [...names, entry.name]
        if (entry.isDirectory()) {
          await walk(below)
        } else if (entry.isFile()) {
          const key = keyOfFileNames(below)
          if (key !== undefined) found.push([key, below.join('/')])
        }
      }
    }
    await walk([])
    const index = new ObjectIndex()
    index.load(found)
    return index
  }

  /** Reads an object's metadata, or makes it from the file when there is none: a file put there by hand. */
  async #metadata(key: string, entry: IndexEntry): Promise<ObjectMetadata | undefined> {
    const filePath = this.filePath(entry.path)
    // Synchronous: a list after the start asks this of every file, and a turn of the thread pool takes ten times as long.
    const stats = statSync(filePath, { bigint: true, throwIfNoEntry: false })
    if (!stats) {
      this.#moveOut(await this.index(), key, entry)
      return undefined
    }
    let metadata = this.#metadataVersions.find(key, stats)
    if (!metadata) {
      const size = Number(stats.size)
      const md5 = await md5OfFile(filePath, size)
      // The etag of a multipart object is no digest of its content.
      const known =
        this.#metadataVersions.findByContent(key, size, md5) ?? this.#metadataVersions.findByTime(key, stats)
      metadata = {
        ...(known ?? { headers: {}, userMetadata: {}, etag: md5, size }),
        modifiedNanos: String(stats.mtimeNs),
      }
      if (!this.#deleted) this.#metadataVersions.write(key, metadata)
    }
    entry.facts = this.#facts(metadata)
    return metadata
  }

  #facts(metadata: ObjectMetadata) {
    return { size: metadata.size, etag: metadata.etag, modifiedMillis: modifiedMillis(metadata) }
  }

  /** The staged file's modification time, moved on where it could be taken for the version before. */
  async #distinctTime(write: ObjectWrite, previous: ObjectMetadata | undefined): Promise<string> {
    const stats = await stat(write.filePath, { bigint: true })
    if (previous?.size !== write.size || previous.modifiedNanos !== String(stats.mtimeNs)) {
      return String(stats.mtimeNs)
    }
    const later = Number(stats.mtimeNs / 1_000_000n) / 1_000 + 0.002
    await utimes(write.filePath, later, later)
    this.#durability.fileChanged(write.filePath)
    return String((await stat(write.filePath, { bigint: true })).mtimeNs)
  }

  // Both of these are synchronous on purpose: directories come and go with their last file, and neither another
  // write nor another delete may come between the choice of a path and its use.

  #moveIn(index: ObjectIndex, key: string, stagedPath: string, metadata: ObjectMetadata): void {
    const indexPath = index.place(key)
    const filePath = this.filePath(indexPath)
    try {
      renameSync(stagedPath, filePath)
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error
      this.#durability.makeDirectory(path.dirname(filePath))
      renameSync(stagedPath, filePath)
    }
    this.#durability.directoryChanged(path.dirname(filePath))
    index.set(key, { path: indexPath, facts: this.#facts(metadata) })
  }

  #moveOut(index: ObjectIndex, key: string, entry: IndexEntry): void {
    try {
      unlinkSync(this.filePath(entry.path))
      this.#durability.directoryChanged(path.dirname(this.filePath(entry.path)))
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error
    }
    for (const directory of index.delete(key)) {
      try {
        rmdirSync(this.filePath(directory))
        this.#durability.directoryChanged(path.dirname(this.filePath(directory)))
      } catch {
        // Something that is no object is in it: it stays.
        break
      }
    }
  }
}

import { createHash, randomUUID } from 'node:crypto'
import { type BigIntStats, existsSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { open, rename, rm } from 'node:fs/promises'
import path from 'node:path'
import { type Durability, withoutFsync } from '../durability.ts'
import type { Checksum } from './checksums.ts'
import { ObjectMetadataLog } from './object-metadata-log.ts'
import type { Staging } from './staged-body.ts'

/** What a writer says of an object beside its bytes. */
export interface ObjectAttributes {
  /** `content-type`, `cache-control`, `content-disposition`, `content-encoding`, `content-language`, `expires`. */
  readonly headers: Readonly<Record<string, string>>
  /** `x-amz-meta-*`, by name without that prefix. */
  readonly userMetadata: Readonly<Record<string, string>>
}

/** All that is known of an object beside its key and bytes. */
export interface ObjectMetadata extends ObjectAttributes {
  readonly size: number
  /** Modification time of the file in nanoseconds: with the size, what tells one version of it from another. */
  readonly modifiedNanos: string
  /** Without quotes. */
  readonly etag: string
  readonly checksum?: Checksum | undefined
  /** Sizes of the parts of a multipart object. */
  readonly partSizes?: readonly number[] | undefined
  /** The upload that made a multipart object. */
  readonly uploadId?: string | undefined
}

interface Sidecar {
  readonly key: string
  /** The version being written, and the one it takes the place of; the file's own time tells which is there. */
  readonly versions: readonly ObjectMetadata[]
}

export const modifiedMillis = (metadata: ObjectMetadata): number =>
  Number(BigInt(metadata.modifiedNanos) / 1_000_000n)

const isVersion = (metadata: ObjectMetadata, stats: BigIntStats): boolean =>
  metadata.modifiedNanos === String(stats.mtimeNs) && metadata.size === Number(stats.size)

/** Writes a small file so that it is there whole or not at all. */
export const writeFileAtomically = async (
  { stagingDirectory, durability }: Staging,
  filePath: string,
  text: string,
) => {
  const staged = path.join(stagingDirectory, randomUUID())
  try {
    const file = await open(staged, 'wx')
    try {
      await file.writeFile(text)
      await durability.settleFile(file)
    } finally {
      await file.close()
    }
    await rename(staged, filePath)
    durability.directoryChanged(path.dirname(filePath))
    await durability.settled()
  } catch (error) {
    await rm(staged, { force: true })
    throw error
  }
}

/**
 * The metadata of one bucket's objects, in a log; of objects older than the log, in one JSON file an object, named
 * by the hash of its key.
 *
 * It is written before the object's file is put in its place and keeps the version before as well, so that
 * after a crash at any point the file that is there finds its own metadata.
 */
export class ObjectMetadataVersions {
  readonly #directory: string
  readonly #log: ObjectMetadataLog
  readonly #hasFiles: boolean

  constructor(directory: string, durability: Durability = withoutFsync) {
    this.#directory = directory
    this.#log = new ObjectMetadataLog(path.join(directory, 'metadata.log'), durability)
    this.#hasFiles =
      existsSync(directory) && readdirSync(directory).some((name) => /^[0-9a-f]{2}$/.test(name))
  }

  /** The newest metadata, where it was written for the file with these stats. */
  find(key: string, stats: BigIntStats): ObjectMetadata | undefined {
    const [newest] = this.#versions(key)
    return newest && isVersion(newest, stats) ? newest : undefined
  }

  /** The same of any version. A file whose time was set by hand may be taken for another: its content tells more. */
  findByTime(key: string, stats: BigIntStats): ObjectMetadata | undefined {
    return this.#versions(key).find((version) => isVersion(version, stats))
  }

  /** The metadata of a file that was moved or copied by hand: same size and content, another time. */
  findByContent(key: string, size: number, md5: string): ObjectMetadata | undefined {
    return this.#versions(key).find((version) => version.size === size && version.etag === md5)
  }

  write(key: string, current: ObjectMetadata, previous?: ObjectMetadata): void {
    this.#log.set(key, previous ? [current, previous] : [current])
  }

  remove(key: string): void {
    try {
      this.#log.delete(key)
    } catch (error) {
      // The object is gone, and metadata of no file harms nobody: a full disk must not refuse to be emptied.
      if ((error as NodeJS.ErrnoException).code !== 'ENOSPC') throw error
    }
    if (this.#hasFiles) rmSync(this.#filePath(key), { force: true })
  }

  #versions(key: string): readonly ObjectMetadata[] {
    const logged = this.#log.get(key) as readonly ObjectMetadata[] | undefined
    return logged ?? (this.#hasFiles ? this.#versionsOfFile(key) : [])
  }

  #filePath(key: string): string {
    const hash = createHash('sha256').update(key).digest('hex').slice(0, 40)
    return path.join(this.#directory, hash.slice(0, 2), `${hash.slice(2)}.json`)
  }

  #versionsOfFile(key: string): readonly ObjectMetadata[] {
    try {
      const sidecar = JSON.parse(readFileSync(this.#filePath(key), 'utf8')) as Sidecar
      return sidecar.key === key ? sidecar.versions : []
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT' || error instanceof SyntaxError) return []
      throw error
    }
  }
}

import { randomBytes } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { readdir, readFile, rename, rm } from 'node:fs/promises'
import path from 'node:path'
import type { Checksum, ChecksumAlgorithm, ChecksumType } from './checksums.ts'
import { type ObjectAttributes, writeFileAtomically } from './object-metadata.ts'
import { noSuchUpload } from './s3-error.ts'
import type { StagedBody, Staging } from './staged-body.ts'

/** A multipart upload that is neither completed nor aborted. */
export interface MultipartUpload extends ObjectAttributes {
  readonly uploadId: string
  readonly key: string
  /** Milliseconds since the epoch. */
  readonly initiatedMillis: number
  readonly checksumAlgorithm?: ChecksumAlgorithm | undefined
  readonly checksumType?: ChecksumType | undefined
}

/** One part as it was last uploaded. */
export interface UploadedPart {
  readonly partNumber: number
  readonly size: number
  /** Without quotes. */
  readonly etag: string
  readonly checksum?: Checksum | undefined
  readonly modifiedMillis: number
  /** Name of the file with the part's bytes. */
  readonly fileName: string
}

const uploadIdPattern = /^[0-9a-f]{48}$/

const readJson = async <T>(filePath: string): Promise<T | undefined> => {
  try {
    return JSON.parse(await readFile(filePath, 'utf8')) as T
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined
    throw error
  }
}

const namesIn = (directory: string): Promise<string[]> =>
  readdir(directory).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return []
    throw error
  })

/** The multipart uploads of one bucket: a directory an upload, two files a part. What resolves is durable. */
export class MultipartUploads {
  readonly #directory: string
  readonly #staging: Staging

  constructor(directory: string, staging: Staging) {
    this.#directory = directory
    this.#staging = staging
  }

  async create(upload: Omit<MultipartUpload, 'uploadId' | 'initiatedMillis'>): Promise<MultipartUpload> {
    const created = { ...upload, uploadId: randomBytes(24).toString('hex'), initiatedMillis: Date.now() }
    const directory = path.join(this.#directory, created.uploadId)
    this.#staging.durability.makeDirectory(directory)
    await this.#writeJson(path.join(directory, 'upload.json'), created)
    return created
  }

  /** The upload of that id and key. Throws `NoSuchUpload`. */
  async get(uploadId: string, key: string): Promise<MultipartUpload> {
    const upload = await this.find(uploadId)
    if (upload?.key !== key) throw noSuchUpload(uploadId)
    return upload
  }

  async find(uploadId: string): Promise<MultipartUpload | undefined> {
    if (!uploadIdPattern.test(uploadId)) return undefined
    return readJson<MultipartUpload>(path.join(this.#directory, uploadId, 'upload.json'))
  }

  /** Every open upload, in no order. */
  async list(): Promise<MultipartUpload[]> {
    this.#mayBeUnsettled(this.#directory)
    const uploads = await Promise.all((await namesIn(this.#directory)).map((name) => this.find(name)))
    return uploads.filter((upload) => upload !== undefined)
  }

  /** Keeps a part, in the place of an earlier one of its number. Throws `NoSuchUpload` when the upload has ended. */
  async putPart(upload: MultipartUpload, partNumber: number, body: StagedBody): Promise<UploadedPart> {
    const directory = path.join(this.#directory, upload.uploadId)
    const earlier = await this.#part(upload, partNumber)
    const part: UploadedPart = {
      partNumber,
      size: body.size,
      etag: body.md5,
      checksum: body.checksum,
      modifiedMillis: Date.now(),
      fileName: `${partNumber}-${path.basename(body.filePath)}`,
    }
    try {
      await rename(body.filePath, path.join(directory, part.fileName))
      this.#staging.durability.directoryChanged(directory)
      // No part is named before its bytes are there, and none is removed before another one is named.
      await this.#staging.durability.settled()
      await this.#writeJson(path.join(directory, `${partNumber}.json`), part)
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') throw noSuchUpload(upload.uploadId)
      throw error
    }
    if (earlier) await rm(path.join(directory, earlier.fileName), { force: true })
    return part
  }

  /** The parts by ascending number. */
  async parts(upload: MultipartUpload): Promise<UploadedPart[]> {
    this.#mayBeUnsettled(path.join(this.#directory, upload.uploadId))
    const numbers = (await namesIn(path.join(this.#directory, upload.uploadId)))
      .map((name) => /^(\d+)\.json$/.exec(name)?.[1])
      .filter((number) => number !== undefined)
      .map(Number)
      .sort((a, b) => a - b)
    const parts = await Promise.all(numbers.map((number) => this.#part(upload, number)))
    return parts.filter((part) => part !== undefined)
  }

  /** The bytes of some parts, one after the other. */
  async *read(upload: MultipartUpload, parts: readonly UploadedPart[]): AsyncGenerator<Uint8Array> {
    for (const part of parts) {
      const filePath = path.join(this.#directory, upload.uploadId, part.fileName)
      yield* createReadStream(filePath, { highWaterMark: 1 << 20 }) as AsyncIterable<Uint8Array>
    }
  }

  /** Ends an upload: what is left of it is removed. */
  async remove(uploadId: string): Promise<void> {
    if (!uploadIdPattern.test(uploadId)) return
    // Out of the way in one step, so that a crash leaves no half of an upload.
    const discarded = path.join(this.#staging.stagingDirectory, uploadId)
    await rename(path.join(this.#directory, uploadId), discarded).catch((error: NodeJS.ErrnoException) => {
      if (error.code !== 'ENOENT') throw error
    })
    this.#staging.durability.directoryChanged(this.#directory)
    await this.#staging.durability.settled()
    await rm(discarded, { recursive: true, force: true })
  }

  /** What a killed process has left in a directory may never have reached the disk. */
  #mayBeUnsettled(directory: string): void {
    this.#staging.durability.directoryChanged(directory)
  }

  #part(upload: MultipartUpload, partNumber: number): Promise<UploadedPart | undefined> {
    return readJson<UploadedPart>(path.join(this.#directory, upload.uploadId, `${partNumber}.json`))
  }

  #writeJson(filePath: string, value: unknown): Promise<void> {
    return writeFileAtomically(this.#staging, filePath, JSON.stringify(value))
  }
}

import { createHash, randomUUID } from 'node:crypto'
import { type FileHandle, open, unlink } from 'node:fs/promises'
import path from 'node:path'
import type { Durability } from '../durability.ts'
import type { RequestBody } from '../http/request-body.ts'
import {
  type Checksum,
  type ChecksumAlgorithm,
  type ExpectedChecksum,
  startDigest,
  verifyChecksum,
} from './checksums.ts'
import { s3Error } from './s3-error.ts'

/** Bytes that came in whole and were verified, in a file nobody sees yet. */
export interface StagedBody {
  readonly filePath: string
  readonly size: number
  /** MD5 in hexadecimal: the ETag of an object of one part. */
  readonly md5: string
  readonly checksum: Checksum | undefined
  /** Removes the file, if it was not put in its place. */
  discard(): Promise<void>
}

export interface StageOptions {
  /** Verified when it has a value or a trailer; kept with the object in any case. */
  readonly expected?: ExpectedChecksum | undefined
  /** Taken, when nothing was announced. */
  readonly algorithm?: ChecksumAlgorithm | undefined
  /** `Content-MD5`. */
  readonly contentMd5?: string | undefined
}

const checkMd5 = (given: string | undefined, actual: Buffer): void => {
  if (given === undefined) return
  const expected = Buffer.from(given, 'base64')
  if (expected.length !== 16) {
    throw s3Error('InvalidDigest', 400, 'The Content-MD5 you specified is not valid.')
  }
  if (!expected.equals(actual)) {
    throw s3Error('BadDigest', 400, 'The Content-MD5 you specified did not match what we received.')
  }
}

const writeFully = async (file: FileHandle, data: Uint8Array): Promise<void> => {
  for (let offset = 0; offset < data.length; ) {
    offset += (await file.write(data, offset)).bytesWritten
  }
}

/** Where bodies become files. */
export interface Staging {
  /** On the file system of the objects: files become visible by a rename out of here. */
  readonly stagingDirectory: string
  readonly durability: Durability
}

/** Writes a body to a new file as it streams in. Throws `BadDigest` and what the body itself throws. */
export const stageBody = async (
  { stagingDirectory, durability }: Staging,
  body: Pick<RequestBody, 'chunks' | 'trailers'>,
  options: StageOptions = {},
): Promise<StagedBody> => {
  const filePath = path.join(stagingDirectory, randomUUID())
  const algorithm = options.expected?.algorithm ?? options.algorithm
  const digest = algorithm && startDigest(algorithm)
  const md5 = createHash('md5')
  let size = 0
  const discard = () =>
    unlink(filePath).catch((error: NodeJS.ErrnoException) => {
      if (error.code !== 'ENOENT') throw error
    })
  const file = await open(filePath, 'wx')
  try {
    for await (const chunk of body.chunks) {
      size += chunk.byteLength
      md5.update(chunk)
      digest?.update(chunk)
      await writeFully(file, chunk)
    }
    const md5Bytes = md5.digest()
    checkMd5(options.contentMd5, md5Bytes)
    const value = digest?.digest().toString('base64')
    if (options.expected) verifyChecksum(options.expected, body.trailers, value!)
    const checksum: Checksum | undefined =
      algorithm && value ? { algorithm, type: 'FULL_OBJECT', value } : undefined
    await durability.settleFile(file)
    return { filePath, size, md5: md5Bytes.toString('hex'), checksum, discard }
  } catch (error) {
    await discard()
    throw error
  } finally {
    await file.close()
  }
}

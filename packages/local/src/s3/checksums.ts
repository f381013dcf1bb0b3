import { createHash } from 'node:crypto'
import { Crc32Digest, Crc64Nvme } from './crc.ts'
import { notImplemented, s3Error } from './s3-error.ts'

export type ChecksumAlgorithm = 'CRC32' | 'CRC32C' | 'CRC64NVME' | 'MD5' | 'SHA1' | 'SHA256' | 'SHA512'
export type ChecksumType = 'FULL_OBJECT' | 'COMPOSITE'

/** A checksum as S3 keeps and shows it: base64, with `-N` behind it when it is composite. */
export interface Checksum {
  readonly algorithm: ChecksumAlgorithm
  readonly type: ChecksumType
  readonly value: string
}

/** What a request says of its body: which checksum to take, and what it must be once the body is read. */
export interface ExpectedChecksum {
  readonly algorithm: ChecksumAlgorithm
  /** Undefined while it is still to come in the trailer. */
  readonly value: string | undefined
}

interface RunningDigest {
  update(data: Uint8Array): unknown
  digest(): Buffer
}

const digestBytes: Readonly<Record<ChecksumAlgorithm, number>> = {
  CRC32: 4,
  CRC32C: 4,
  CRC64NVME: 8,
  MD5: 16,
  SHA1: 20,
  SHA256: 32,
  SHA512: 64,
}
const headerPrefix = 'x-amz-checksum-'
const notValues = new Set(['x-amz-checksum-algorithm', 'x-amz-checksum-type', 'x-amz-checksum-mode'])

/** Starts a digest of the given algorithm. */
export const startDigest = (algorithm: ChecksumAlgorithm): RunningDigest => {
  if (algorithm === 'CRC32' || algorithm === 'CRC32C') return new Crc32Digest(algorithm)
  if (algorithm === 'CRC64NVME') return new Crc64Nvme()
  return createHash(algorithm.toLowerCase())
}

/** The algorithm of a name such as `crc32` or `SHA256`. Throws `NotImplemented` for others. */
export const parseAlgorithm = (name: string): ChecksumAlgorithm => {
  const algorithm = name.toUpperCase()
  if (!Object.hasOwn(digestBytes, algorithm)) throw notImplemented(`the checksum algorithm ${name}`)
  return algorithm as ChecksumAlgorithm
}

/** The header that carries a checksum. */
export const checksumHeader = (algorithm: ChecksumAlgorithm): string =>
  `${headerPrefix}${algorithm.toLowerCase()}`

/** The element that carries a checksum in XML. */
export const checksumElement = (algorithm: ChecksumAlgorithm): string => `Checksum${algorithm}`

const checkForm = (algorithm: ChecksumAlgorithm, value: string): void => {
  if (Buffer.from(value, 'base64').length !== digestBytes[algorithm]) {
    throw s3Error('InvalidRequest', 400, `Value for ${checksumHeader(algorithm)} header is invalid.`)
  }
}

/** The checksum a request announces in its headers or for its trailer; undefined when it announces none. */
export const expectedChecksum = (headers: ReadonlyMap<string, string>): ExpectedChecksum | undefined => {
  const given = [...headers].filter(([name]) => name.startsWith(headerPrefix) && !notValues.has(name))
  if (given.length > 1) {
    throw s3Error(
      'InvalidRequest',
      400,
      'Expecting a single x-amz-checksum- header. Multiple checksum Types are not allowed.',
    )
  }
  if (given[0]) {
    const [name, value] = given[0]
    const algorithm = parseAlgorithm(name.slice(headerPrefix.length))
    checkForm(algorithm, value)
    return { algorithm, value }
  }
  const trailer = headers.get('x-amz-trailer')?.trim().toLowerCase()
  if (trailer?.startsWith(headerPrefix)) {
    return { algorithm: parseAlgorithm(trailer.slice(headerPrefix.length)), value: undefined }
  }
  if (headers.has('x-amz-sdk-checksum-algorithm')) {
    throw s3Error(
      'InvalidRequest',
      400,
      'x-amz-sdk-checksum-algorithm specified, but no corresponding x-amz-checksum-* or x-amz-trailer headers were found.',
    )
  }
  return undefined
}

/** Compares what was announced, by header or trailer, with what came. Throws `BadDigest`. */
export const verifyChecksum = (
  expected: ExpectedChecksum,
  trailers: ReadonlyMap<string, string>,
  actual: string,
): void => {
  const { algorithm } = expected
  const value = expected.value ?? trailers.get(checksumHeader(algorithm))
  if (value === undefined) {
    throw s3Error(
      'MalformedTrailerError',
      400,
      `The trailer ${checksumHeader(algorithm)} was announced and did not come.`,
    )
  }
  checkForm(algorithm, value)
  if (value !== actual) {
    throw s3Error('BadDigest', 400, `The ${algorithm} you specified did not match the calculated checksum.`)
  }
}

/** The composite checksum of a multipart object: the digest of its parts' digests, and their number. */
export const compositeChecksum = (algorithm: ChecksumAlgorithm, parts: readonly string[]): Checksum => {
  const digest = startDigest(algorithm)
  for (const part of parts) digest.update(Buffer.from(part, 'base64'))
  return { algorithm, type: 'COMPOSITE', value: `${digest.digest().toString('base64')}-${parts.length}` }
}

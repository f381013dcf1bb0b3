import type { Checksum } from './checksums.ts'
import { checksumHeader } from './checksums.ts'
import { modifiedMillis, type ObjectAttributes, type ObjectMetadata } from './object-metadata.ts'
import { notImplemented, s3Error } from './s3-error.ts'

const standardHeaders = [
  'content-type',
  'cache-control',
  'content-disposition',
  'content-encoding',
  'content-language',
  'expires',
]
const metadataPrefix = 'x-amz-meta-'
const maxUserMetadataBytes = 2_048

/** Headers that ask for something the embedded S3 has not; some have values that change nothing and are let pass. */
const refusedHeaders: Readonly<Record<string, RegExp | undefined>> = {
  'x-amz-acl': /^(?:private|bucket-owner-full-control)$/,
  'x-amz-grant-read': undefined,
  'x-amz-grant-read-acp': undefined,
  'x-amz-grant-write': undefined,
  'x-amz-grant-write-acp': undefined,
  'x-amz-grant-full-control': undefined,
  // Every object on S3 is encrypted with AES256; nobody sees a difference.
  'x-amz-server-side-encryption': /^AES256$/,
  'x-amz-server-side-encryption-aws-kms-key-id': undefined,
  'x-amz-server-side-encryption-context': undefined,
  'x-amz-server-side-encryption-customer-algorithm': undefined,
  'x-amz-copy-source-server-side-encryption-customer-algorithm': undefined,
  'x-amz-storage-class': /^STANDARD$/,
  'x-amz-tagging': /^$/,
  'x-amz-object-lock-mode': undefined,
  'x-amz-object-lock-retain-until-date': undefined,
  'x-amz-object-lock-legal-hold': undefined,
  'x-amz-bucket-object-lock-enabled': /^false$/i,
  'x-amz-website-redirect-location': undefined,
  'x-amz-write-offset-bytes': undefined,
}

/** Throws `NotImplemented` for a header whose effect the embedded S3 has not. */
export const refuseUnsupportedHeaders = (headers: ReadonlyMap<string, string>): void => {
  for (const [name, value] of headers) {
    if (Object.hasOwn(refusedHeaders, name) && !refusedHeaders[name]?.test(value)) {
      throw notImplemented(`the header ${name}: ${name.includes('encryption') ? '...' : value}`)
    }
  }
}

/** What a writer's headers say of the object. Throws `MetadataTooLarge`. */
export const readObjectAttributes = (headers: ReadonlyMap<string, string>): ObjectAttributes => {
  const kept: Record<string, string> = {}
  for (const name of standardHeaders) {
    const value = headers.get(name)
    if (value !== undefined) kept[name] = value
  }
  // How the body was sent is no property of the object.
  const encoding = kept['content-encoding']
    ?.split(',')
    .filter((name) => name.trim() !== 'aws-chunked')
    .join(',')
    .trim()
  if (encoding) kept['content-encoding'] = encoding
  else delete kept['content-encoding']
  const given = [...headers].filter(([name]) => name.startsWith(metadataPrefix))
  const pairs = given.map(([name, value]) => [name.slice(metadataPrefix.length), value] as const)
  const bytes = pairs.reduce((sum, pair) => sum + Buffer.byteLength(pair.join('')), 0)
  if (bytes > maxUserMetadataBytes) {
    throw s3Error('MetadataTooLarge', 400, 'Your metadata headers exceed the maximum allowed metadata size', {
      Size: bytes,
      MaxSizeAllowed: maxUserMetadataBytes,
    })
  }
  return { headers: kept, userMetadata: Object.fromEntries(pairs) }
}

export const quoted = (etag: string): string => `"${etag}"`

/** The headers of an answer that carries a checksum. */
export const checksumHeaders = (checksum: Checksum | undefined): Record<string, string> =>
  checksum
    ? { [checksumHeader(checksum.algorithm)]: checksum.value, 'x-amz-checksum-type': checksum.type }
    : {}

/** The headers GetObject and HeadObject answer for an object. */
export const objectHeaders = (metadata: ObjectMetadata): Record<string, string> => {
  const headers: Record<string, string> = {
    'content-type': 'binary/octet-stream',
    ...metadata.headers,
    etag: quoted(metadata.etag),
    'last-modified': new Date(modifiedMillis(metadata)).toUTCString(),
    'accept-ranges': 'bytes',
  }
  for (const [name, value] of Object.entries(metadata.userMetadata)) headers[metadataPrefix + name] = value
  return headers
}

/** A time as S3 writes it in XML: to the second, as `Last-Modified` is. */
export const xmlTime = (millis: number): string => new Date(Math.floor(millis / 1_000) * 1_000).toISOString()

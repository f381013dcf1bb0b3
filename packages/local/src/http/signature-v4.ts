import { createHash, createHmac } from 'node:crypto'

/** The parts of a request that AWS Signature Version 4 covers. */
export interface SignedParts {
  readonly method: string
  /** The path as it is signed: percent-encoded, see `canonicalPath`. */
  readonly canonicalPath: string
  /** Decoded names and values, without `X-Amz-Signature`. */
  readonly query: readonly (readonly [name: string, value: string])[]
  readonly signedHeaders: readonly string[]
  /** Header values by lower-case name. */
  readonly headers: ReadonlyMap<string, string>
  readonly payloadHash: string
}

/** `<yyyymmdd>/<region>/<service>/aws4_request`: what a signing key is made for. */
export interface CredentialScope {
  readonly date: string
  readonly region: string
  readonly service: string
}

export const sha256Hex = (data: string | Uint8Array): string =>
  createHash('sha256').update(data).digest('hex')

const hmac = (key: string | Uint8Array, data: string): Buffer =>
  createHmac('sha256', key).update(data, 'utf8').digest()

/** Percent-encodes everything but RFC 3986 unreserved characters. */
export const encodeUriComponent = (text: string): string =>
  encodeURIComponent(text).replace(
    /[!'()*]/g,
    (character) => `%${character.charCodeAt(0).toString(16).toUpperCase()}`,
  )

const encodePath = (path: string): string => path.split('/').map(encodeUriComponent).join('/')

/**
 * The path in canonical form. S3 signs the key encoded once; every other service encodes the path as sent
 * once more. Throws `URIError` when the path is not percent-encoded UTF-8.
 */
export const canonicalPath = (rawPath: string, service: string): string =>
  encodePath(service === 's3' ? decodeURIComponent(rawPath) : rawPath)

const canonicalQuery = (query: SignedParts['query']): string =>
  query
    .map(([name, value]) => [encodeUriComponent(name), encodeUriComponent(value)] as const)
    .sort(([a, aValue], [b, bValue]) =>
      a < b ? -1 : a > b ? 1 : aValue < bValue ? -1 : aValue > bValue ? 1 : 0,
    )
    .map(([name, value]) => `${name}=${value}`)
    .join('&')

/** The canonical request of AWS Signature Version 4. */
export const canonicalRequest = (parts: SignedParts): string =>
  [
    parts.method,
    parts.canonicalPath,
    canonicalQuery(parts.query),
    ...parts.signedHeaders.map(
      (name) => `${name}:${(parts.headers.get(name) ?? '').trim().replace(/ +/g, ' ')}`,
    ),
    '',
    parts.signedHeaders.join(';'),
    parts.payloadHash,
  ].join('\n')

export const scopeText = (scope: CredentialScope): string =>
  `${scope.date}/${scope.region}/${scope.service}/aws4_request`

/** What is signed for a whole request. `timestamp` is `yyyymmddThhmmssZ`. */
export const stringToSign = (timestamp: string, scope: CredentialScope, canonical: string): string =>
  `AWS4-HMAC-SHA256\n${timestamp}\n${scopeText(scope)}\n${sha256Hex(canonical)}`

/** What is signed for one chunk of a signed stream, or for its trailer. */
export const chunkStringToSign = (
  kind: 'PAYLOAD' | 'TRAILER',
  timestamp: string,
  scope: CredentialScope,
  previousSignature: string,
  contentHash: string,
): string =>
  [
    `AWS4-HMAC-SHA256-${kind}`,
    timestamp,
    scopeText(scope),
    previousSignature,
    ...(kind === 'PAYLOAD' ? [sha256Hex('')] : []),
    contentHash,
  ].join('\n')

/** The key derived from a secret for one day, region and service. */
export const signingKey = (secretAccessKey: string, scope: CredentialScope): Buffer =>
  hmac(hmac(hmac(hmac(`AWS4${secretAccessKey}`, scope.date), scope.region), scope.service), 'aws4_request')

export const signText = (key: Uint8Array, text: string): string => hmac(key, text).toString('hex')

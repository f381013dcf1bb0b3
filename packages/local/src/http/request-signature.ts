import { timingSafeEqual } from 'node:crypto'
import type { HttpRequest } from './http-request.ts'
import { ServiceError } from './json-service.ts'
import {
  type CredentialScope,
  canonicalPath,
  canonicalRequest,
  signingKey,
  signText,
  stringToSign,
} from './signature-v4.ts'

/** A signature as a request states it, not yet verified. */
export interface RequestSignature {
  readonly accessKeyId: string
  readonly scope: CredentialScope
  readonly signedHeaders: readonly string[]
  readonly signature: string
  /** `yyyymmddThhmmssZ`. */
  readonly timestamp: string
  readonly presigned: boolean
  /** Seconds a presigned URL holds. */
  readonly expiresSeconds: number
}

/** What a verified signature leaves for the chunks of a signed stream. */
export interface SigningContext {
  readonly key: Uint8Array
  readonly scope: CredentialScope
  readonly timestamp: string
  readonly seedSignature: string
}

export interface Credentials {
  readonly accessKeyId: string
  readonly secretAccessKey: string
}

const maxSkewMillis = 15 * 60_000
const maxExpiresSeconds = 7 * 24 * 3_600

const refuse = (name: string, message: string, statusCode: number, members = {}): never => {
  throw new ServiceError(name, message, { statusCode, members })
}

const parseCredential = (credential: string, malformed: (message: string) => never) => {
  const parts = credential.split('/')
  const [terminator, service, region, date] = parts.slice(-4).reverse()
  if (parts.length < 5 || terminator !== 'aws4_request' || !date || !region || !service) {
    return malformed(
      'The credential must have the form <access key>/<yyyymmdd>/<region>/<service>/aws4_request.',
    )
  }
  return { accessKeyId: parts.slice(0, -4).join('/'), scope: { date, region, service } }
}

const parseAuthorization = (header: string, request: HttpRequest): RequestSignature => {
  const malformed = (message: string) =>
    refuse('AuthorizationHeaderMalformed', `The authorization header is malformed; ${message}`, 400)
  if (!header.startsWith('AWS4-HMAC-SHA256')) {
    refuse('InvalidRequest', 'Please use AWS4-HMAC-SHA256: other signature versions are not supported.', 400)
  }
  const fields = new Map<string, string>()
  for (const field of header.slice('AWS4-HMAC-SHA256'.length).split(',')) {
    const equals = field.indexOf('=')
    if (equals > 0) fields.set(field.slice(0, equals).trim(), field.slice(equals + 1).trim())
  }
  const credential = fields.get('Credential') ?? malformed('Credential is missing.')
  const signedHeaders = fields.get('SignedHeaders') ?? malformed('SignedHeaders is missing.')
  const signature = fields.get('Signature') ?? malformed('Signature is missing.')
  const date = request.headers.get('x-amz-date') ?? request.headers.get('date')
  const timestamp = date === undefined ? undefined : basicTimestamp(date)
  if (!timestamp)
    return refuse('AccessDenied', 'AWS authentication requires a valid Date or x-amz-date header', 403)
  return {
    ...parseCredential(credential, malformed),
    signedHeaders: signedHeaders.toLowerCase().split(';'),
    signature,
    timestamp,
    presigned: false,
    expiresSeconds: 0,
  }
}

const parsePresigned = (request: HttpRequest): RequestSignature => {
  const malformed = (message: string) => refuse('AuthorizationQueryParametersError', message, 400)
  const parameter = (name: string) =>
    request.query.find(([key]) => key.toLowerCase() === name.toLowerCase())?.[1] ??
    malformed(
      'Query-string authentication version 4 requires the X-Amz-Algorithm, X-Amz-Credential, X-Amz-Signature, X-Amz-Date, X-Amz-SignedHeaders, and X-Amz-Expires parameters.',
    )
  if (parameter('X-Amz-Algorithm') !== 'AWS4-HMAC-SHA256') {
    malformed('X-Amz-Algorithm only supports "AWS4-HMAC-SHA256".')
  }
  const expires = parameter('X-Amz-Expires')
  const expiresSeconds = Number(expires)
  if (!/^\d+$/.test(expires) || expiresSeconds < 1 || expiresSeconds > maxExpiresSeconds) {
    malformed(`X-Amz-Expires must be a number of seconds from 1 to ${maxExpiresSeconds}.`)
  }
  const timestamp = parameter('X-Amz-Date')
  if (timestampMillis(timestamp) === undefined) {
    malformed("X-Amz-Date must be in the ISO8601 Long Format \"yyyyMMdd'T'HHmmss'Z'\".")
  }
  return {
    ...parseCredential(parameter('X-Amz-Credential'), malformed),
    signedHeaders: parameter('X-Amz-SignedHeaders').toLowerCase().split(';'),
    signature: parameter('X-Amz-Signature'),
    timestamp,
    presigned: true,
    expiresSeconds,
  }
}

const timestampMillis = (timestamp: string): number | undefined => {
  const match = /^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z$/.exec(timestamp)
  if (!match) return undefined
  const millis = Date.parse(`${match[1]}-${match[2]}-${match[3]}T${match[4]}:${match[5]}:${match[6]}Z`)
  return Number.isNaN(millis) ? undefined : millis
}

const basicTimestamp = (date: string): string | undefined => {
  if (timestampMillis(date) !== undefined) return date
  const millis = Date.parse(date)
  return Number.isNaN(millis) ? undefined : `${new Date(millis).toISOString().replace(/[-:]|\.\d+/g, '')}`
}

/** The signature a request carries in its Authorization header or, presigned, in its query; undefined without one. */
export const readSignature = (request: HttpRequest): RequestSignature | undefined => {
  const authorization = request.headers.get('authorization')
  if (authorization !== undefined) return parseAuthorization(authorization, request)
  const presigned = request.query.some(([name]) => /^x-amz-(signature|credential|algorithm)$/i.test(name))
  return presigned ? parsePresigned(request) : undefined
}

const checkTime = (signature: RequestSignature, now: number): void => {
  const signedAt = timestampMillis(signature.timestamp)!
  const times = { ServerTime: new Date(now).toISOString() }
  if (!signature.timestamp.startsWith(signature.scope.date)) {
    refuse(
      'AuthorizationHeaderMalformed',
      `The date of the credential scope ("${signature.scope.date}") is not the date of the request ("${signature.timestamp}").`,
      400,
    )
  }
  if (signature.presigned) {
    const expires = signedAt + signature.expiresSeconds * 1_000
    if (now > expires) {
      refuse('AccessDenied', 'Request has expired', 403, {
        Expires: new Date(expires).toISOString(),
        ...times,
      })
    }
    if (signedAt - now > maxSkewMillis) {
      refuse('AccessDenied', 'Request is not valid yet', 403, times)
    }
  } else if (Math.abs(now - signedAt) > maxSkewMillis) {
    refuse(
      'RequestTimeTooSkewed',
      'The difference between the request time and the current time is too large.',
      403,
      { RequestTime: signature.timestamp, MaxAllowedSkewMilliseconds: maxSkewMillis, ...times },
    )
  }
}

/**
 * Verifies a request's signature against the one pair of credentials. Throws a `ServiceError` with S3's names:
 * `InvalidAccessKeyId`, `SignatureDoesNotMatch`, `RequestTimeTooSkewed`, `AccessDenied`,
 * `AuthorizationHeaderMalformed`. Any region is accepted.
 */
export const verifySignature = (
  request: HttpRequest,
  signature: RequestSignature,
  payloadHash: string,
  credentials: Credentials,
  now: number,
): SigningContext => {
  if (signature.accessKeyId !== credentials.accessKeyId) {
    refuse('InvalidAccessKeyId', 'The AWS Access Key Id you provided does not exist in our records.', 403, {
      AWSAccessKeyId: signature.accessKeyId,
    })
  }
  checkTime(signature, now)
  const unsigned = [...request.headers.keys()].filter(
    (name) => (name === 'host' || name.startsWith('x-amz-')) && !signature.signedHeaders.includes(name),
  )
  if (unsigned.length > 0) {
    refuse('AccessDenied', 'There were headers present in the request which were not signed', 403, {
      HeadersNotSigned: unsigned.join(', '),
    })
  }
  const canonical = canonicalRequest({
    method: request.method,
    canonicalPath: canonicalPath(request.rawPath, signature.scope.service),
    query: request.query.filter(([name]) => name.toLowerCase() !== 'x-amz-signature'),
    signedHeaders: signature.signedHeaders,
    headers: request.headers,
    payloadHash,
  })
  const key = signingKey(credentials.secretAccessKey, signature.scope)
  const expected = signText(key, stringToSign(signature.timestamp, signature.scope, canonical))
  if (!sameSignature(expected, signature.signature)) {
    refuse(
      'SignatureDoesNotMatch',
      'The request signature we calculated does not match the signature you provided. Check your key and signing method.',
      403,
      { AWSAccessKeyId: signature.accessKeyId, SignatureProvided: signature.signature },
    )
  }
  return { key, scope: signature.scope, timestamp: signature.timestamp, seedSignature: expected }
}

/** Compares two signatures in constant time. */
export const sameSignature = (expected: string, actual: string): boolean => {
  const a = Buffer.from(expected)
  const b = Buffer.from(actual)
  return a.length === b.length && timingSafeEqual(a, b)
}

import { ObjectStoreError } from './errors.ts'

/**
 * Refusals that pass by themselves, by S3's own names: the same call may be made again. Every other refusal lasts.
 * Expired credentials count as passing: they are renewed beneath a running process.
 */
const passingRefusals = new Set([
  'BadDigest',
  'ConditionalRequestConflict',
  'CredentialsProviderError',
  'ExpiredToken',
  'ExpiredTokenException',
  'RequestExpired',
  'IncompleteBody',
  'OperationAborted',
  'RequestLimitExceeded',
  'RequestTimeTooSkewed',
  'RequestTimeout',
  'SlowDown',
  'Throttling',
  'ThrottlingException',
  'TooManyRequests',
  'TooManyRequestsException',
  'TokenRefreshRequired',
  'XAmzContentChecksumMismatch',
])
const passingStatuses = new Set([408, 409, 425, 429])

/** Refusals for good that are no 4xx: another region's bucket, a store that lacks what a header asks for. */
const lastingStatuses = new Set([301, 501])

/** Failures before anything was sent. */
const neverSent = new Set(['CredentialsProviderError'])
/** Of the system: nobody was reached. They pass. */
const neverConnected = new Set(['ECONNREFUSED', 'ENOTFOUND', 'EAI_AGAIN', 'EHOSTUNREACH', 'ENETUNREACH'])
const longestText = 300

const nameOf = (error: unknown): string =>
  typeof error === 'object' && error !== null && 'name' in error ? String(error.name) : 'UnknownError'

/** The HTTP status an SDK error carries; undefined when there was no answer. */
export const statusOf = (error: unknown): number | undefined => {
  const metadata = (error as { $metadata?: { httpStatusCode?: number } } | null)?.$metadata
  return metadata?.httpStatusCode
}

/** True when an SDK error says that something is not there: an object, an upload. */
export const isNotFound = (error: unknown): boolean =>
  statusOf(error) === 404 && nameOf(error) !== 'NoSuchBucket'

export const isPreconditionFailed = (error: unknown): boolean => statusOf(error) === 412

/** Classifies what the SDK threw, by name and status, never by its text. Whatever is not a 4xx, 301 or 501 is
 * `unknown`. */
export const objectStoreFailure = (
  error: unknown,
  call: { readonly operation: string; readonly bucket: string; readonly key: string },
): ObjectStoreError => {
  if (error instanceof ObjectStoreError) return error
  const name = nameOf(error)
  const status = statusOf(error)
  const refused =
    neverSent.has(name) ||
    (status !== undefined && ((status >= 400 && status < 500) || lastingStatuses.has(status)))
  const passing = passingRefusals.has(name) || (status !== undefined && passingStatuses.has(status))
  const code = codeOf(error)
  const answer = answerOf(error, status, status === undefined && code !== undefined ? code : name)
  const at = `${call.operation} s3://${call.bucket}/${call.key}`
  const sent = code === undefined || status !== undefined || !neverConnected.has(code)
  return new ObjectStoreError({
    code: refused ? 'OBJECT_STORE_REFUSED' : 'OBJECT_STORE_UNKNOWN',
    message: refused
      ? `${at} was refused: ${answer}.${remedy(status, name)}`
      : sent
        ? `${at} has no certain answer (${answer}); it may have taken effect.${status === 507 ? ' The store says that it is full.' : ''}`
        : `${at} was not sent: ${answer}.`,
    outcome: refused ? 'refused' : 'unknown',
    retryable: !refused || passing,
    status,
    cause: error,
    facts: { operation: call.operation, bucket: call.bucket, key: call.key, name, status },
  })
}

/** The system's name of a failure, such as ECONNREFUSED. */
const codeOf = (error: unknown): string | undefined => {
  const { code } = (error ?? {}) as { code?: unknown }
  return typeof code === 'string' ? code : undefined
}

/** What the SDK says, in one line; it tells no secrets. */
const answerOf = (error: unknown, status: number | undefined, name: string): string => {
  const text = (error instanceof Error ? error.message : '')
    .replaceAll(/\s+/g, ' ')
    .trim()
    .slice(0, longestText)
  const known = status === undefined ? name : `${status} ${name}`
  return text === '' || text === name ? known : `${known}: ${text.replace(/\.$/, '')}`
}

const remedy = (status: number | undefined, name: string): string => {
  if (status === 301 || name === 'AuthorizationHeaderMalformed')
    return " The bucket is in another region than the client's."
  if (status === 401 || status === 403)
    return ' Check the credentials and what they are allowed on this bucket.'
  if (name === 'NoSuchUpload')
    return ' The upload was aborted: by another owner of the partition, or by a lifecycle rule of the bucket.'
  if (status === 404) return ' Check that the bucket exists in this region.'
  if (status === 501)
    return ' The store lacks what was asked for: an encryption, storage class or tags, perhaps.'
  return ''
}

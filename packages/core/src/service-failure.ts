/** The system's codes of connections that were never made, over which no call has gone. They pass. */
export const neverConnected: ReadonlySet<string> = new Set([
  'EAI_AGAIN',
  'ECONNREFUSED',
  'EHOSTUNREACH',
  'ENETUNREACH',
])

/** The system's codes of connections that were lost: a call over them may have been done. They pass. */
export const lostConnections: ReadonlySet<string> = new Set([
  'ECONNABORTED',
  'ECONNRESET',
  'EPIPE',
  'ETIMEDOUT',
])

/** Attempts of a call where nothing listens: the endpoint is more likely wrong than just starting. */
export const attemptsRefused = 5

/** Of what stands before a service, a proxy or balancer, whose answer is no answer of the service. They pass. */
const passingStatuses = new Set([500, 502, 503, 504])

interface Failure {
  readonly name?: unknown
  readonly code?: unknown
  readonly cause?: unknown
  readonly $metadata?: { readonly httpStatusCode?: number }
  readonly $response?: { readonly statusCode?: number }
}

/** The HTTP status an SDK error carries; undefined when there was no answer. */
export const httpStatusOf = (error: unknown): number | undefined => {
  const { $metadata: metadata, $response: response } = (error ?? {}) as Failure
  return metadata?.httpStatusCode ?? response?.statusCode
}

/**
 * The name that a service gives a failure, or the system's code of a connection that failed, which may be that of its
 * cause; `UnknownError` where there is neither. An answer of 500, 502, 503 or 504 that the SDK cannot read, as of a proxy, is
 * `ServiceUnavailable`.
 */
export const serviceErrorName = (error: unknown): string => {
  const { name, code, cause } = (error ?? {}) as Failure
  if (typeof code === 'string' && (neverConnected.has(code) || lostConnections.has(code))) return code
  const isUnread = name === 'SyntaxError' || name === 'UnknownError' || /^\d{3}$/.test(String(name))
  if (isUnread && passingStatuses.has(httpStatusOf(error) ?? 0)) return 'ServiceUnavailable'
  if (typeof name === 'string' && !['Error', 'AggregateError', 'TypeError'].includes(name)) return name
  if (typeof code === 'string') return code
  const ofCause = (cause ?? {}) as { code?: unknown }
  return typeof ofCause.code === 'string' ? ofCause.code : 'UnknownError'
}

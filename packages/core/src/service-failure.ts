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

/**
 * The name that a service gives a failure, or the system's code of a connection that failed, which may be that of its
 * cause; `UnknownError` where there is neither.
 */
export const serviceErrorName = (error: unknown): string => {
  const { name, code, cause } = (error ?? {}) as { name?: unknown; code?: unknown; cause?: unknown }
  if (typeof code === 'string' && (neverConnected.has(code) || lostConnections.has(code))) return code
  if (typeof name === 'string' && !['Error', 'AggregateError', 'TypeError'].includes(name)) return name
  if (typeof code === 'string') return code
  const ofCause = (cause ?? {}) as { code?: unknown }
  return typeof ofCause.code === 'string' ? ofCause.code : 'UnknownError'
}

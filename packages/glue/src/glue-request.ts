import type { GlueClient } from '@aws-sdk/client-glue'
import {
  attemptsRefused,
  lostConnections,
  neverConnected,
  type Runtime,
  serviceErrorName,
  sleep,
} from '@stockpipe/core'
import { GlueRequestError } from './errors.ts'

/** What the functions of this package ask of a Glue client. */
export type GlueSender = Pick<GlueClient, 'send'>

/** What every call shares: the client, the clock, and the caller's patience. */
export interface GlueCall {
  readonly client: GlueSender
  readonly runtime: Runtime
  readonly signal?: AbortSignal | undefined
}

/** Failures after which the same call may be made again, by the name Glue or the SDK gives them. */
const retryable = new Set([
  'ConcurrentModificationException',
  'InternalServerException',
  'InternalServiceException',
  'OperationTimeoutException',
  'ThrottlingException',
  'ThrottledException',
  'TooManyRequestsException',
  'RequestLimitExceeded',
  'ServiceUnavailable',
  'TimeoutError',
  ...lostConnections,
  ...neverConnected,
])

/** Whether a failure of that name passes by itself; unknown is not retryable. */
export const isRetryable = (serviceError: string): boolean => retryable.has(serviceError)

/** How often a call is made in all before its failure stands. */
export const maximumAttempts = 6

/** Waits before attempt `attempt` (from 1): exponential from 100 ms to 5 s, with full jitter above half. */
export const backOff = (call: GlueCall, attempt: number): Promise<void> => {
  const ceiling = Math.min(5000, 100 * 2 ** (attempt - 1))
  return sleep(call.runtime, ceiling * (0.5 + call.runtime.random() / 2), call.signal)
}

/**
 * Makes one call, again after failures that pass; a failure that stays is a `GlueRequestError` naming `what`.
 * Names in `answers` are answers rather than failures: they are handed back as `{ refused: name }`.
 */
export function request<Output extends object>(
  call: GlueCall,
  operation: string,
  what: string,
  send: (options: { abortSignal?: AbortSignal }) => Promise<Output>,
): Promise<Output>
export function request<Output extends object, Answer extends string>(
  call: GlueCall,
  operation: string,
  what: string,
  send: (options: { abortSignal?: AbortSignal }) => Promise<Output>,
  answers: readonly Answer[],
): Promise<Output | { readonly refused: Answer }>
export async function request<Output extends object>(
  call: GlueCall,
  operation: string,
  what: string,
  send: (options: { abortSignal?: AbortSignal }) => Promise<Output>,
  answers: readonly string[] = [],
): Promise<Output | { readonly refused: string }> {
  for (let attempt = 1; ; attempt++) {
    call.signal?.throwIfAborted()
    try {
      return await send(call.signal ? { abortSignal: call.signal } : {})
    } catch (error) {
      if (call.signal?.aborted) throw call.signal.reason
      const name = serviceErrorName(error)
      if (answers.includes(name)) return { refused: name }
      const most = name === 'ECONNREFUSED' ? attemptsRefused : maximumAttempts
      if (!isRetryable(name) || attempt >= most) {
        throw requestFailed(operation, what, name, attempt, error)
      }
    }
    await backOff(call, attempt)
  }
}

/** Whether a call was answered with one of the names given as `answers`. */
export const wasRefused = (answer: object): answer is { readonly refused: string } => 'refused' in answer

const remedies: Readonly<Record<string, string>> = {
  AccessDeniedException:
    'Allow the caller this action on the catalog, database and table in IAM or Lake Formation.',
  CredentialsProviderError: 'Set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or another credentials source.',
  EntityNotFoundException: 'Create it first: ensureDatabase() makes the database, ensureTable() the table.',
  ECONNREFUSED: 'Nothing listens at the endpoint; check AWS_ENDPOINT_URL or start the local stack.',
  ExpiredTokenException: 'Renew the credentials.',
  UnrecognizedClientException: 'Check the access key and secret key.',
}

/** The error of a call that failed and stayed failed. */
export const requestFailed = (
  operation: string,
  what: string,
  name: string,
  attempts: number,
  cause: unknown,
) => {
  const told = cause instanceof Error && cause.message ? cause.message.replace(/\.?\s*$/, '') : String(cause)
  const remedy =
    (name === 'EntityNotFoundException' && operation.includes('Job')
      ? 'Create it first: ensureJob() makes the job.'
      : remedies[name]) ?? (isRetryable(name) ? 'Try again later.' : 'Check the request and its settings.')
  return new GlueRequestError({
    code: 'GLUE_REQUEST_FAILED',
    message: `Glue ${operation} for ${what} failed with ${name}${attempts > 1 ? ` after ${attempts} attempts` : ''}: ${told}. ${remedy}`,
    retryable: isRetryable(name),
    cause,
    operation,
    serviceError: name,
    facts: { operation, attempts },
  })
}

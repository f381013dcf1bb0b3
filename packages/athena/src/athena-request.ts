import type { AthenaClient } from '@aws-sdk/client-athena'
import {
  attemptsRefused,
  httpStatusOf,
  lostConnections,
  neverConnected,
  type Runtime,
  serviceErrorName,
  sleep,
} from '@stockpipe/core'
import { CallPatience } from './call-patience.ts'
import { AthenaRequestError } from './errors.ts'

/** What this package asks of an Athena client. */
export type AthenaSender = Pick<AthenaClient, 'send'>

/** What every call shares: the client, the clock, and the caller's patience. */
export interface AthenaCall {
  readonly client: AthenaSender
  readonly runtime: Runtime
  readonly signal?: AbortSignal | undefined
}

/** Failures after which the same call may be made again, by the name Athena or the SDK gives them. */
const retryable = new Set([
  'InternalServerException',
  'RequestLimitExceeded',
  'ServiceUnavailable',
  'ThrottlingException',
  'TimeoutError',
  'TooManyRequestsException',
  ...lostConnections,
  ...neverConnected,
])

/** Attempts of a call in all. */
export const maximumAttempts = 8
/** How long one attempt may be without an answer: a connection that is dead without a word is not waited for. */
const attemptMillis = 30_000

/** Whether a call that failed so may have been done all the same: it was sent, and Athena has not said no. */
export const mayBeDone = (error: unknown): boolean => {
  const name = serviceErrorName(error)
  const { $fault: fault } = (error ?? {}) as { $fault?: unknown }
  const isRefusal = fault === 'client' && (httpStatusOf(error) ?? 0) < 500
  return !isRefusal && retryable.has(name) && !neverConnected.has(name)
}

/** Waits before attempt `attempt` (from 1): exponential from 100 ms to 10 s, with jitter over its upper half. */
export const backOff = (call: AthenaCall, attempt: number): Promise<void> => {
  const ceiling = Math.min(10_000, 100 * 2 ** (attempt - 1))
  return sleep(call.runtime, ceiling * (0.5 + call.runtime.random() / 2), call.signal)
}

/**
 * Makes one call, again after failures that pass; a failure that stays is an `AthenaRequestError`. An abort ends the
 * attempt under way, unless it is `awaited`, and no other is made.
 */
export const request = async <Output>(
  call: AthenaCall & { readonly awaited?: boolean },
  operation: string,
  what: string,
  send: (options: { abortSignal: AbortSignal }) => Promise<Output>,
): Promise<Output> => {
  for (let attempt = 1; ; attempt++) {
    call.signal?.throwIfAborted()
    const patience = new CallPatience(call.awaited ? undefined : call.signal)
    patience.endAfter(call.runtime, attemptMillis, noAnswer)
    try {
      return await send({ abortSignal: patience.signal })
    } catch (thrown) {
      if (call.signal?.aborted) throw call.signal.reason
      const error: unknown = patience.signal.aborted ? patience.signal.reason : thrown
      const name = serviceErrorName(error)
      const most = name === 'ECONNREFUSED' ? attemptsRefused : maximumAttempts
      if (!retryable.has(name) || attempt >= most) {
        throw requestFailed(operation, what, name, attempt, error)
      }
    } finally {
      patience.close()
    }
    await backOff(call, attempt)
  }
}

const noAnswer = () =>
  Object.assign(new Error(`there was no answer within ${attemptMillis} ms`), { name: 'TimeoutError' })

const remedies: Readonly<Record<string, string>> = {
  AccessDeniedException: 'Allow the caller this action on the work group in IAM.',
  CredentialsProviderError: 'Set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or another credentials source.',
  ECONNREFUSED: 'Nothing listens at the endpoint; check AWS_ENDPOINT_URL or start the local stack.',
  ExpiredTokenException: 'Renew the credentials.',
  InvalidRequestException:
    'Check the statement, the work group and the output location (s3://bucket/prefix/) of the results.',
  TooManyRequestsException:
    'Too many queries run or wait in this account; run fewer at once or raise the quota.',
  UnrecognizedClientException: 'Check the access key and secret key.',
}

/** What is thrown for a call that stays failed. */
export const requestFailed = (
  operation: string,
  what: string,
  name: string,
  attempts: number,
  cause: unknown,
) => {
  const told = cause instanceof Error && cause.message ? cause.message.replace(/\.?\s*$/, '') : String(cause)
  const remedy =
    remedies[name] ?? (retryable.has(name) ? 'Try again later.' : 'Check the request and its settings.')
  return new AthenaRequestError({
    code: 'ATHENA_REQUEST_FAILED',
    message: `Athena ${operation} for ${what} failed with ${name}${attempts > 1 ? ` after ${attempts} attempts` : ''}: ${told}. ${remedy}`,
    retryable: retryable.has(name),
    cause,
    operation,
    serviceError: name,
    facts: { operation, attempts },
  })
}

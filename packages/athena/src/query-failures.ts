import type { QueryExecution } from '@aws-sdk/client-athena'
import type { ErrorFacts } from '@stockpipe/core'
import { requestFailed } from './athena-request.ts'
import {
  AthenaRequestError,
  type QueryErrorCategory,
  QueryFailedError,
  QueryNotStoppedError,
  QueryTimedOutError,
  ScanLimitError,
} from './errors.ts'

export const scannedTooMuch = (queryExecutionId: string, scannedBytes: number, maxScannedBytes: number) =>
  new ScanLimitError({
    code: 'SCAN_LIMIT',
    message: `Query ${queryExecutionId} has scanned ${scannedBytes} bytes, more than its maxScannedBytes, ${maxScannedBytes}. Name fewer partitions or columns, or raise it.`,
    facts: { queryExecutionId, scannedBytes, maxScannedBytes },
  })

export const isConcurrencyRefusal = (error: unknown): boolean => {
  const { name, Reason: reason } = (error ?? {}) as { name?: unknown; Reason?: unknown }
  return name === 'TooManyRequestsException' && reason === 'CONCURRENT_QUERY_LIMIT_EXCEEDED'
}

export const tooManyQueries = (what: string, attempts: number) =>
  requestFailed(
    'StartQueryExecution',
    what,
    'TooManyRequestsException',
    attempts,
    new Error('CONCURRENT_QUERY_LIMIT_EXCEEDED'),
  )

export const queryTimedOut = (timeoutMillis: number, queryExecutionId: string | undefined) =>
  new QueryTimedOutError({
    code: 'QUERY_TIMED_OUT',
    message: `${queryExecutionId ? `Query ${queryExecutionId}` : 'A query that waited to be started'} took longer than timeoutMillis, ${timeoutMillis} ms.`,
    facts: { queryExecutionId },
  })

const told = (error: unknown): string => (error instanceof Error ? error.message : String(error))

export const startNotStopped = (clientRequestToken: string, reason: unknown, cause: unknown) =>
  new QueryNotStoppedError({
    code: 'QUERY_NOT_STOPPED',
    message: `A query was given up (${told(reason)}) while it was being started under the client request token ${clientRequestToken}, and may run: ${told(cause)}. Look for it among the recent queries of the work group.`,
    cause: reason,
    facts: { clientRequestToken },
  })

/** A start that failed without an answer may have begun a query; its error says under which token. */
export const mayHaveStarted = (error: AthenaRequestError, clientRequestToken: string) =>
  saidMore(
    error,
    `It may have started the query all the same, under the client request token ${clientRequestToken}.`,
    {
      clientRequestToken,
    },
  )

/** A query of which Athena does not tell how it is. */
export const toldToStop = (error: AthenaRequestError, queryExecutionId: string) =>
  saidMore(error, `Query ${queryExecutionId} was told to stop.`, { queryExecutionId })

const saidMore = (error: AthenaRequestError, sentence: string, facts: ErrorFacts) =>
  new AthenaRequestError({
    code: error.code,
    message: `${error.message} ${sentence}`,
    retryable: error.retryable,
    cause: error.cause,
    operation: error.operation,
    serviceError: error.serviceError,
    facts: { ...error.facts, ...facts },
  })

export const queryNotStopped = (queryExecutionId: string, reason: unknown, cause: unknown) =>
  new QueryNotStoppedError({
    code: 'QUERY_NOT_STOPPED',
    message: `Query ${queryExecutionId} was given up (${told(reason)}) and may still run: ${told(cause)}. Look it up under that id in the Athena console.`,
    cause: reason,
    facts: { queryExecutionId },
  })

const categories: Readonly<Record<number, QueryErrorCategory>> = { 1: 'system', 2: 'user', 3: 'other' }

export const queryFailed = (execution: QueryExecution, queryExecutionId: string): QueryFailedError => {
  const { Status: status } = execution
  const state = status?.State === 'CANCELLED' ? 'CANCELLED' : 'FAILED'
  const error = status?.AthenaError
  const reason = status?.StateChangeReason ?? error?.ErrorMessage ?? 'Athena gives no reason'
  const category = categories[error?.ErrorCategory ?? 0]
  const retryable = error?.Retryable ?? false
  const remedy = retryable
    ? 'It may succeed when run again.'
    : state === 'CANCELLED'
      ? 'Somebody stopped it, or it passed a limit of its work group.'
      : category === 'user'
        ? 'Mend the statement or the data it names.'
        : 'Look it up under that id in the Athena console.'
  return new QueryFailedError({
    code: state === 'CANCELLED' ? 'QUERY_CANCELLED' : 'QUERY_FAILED',
    message: `Query ${queryExecutionId} in database ${execution.QueryExecutionContext?.Database ?? '(none)'} ${state === 'CANCELLED' ? 'was cancelled' : 'failed'}: ${reason.replace(/\.?\s*$/, '')}. ${remedy}`,
    retryable,
    facts: { queryExecutionId, errorType: error?.ErrorType },
    queryExecutionId,
    state,
    stateChangeReason: reason,
    category,
    errorType: error?.ErrorType,
  })
}

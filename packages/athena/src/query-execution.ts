import {
  GetQueryExecutionCommand,
  type QueryExecution,
  StartQueryExecutionCommand,
  StopQueryExecutionCommand,
} from '@aws-sdk/client-athena'
import { sleep } from '@stockpipe/core'
import { type AthenaCall, backOff, request } from './athena-request.ts'
import { type QueryErrorCategory, QueryFailedError } from './errors.ts'
import type { BoundStatement } from './sql-parameters.ts'

/** Where statements run. */
export interface QuerySettings {
  readonly database: string
  readonly catalog?: string | undefined
  readonly workGroup?: string | undefined
  /** `s3://bucket/prefix/`; leave out where the work group sets it or manages results. */
  readonly outputLocation?: string | undefined
  readonly poll?: { readonly initialMillis?: number; readonly maximumMillis?: number } | undefined
}

/** A query that has succeeded. */
export type EndedQuery = QueryExecution & { readonly QueryExecutionId: string }

/** How often a SELECT is run in all when Athena says its failure is worth another run. */
const maximumRuns = 3

/**
 * Runs a statement to its end. A SELECT that fails with `AthenaError.Retryable` is run again; anything that writes
 * is not, because half of it may be there.
 *
 * Throws a `QueryFailedError`, an `AthenaRequestError`, or `signal.reason` after it has sent StopQueryExecution.
 */
export const runStatement = async (
  call: AthenaCall,
  settings: QuerySettings,
  statement: BoundStatement,
): Promise<EndedQuery> => {
  for (let run = 1; ; run++) {
    const queryExecutionId = await startQuery(call, settings, statement)
    const execution = await untilEnded(call, settings, queryExecutionId)
    if (execution.Status?.State === 'SUCCEEDED') return { ...execution, QueryExecutionId: queryExecutionId }
    const error = queryFailed(execution, queryExecutionId)
    if (!error.retryable || execution.SubstatementType !== 'SELECT' || run >= maximumRuns) throw error
    await backOff(call, run)
  }
}

const startQuery = async (
  call: AthenaCall,
  settings: QuerySettings,
  { queryString, executionParameters }: BoundStatement,
): Promise<string> => {
  // One token over all attempts: an attempt whose answer was lost has started the query that the next one finds.
  const token = Buffer.from(call.runtime.randomBytes(16)).toString('hex')
  const command = new StartQueryExecutionCommand({
    QueryString: queryString,
    ClientRequestToken: token,
    QueryExecutionContext: {
      Database: settings.database,
      ...(settings.catalog === undefined ? {} : { Catalog: settings.catalog }),
    },
    ...(executionParameters.length === 0 ? {} : { ExecutionParameters: [...executionParameters] }),
    ...(settings.workGroup === undefined ? {} : { WorkGroup: settings.workGroup }),
    ...(settings.outputLocation === undefined
      ? {}
      : { ResultConfiguration: { OutputLocation: settings.outputLocation } }),
  })
  const what = `database ${settings.database}${settings.workGroup ? `, work group ${settings.workGroup}` : ''}`
  // The signal is not handed to the call: a query whose id we do not learn could not be stopped.
  const answer = await request(call, 'StartQueryExecution', what, () => call.client.send(command))
  return answer.QueryExecutionId ?? ''
}

/** The execution once it has ended, however; stops it when the signal is aborted. */
const untilEnded = async (
  call: AthenaCall,
  settings: QuerySettings,
  queryExecutionId: string,
): Promise<QueryExecution> => {
  const { initialMillis = 100, maximumMillis = 2000 } = settings.poll ?? {}
  let delay = initialMillis
  try {
    for (;;) {
      await sleep(call.runtime, delay * (0.75 + call.runtime.random() / 2), call.signal)
      const { QueryExecution: execution } = await request(
        call,
        'GetQueryExecution',
        `query ${queryExecutionId}`,
        (options) =>
          call.client.send(new GetQueryExecutionCommand({ QueryExecutionId: queryExecutionId }), options),
      )
      const state = execution?.Status?.State
      if (execution && (state === 'SUCCEEDED' || state === 'FAILED' || state === 'CANCELLED'))
        return execution
      delay = Math.min(maximumMillis, delay * 1.5)
    }
  } catch (error) {
    if (call.signal?.aborted) await stopQuery(call, queryExecutionId)
    throw error
  }
}

/** Sends StopQueryExecution; the caller has given up already, so a failure of it is not what they need to hear. */
const stopQuery = (call: AthenaCall, queryExecutionId: string): Promise<unknown> =>
  call.client
    .send(new StopQueryExecutionCommand({ QueryExecutionId: queryExecutionId }))
    .catch(() => undefined)

const categories: Readonly<Record<number, QueryErrorCategory>> = { 1: 'system', 2: 'user', 3: 'other' }

const queryFailed = (execution: QueryExecution, queryExecutionId: string): QueryFailedError => {
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

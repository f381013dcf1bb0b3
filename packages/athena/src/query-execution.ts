import {
  type QueryExecution,
  StartQueryExecutionCommand,
  StopQueryExecutionCommand,
} from '@aws-sdk/client-athena'
import { ConfigurationError, type Runtime, systemRuntime } from '@stockpipe/core'
import {
  type AthenaCall,
  type AthenaSender,
  backOff,
  maximumAttempts,
  request,
  requestFailed,
} from './athena-request.ts'
import { CallPatience } from './call-patience.ts'
import { ConcurrencyGate } from './concurrency-gate.ts'
import {
  type QueryErrorCategory,
  QueryFailedError,
  QueryNotStoppedError,
  QueryTimedOutError,
  ScanLimitError,
} from './errors.ts'
import { type PollSettings, QueryPoller } from './query-poller.ts'
import type { BoundStatement } from './sql-parameters.ts'

/** Where and how statements run. */
export interface QuerySettings {
  readonly client: AthenaSender
  readonly database: string
  readonly catalog?: string | undefined
  readonly workGroup?: string | undefined
  /** `s3://bucket/prefix/`; leave out where the work group sets it or manages results. */
  readonly outputLocation?: string | undefined
  readonly runtime?: Runtime | undefined
  readonly poll?: PollSettings | undefined
  readonly maxConcurrentQueries?: number | undefined
  readonly encryption?: ResultEncryption | undefined
}

/** How the files of results are encrypted, where the work group does not say so. */
export type ResultEncryption =
  | { readonly option: 'SSE_S3' }
  | { readonly option: 'SSE_KMS' | 'CSE_KMS'; readonly kmsKey: string }

/** How one statement is run. */
export interface RunOptions {
  readonly signal?: AbortSignal | undefined
  readonly timeoutMillis?: number | undefined
  readonly onAbort?: 'stop' | 'leave' | undefined
  readonly onStart?: ((queryExecutionId: string) => void) | undefined
  readonly maxScannedBytes?: number | undefined
  readonly reuseMaxAgeMinutes?: number | undefined
}

/** A query that has succeeded. */
export type EndedQuery = QueryExecution & { readonly QueryExecutionId: string }

/** How often a SELECT is run in all when Athena says its failure is worth another run. */
const maximumRuns = 3
/** A query that is stopped ends within seconds; longer nobody waits for it. */
const stopMillis = 15_000

/** Runs the statements of one client: one poller asks for all of them, one gate bounds how many run at once. */
export class QueryRunner {
  readonly #settings: QuerySettings
  readonly #runtime: Runtime
  readonly #poller: QueryPoller
  readonly #gate: ConcurrencyGate

  /** Throws a `ConfigurationError` for a number of concurrent queries that is none. */
  constructor(settings: QuerySettings) {
    const { client, runtime = systemRuntime, poll, maxConcurrentQueries: most } = settings
    if (most !== undefined && !(Number.isInteger(most) && most > 0)) {
      throw new ConfigurationError({
        code: 'CONCURRENCY_INVALID',
        message: `maxConcurrentQueries is a whole number from 1 on, not ${most}.`,
      })
    }
    this.#settings = settings
    this.#runtime = runtime
    this.#poller = new QueryPoller({ client, runtime }, poll)
    this.#gate = new ConcurrencyGate(most)
  }

  /** What calls beside the runs share. */
  call(signal: AbortSignal | undefined): AthenaCall {
    return { client: this.#settings.client, runtime: this.#runtime, signal }
  }

  /**
   * Runs a statement to its end. A SELECT that fails with `AthenaError.Retryable` is run again; anything that writes
   * is not, because half of it may be there.
   *
   * Throws a `QueryFailedError`, an `AthenaRequestError`; a `QueryTimedOutError`, a `ScanLimitError` or `signal.reason` once the query has
   * ended on Athena, and a `QueryNotStoppedError` when that could not be made sure of.
   */
  async run(statement: BoundStatement, options: RunOptions = {}): Promise<EndedQuery> {
    let started: string | undefined
    const { timeoutMillis } = options
    const patience = new CallPatience(options.signal)
    if (timeoutMillis !== undefined) {
      patience.endAfter(this.#runtime, timeoutMillis, () => queryTimedOut(timeoutMillis, started))
    }
    const { signal } = patience
    try {
      for (let run = 1; ; run++) {
        signal.throwIfAborted()
        started = await this.#start(statement, signal, options)
        const execution = await this.#ended(started, patience, options)
        if (execution.Status?.State === 'SUCCEEDED') return { ...execution, QueryExecutionId: started }
        const error = queryFailed(execution, started)
        if (!error.retryable || execution.SubstatementType !== 'SELECT' || run >= maximumRuns) throw error
        await backOff(this.call(signal), run)
      }
    } finally {
      patience.close()
    }
  }

  async #start(
    { queryString, executionParameters }: BoundStatement,
    signal: AbortSignal,
    { reuseMaxAgeMinutes }: RunOptions,
  ): Promise<string> {
    const { client, database, catalog, workGroup, outputLocation, encryption } = this.#settings
    const call = this.call(signal)
    // One token over all attempts: an attempt whose answer was lost has started the query that the next one finds.
    const token = Buffer.from(this.#runtime.randomBytes(16)).toString('hex')
    const command = new StartQueryExecutionCommand({
      QueryString: queryString,
      ClientRequestToken: token,
      QueryExecutionContext: {
        Database: database,
        ...(catalog === undefined ? {} : { Catalog: catalog }),
      },
      ...(executionParameters.length === 0 ? {} : { ExecutionParameters: [...executionParameters] }),
      ...(workGroup === undefined ? {} : { WorkGroup: workGroup }),
      ...resultConfiguration(outputLocation, encryption),
      ...(reuseMaxAgeMinutes === undefined ? {} : resultReuse(reuseMaxAgeMinutes)),
    })
    const what = `database ${database}${workGroup ? `, work group ${workGroup}` : ''}`
    // A refusal while queries of ours run is waited out; others' are not ours to wait for without end.
    for (let refusals = 0; ; ) {
      await this.#gate.enter(signal, refusals > 0)
      try {
        // The signal is not handed to the call: a query whose id we do not learn could not be stopped.
        const answer = await request(call, 'StartQueryExecution', what, () =>
          client.send(command).catch((error: unknown) => {
            if (isConcurrencyRefusal(error)) return undefined
            throw error
          }),
        )
        if (answer) {
          this.#gate.started()
          return answer.QueryExecutionId ?? ''
        }
      } catch (error) {
        this.#gate.failed()
        throw error
      }
      refusals = this.#gate.running === 0 ? refusals + 1 : 1
      this.#gate.refused()
      if (refusals === maximumAttempts) throw tooManyQueries(what, refusals)
      await backOff(call, refusals)
    }
  }

  /** The execution once it has ended. Its place in the gate is free then, or once it is left. */
  async #ended(
    id: string,
    patience: CallPatience,
    { onAbort, onStart, maxScannedBytes = Number.POSITIVE_INFINITY }: RunOptions,
  ): Promise<QueryExecution> {
    const { signal } = patience
    try {
      onStart?.(id)
      return await this.#poller.ended(id, signal, ({ Statistics: statistics }) => {
        const scanned = statistics?.DataScannedInBytes ?? 0
        if (scanned > maxScannedBytes) patience.abort(scannedTooMuch(id, scanned, maxScannedBytes))
      })
    } catch (error) {
      if (signal.aborted && onAbort !== 'leave') await this.#stop(id, signal.reason)
      throw error
    } finally {
      this.#gate.ended()
    }
  }

  /** Resolves when the query has ended; throws a `QueryNotStoppedError` with the reason as its cause otherwise. */
  async #stop(id: string, reason: unknown): Promise<void> {
    const late = new AbortController()
    const timer = this.#runtime.setTimer(
      () => late.abort(new Error(`${stopMillis} ms have passed`)),
      stopMillis,
    )
    try {
      await request(this.call(late.signal), 'StopQueryExecution', `query ${id}`, (options) =>
        this.#settings.client.send(new StopQueryExecutionCommand({ QueryExecutionId: id }), options),
      )
      await this.#poller.ended(id, late.signal)
    } catch (error) {
      throw queryNotStopped(id, reason, error)
    } finally {
      timer.cancel()
    }
  }
}

const resultConfiguration = (
  outputLocation: string | undefined,
  encryption: ResultEncryption | undefined,
) => {
  if (outputLocation === undefined && encryption === undefined) return {}
  return {
    ResultConfiguration: {
      ...(outputLocation === undefined ? {} : { OutputLocation: outputLocation }),
      ...(encryption === undefined
        ? {}
        : {
            EncryptionConfiguration: {
              EncryptionOption: encryption.option,
              ...('kmsKey' in encryption ? { KmsKey: encryption.kmsKey } : {}),
            },
          }),
    },
  }
}

const resultReuse = (maxAgeMinutes: number) => ({
  ResultReuseConfiguration: {
    ResultReuseByAgeConfiguration: { Enabled: true, MaxAgeInMinutes: maxAgeMinutes },
  },
})

const scannedTooMuch = (queryExecutionId: string, scannedBytes: number, maxScannedBytes: number) =>
  new ScanLimitError({
    code: 'SCAN_LIMIT',
    message: `Query ${queryExecutionId} has scanned ${scannedBytes} bytes, more than its maxScannedBytes, ${maxScannedBytes}. Name fewer partitions or columns, or raise it.`,
    facts: { queryExecutionId, scannedBytes, maxScannedBytes },
  })

const isConcurrencyRefusal = (error: unknown): boolean => {
  const { name, Reason: reason } = (error ?? {}) as { name?: unknown; Reason?: unknown }
  return name === 'TooManyRequestsException' && reason === 'CONCURRENT_QUERY_LIMIT_EXCEEDED'
}

const tooManyQueries = (what: string, attempts: number) =>
  requestFailed(
    'StartQueryExecution',
    what,
    'TooManyRequestsException',
    attempts,
    new Error('CONCURRENT_QUERY_LIMIT_EXCEEDED'),
  )

const queryTimedOut = (timeoutMillis: number, queryExecutionId: string | undefined) =>
  new QueryTimedOutError({
    code: 'QUERY_TIMED_OUT',
    message: `${queryExecutionId ? `Query ${queryExecutionId}` : 'A query that waited to be started'} took longer than timeoutMillis, ${timeoutMillis} ms.`,
    facts: { queryExecutionId },
  })

const queryNotStopped = (queryExecutionId: string, reason: unknown, cause: unknown) =>
  new QueryNotStoppedError({
    code: 'QUERY_NOT_STOPPED',
    message: `Query ${queryExecutionId} was given up (${reason instanceof Error ? reason.message : String(reason)}) and may still run: ${cause instanceof Error ? cause.message : String(cause)}. Look it up under that id in the Athena console.`,
    cause: reason,
    facts: { queryExecutionId },
  })

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

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
  mayBeDone,
  request,
} from './athena-request.ts'
import { CallPatience } from './call-patience.ts'
import { ConcurrencyGate } from './concurrency-gate.ts'
import { AthenaRequestError, ScanLimitError } from './errors.ts'
import { requireNumber } from './number-setting.ts'
import {
  isConcurrencyRefusal,
  mayHaveStarted,
  queryFailed,
  queryNotStopped,
  queryTimedOut,
  scannedTooMuch,
  startNotStopped,
  toldToStop,
  tooManyQueries,
} from './query-failures.ts'
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

/** Asks for the start; undefined when Athena has too many queries. */
type Start = (options: {
  readonly abortSignal: AbortSignal
}) => Promise<{ readonly QueryExecutionId?: string | undefined } | undefined>

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

  /** Throws a `ConfigurationError` for a number of concurrent queries, or times between polls, that cannot be. */
  constructor(settings: QuerySettings) {
    const { client, runtime = systemRuntime, poll, maxConcurrentQueries: most } = settings
    if (most !== undefined && !(Number.isInteger(most) && most > 0)) {
      throw new ConfigurationError({
        code: 'CONCURRENCY_INVALID',
        message: `maxConcurrentQueries is a whole number from 1 on, not ${most}.`,
      })
    }
    requireNumber('poll.initialMillis', poll?.initialMillis, 1)
    requireNumber('poll.maximumMillis', poll?.maximumMillis, 1)
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
   * Throws a `QueryFailedError`, an `AthenaRequestError`; a `ConfigurationError` for limits that are no numbers; a `QueryTimedOutError`, a `ScanLimitError`, `signal.reason` or
   * what `onStart` throws once the query has ended on Athena, and a `QueryNotStoppedError` when that could not be made
   * sure of.
   */
  async run(statement: BoundStatement, options: RunOptions = {}): Promise<EndedQuery> {
    let started: string | undefined
    const { timeoutMillis } = options
    requireNumber('timeoutMillis', timeoutMillis, 0)
    requireNumber('maxScannedBytes', options.maxScannedBytes, 0)
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
    { reuseMaxAgeMinutes, onAbort }: RunOptions,
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
    // Whether an attempt had no answer: it may have started the query.
    let isUncertain = false
    const send: Start = ({ abortSignal }) =>
      client.send(command, { abortSignal }).catch((error: unknown) => {
        if (isConcurrencyRefusal(error)) return undefined
        isUncertain ||= abortSignal.aborted || mayBeDone(error)
        throw error
      })
    try {
      // A refusal while queries of ours run is waited out; others' are not ours to wait for without end.
      for (let refusals = 0; ; ) {
        await this.#gate.enter(signal, refusals > 0)
        const id = await this.#startInside(call, what, send)
        if (id !== undefined) return id
        refusals = this.#gate.running === 0 ? refusals + 1 : 1
        if (refusals === maximumAttempts) throw tooManyQueries(what, refusals)
        await backOff(call, refusals)
      }
    } catch (error) {
      if (!isUncertain) throw error
      if (!signal.aborted && error instanceof AthenaRequestError) throw mayHaveStarted(error, token)
      if (onAbort !== 'leave') await this.#stopStarted(send, what, token, signal.reason)
      throw error
    }
  }

  /** The id of the query, whose place in the gate it has then; undefined when Athena has too many. */
  async #startInside(call: AthenaCall, what: string, send: Start): Promise<string | undefined> {
    try {
      // An abort does not end the attempt: a query whose id we do not learn could not be stopped.
      const answer = await request({ ...call, awaited: true }, 'StartQueryExecution', what, send)
      if (answer) this.#gate.started()
      else this.#gate.refused()
      return answer && (answer.QueryExecutionId ?? '')
    } catch (error) {
      this.#gate.failed()
      throw error
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
      const isLimit = signal.reason instanceof ScanLimitError
      if (onAbort === 'leave' && !isLimit) throw error
      if (!signal.aborted && error instanceof AthenaRequestError) {
        await this.#tellToStop(id, error)
        throw toldToStop(error, id)
      }
      await this.#stop(id, signal.aborted ? signal.reason : error)
      throw error
    } finally {
      this.#gate.ended()
    }
  }

  /**
   * Stops the query that a start without an answer may have begun: the same start, under the same token, tells its id.
   * Throws a `QueryNotStoppedError` when that cannot be done.
   */
  async #stopStarted(send: Start, what: string, token: string, reason: unknown): Promise<void> {
    const late = this.#patienceToStop()
    let id: string | undefined
    try {
      const answer = await request(this.call(late.signal), 'StartQueryExecution', what, send)
      id = answer?.QueryExecutionId
    } catch (error) {
      // What Athena will not run now it has not run before.
      if (error instanceof AthenaRequestError && error.serviceError === 'InvalidRequestException') return
      throw startNotStopped(token, reason, error)
    } finally {
      late.close()
    }
    if (id === undefined) throw startNotStopped(token, reason, new Error('Athena takes no more queries'))
    await this.#stop(id, reason)
  }

  /** Resolves when the query has ended; throws a `QueryNotStoppedError` with the reason as its cause otherwise. */
  #stop(id: string, reason: unknown): Promise<void> {
    return this.#tellToStop(id, reason, (signal) => this.#poller.ended(id, signal))
  }

  async #tellToStop(
    id: string,
    reason: unknown,
    confirm?: (signal: AbortSignal) => Promise<unknown>,
  ): Promise<void> {
    const late = this.#patienceToStop()
    try {
      await request(this.call(late.signal), 'StopQueryExecution', `query ${id}`, (options) =>
        this.#settings.client.send(new StopQueryExecutionCommand({ QueryExecutionId: id }), options),
      )
      await confirm?.(late.signal)
    } catch (error) {
      throw queryNotStopped(id, reason, error)
    } finally {
      late.close()
    }
  }

  #patienceToStop(): CallPatience {
    const late = new CallPatience(undefined)
    late.endAfter(this.#runtime, stopMillis, () => new Error(`${stopMillis} ms have passed`))
    return late
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

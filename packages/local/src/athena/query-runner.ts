import { ServiceError } from '../http/json-service.ts'
import type { ResultColumn } from '../sql/query-engine.ts'
import { type AthenaError, athenaErrorOf } from './athena-error.ts'
import { BytesScannedLimitError } from './bytes-scanned-limit.ts'
import { type ColumnInfo, columnInfoOf } from './column-info.ts'
import { isFinal, type QueryExecution } from './query-execution.ts'
import type { QueryHistory } from './query-history.ts'
import type { ResultFiles } from './result-files.ts'
import { ResultSpool } from './result-spool.ts'

/** What a statement answers: rows, which are in its spool, lines for a text file, or how many rows it has written. */
export type StatementResult =
  | {
      readonly kind: 'rows'
      readonly columns: readonly ResultColumn[]
      readonly scannedBytes: number
    }
  | { readonly kind: 'lines'; readonly columns: readonly ResultColumn[]; readonly lines: readonly string[] }
  | {
      readonly kind: 'written'
      readonly rowCount: number
      readonly scannedBytes: number
      /** Absent where no file was to be written. */
      readonly manifestLocation?: string
    }

/** Runs one statement. Throws `QueryError` for what it refuses; ends soon after `signal` is aborted. */
export type RunStatement = (
  execution: QueryExecution,
  signal: AbortSignal,
  spool: ResultSpool,
) => Promise<StatementResult>

interface QueryRunnerOptions {
  readonly history: QueryHistory
  readonly resultFiles: ResultFiles
  readonly runStatement: RunStatement
  readonly concurrency: number
  /** The most bytes a query of a work group may scan; undefined for no limit. */
  readonly bytesScannedCutoff: (workGroup: string) => number | undefined
  /** How long a statement may run. */
  readonly timeoutMillis: number
}

/** Queries that wait for a place: each holds its text in memory. */
const mostWaiting = 1000

/** The column of an answer that says how many rows were written. */
const writtenColumn = columnInfoOf({ name: 'rows', type: 'bigint' })

const timeoutError: AthenaError = {
  ErrorCategory: 2,
  ErrorType: 206,
  Retryable: false,
  ErrorMessage: 'Query timeout',
}

/** Takes queries through QUEUED and RUNNING to their end, a bounded number at a time, first come first served. */
export class QueryRunner {
  readonly #options: QueryRunnerOptions
  readonly #queue: string[] = []
  readonly #running = new Map<string, { readonly abort: AbortController; readonly finished: Promise<void> }>()
  #closed = false

  constructor(options: QueryRunnerOptions) {
    this.#options = options
  }

  /** Queues a new query; it starts when a place is free. @throws TooManyRequestsException where 1,000 wait */
  submit(execution: QueryExecution): void {
    if (this.#queue.length >= mostWaiting) {
      throw new ServiceError(
        'TooManyRequestsException',
        `${mostWaiting} queries wait to be run concurrently, which is the limit: start fewer at a time.`,
        { members: { Reason: 'CONCURRENT_QUERY_LIMIT_EXCEEDED' } },
      )
    }
    this.#options.history.add(execution)
    this.#queue.push(execution.id)
    setImmediate(() => this.#startNext())
  }

  /** Cancels a query that has not ended; its engine is told to stop. */
  stop(id: string): void {
    const waiting = this.#queue.indexOf(id)
    if (waiting !== -1) this.#queue.splice(waiting, 1)
    this.#end(id, { state: 'CANCELLED', reason: 'Query cancelled by user' })
    this.#running.get(id)?.abort.abort(new Error('Query cancelled by user'))
  }

  async close(): Promise<void> {
    this.#closed = true
    for (const id of this.#queue.splice(0))
      this.#end(id, { state: 'CANCELLED', reason: 'the local stack closes' })
    const running = [...this.#running]
    for (const [id, { abort }] of running) {
      this.#end(id, { state: 'CANCELLED', reason: 'the local stack closes' })
      abort.abort(new Error('the local stack closes'))
    }
    await Promise.all(running.map(([, { finished }]) => finished))
  }

  #startNext(): void {
    while (!this.#closed && this.#running.size < this.#options.concurrency) {
      const id = this.#queue.shift()
      if (id === undefined) return
      const abort = new AbortController()
      const finished = this.#run(id, abort).finally(() => {
        this.#running.delete(id)
        this.#startNext()
      })
      this.#running.set(id, { abort, finished })
    }
  }

  async #run(id: string, abort: AbortController): Promise<void> {
    const { history } = this.#options
    const queued = history.find(id)
    if (queued === undefined) return
    const startedMillis = Date.now()
    const execution: QueryExecution = { ...queued, state: 'RUNNING', startedMillis }
    history.update(execution)
    // The state is on record before the statement begins.
    await Promise.resolve()
    const timer = setTimeout(() => {
      this.#end(id, { state: 'FAILED', reason: timeoutError.ErrorMessage, error: timeoutError })
      abort.abort(new Error(timeoutError.ErrorMessage))
    }, this.#options.timeoutMillis)
    const spool = this.#options.resultFiles.spool(execution)
    try {
      const result = await this.#options.runStatement(execution, abort.signal, spool)
      const engineMillis = Date.now() - startedMillis
      const scannedBytes = result.kind === 'lines' ? 0 : result.scannedBytes
      const cutoff = this.#options.bytesScannedCutoff(execution.workGroup)
      if (result.kind !== 'written' && cutoff !== undefined && scannedBytes > cutoff) {
        throw new BytesScannedLimitError(scannedBytes)
      }
      abort.signal.throwIfAborted()
      if (result.kind === 'written') {
        const { rowCount: updateCount, manifestLocation } = result
        const columns = [writtenColumn]
        const written = { updateCount, ...(manifestLocation === undefined ? {} : { manifestLocation }) }
        this.#end(id, { state: 'SUCCEEDED', scannedBytes, engineMillis, columns, ...written })
        return
      }
      const columns = result.columns.map(columnInfoOf)
      await this.#writeResult(execution, result.kind === 'rows' ? spool : result.lines, columns)
      const outputRows = result.kind === 'rows' ? spool.rowCount : result.lines.length
      this.#end(id, { state: 'SUCCEEDED', scannedBytes, engineMillis, columns, outputRows })
    } catch (cause) {
      const engineMillis = Date.now() - startedMillis
      if (cause instanceof BytesScannedLimitError) {
        const { message: reason, scannedBytes } = cause
        this.#end(id, { state: 'CANCELLED', reason, scannedBytes, engineMillis })
        return
      }
      const error = athenaErrorOf(cause)
      this.#end(id, { state: 'FAILED', reason: error.ErrorMessage, error, engineMillis })
    } finally {
      clearTimeout(timer)
      await spool[Symbol.asyncDispose]().catch(() => undefined)
    }
  }

  /** Ends a query once: who comes later changes nothing. */
  #end(id: string, end: Partial<QueryExecution> & Pick<QueryExecution, 'state'>): void {
    const { history } = this.#options
    const execution = history.find(id)
    if (execution === undefined || isFinal(execution.state)) return
    history.update({ ...execution, ...end, completedMillis: Date.now() })
  }

  async #writeResult(
    execution: QueryExecution,
    result: ResultSpool | readonly string[],
    columns: readonly ColumnInfo[],
  ): Promise<void> {
    const { resultFiles } = this.#options
    if (result instanceof ResultSpool) {
      await resultFiles.write(execution, await result.content(), 'application/octet-stream', columns)
    } else {
      const body = Buffer.from(result.map((line) => `${line}\n`).join(''))
      await resultFiles.write(execution, body, 'text/plain', columns)
    }
  }
}

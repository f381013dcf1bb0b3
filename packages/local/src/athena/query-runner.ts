import { parseLocation } from '../glue/hive-path.ts'
import type { ObjectStorage } from '../object-storage.ts'
import { QueryError, type ResultColumn } from '../sql/query-engine.ts'
import { athenaErrorOf } from './athena-error.ts'
import { type ColumnInfo, columnInfoOf } from './column-info.ts'
import { isFinal, type QueryExecution } from './query-execution.ts'
import type { QueryHistory } from './query-history.ts'
import { encodeResultCsv, type ResultRow } from './result-csv.ts'

/** What a statement answers: rows for a CSV, or lines for a text file. */
export type StatementResult =
  | {
      readonly kind: 'rows'
      readonly columns: readonly ResultColumn[]
      readonly rows: readonly ResultRow[]
      readonly scannedBytes: number
    }
  | { readonly kind: 'lines'; readonly columns: readonly ResultColumn[]; readonly lines: readonly string[] }

/** Runs one statement. Throws `QueryError` for what it refuses; ends soon after `signal` is aborted. */
export type RunStatement = (execution: QueryExecution, signal: AbortSignal) => Promise<StatementResult>

interface QueryRunnerOptions {
  readonly history: QueryHistory
  readonly storage: ObjectStorage
  readonly runStatement: RunStatement
  readonly concurrency: number
  /** The most bytes a query of a work group may scan; undefined for no limit. */
  readonly bytesScannedCutoff: (workGroup: string) => number | undefined
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

  /** Queues a new query; it starts when a place is free. */
  submit(execution: QueryExecution): void {
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
      const finished = this.#run(id, abort.signal).finally(() => {
        this.#running.delete(id)
        this.#startNext()
      })
      this.#running.set(id, { abort, finished })
    }
  }

  async #run(id: string, signal: AbortSignal): Promise<void> {
    const { history } = this.#options
    const queued = history.find(id)
    if (queued === undefined) return
    const startedMillis = Date.now()
    const execution: QueryExecution = { ...queued, state: 'RUNNING', startedMillis }
    history.update(execution)
    // The state is on record before the statement begins.
    await Promise.resolve()
    try {
      const result = await this.#options.runStatement(execution, signal)
      const engineMillis = Date.now() - startedMillis
      const scannedBytes = result.kind === 'rows' ? result.scannedBytes : 0
      const cutoff = this.#options.bytesScannedCutoff(execution.workGroup)
      if (cutoff !== undefined && scannedBytes > cutoff) {
        const reason = 'Query cancelled! : Bytes scanned limit was exceeded'
        this.#end(id, { state: 'CANCELLED', reason, scannedBytes, engineMillis })
        return
      }
      signal.throwIfAborted()
      const columns = result.columns.map(columnInfoOf)
      await this.#writeResult(execution, result, columns)
      this.#end(id, { state: 'SUCCEEDED', scannedBytes, engineMillis, columns })
    } catch (cause) {
      const error = athenaErrorOf(cause)
      this.#end(id, {
        state: 'FAILED',
        reason: error.ErrorMessage,
        error,
        engineMillis: Date.now() - startedMillis,
      })
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
    result: StatementResult,
    columns: readonly ColumnInfo[],
  ): Promise<void> {
    const body =
      result.kind === 'rows'
        ? encodeResultCsv(
            result.columns.map((column) => column.name),
            result.rows,
          )
        : Buffer.from(result.lines.map((line) => `${line}\n`).join(''))
    const location = parseLocation(execution.outputLocation)
    if (location === undefined) throw new Error(`'${execution.outputLocation}' is not an S3 location`)
    const key = location.prefix.slice(0, -1)
    const { storage } = this.#options
    try {
      const contentType = result.kind === 'rows' ? 'application/octet-stream' : 'text/plain'
      await storage.writeObject(location.bucket, key, body, { contentType })
      // Amazon's metadata object is binary and undocumented; this one says the same as JSON.
      const metadata = Buffer.from(JSON.stringify({ ColumnInfo: columns }))
      await storage.writeObject(location.bucket, `${key}.metadata`, metadata, {
        contentType: 'application/json',
      })
    } catch (cause) {
      throw new QueryError(
        'PERMISSION_DENIED',
        `The result could not be written to ${execution.outputLocation}.`,
        {
          cause,
        },
      )
    }
  }
}

import { join } from 'node:path'
import { AppendLog } from '../glue/append-log.ts'
import { isFinal, type QueryExecution } from './query-execution.ts'

/** Queries kept; beyond it the oldest that have ended are forgotten. */
const keptExecutions = 10_000

/** The queries asked for, newest last, in memory and in a log: results can be read after a restart. */
export class QueryHistory {
  readonly #executions = new Map<string, QueryExecution>()
  readonly #byToken = new Map<string, string>()
  readonly #log: AppendLog<QueryExecution>

  constructor(dataDirectory: string) {
    this.#log = AppendLog.open<QueryExecution>(join(dataDirectory, 'queries.log'), (one) =>
      this.#remember(one),
    )
    for (const one of [...this.#executions.values()]) {
      if (isFinal(one.state)) continue
      const reason = 'GENERIC_INTERNAL_ERROR: the local stack ended while the query was running'
      this.put({
        ...one,
        state: 'FAILED',
        completedMillis: one.startedMillis ?? one.submittedMillis,
        reason,
        error: { ErrorCategory: 1, ErrorType: 100, Retryable: true, ErrorMessage: reason },
      })
    }
  }

  find(id: string): QueryExecution | undefined {
    return this.#executions.get(id)
  }

  findByToken(token: string): QueryExecution | undefined {
    const id = this.#byToken.get(token)
    return id === undefined ? undefined : this.#executions.get(id)
  }

  /** Queries of a work group, newest first. */
  list(workGroup: string): readonly QueryExecution[] {
    return [...this.#executions.values()].filter((one) => one.workGroup === workGroup).reverse()
  }

  /** Keeps a query as it stands now. */
  put(execution: QueryExecution): void {
    this.#log.append(execution)
    this.#remember(execution)
    this.#log.compactWhenGrown(() => this.#executions.values())
  }

  close(): void {
    this.#log.close()
  }

  #remember(execution: QueryExecution): void {
    this.#executions.set(execution.id, execution)
    if (execution.clientRequest !== undefined) this.#byToken.set(execution.clientRequest.token, execution.id)
    if (this.#executions.size <= keptExecutions) return
    for (const [id, oldest] of this.#executions) {
      if (!isFinal(oldest.state)) continue
      this.#executions.delete(id)
      if (oldest.clientRequest !== undefined) this.#byToken.delete(oldest.clientRequest.token)
      return
    }
  }
}

import { join } from 'node:path'
import type { Durability } from '../durability.ts'
import { AppendLog } from '../glue/append-log.ts'
import { isFinal, type QueryExecution } from './query-execution.ts'
import type { WorkGroup } from './work-groups.ts'

/** Queries kept, and about how many characters of them; beyond it the oldest that have ended are forgotten. */
const keptExecutions = 10_000
const keptCharacters = 32 * 1024 * 1024
/** What the description of one column counts for. */
const columnCharacters = 200

/** The queries asked for, newest last, in memory and in a log: results can be read after a restart. */
export class QueryHistory {
  readonly #executions = new Map<string, QueryExecution>()
  readonly #byToken = new Map<string, string>()
  #characters = 0
  readonly #log: AppendLog<QueryExecution>

  constructor(dataDirectory: string, durability: Durability) {
    this.#log = AppendLog.open<QueryExecution>(
      join(dataDirectory, 'queries.log'),
      (one) => this.#remember(one),
      durability,
    )
    for (const one of [...this.#executions.values()]) {
      if (isFinal(one.state)) continue
      const reason = 'GENERIC_INTERNAL_ERROR: the local stack ended while the query was running'
      this.update({
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

  /** Queries of a work group, newest first; those of one that had its name before are not. */
  list({ name, creationTime }: Pick<WorkGroup, 'name' | 'creationTime'>): readonly QueryExecution[] {
    const createdMillis = Math.round(creationTime * 1000)
    return [...this.#executions.values()]
      .filter((one) => one.workGroup === name && one.submittedMillis >= createdMillis)
      .reverse()
  }

  /** Keeps a new query. Throws when it cannot be written. */
  add(execution: QueryExecution): void {
    this.#log.append(execution)
    this.#remember(execution)
    this.#log.compactWhenGrown(() => this.#executions.values())
  }

  /** Keeps a query as it stands now, in memory at least: a full disk must not lose sight of a running query. */
  update(execution: QueryExecution): void {
    this.#remember(execution)
    try {
      this.#log.append(execution)
    } catch {
      // After a restart the query is found as it was written last, and FAILED when that was not its end.
    }
  }

  close(): void {
    this.#log.close()
  }

  #remember(execution: QueryExecution): void {
    const former = this.#executions.get(execution.id)
    this.#characters += charactersOf(execution) - (former === undefined ? 0 : charactersOf(former))
    this.#executions.set(execution.id, execution)
    if (execution.clientRequest !== undefined) this.#byToken.set(execution.clientRequest.token, execution.id)
    for (const [id, oldest] of this.#executions) {
      if (this.#executions.size <= keptExecutions && this.#characters <= keptCharacters) return
      if (!isFinal(oldest.state)) continue
      this.#executions.delete(id)
      this.#characters -= charactersOf(oldest)
      if (oldest.clientRequest !== undefined) this.#byToken.delete(oldest.clientRequest.token)
    }
  }
}

function charactersOf({ sql, reason = '', parameters = [], columns = [] }: QueryExecution): number {
  const texts = sql.length + reason.length + parameters.reduce((sum, text) => sum + text.length, 0)
  return texts + columns.length * columnCharacters
}

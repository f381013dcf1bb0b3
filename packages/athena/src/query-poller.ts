import {
  BatchGetQueryExecutionCommand,
  GetQueryExecutionCommand,
  type QueryExecution,
} from '@aws-sdk/client-athena'
import { sleep } from '@stockpipe/core'
import { type AthenaCall, request } from './athena-request.ts'
import { AthenaRequestError } from './errors.ts'

/** Ids that one BatchGetQueryExecution takes. */
const idsPerCall = 50

/** How often a query's state is asked for. */
export interface PollSettings {
  /** First after so many milliseconds; default 100. */
  readonly initialMillis?: number
  /** Half as long again each time, up to so many; default 2,000. */
  readonly maximumMillis?: number
}

interface Waiting {
  readonly id: string
  delayMillis: number
  dueMillis: number
  /** A batch had no answer for it, so it is asked for alone, which says why. */
  alone: boolean
  readonly onState: ((execution: QueryExecution) => void) | undefined
  resolve(execution: QueryExecution): void
  reject(reason: unknown): void
}

/**
 * Asks for the states of all running queries of a client: up to 50 in one call, those that are due and, as they cost
 * nothing more, the next ones. A single query is asked for by GetQueryExecution.
 */
export class QueryPoller {
  readonly #call: AthenaCall
  readonly #initialMillis: number
  readonly #maximumMillis: number
  readonly #waiting = new Set<Waiting>()
  #polling = false
  /** Ends the wait for the query that is due next. */
  #wake: AbortController | undefined
  /** The caller may not use BatchGetQueryExecution. */
  #oneByOne = false

  constructor(
    call: Omit<AthenaCall, 'signal'>,
    { initialMillis = 100, maximumMillis = 2000 }: PollSettings = {},
  ) {
    this.#call = call
    this.#initialMillis = initialMillis
    this.#maximumMillis = maximumMillis
  }

  /**
   * The execution once it has ended, however. Rejects with `signal.reason`, which leaves the query as it is, or with an
   * `AthenaRequestError`.
   *
   * @param onState told each state that is not an end
   */
  ended(
    queryExecutionId: string,
    signal?: AbortSignal,
    onState?: (execution: QueryExecution) => void,
  ): Promise<QueryExecution> {
    return new Promise((resolve, reject) => {
      if (signal?.aborted) return reject(signal.reason)
      const settle = () => {
        signal?.removeEventListener('abort', onAbort)
        this.#waiting.delete(waiting)
        if (this.#waiting.size === 0) this.#wake?.abort()
      }
      const onAbort = () => waiting.reject(signal?.reason)
      const waiting: Waiting = {
        id: queryExecutionId,
        delayMillis: this.#initialMillis,
        dueMillis: this.#due(this.#initialMillis),
        alone: false,
        onState,
        resolve: (execution) => {
          settle()
          resolve(execution)
        },
        reject: (reason) => {
          settle()
          reject(reason)
        },
      }
      signal?.addEventListener('abort', onAbort, { once: true })
      this.#waiting.add(waiting)
      this.#wake?.abort()
      if (!this.#polling) void this.#poll()
    })
  }

  async #poll(): Promise<void> {
    this.#polling = true
    for (;;) {
      const next = [...this.#waiting].sort((left, right) => left.dueMillis - right.dueMillis)
      if (next.length === 0) break
      const wait = next[0]!.dueMillis - this.#call.runtime.monotonic()
      if (wait > 0) {
        this.#wake = new AbortController()
        const isDue = await sleep(this.#call.runtime, wait, this.#wake.signal).then(
          () => true,
          () => false,
        )
        if (!isDue) continue
      }
      await this.#ask(next.slice(0, idsPerCall))
    }
    this.#polling = false
  }

  async #ask(asked: readonly Waiting[]): Promise<void> {
    const together = this.#oneByOne || asked.length === 1 ? [] : asked.filter(({ alone }) => !alone)
    const single = asked.filter((waiting) => !together.includes(waiting))
    await Promise.all([
      ...(together.length > 0 ? [this.#askTogether(together)] : []),
      ...single.map((waiting) => this.#askAlone(waiting)),
    ])
  }

  async #askTogether(asked: readonly Waiting[]): Promise<void> {
    try {
      const answer = await request(
        this.#call,
        'BatchGetQueryExecution',
        `${asked.length} queries, ${asked[0]!.id} among them`,
        (options) =>
          this.#call.client.send(
            new BatchGetQueryExecutionCommand({ QueryExecutionIds: [...new Set(asked.map(({ id }) => id))] }),
            options,
          ),
      )
      const executions = new Map(answer.QueryExecutions?.map((one) => [one.QueryExecutionId, one]))
      for (const waiting of asked) {
        const execution = executions.get(waiting.id)
        waiting.alone = execution === undefined
        this.#answered(waiting, execution)
      }
    } catch (error) {
      if (error instanceof AthenaRequestError && error.serviceError === 'AccessDeniedException') {
        this.#oneByOne = true
        return
      }
      // One of them may be at fault, which is then told of that one.
      const isRefused = error instanceof AthenaRequestError && !error.retryable
      for (const waiting of asked) {
        if (isRefused) waiting.alone = true
        else waiting.reject(error)
      }
    }
  }

  async #askAlone(waiting: Waiting): Promise<void> {
    try {
      const { QueryExecution: execution } = await request(
        this.#call,
        'GetQueryExecution',
        `query ${waiting.id}`,
        (options) =>
          this.#call.client.send(new GetQueryExecutionCommand({ QueryExecutionId: waiting.id }), options),
      )
      waiting.alone = false
      this.#answered(waiting, execution)
    } catch (error) {
      waiting.reject(error)
    }
  }

  #answered(waiting: Waiting, execution: QueryExecution | undefined): void {
    const state = execution?.Status?.State
    if (execution && (state === 'SUCCEEDED' || state === 'FAILED' || state === 'CANCELLED')) {
      waiting.resolve(execution)
      return
    }
    if (execution) waiting.onState?.(execution)
    // One that was asked for early, because it cost nothing, is not asked for less often by that.
    if (waiting.dueMillis <= this.#call.runtime.monotonic()) {
      waiting.delayMillis = Math.min(this.#maximumMillis, waiting.delayMillis * 1.5)
    }
    waiting.dueMillis = this.#due(waiting.delayMillis)
  }

  /** With jitter, so that processes do not ask in step. */
  #due(delayMillis: number): number {
    const { runtime } = this.#call
    return runtime.monotonic() + delayMillis * (0.75 + runtime.random() / 2)
  }
}

interface Queued {
  enter(): void
}

/**
 * How many queries a client has under way at once: as many as asked for, or as Athena took before it answered
 * `CONCURRENT_QUERY_LIMIT_EXCEEDED`. The quota is shared with whoever else uses the account, so a refusal sets the
 * limit to what runs, and as many ends as the limit raise it by one.
 */
export class ConcurrencyGate {
  readonly #most: number
  #limit: number
  /** Those being started and those that run. */
  #inside = 0
  #running = 0
  readonly #queue: Queued[] = []

  /** @param most at once; default any number */
  constructor(most = Number.POSITIVE_INFINITY) {
    this.#most = most
    this.#limit = most
  }

  /** Queries that may be under way at once, as far as is known. */
  get limit(): number {
    return Math.floor(this.#limit)
  }

  /** Queries that were started and have not ended. */
  get running(): number {
    return this.#running
  }

  /**
   * Resolves when a query may be started; rejects with `signal.reason`.
   *
   * @param first before all others that wait, for one that was refused
   */
  enter(signal: AbortSignal | undefined, first = false): Promise<void> {
    return new Promise((resolve, reject) => {
      if (signal?.aborted) return reject(signal.reason)
      const onAbort = () => {
        this.#queue.splice(this.#queue.indexOf(queued), 1)
        reject(signal?.reason)
      }
      const queued: Queued = {
        enter: () => {
          signal?.removeEventListener('abort', onAbort)
          resolve()
        },
      }
      signal?.addEventListener('abort', onAbort, { once: true })
      if (first) this.#queue.unshift(queued)
      else this.#queue.push(queued)
      this.#admit()
    })
  }

  /** A query that has entered was started. */
  started(): void {
    this.#running += 1
    this.#limit = Math.max(this.#limit, Math.min(this.#most, this.#running))
  }

  /** A query that was started has ended. */
  ended(): void {
    this.#running -= 1
    this.#limit = Math.min(this.#most, this.#limit + 1 / Math.max(1, this.#limit))
    this.#leave()
  }

  /** A query that has entered was not started: Athena has too many. */
  refused(): void {
    this.#limit = Math.max(1, Math.min(this.#limit, this.#running))
    this.#leave()
  }

  /** A query that has entered was not started, for another reason. */
  failed(): void {
    this.#leave()
  }

  #leave(): void {
    this.#inside -= 1
    this.#admit()
  }

  #admit(): void {
    while (this.#queue.length > 0 && this.#inside < this.limit) {
      this.#inside += 1
      this.#queue.shift()!.enter()
    }
  }
}

import type { RuntimeTimer } from '@stockpipe/core'
import type { RetryContext } from './retry.ts'

/** Work that keeps a journal tidy. Nothing depends on it being done in time, or at all. */
export interface HousekeepingJob {
  /** What is done, for the log: "aborting lost uploads". */
  readonly name: string
  run(signal: AbortSignal): Promise<void>
}

export interface HousekeepingOptions extends RetryContext {
  readonly everyMillis: number
  readonly jobs: readonly HousekeepingJob[]
}

/** Does its jobs one after another, every so often with jitter; what fails is logged and done again the next time. */
export class Housekeeping {
  readonly #options: HousekeepingOptions
  readonly #abort = new AbortController()
  #timer: RuntimeTimer | undefined
  #running: Promise<void> = Promise.resolve()

  constructor(options: HousekeepingOptions) {
    this.#options = options
  }

  /** Does nothing when it runs already. */
  start(): void {
    if (this.#timer || this.#abort.signal.aborted) return
    const { runtime, everyMillis } = this.#options
    // Members of a group that started together do not all list at once.
    const delay = everyMillis * (0.5 + runtime.random() / 2)
    this.#timer = runtime.setTimer(() => {
      this.#running = this.#round()
    }, delay)
  }

  async close(): Promise<void> {
    this.#timer?.cancel()
    this.#abort.abort(new Error('the sink is closing'))
    await this.#running
  }

  async #round(): Promise<void> {
    const { signal } = this.#abort
    for (const { name, run } of this.#options.jobs) {
      try {
        if (!signal.aborted) await run(signal)
      } catch (error) {
        if (!signal.aborted) this.#options.logger.warn(`Housekeeping, ${name}: ${String(error)}`)
      }
    }
    this.#timer = undefined
    this.start()
  }
}

import type { Runtime, RuntimeTimer } from '@stockpipe/core'

/** What time may do to an open flush group: it grows old, or nothing comes to it. */
export class GroupTimers {
  readonly #runtime: Runtime
  #age: RuntimeTimer | undefined
  #idleness: RuntimeTimer | undefined

  constructor(runtime: Runtime) {
    this.#runtime = runtime
  }

  /** Once, after `millis`, in the place of everything that was waited for. */
  afterAge(millis: number, callback: () => void): void {
    this.stop()
    this.#age = this.#runtime.setTimer(callback, millis)
  }

  /** Once, when it was not called again for `millis`; never where they are infinite. */
  afterIdleness(millis: number, callback: () => void): void {
    this.#idleness?.cancel()
    if (millis === Number.POSITIVE_INFINITY) return
    this.#idleness = this.#runtime.setTimer(callback, millis)
  }

  stop(): void {
    this.#age?.cancel()
    this.#age = undefined
    this.#idleness?.cancel()
    this.#idleness = undefined
  }
}

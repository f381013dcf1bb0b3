import { abortWith, type Runtime } from '@stockpipe/core'

/**
 * A signal of one call, aborted with the caller's, by a time-out, or by `abort`. It is to be closed, so that nothing
 * stays with a signal that lives longer.
 */
export class CallPatience {
  readonly #controller = new AbortController()
  readonly #ends: (() => void)[] = []

  constructor(signal: AbortSignal | undefined) {
    if (signal) this.#ends.push(abortWith(signal, this.#controller))
  }

  get signal(): AbortSignal {
    return this.#controller.signal
  }

  /** Aborts it after a time with what `reason` answers then. */
  endAfter(runtime: Runtime, delayMillis: number, reason: () => unknown): void {
    const timer = runtime.setTimer(() => this.abort(reason()), delayMillis)
    this.#ends.push(() => timer.cancel())
  }

  abort(reason: unknown): void {
    this.#controller.abort(reason)
  }

  close(): void {
    for (const end of this.#ends.splice(0)) end()
  }
}

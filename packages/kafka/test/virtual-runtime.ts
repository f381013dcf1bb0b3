import { type Runtime, systemRuntime } from '@stockpipe/core'

interface Timer {
  readonly due: number
  readonly callback: () => void
}

/** A clock that jumps to the next timer as soon as nothing else is left to do: minutes pass in no time. */
export class VirtualRuntime implements Runtime {
  #millis = 0
  readonly #timers = new Set<Timer>()

  now(): number {
    return Date.UTC(2026, 0, 2, 15) + this.#millis
  }

  monotonic(): number {
    return this.#millis
  }

  random(): number {
    return 0.5
  }

  randomBytes(length: number): Uint8Array {
    return systemRuntime.randomBytes(length)
  }

  setTimer(callback: () => void, delayMillis: number) {
    const timer = { due: this.#millis + delayMillis, callback }
    this.#timers.add(timer)
    return { cancel: () => void this.#timers.delete(timer) }
  }

  /** Lets time pass until the promise has its outcome. */
  async passUntil<T>(promise: Promise<T>): Promise<T> {
    let waiting = true
    const done = () => {
      waiting = false
    }
    promise.then(done, done)
    for (;;) {
      for (let turn = 0; turn < 5; turn++) await new Promise((resolve) => setImmediate(resolve))
      if (!waiting) return promise
      const [next] = [...this.#timers].sort((a, b) => a.due - b.due)
      if (!next) throw new Error('Nothing is left to wait for.')
      this.#timers.delete(next)
      this.#millis = Math.max(this.#millis, next.due)
      next.callback()
    }
  }
}

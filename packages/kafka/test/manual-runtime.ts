import type { Runtime, RuntimeTimer } from '@stockpipe/core'

/** Time that passes when told to, and chance from a seed. */
export class ManualRuntime implements Runtime {
  #millis = 1_700_000_000_000
  #timers = new Set<{ readonly at: number; readonly callback: () => void }>()
  #state: number

  constructor(seed = 1) {
    this.#state = seed >>> 0 || 1
  }

  /** Those that are still to come. */
  get timers(): number {
    return this.#timers.size
  }

  now(): number {
    return this.#millis
  }

  monotonic(): number {
    return this.#millis
  }

  setTimer(callback: () => void, delayMillis: number): RuntimeTimer {
    const timer = { at: this.#millis + delayMillis, callback }
    this.#timers.add(timer)
    return { cancel: () => void this.#timers.delete(timer) }
  }

  random(): number {
    this.#state = (Math.imul(this.#state, 1664525) + 1013904223) >>> 0
    return this.#state / 2 ** 32
  }

  randomBytes(length: number): Uint8Array {
    return Uint8Array.from({ length }, () => Math.floor(this.random() * 256))
  }

  /** Lets time pass, timer by timer, with the promises that follow from each. */
  async pass(millis: number): Promise<void> {
    const end = this.#millis + millis
    await settled()
    for (;;) {
      const next = [...this.#timers].filter(({ at }) => at <= end).sort((a, b) => a.at - b.at)[0]
      if (!next) break
      this.#timers.delete(next)
      this.#millis = Math.max(this.#millis, next.at)
      next.callback()
      await settled()
    }
    this.#millis = end
  }
}

/** Enough turns for every promise that waits for nothing but others. */
export const settled = async (): Promise<void> => {
  for (let turn = 0; turn < 3; turn++) await new Promise<void>((resolve) => setImmediate(resolve))
}

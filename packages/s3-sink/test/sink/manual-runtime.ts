import type { Runtime } from '@stockpipe/core'

interface Timer {
  readonly due: number
  readonly callback: () => void
}

/**
 * Time under a test's hand. Waits that keep a process alive (retries) pass by themselves, in virtual time; every
 * other timer (age, idleness, deadlines) fires when the test advances the clock.
 */
export class ManualRuntime implements Runtime {
  #now = Date.UTC(2026, 0, 2, 15)
  #monotonic = 0
  #timers: Timer[] = []
  #random: number
  /** Delays of the waits that passed by themselves. */
  readonly waits: number[] = []

  constructor(seed = 1) {
    this.#random = seed
  }

  now(): number {
    return this.#now
  }

  monotonic(): number {
    return this.#monotonic
  }

  random(): number {
    this.#random = (Math.imul(this.#random, 1664525) + 1013904223) >>> 0
    return this.#random / 2 ** 32
  }

  randomBytes(length: number): Uint8Array {
    return Uint8Array.from({ length }, () => Math.floor(this.random() * 256))
  }

  setTimer(callback: () => void, delayMillis: number, options?: { keepAlive?: boolean }) {
    if (options?.keepAlive) {
      this.waits.push(delayMillis)
      const immediate = setImmediate(() => {
        this.pass(delayMillis)
        callback()
      })
      return { cancel: () => clearImmediate(immediate) }
    }
    const timer = { due: this.#monotonic + delayMillis, callback }
    this.#timers.push(timer)
    return { cancel: () => void (this.#timers = this.#timers.filter((other) => other !== timer)) }
  }

  /** Lets both clocks go on without firing anything: a process that hung. */
  pass(millis: number): void {
    this.#now += millis
    this.#monotonic += millis
  }

  /** Moves both clocks and fires what is due. */
  async advance(millis: number): Promise<void> {
    this.pass(millis)
    const due = this.#timers.filter((timer) => timer.due <= this.#monotonic)
    this.#timers = this.#timers.filter((timer) => timer.due > this.#monotonic)
    for (const { callback } of due) callback()
    await settle()
  }
}

/** Lets everything that can go on without time do so. */
export const settle = async (): Promise<void> => {
  for (let turn = 0; turn < 50; turn += 1) await new Promise((resolve) => setImmediate(resolve))
}

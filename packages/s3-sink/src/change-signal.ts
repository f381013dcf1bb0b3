/** Wakes everybody who waits for something to change; who wakes looks again. */
export class ChangeSignal {
  #waiting: (() => void)[] = []

  wake(): void {
    const waiting = this.#waiting
    this.#waiting = []
    for (const resolve of waiting) resolve()
  }

  /** Resolves at the next `wake`; rejects with `signal.reason`. */
  wait(signal?: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      if (signal?.aborted) return reject(signal.reason)
      const onAbort = () => {
        this.#waiting = this.#waiting.filter((waiter) => waiter !== onWake)
        reject(signal?.reason)
      }
      const onWake = () => {
        signal?.removeEventListener('abort', onAbort)
        resolve()
      }
      this.#waiting.push(onWake)
      signal?.addEventListener('abort', onAbort, { once: true })
    })
  }
}

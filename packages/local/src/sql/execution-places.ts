/** Node's threads for blocking work; a statement of DuckDB holds one while it runs. */
const threads = Number(process.env['UV_THREADPOOL_SIZE']) || 4

/** Lets so many statements run at a time that a thread is left for files: endless ones must not stop the process. */
export class ExecutionPlaces {
  #free: number
  readonly #waiting: (() => void)[] = []

  constructor(places = Math.max(1, threads - 1)) {
    this.#free = places
  }

  /** Waits for a place, first come first served; the answer gives it back. Rejects with the signal's reason. */
  async take(signal: AbortSignal): Promise<() => void> {
    signal.throwIfAborted()
    if (this.#free > 0) this.#free -= 1
    else await this.#wait(signal)
    return () => {
      const next = this.#waiting.shift()
      if (next === undefined) this.#free += 1
      else next()
    }
  }

  #wait(signal: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      const proceed = (): void => {
        signal.removeEventListener('abort', leave)
        resolve()
      }
      const leave = (): void => {
        this.#waiting.splice(this.#waiting.indexOf(proceed), 1)
        reject(signal.reason)
      }
      this.#waiting.push(proceed)
      signal.addEventListener('abort', leave, { once: true })
    })
  }
}

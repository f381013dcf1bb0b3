/** A bounded number of things at once; waiters are served in order. */
export class Slots {
  readonly #waiting: (() => void)[] = []
  #free: number

  constructor(count: number) {
    this.#free = count
  }

  /** Resolves to a function that gives the slot back; rejects with `signal.reason`. */
  async acquire(signal?: AbortSignal): Promise<() => void> {
    signal?.throwIfAborted()
    if (this.#free > 0) this.#free -= 1
    else await this.#wait(signal)
    let held = true
    return () => {
      if (!held) return
      held = false
      const next = this.#waiting.shift()
      if (next) next()
      else this.#free += 1
    }
  }

  #wait(signal: AbortSignal | undefined): Promise<void> {
    return new Promise((resolve, reject) => {
      const serve = () => {
        signal?.removeEventListener('abort', onAbort)
        resolve()
      }
      const onAbort = () => {
        this.#waiting.splice(this.#waiting.indexOf(serve), 1)
        reject(signal?.reason)
      }
      this.#waiting.push(serve)
      signal?.addEventListener('abort', onAbort, { once: true })
    })
  }
}

/** Does the work for all items, a bounded number at once; results in order. Rejects with the first failure. */
export const atOnce = async <Item, Result>(
  count: number,
  items: readonly Item[],
  work: (item: Item) => Promise<Result>,
  signal?: AbortSignal,
): Promise<Result[]> => {
  const slots = new Slots(count)
  return Promise.all(
    items.map(async (item) => {
      const release = await slots.acquire(signal)
      try {
        return await work(item)
      } finally {
        release()
      }
    }),
  )
}

import { channels, type Runtime, type StoreRequest } from '@stockpipe/core'
import { ObjectStoreError } from './errors.ts'
import { InterceptedStore, type StoreCall, type StoreInterceptor } from './intercepted-store.ts'
import type { SinkObjectStore } from './sink-object-store.ts'

const pageKeys = 1000
const { request } = channels.s3Sink

export interface ObservedStoreOptions {
  readonly sink: string
  readonly store: StoreRequest['store']
  readonly runtime: Runtime
}

/** A store whose every request is published on `stockpipe:s3-sink:request`; silent while nobody listens. */
export const observedStore = (store: SinkObjectStore, options: ObservedStoreOptions): SinkObjectStore =>
  new InterceptedStore(store, new RequestObserver(options))

class RequestObserver implements StoreInterceptor {
  readonly #options: ObservedStoreOptions

  constructor(options: ObservedStoreOptions) {
    this.#options = options
  }

  call<Answer>(observed: StoreCall, call: () => Promise<Answer>): Promise<Answer> {
    return request.hasSubscribers ? this.#timed(observed, call) : call()
  }

  async #timed<Answer>(observed: StoreCall, call: () => Promise<Answer>): Promise<Answer> {
    const begun = this.#options.runtime.monotonic()
    try {
      const answer = await call()
      const received = answer instanceof Uint8Array ? answer.length : 0
      this.#publish(observed, begun, 'ok', observed.sentBytes ?? received)
      return answer
    } catch (error) {
      this.#publish(observed, begun, outcomeOf(error, observed.signal), observed.sentBytes ?? 0)
      throw error
    }
  }

  listing<Item>(observed: StoreCall, listing: AsyncIterable<Item>): AsyncIterable<Item> {
    return request.hasSubscribers ? this.#timedPages(observed, listing) : listing
  }

  /** One event a page of a thousand, as S3 answers them; the time others take between the pages is not counted. */
  async *#timedPages<Item>(observed: StoreCall, listing: AsyncIterable<Item>): AsyncGenerator<Item> {
    const items = listing[Symbol.asyncIterator]()
    try {
      for (let page = 0; ; page += 1) {
        const begun = this.#options.runtime.monotonic()
        let item = await this.#nextItem(items, observed, begun)
        // A listing that ends right after a full page made no further request.
        if (page === 0 || !item.done) this.#publish(observed, begun, 'ok', 0)
        for (let count = 1; !item.done; count += 1) {
          yield item.value
          if (count === pageKeys) break
          item = await this.#nextItem(items, observed, begun)
        }
        if (item.done) return
      }
    } finally {
      await items.return?.()
    }
  }

  async #nextItem<Item>(
    items: AsyncIterator<Item>,
    observed: StoreCall,
    begun: number,
  ): Promise<IteratorResult<Item>> {
    try {
      return await items.next()
    } catch (error) {
      this.#publish(observed, begun, outcomeOf(error, observed.signal), 0)
      throw error
    }
  }

  #publish(
    { operation, key }: StoreCall,
    begun: number,
    outcome: StoreRequest['outcome'],
    bytes: number,
  ): void {
    const { sink, store, runtime } = this.#options
    const millis = runtime.monotonic() - begun
    request.publish(() => ({ sink, store, operation, key, millis, outcome, bytes }))
  }
}

const outcomeOf = (error: unknown, signal: AbortSignal | undefined): StoreRequest['outcome'] => {
  if (signal?.aborted) return 'aborted'
  return error instanceof ObjectStoreError ? error.outcome : 'unknown'
}

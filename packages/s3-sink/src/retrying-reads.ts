import type { CallOptions, ObjectSummary, Runtime, UploadSummary } from '@stockpipe/core'
import { silentLogger } from './logger.ts'
import { retry } from './retry.ts'
import type { SinkObjectStore } from './sink-object-store.ts'

const attempts = 6

/** The reads of a store. */
export type ReadableStore = Pick<SinkObjectStore, 'get' | 'head' | 'list' | 'listUploads'>

/** Reads that are repeated a few times when there is no certain answer; a listing goes on where it stopped. */
export const retryingReads = (
  store: SinkObjectStore,
  runtime: Runtime,
  signal: AbortSignal | undefined,
): ReadableStore => {
  const context = { runtime, logger: silentLogger }
  return {
    get: (key, options) =>
      retry(context, { signal, attempts, what: `reading ${key}` }, () => store.get(key, options)),
    head: (key, options) =>
      retry(context, { signal, attempts, what: `looking at ${key}` }, () => store.head(key, options)),
    async *list(prefix, options = {}): AsyncGenerator<ObjectSummary> {
      let last = options.startAfter
      for (;;) {
        const page: ObjectSummary[] = []
        const whole = await retry(context, { signal, attempts, what: `listing ${prefix}` }, async () => {
          const listing = store.list(prefix, {
            ...options,
            ...(last === undefined ? {} : { startAfter: last }),
          })
          for await (const object of listing) {
            page.push(object)
            last = object.key
            if (page.length === 1000) return false
          }
          return true
        })
        yield* page
        if (whole) return
      }
    },
    async *listUploads(prefix: string, options?: CallOptions): AsyncGenerator<UploadSummary> {
      yield* await retry(context, { signal, attempts, what: `listing uploads of ${prefix}` }, async () => {
        const uploads: UploadSummary[] = []
        for await (const upload of store.listUploads(prefix, options)) uploads.push(upload)
        return uploads
      })
    },
  }
}

import { type AthenaCall, backOff, maximumAttempts } from '../athena-request.ts'
import { resultReadError } from './result-read-error.ts'
import { type ResultStore, type StoredLocation, UnreadableObject } from './result-store.ts'

/**
 * The bytes of an object, or of a range of it, each once and in order. A broken connection is taken up at the byte it broke at, while the
 * object is the one that was begun with (its ETag is asked for).
 *
 * Throws an `UnreadableObject` while nothing was read, a `ResultReadError` afterwards, or the call's `signal.reason`.
 */
export async function* resumedObject(
  call: AthenaCall,
  store: ResultStore,
  location: StoredLocation,
  range: { readonly start?: number; readonly end?: number; readonly etag?: string } = {},
): AsyncGenerator<Uint8Array, void> {
  let read = range.start ?? 0
  const from = read
  let size: number | undefined
  let etag = range.etag
  let failures = 0
  for (;;) {
    call.signal?.throwIfAborted()
    try {
      const opened = await store.open(
        location,
        {
          start: read,
          ...(range.end === undefined ? {} : { end: range.end }),
          ...(etag === undefined ? {} : { etag }),
        },
        call.signal,
      )
      if ((size ?? opened.size) !== opened.size || (etag ?? opened.etag) !== opened.etag) {
        throw new UnreadableObject('changed', false, new Error(`its ETag is ${opened.etag}, not ${etag}`))
      }
      size = opened.size
      etag = opened.etag
      for await (const bytes of opened.body) {
        if (bytes.length === 0) continue
        read += bytes.length
        failures = 0
        yield bytes
      }
      const end = range.end ?? size
      if (read === end) return
      if (read > end) throw resultReadError(location, read, new Error(`it should have ended at byte ${end}`))
      throw new UnreadableObject('other', true, new Error(`it ended at byte ${read} of ${end}`))
    } catch (error) {
      if (call.signal?.aborted) throw call.signal.reason
      // What a body throws is a connection that broke; nothing was begun where the store says so.
      const passing = error instanceof UnreadableObject ? error.passing : size !== undefined
      failures += 1
      if (!passing || failures >= maximumAttempts) {
        if (read === from) throw error
        throw resultReadError(location, read, error)
      }
    }
    await backOff(call, failures)
  }
}

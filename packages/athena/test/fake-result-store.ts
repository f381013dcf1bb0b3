import { type ResultStore, UnreadableObject } from '../src/results/index.ts'
import { canReadParquet, openParquet } from '../src/results/parquet-file.ts'

export interface FakeObject {
  readonly bytes: Uint8Array
  readonly etag?: string
}

/** What one call of `open` does beside answering. */
export interface OpenFault {
  /** It fails so. */
  readonly fails?: UnreadableObject
  /** The connection breaks after so many bytes. */
  readonly breaksAfter?: number
  /** The body ends after so many bytes, as if it were whole. */
  readonly endsAfter?: number
  /** Another object stands there from now on. */
  readonly replacedBy?: FakeObject
}

export interface OpenCall {
  readonly key: string
  readonly start: number
  readonly etag: string | undefined
}

/**
 * A store of objects by key; `faults` are used up one a call of `open`. Bodies come in chunks of `chunkBytes`, and `ended`
 * counts those that were ended early.
 */
export const fakeResultStore = (
  objects: Readonly<Record<string, FakeObject>>,
  { faults = [], chunkBytes = 7 }: { faults?: readonly OpenFault[]; chunkBytes?: number } = {},
) => {
  const stored = new Map(Object.entries(objects))
  const left = [...faults]
  const opened: OpenCall[] = []
  const deleted: string[] = []
  let ended = 0
  let chunks = 0
  const store: ResultStore = {
    openParquet,
    canReadParquet,
    async open({ key }, { start, end, etag }, signal) {
      opened.push({ key, start, etag })
      signal?.throwIfAborted()
      const { fails, breaksAfter, endsAfter, replacedBy } = left.shift() ?? {}
      if (replacedBy) stored.set(key, replacedBy)
      if (fails) throw fails
      const object = stored.get(key)
      if (!object) throw new UnreadableObject('unavailable', false, new Error('NoSuchKey'))
      const { bytes, etag: current = 'etag-1' } = object
      if (etag !== undefined && etag !== current) {
        throw new UnreadableObject('changed', false, new Error('PreconditionFailed'))
      }
      const part = bytes.subarray(start, end ?? bytes.length).subarray(0, breaksAfter ?? endsAfter)
      async function* body() {
        let isWhole = false
        try {
          for (let at = 0; at < part.length; at += chunkBytes) {
            signal?.throwIfAborted()
            chunks += 1
            yield part.subarray(at, at + chunkBytes)
          }
          isWhole = true
        } finally {
          if (!isWhole) ended += 1
        }
        if (breaksAfter !== undefined) throw Object.assign(new Error('aborted'), { code: 'ECONNRESET' })
      }
      return { size: bytes.length, etag: current, body: body() }
    },
    async *list({ bucket, key: prefix }) {
      for (const [key, { bytes, etag = 'etag-1' }] of stored) {
        if (key.startsWith(prefix)) yield { bucket, key, size: bytes.length, etag }
      }
    },
    async delete(locations) {
      for (const { key } of locations) {
        stored.delete(key)
        deleted.push(key)
      }
    },
  }
  return { store, stored, opened, deleted, ended: () => ended, chunks: () => chunks }
}

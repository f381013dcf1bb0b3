import type { ObjectStore } from '@stockpipe/core'

/** What becomes of a call to a faulty store: it never reaches it, it takes effect unheard, or the store is busy. */
export type Fault = 'cut' | 'loseAnswer' | 'unavailable' | 'conflict'

/** Writes that faults are asked for. */
export type FaultyCall =
  | 'putIfAbsent'
  | 'createUpload'
  | 'uploadPart'
  | 'completeUpload'
  | 'abortUpload'
  | 'delete'

/** An empty bucket behind the `ObjectStore` under test. */
export interface ObjectStoreContractSubject {
  readonly store: ObjectStore
  /** The same with credentials that are refused. */
  readonly forbidden: ObjectStore
  /** The same over a bucket that is not there. */
  readonly bucketless: ObjectStore
  /** The same where nobody listens. */
  readonly unreachable: ObjectStore
  /** Lets the next such call of the key meet a fault; a store that cannot be told leaves this out. */
  readonly failNext?: (call: FaultyCall, key: string, fault: Fault) => void
  /** An object is a file of its key's name, so that keys which no file can have are refused or changed. Default false. */
  readonly keysAreFilePaths?: boolean
  /** Listings of more than a page of uploads are refused. Default false. */
  readonly refusesUploadMarkers?: boolean
}

/** The store under test, open between the first case and the last. */
export class SubjectHolder {
  readonly #start: () => Promise<ObjectStoreContractSubject & AsyncDisposable>
  #subject: (ObjectStoreContractSubject & AsyncDisposable) | undefined

  constructor(start: () => Promise<ObjectStoreContractSubject & AsyncDisposable>) {
    this.#start = start
  }

  async open(): Promise<void> {
    this.#subject = await this.#start()
  }

  async close(): Promise<void> {
    await this.#subject?.[Symbol.asyncDispose]()
  }

  get subject(): ObjectStoreContractSubject {
    if (!this.#subject) throw new Error('The store under test has not started.')
    return this.#subject
  }

  get store(): ObjectStore {
    return this.subject.store
  }

  async put(key: string, text = key): Promise<void> {
    if ((await this.store.putIfAbsent(key, bytes(text))) !== 'created') throw new Error(`${key} is taken`)
  }

  async text(key: string): Promise<string | undefined> {
    const body = await this.store.get(key)
    return body && new TextDecoder().decode(body)
  }

  /** An upload with one part, to be completed with what is answered. */
  async staged(key: string, text = key) {
    const { uploadId } = await this.store.createUpload(key)
    const { etag } = await this.store.uploadPart(key, uploadId, 1, bytes(text))
    return { uploadId, parts: [{ partNumber: 1, etag }] }
  }
}

export const bytes = (text: string): Uint8Array => new TextEncoder().encode(text)

export const collect = async <Item>(items: AsyncIterable<Item>): Promise<Item[]> => {
  const collected: Item[] = []
  for await (const item of items) collected.push(item)
  return collected
}

/** Runs calls, some at a time. */
export const inTurns = async (count: number, call: (n: number) => Promise<unknown>): Promise<void> => {
  let next = 0
  const turns = Array.from({ length: 16 }, async () => {
    while (next < count) await call(next++)
  })
  await Promise.all(turns)
}

/** What a store threw that said no: nothing happened. */
export const refused = (status: number, retryable = false) => ({
  name: 'ObjectStoreError',
  code: 'OBJECT_STORE_REFUSED',
  outcome: 'refused',
  retryable,
  status,
})

/** What a store threw that gave no answer: it may have happened, or may still. */
export const unknown = {
  name: 'ObjectStoreError',
  code: 'OBJECT_STORE_UNKNOWN',
  outcome: 'unknown',
  retryable: true,
}

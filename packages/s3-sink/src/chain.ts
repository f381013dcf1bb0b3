import type { TopicPartition } from '@stockpipe/core'
import { type Checkpoint, readCheckpoint } from './checkpoint.ts'
import { type Genesis, readGenesis } from './genesis.ts'
import { type JournalEntry, readEntry } from './journal-entry.ts'
import type { JournalKeys } from './journal-keys.ts'
import { type RetryContext, retry } from './retry.ts'
import type { SinkObjectStore } from './sink-object-store.ts'

/** The newest entry of a chain and whether it is known to be published and registered. */
export interface NewestEntry {
  readonly entry: JournalEntry
  readonly settled: boolean
}

/** Reads the chain of one partition log. Every read is repeated until it is answered. */
export class Chain {
  readonly #store: SinkObjectStore
  readonly #keys: JournalKeys
  readonly #log: TopicPartition
  readonly #context: RetryContext
  readonly #name: string

  constructor(store: SinkObjectStore, keys: JournalKeys, log: TopicPartition, context: RetryContext) {
    this.#store = store
    this.#keys = keys
    this.#log = log
    this.#context = context
    this.#name = `${log.topic}-${log.partition}`
  }

  /** Start of the newest entry, from the keys alone, and whether its marker is there. */
  async newestStart(
    signal?: AbortSignal,
  ): Promise<{ readonly start: bigint; readonly settled: boolean } | undefined> {
    return retry(this.#context, { signal, what: `listing the journal of ${this.#name}` }, async () => {
      // Newest first: an entry and its marker are the first two keys, unless something foreign lies before them.
      const first = await this.#newest({ signal, limit: 2 })
      return first.whole || first.keys < 2 ? first.found : (await this.#newest({ signal })).found
    })
  }

  async newest(signal?: AbortSignal): Promise<NewestEntry | undefined> {
    const newest = await this.newestStart(signal)
    if (!newest) return undefined
    const entry = await this.entryAt(newest.start, signal)
    // Pruned between the two reads: the chain has grown meanwhile.
    return entry ? { entry, settled: newest.settled } : this.newest(signal)
  }

  async entryAt(start: bigint, signal?: AbortSignal): Promise<JournalEntry | undefined> {
    const key = this.#keys.entry(this.#log, start)
    const bytes = await this.#get(key, signal)
    return bytes && readEntry(bytes, key, { sink: this.#keys.sink, log: this.#log, start })
  }

  async genesis(signal?: AbortSignal): Promise<Genesis | undefined> {
    const key = this.#keys.genesis(this.#log)
    const bytes = await this.#get(key, signal)
    return bytes && readGenesis(bytes, key, this.#log, this.#keys.sink)
  }

  /** Starts of all entries, oldest first. */
  async starts(signal?: AbortSignal): Promise<readonly bigint[]> {
    const keys = await this.#keysUnder(this.#keys.groups(this.#log), signal)
    return keys
      .map((key) => this.#keys.read(key))
      .flatMap((read) => (read?.kind === 'entry' ? [read.start] : []))
      .reverse()
  }

  /** Starts of the entries whose groups may have offsets of `[from, to)`, newest first. */
  startsOver(from: bigint, to: bigint, signal?: AbortSignal): Promise<readonly bigint[]> {
    return retry(this.#context, { signal, what: `listing the journal of ${this.#name}` }, async () => {
      const starts: bigint[] = []
      const listing = this.#store.list(this.#keys.groups(this.#log), {
        ...(signal ? { signal } : {}),
        startAfter: this.#keys.entry(this.#log, to),
      })
      for await (const { key } of listing) {
        const read = this.#keys.read(key)
        if (read?.kind !== 'entry' || read.start >= to) continue
        starts.push(read.start)
        if (read.start <= from) break
      }
      return starts
    })
  }

  /** The `next` of all checkpoints, newest first. */
  async checkpoints(signal?: AbortSignal): Promise<readonly bigint[]> {
    const keys = await this.#keysUnder(this.#keys.checkpoints(this.#log), signal)
    return keys.flatMap((key) => this.#keys.readCheckpoint(key)?.next ?? [])
  }

  async newestCheckpoint(signal?: AbortSignal): Promise<Checkpoint | undefined> {
    const [next] = await this.checkpoints(signal)
    if (next === undefined) return undefined
    const key = this.#keys.checkpoint(this.#log, next)
    const bytes = await this.#get(key, signal)
    // Deleted between the two reads: there are newer ones.
    if (!bytes) return this.newestCheckpoint(signal)
    return readCheckpoint(bytes, key, { sink: this.#keys.sink, log: this.#log, next })
  }

  #keysUnder(prefix: string, signal: AbortSignal | undefined): Promise<string[]> {
    return retry(this.#context, { signal, what: `listing ${prefix}` }, async () => {
      const keys: string[] = []
      for await (const { key } of this.#store.list(prefix, signal ? { signal } : {})) keys.push(key)
      return keys
    })
  }

  #get(key: string, signal: AbortSignal | undefined): Promise<Uint8Array | undefined> {
    return retry(this.#context, { signal, what: `reading ${key}` }, () =>
      this.#store.get(key, signal ? { signal } : {}),
    )
  }

  /** Walks a listing up to the newest entry and, if it comes next, its marker. */
  async #newest(options: { readonly signal?: AbortSignal | undefined; readonly limit?: number }): Promise<{
    readonly found: { readonly start: bigint; readonly settled: boolean } | undefined
    readonly keys: number
    readonly whole: boolean
  }> {
    let keys = 0
    let start: bigint | undefined
    const { signal, limit } = options
    const listing = this.#store.list(this.#keys.groups(this.#log), {
      ...(signal ? { signal } : {}),
      ...(limit === undefined ? {} : { limit }),
    })
    for await (const { key } of listing) {
      keys += 1
      const read = this.#keys.read(key)
      if (start !== undefined) {
        const settled = read?.kind === 'settled' && read.start === start
        return { found: { start, settled }, keys, whole: true }
      }
      if (read?.kind === 'entry') start = read.start
    }
    return { found: start === undefined ? undefined : { start, settled: false }, keys, whole: false }
  }
}

import {
  type AssignedPartition,
  channels,
  LogChangedError,
  LostPositionError,
  type TopicPartition,
} from '@stockpipe/core'
import { Chain } from './chain.ts'
import type { DeadLetterForwarder } from './dead-letter-forwarder.ts'
import { isSignedTooLate } from './errors.ts'
import { type Genesis, writeGenesis } from './genesis.ts'
import { type JournalEntry, type LastRecord, watermarkAfter, writeEntry } from './journal-entry.ts'
import type { JournalKeys } from './journal-keys.ts'
import type { Publisher } from './publisher.ts'
import { type RetryContext, retry } from './retry.ts'
import type { SinkObjectStore } from './sink-object-store.ts'
import { type OffsetForTimestamp, type StartPolicy, startOffset, startPolicyName } from './start-policy.ts'

/** How old a read of the chain may be that a claim relies on. */
const longestReadAgeMillis = 24 * 60 * 60_000
const contentType = 'application/json'

export interface PartitionJournalOptions extends RetryContext {
  readonly store: SinkObjectStore
  readonly keys: JournalKeys
  /** Sends dead letters to a topic as well, if that is wanted. */
  readonly forwarder?: DeadLetterForwarder | undefined
  readonly publisher: Pick<Publisher, 'publish' | 'register'>
  readonly writer: string
  readonly start: StartPolicy
  readonly offsetForTimestamp?: OffsetForTimestamp | undefined
}

/** Where the chain of a partition log ends. */
export interface ChainEnd {
  readonly genesisStart: bigint
  /** Start of the newest entry; null when there is none. */
  readonly previousStart: bigint | null
  readonly next: bigint
  readonly lastRecord: LastRecord | null
  /** Of the next group; milliseconds since the epoch. */
  readonly watermark: number | null
}

/** What became of a claim. `proven`: another claim's entry was seen at our start, so our uploads may be aborted. */
export type ClaimOutcome =
  | { readonly kind: 'claimed' }
  | { readonly kind: 'fenced'; readonly proven: boolean; readonly winner?: string }

/** The journal of one partition log: opens and settles it, claims, publishes, registers, marks. Knows no rows. */
export class PartitionJournal {
  readonly #log: TopicPartition
  readonly #options: PartitionJournalOptions
  readonly #chain: Chain
  #end: ChainEnd = { genesisStart: 0n, previousStart: null, next: 0n, lastRecord: null, watermark: null }
  /** Wall clock before the chain was last read or extended. */
  #readAt = Number.NEGATIVE_INFINITY
  /** The newest entry is published and registered but has no marker. */
  #unmarked: bigint | undefined

  constructor(log: TopicPartition, options: PartitionJournalOptions) {
    this.#log = { topic: log.topic, partition: log.partition }
    this.#options = options
    this.#chain = new Chain(options.store, options.keys, this.#log, options)
  }

  get log(): TopicPartition {
    return this.#log
  }

  get end(): ChainEnd {
    return this.#end
  }

  get name(): string {
    return `${this.#log.topic}-${this.#log.partition}`
  }

  /** Steps 1 and 2: finds the chain's end, makes the genesis, settles what a predecessor left. */
  async open(assigned: AssignedPartition, signal?: AbortSignal): Promise<ChainEnd> {
    for (;;) {
      const readAt = this.#options.runtime.now()
      const end = await this.resume(signal)
      if (end) {
        this.#checkPosition(assigned)
        return end
      }
      const genesis = await this.#makeGenesis(assigned, readAt, signal)
      if (!genesis) continue
      this.#begin(genesis, readAt)
      this.#checkPosition(assigned)
      return this.#end
    }
  }

  /**
   * Steps 1 and 2 without Kafka: finds the chain's end and settles what a predecessor left, which needs nothing of
   * Kafka. Undefined when there is neither entry nor genesis.
   */
  async resume(signal?: AbortSignal): Promise<ChainEnd | undefined> {
    const readAt = this.#options.runtime.now()
    const newest = await this.#chain.newest(signal)
    if (newest) {
      const { entry, settled } = newest
      this.#end = endOf(entry)
      this.#readAt = readAt
      if (!settled) await this.#settle(entry, signal)
      return this.#end
    }
    const genesis = await this.#chain.genesis(signal)
    if (!genesis) return undefined
    this.#begin(genesis, readAt)
    return this.#end
  }

  /**
   * Steps 4 and 5: the commit point.
   *
   * @param sent called before the first request that may take effect: from then on only a proof allows aborting
   */
  async claim(
    entry: JournalEntry,
    options: { readonly signal?: AbortSignal | undefined; readonly sent: () => void },
  ): Promise<ClaimOutcome> {
    const { signal } = options
    const key = this.#options.keys.entry(this.#log, entry.start)
    const bytes = writeEntry(entry)
    const what = `claiming ${this.name} at ${entry.start}`
    const outcome = await retry(this.#options, { signal, what }, async (): Promise<ClaimOutcome> => {
      for (;;) {
        const now = this.#options.runtime.now()
        if (now - this.#readAt >= longestReadAgeMillis) {
          const known = await this.#readAgain(entry, signal)
          if (known) return known
          continue
        }
        options.sent()
        try {
          const answer = await this.#options.store.putIfAbsent(key, bytes, {
            ...(signal ? { signal } : {}),
            contentType,
            signedBefore: this.#readAt + longestReadAgeMillis,
          })
          if (answer === 'exists') return await this.#winnerAt(entry, signal)
          this.#readAt = now
          return { kind: 'claimed' }
        } catch (error) {
          if (!isSignedTooLate(error)) throw error
          this.#readAt = Number.NEGATIVE_INFINITY
        }
      }
    })
    if (outcome.kind === 'claimed') {
      this.#end = endOf(entry)
      this.#unmarked = undefined
    }
    return outcome
  }

  /** Whether somebody has claimed this start, or a later one. */
  async isPast(start: bigint, signal?: AbortSignal): Promise<boolean> {
    const newest = await this.#chain.newestStart(signal)
    return newest !== undefined && newest.start >= start
  }

  /** Steps 6 and 7; dead letters go to their topic after it. */
  async publishAndRegister(
    entry: JournalEntry,
    signal?: AbortSignal,
    published: () => void = () => {},
  ): Promise<void> {
    await this.#options.publisher.publish(entry, {
      signal,
      movedOn: async () => {
        const newest = await this.#chain.newestStart(signal)
        return newest !== undefined && (newest.start > entry.start || newest.settled)
      },
    })
    published()
    await this.#options.publisher.register(entry, signal)
    await this.#options.forwarder?.forward(entry, signal)
    this.#unmarked = entry.start
  }

  /** Step 9: says that the newest entry's files may be rewritten by others. Does nothing when it is said already. */
  async markSettled(signal?: AbortSignal): Promise<void> {
    const start = this.#unmarked
    if (start === undefined) return
    const key = this.#options.keys.settled(this.#log, start)
    await retry(this.#options, { signal, what: `marking ${this.name} settled`, attempts: 5 }, () =>
      this.#options.store.putIfAbsent(key, new Uint8Array(), signal ? { signal } : {}),
    )
    if (this.#unmarked === start) this.#unmarked = undefined
  }

  #begin({ start }: Genesis, readAt: number): void {
    this.#end = { genesisStart: start, previousStart: null, next: start, lastRecord: null, watermark: null }
    this.#readAt = readAt
  }

  /** Step 2. */
  async #settle(entry: JournalEntry, signal: AbortSignal | undefined): Promise<void> {
    const { runtime, keys } = this.#options
    const begun = runtime.monotonic()
    await this.publishAndRegister(entry, signal)
    channels.s3Sink.settled.publish(() => ({
      sink: keys.sink,
      ...this.#log,
      start: entry.start,
      next: entry.next,
      writer: entry.writer,
      files: entry.files.length,
      millis: runtime.monotonic() - begun,
    }))
  }

  /** The chain was last read too long ago to claim on: what does it say of our start now? Undefined: still free. */
  async #readAgain(entry: JournalEntry, signal: AbortSignal | undefined): Promise<ClaimOutcome | undefined> {
    const readAt = this.#options.runtime.now()
    const newest = await this.#chain.newestStart(signal)
    if ((newest?.start ?? null) !== entry.previousStart) return this.#winnerAt(entry, signal)
    this.#readAt = readAt
    return undefined
  }

  /** Somebody holds our start: ourselves, when an answer was lost. Only the claim id tells. */
  async #winnerAt(entry: JournalEntry, signal: AbortSignal | undefined): Promise<ClaimOutcome> {
    const readAt = this.#options.runtime.now()
    const winner = await this.#chain.entryAt(entry.start, signal)
    if (winner?.claimId === entry.claimId) {
      this.#readAt = readAt
      return { kind: 'claimed' }
    }
    return winner
      ? { kind: 'fenced', proven: true, winner: winner.writer }
      : { kind: 'fenced', proven: false }
  }

  /** Undefined: somebody was faster or it took too long; read again. */
  async #makeGenesis(
    assigned: AssignedPartition,
    readAt: number,
    signal: AbortSignal | undefined,
  ): Promise<Genesis | undefined> {
    const { keys, store, writer, start, offsetForTimestamp, runtime } = this.#options
    const genesis: Genesis = {
      sink: keys.sink,
      writer,
      ...this.#log,
      start: await startOffset(assigned, start, offsetForTimestamp, signal),
      policy: startPolicyName(start),
      createdAt: new Date(runtime.now()).toISOString(),
    }
    const bytes = writeGenesis(genesis)
    const signedBefore = readAt + longestReadAgeMillis
    return retry(this.#options, { signal, what: `writing the genesis of ${this.name}` }, async () => {
      if (runtime.now() >= signedBefore) return undefined
      try {
        const call = { ...(signal ? { signal } : {}), contentType, signedBefore }
        const answer = await store.putIfAbsent(keys.genesis(this.#log), bytes, call)
        return answer === 'created' ? genesis : undefined
      } catch (error) {
        if (isSignedTooLate(error)) return undefined
        throw error
      }
    })
  }

  #checkPosition({ logStart, logEnd, committed }: AssignedPartition): void {
    const { next } = this.#end
    const facts = { ...this.#log, next, logStart, logEnd, committed }
    if (logStart > next) {
      throw new LostPositionError({
        code: 'LOST_POSITION',
        message:
          `${this.name}: the journal goes on at offset ${next}, but Kafka's log begins at ${logStart}: ` +
          `${logStart - next} offsets were removed before they were read. Restore them, or reset the journal to ${logStart} to accept the loss.`,
        facts,
      })
    }
    if (logEnd < next) {
      throw new LogChangedError({
        code: 'LOG_CHANGED',
        message:
          `${this.name}: the journal has everything up to offset ${next}, but Kafka's log ends at ${logEnd}: ` +
          'the topic was made anew or its log was cut. Use a new sink name for a new topic.',
        facts,
      })
    }
    if (committed !== undefined && committed > next) {
      this.#options.logger.warn(
        `${this.name}: the group's committed offset ${committed} is ahead of the journal; going on at ${next}.`,
      )
    }
  }
}

const endOf = (entry: JournalEntry): ChainEnd => ({
  genesisStart: entry.genesisStart,
  previousStart: entry.start,
  next: entry.next,
  lastRecord: entry.lastRecord,
  watermark: watermarkAfter(entry),
})

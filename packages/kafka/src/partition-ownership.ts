import {
  type PartitionedSink,
  type PartitionPosition,
  type Runtime,
  sleep,
  type TopicPartition,
} from '@stockpipe/core'
import type { Admin, Consumer } from 'kafkajs'
import type { LeaderLookup } from './leader-lookup.ts'
import { LogLookup } from './log-lookup.ts'
import type { OffsetCommitter } from './offset-committer.ts'
import { adoptPartitions, bySink } from './partition-adoption.ts'
import { PartitionCursor, partitionKey } from './partition-cursor.ts'
import { PartitionFetching } from './partition-fetching.ts'

export interface OwnershipOptions {
  readonly consumer: Pick<Consumer, 'pause' | 'resume' | 'seek'>
  readonly admin: Pick<Admin, 'fetchTopicOffsets' | 'fetchOffsets'>
  /** Absent where leaders cannot be asked by themselves. */
  readonly leaders?: LeaderLookup | undefined
  readonly groupId: string
  readonly sinks: ReadonlyMap<string, PartitionedSink>
  /** Where each partition ends with `until`; undefined without. */
  readonly targets: ReadonlyMap<string, bigint> | undefined
  readonly committer: OffsetCommitter
  readonly onRebalance: 'keep' | 'drain'
  /** How long a sink may drain at the end. */
  readonly drainMillis: number
  /** How long it may in a rebalance, while no heartbeats are sent. */
  readonly rebalanceDrainMillis: number
  readonly runtime: Runtime
  /** The sink answered for the partitions of this generation. */
  readonly onSettled: () => void
  readonly onFailure: (error: unknown) => void
}

const commitMillis = 1000
const fencedBackoffMillis = 100
const longestBackoffMillis = 5000

/**
 * The partitions this member owns, through joins, rebalances and fencings, one change after another.
 *
 * kafkajs fetches as soon as it has joined. So all partitions are paused within the join event, before the first
 * fetch, and each is resumed only after a seek: to where its sink still stands, or to the position it answers.
 *
 * A partition that stays keeps its cursor and its sink's buffers (`onRebalance: 'keep'`). That another owner had it
 * meanwhile does no harm: whoever claims second is fenced. It is only waste, so a member that comes back under another
 * id (expelled, or kafkajs crashed) takes anew what the group has committed beyond it.
 */
export class PartitionOwnership {
  readonly #options: OwnershipOptions
  readonly cursors = new Map<string, PartitionCursor>()
  readonly fetching: PartitionFetching
  readonly lookup: LogLookup
  readonly leaders: LeaderLookup | undefined
  readonly #assigned = new Set<PartitionCursor>()
  readonly #fullSinks = new Set<PartitionedSink>()
  /** Fenced and not adopted anew yet. */
  readonly #fenced = new Set<PartitionCursor>()
  #memberId: string | undefined
  #joins = 0
  #epoch = 0
  #settled = false
  #draining = false
  #ended = false
  #adopting = new AbortController()
  #changes: Promise<void> = Promise.resolve()
  #leaving: Promise<void> = Promise.resolve()

  constructor(options: OwnershipOptions) {
    this.#options = options
    this.fetching = new PartitionFetching(options.consumer)
    this.lookup = new LogLookup(options)
    this.leaders = options.leaders
  }

  /** Counts what happens to what is owned: unchanged means that it is still owned, and by the same assignments. */
  get epoch(): number {
    return this.#epoch
  }

  /** Resolves when nothing is being drained or given up. */
  get left(): Promise<void> {
    return this.#leaving
  }

  /** Whether every partition of the present generation has its position. */
  get settled(): boolean {
    return this.#settled && this.#fenced.size === 0
  }

  /** The partitions whose sinks have them, also between two generations. */
  get held(): readonly TopicPartition[] {
    return [...this.cursors.values()].filter(({ standing }) => standing !== undefined)
  }

  /** Aborted when the group goes on to another generation. */
  get generation(): AbortSignal {
    return this.#adopting.signal
  }

  cursor({ topic, partition }: TopicPartition): PartitionCursor | undefined {
    return this.cursors.get(partitionKey(topic, partition))
  }

  /** To be called within the join event: pauses what was assigned, goes on with what stays, has the sinks adopt the rest. */
  joined(memberId: string, assignment: Readonly<Record<string, readonly number[]>>): void {
    const partitions = Object.entries(assignment).flatMap(([topic, numbers]) =>
      numbers.map((partition) => ({ topic, partition })),
    )
    this.fetching.pause(partitions)
    const { signal } = this.#nextEpoch()
    this.#suspendAll()
    const uninterrupted = memberId === this.#memberId && this.#options.onRebalance === 'keep'
    this.#memberId = memberId
    this.#joins += 1
    const names = new Set(partitions.map(({ topic, partition }) => partitionKey(topic, partition)))
    for (const [name, cursor] of this.cursors) {
      // Gone for a generation is gone: somebody else begins where the journal ends.
      if (!names.has(name) || this.#options.onRebalance === 'drain') cursor.displace()
      else if (uninterrupted && !signal.aborted) this.#resume(cursor, signal)
    }
    void this.#change(async () => {
      if (!uninterrupted) await this.#resumeUnclaimed(signal)
      if (signal.aborted) return
      await this.#release([...this.cursors.values()].filter(({ standing }) => standing === undefined))
      if (signal.aborted) return
      const fresh = partitions.flatMap((partition) => this.#freshCursor(partition))
      for (const cursor of fresh) this.cursors.set(partitionKey(cursor.topic, cursor.partition), cursor)
      await this.#adopt(fresh, signal)
      if (signal.aborted) return
      this.#settled = true
      this.#options.onSettled()
    }, signal)
  }

  /** The generation is over: handing over stops until the next join. Resolves when the member may join again. */
  interrupt({ expelled }: { readonly expelled: boolean }): Promise<void> {
    if (this.#ended) return this.#leaving
    if (this.#options.onRebalance === 'drain') return this.leave({ drain: !expelled })
    this.#nextEpoch().abort(generationOver())
    this.#suspendAll()
    return Promise.resolve()
  }

  /** Gives everything back: what is buffered is published if there is time, else given up. */
  leave({ drain }: { readonly drain: boolean }): Promise<void> {
    const { drainMillis, rebalanceDrainMillis } = this.#options
    this.#nextEpoch()
    this.#leaving = this.#change(() =>
      this.#release(
        [...this.cursors.values()],
        drain ? (this.#ended ? drainMillis : rebalanceDrainMillis) : undefined,
      ),
    )
    return this.#leaving
  }

  /** As `leave`, for good: later joins are not adopted. */
  end(options: { readonly drain: boolean }): Promise<void> {
    this.#ended = true
    for (const cursor of this.cursors.values()) this.fetching.hold(cursor, 'ending')
    // Not only once a sink call under way lets them be given back.
    this.#suspendAll()
    return this.leave(options)
  }

  /** Another owner published past this one: the partition is adopted anew, at the position the sink then answers. */
  fenced(cursor: PartitionCursor): void {
    if (cursor.standing === undefined) return
    cursor.displace()
    this.#epoch += 1
    this.#fenced.add(cursor)
    this.fetching.hold(cursor, 'unpositioned')
    const { runtime } = this.#options
    const backoff = Math.min(longestBackoffMillis, fencedBackoffMillis * 2 ** cursor.fencings)
    cursor.fencings += 1
    const { signal } = this.#adopting
    // Between two generations the next join sees to it.
    void this.#change(async () => {
      await sleep(runtime, backoff * (0.5 + runtime.random() / 2), signal)
      await this.#release([cursor])
      const fresh = this.#freshCursor(cursor)
      if (signal.aborted) return
      for (const anew of fresh) {
        anew.fencings = cursor.fencings
        this.cursors.set(partitionKey(anew.topic, anew.partition), anew)
      }
      await this.#adopt(fresh, signal)
      if (signal.aborted) return
      this.#fenced.delete(cursor)
      this.#options.onSettled()
    }, signal)
  }

  /** The sink says what is published. */
  published(position: PartitionPosition): void {
    const cursor = this.cursor(position)
    cursor?.publishedUpTo(position.offset)
    if (cursor || this.#draining) this.#options.committer.add(position)
  }

  setFull(sink: PartitionedSink, full: boolean): void {
    if (full) this.#fullSinks.add(sink)
    else this.#fullSinks.delete(sink)
    for (const cursor of this.cursors.values()) {
      if (cursor.sink !== sink) continue
      if (full) this.fetching.hold(cursor, 'sinkFull')
      else this.fetching.unhold(cursor, 'sinkFull')
    }
  }

  #nextEpoch(): AbortController {
    this.#epoch += 1
    this.#settled = false
    // The next generation sees to them.
    this.#fenced.clear()
    this.#adopting.abort(generationOver())
    this.#adopting = new AbortController()
    if (this.#ended) this.#adopting.abort(new Error('the consumer is ending'))
    return this.#adopting
  }

  /** Runs changes one after another; a failure ends the consumer unless the change was called off. */
  #change(work: () => Promise<void>, signal?: AbortSignal): Promise<void> {
    this.#changes = this.#changes.then(async () => {
      if (signal?.aborted) return
      try {
        await work()
      } catch (error) {
        if (!signal?.aborted) this.#options.onFailure(error)
      }
    })
    return this.#changes
  }

  #suspendAll(): void {
    for (const cursor of this.cursors.values()) {
      cursor.suspend()
      this.fetching.hold(cursor, 'unpositioned')
    }
  }

  /** Goes on with a partition whose sink still has it, once the sink has made up its mind about the last block. */
  #resume(cursor: PartitionCursor, signal: AbortSignal): void {
    if (cursor.standing === undefined) return
    if (cursor.writing) {
      void cursor.writing.then(() => {
        if (!signal.aborted) this.#resume(cursor, signal)
      })
      return
    }
    cursor.resume()
    const { topic, partition, committable } = cursor
    // What was committed while the group had no generation was refused.
    if (committable !== undefined) this.#options.committer.add({ topic, partition, offset: committable })
    this.#start(cursor)
    if (this.#settled) this.#options.onSettled()
  }

  /** After an absence: goes on with what nobody else has published of, and displaces the rest. */
  async #resumeUnclaimed(signal: AbortSignal): Promise<void> {
    const kept = [...this.cursors.values()].filter(({ standing }) => standing !== undefined)
    const committed = await this.lookup.committed(
      kept.map(({ topic }) => topic),
      signal,
    )
    if (signal.aborted) return
    for (const cursor of kept) {
      const offset = committed.get(partitionKey(cursor.topic, cursor.partition)) ?? 0n
      if (offset > cursor.published) cursor.displace()
      else this.#resume(cursor, signal)
    }
  }

  #freshCursor({ topic, partition }: TopicPartition): PartitionCursor[] {
    const key = partitionKey(topic, partition)
    const sink = this.#options.sinks.get(topic)
    if (!sink || this.cursors.has(key)) return []
    const { targets } = this.#options
    // A partition added since the start holds nothing the run was asked for.
    return [new PartitionCursor(topic, partition, sink, targets ? (targets.get(key) ?? 0n) : undefined)]
  }

  async #adopt(cursors: readonly PartitionCursor[], signal: AbortSignal): Promise<void> {
    await adoptPartitions(cursors, {
      lookup: this.lookup,
      leaders: this.leaders,
      generation: this.#joins,
      signal,
      onAssigned: (cursor) => this.#assigned.add(cursor),
      onPlaced: (cursor) => this.#start(cursor),
    })
  }

  /** Has a cursor with a position fetched from there. */
  #start(cursor: PartitionCursor): void {
    this.fetching.seek(cursor)
    if (cursor.reached) this.fetching.hold(cursor, 'reached')
    if (this.#fullSinks.has(cursor.sink)) this.fetching.hold(cursor, 'sinkFull')
    this.fetching.unhold(cursor, 'unpositioned')
  }

  async #release(cursors: readonly PartitionCursor[], drainMillis?: number): Promise<void> {
    const { runtime, committer } = this.#options
    const drain = drainMillis !== undefined
    this.fetching.pause(cursors)
    const assigned = cursors.filter((cursor) => this.#assigned.delete(cursor))
    for (const cursor of cursors) {
      this.cursors.delete(partitionKey(cursor.topic, cursor.partition))
      cursor.displace()
      if (!drain) committer.forget(cursor)
    }
    const options = drain ? { drain, deadline: runtime.monotonic() + drainMillis } : { drain }
    this.#draining = drain
    const revoked = await Promise.allSettled(
      [...bySink(assigned)].map(([sink, own]) =>
        sink.revoke(
          own.map(({ topic, partition }) => ({ topic, partition })),
          options,
        ),
      ),
    )
    // What could not be published was not committed either: it is read again by whoever comes next.
    if (drain && revoked.some(({ status }) => status === 'fulfilled')) await committer.finish(commitMillis)
    this.#draining = false
  }
}

const generationOver = (): Error => new Error('the group went on to another generation')

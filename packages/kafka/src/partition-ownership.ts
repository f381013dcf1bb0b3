import {
  type PartitionedSink,
  type Runtime,
  StockpipeError,
  sleep,
  type TopicPartition,
} from '@stockpipe/core'
import type { Admin, Consumer } from 'kafkajs'
import { type LogRange, logRanges, patiently } from './admin-session.ts'
import { kafkaFailure } from './kafka-failure.ts'
import type { OffsetCommitter } from './offset-committer.ts'
import { type Hold, PartitionCursor, partitionKey } from './partition-cursor.ts'
import { positionProblem } from './position-check.ts'

export interface OwnershipOptions {
  readonly consumer: Pick<Consumer, 'pause' | 'resume' | 'seek'>
  readonly admin: Pick<Admin, 'fetchTopicOffsets' | 'fetchOffsets'>
  readonly groupId: string
  readonly sinks: ReadonlyMap<string, PartitionedSink>
  /** Where each partition ends with `until`; undefined without. */
  readonly targets: ReadonlyMap<string, bigint> | undefined
  readonly committer: OffsetCommitter
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
/** A leader that has just taken over may answer an end that is behind for a moment. */
const secondLookMillis = 1000

/**
 * The partitions this member owns, through joins, rebalances and fencings, one change after another.
 *
 * kafkajs fetches as soon as it has joined. So all partitions are paused within the join event, before the first
 * fetch, and each is resumed only after a seek to the position its sink answered.
 */
export class PartitionOwnership {
  readonly #options: OwnershipOptions
  readonly cursors = new Map<string, PartitionCursor>()
  readonly #assigned = new Set<PartitionCursor>()
  readonly #fullSinks = new Set<PartitionedSink>()
  #joins = 0
  #epoch = 0
  #settled = false
  #ended = false
  #adopting = new AbortController()
  #changes: Promise<void> = Promise.resolve()
  #leaving: Promise<void> = Promise.resolve()

  constructor(options: OwnershipOptions) {
    this.#options = options
  }

  /** Counts what happens to the membership: unchanged means that what was owned still is. */
  get epoch(): number {
    return this.#epoch
  }

  /** Resolves when nothing is being drained or given up. */
  get left(): Promise<void> {
    return this.#leaving
  }

  /** Whether every partition of the present generation has its position. */
  get settled(): boolean {
    return this.#settled
  }

  cursor({ topic, partition }: TopicPartition): PartitionCursor | undefined {
    return this.cursors.get(partitionKey(topic, partition))
  }

  /** To be called within the join event: pauses what was assigned, then has it adopted by the sinks. */
  joined(assignment: Readonly<Record<string, readonly number[]>>): void {
    const partitions = Object.entries(assignment).flatMap(([topic, numbers]) =>
      numbers.map((partition) => ({ topic, partition })),
    )
    this.#pause(partitions)
    const { signal } = this.#nextEpoch()
    this.#joins += 1
    void this.#change(async () => {
      await this.#release(undefined)
      this.#options.committer.clear()
      if (signal.aborted) return
      const cursors = partitions.flatMap(({ topic, partition }) => {
        const sink = this.#options.sinks.get(topic)
        if (!sink) return []
        const target = this.#options.targets?.get(partitionKey(topic, partition))
        // A partition added since the start holds nothing the run was asked for.
        return [
          new PartitionCursor(topic, partition, sink, this.#options.targets ? (target ?? 0n) : undefined),
        ]
      })
      for (const cursor of cursors) this.cursors.set(partitionKey(cursor.topic, cursor.partition), cursor)
      await this.#adopt(cursors, signal)
      if (signal.aborted) return
      this.#settled = true
      this.#options.onSettled()
    }, signal)
  }

  /** The generation is over: what is buffered is published if there is time, else given up. */
  leave({ drain }: { readonly drain: boolean }): Promise<void> {
    const { drainMillis, rebalanceDrainMillis } = this.#options
    this.#nextEpoch()
    this.#leaving = this.#change(() =>
      this.#release(drain ? (this.#ended ? drainMillis : rebalanceDrainMillis) : undefined),
    )
    return this.#leaving
  }

  /** As `leave`, for good: later joins are not adopted. */
  end(options: { readonly drain: boolean }): Promise<void> {
    this.#ended = true
    for (const cursor of this.cursors.values()) this.hold(cursor, 'ending')
    return this.leave(options)
  }

  /** Another owner published past this one: the partition is adopted anew, at the position the sink then answers. */
  fenced(cursor: PartitionCursor): void {
    if (cursor.position === undefined) return
    cursor.displace()
    this.hold(cursor, 'unpositioned')
    const backoff = Math.min(longestBackoffMillis, fencedBackoffMillis * 2 ** cursor.fencings)
    cursor.fencings += 1
    const { runtime } = this.#options
    const { signal } = this.#adopting
    void this.#change(async () => {
      await sleep(runtime, backoff * (0.5 + runtime.random() / 2), signal)
      const { topic, partition } = cursor
      await cursor.sink.revoke([{ topic, partition }], { drain: false })
      this.#assigned.delete(cursor)
      await this.#adopt([cursor], signal)
      if (!signal.aborted) this.#options.onSettled()
    }, signal)
  }

  setFull(sink: PartitionedSink, full: boolean): void {
    if (full) this.#fullSinks.add(sink)
    else this.#fullSinks.delete(sink)
    for (const cursor of this.cursors.values()) {
      if (cursor.sink !== sink) continue
      if (full) this.hold(cursor, 'sinkFull')
      else this.unhold(cursor, 'sinkFull')
    }
  }

  hold(cursor: PartitionCursor, reason: Hold): void {
    const fetched = cursor.holds.size === 0
    cursor.holds.add(reason)
    if (fetched) this.#pause([cursor])
  }

  unhold(cursor: PartitionCursor, reason: Hold): void {
    if (!cursor.holds.delete(reason) || cursor.holds.size > 0) return
    const { topic, partition } = cursor
    try {
      this.#options.consumer.resume([{ topic, partitions: [partition] }])
    } catch {
      // As with pause: kafkajs does not run any more.
    }
  }

  /** Makes kafkajs fetch from the cursor's position; what it has fetched from elsewhere is dropped. */
  seek(cursor: PartitionCursor): void {
    const { topic, partition, position } = cursor
    if (position !== undefined) this.#options.consumer.seek({ topic, partition, offset: position.toString() })
  }

  /** Throws a `LostPositionError` or `LogChangedError` when Kafka does not have `position` any more. */
  async verify(cursor: PartitionCursor, position: bigint, signal: AbortSignal): Promise<LogRange> {
    const look = async (): Promise<LogRange> =>
      (await this.#ranges(cursor.topic, signal)).get(cursor.partition) ?? { logStart: 0n, logEnd: 0n }
    const at = { topic: cursor.topic, partition: cursor.partition, position }
    let range = await look()
    if (position > range.logEnd) {
      await sleep(this.#options.runtime, secondLookMillis, signal)
      range = await look()
    }
    const problem = positionProblem(at, range)
    if (problem) throw problem
    return range
  }

  #nextEpoch(): AbortController {
    this.#epoch += 1
    this.#settled = false
    this.#adopting.abort(new Error('the group went on to another generation'))
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

  async #adopt(cursors: readonly PartitionCursor[], signal: AbortSignal): Promise<void> {
    const topics = [...new Set(cursors.map(({ topic }) => topic))]
    const ranges = new Map<string, LogRange>()
    for (const topic of topics) {
      for (const [partition, range] of await this.#ranges(topic, signal)) {
        ranges.set(partitionKey(topic, partition), range)
      }
    }
    const committed = await patiently(this.#options.runtime, signal, () => this.#committed(topics))
    if (signal.aborted) return
    await Promise.all(
      [...bySink(cursors)].map(async ([sink, own]) => {
        const positions = await sink.assign(
          own.map(({ topic, partition }) => {
            const key = partitionKey(topic, partition)
            const offset = committed.get(key)
            const range = ranges.get(key) ?? { logStart: 0n, logEnd: 0n }
            return { topic, partition, ...range, ...(offset === undefined ? {} : { committed: offset }) }
          }),
          { generation: this.#joins, signal },
        )
        for (const cursor of own) this.#assigned.add(cursor)
        for (const cursor of own) {
          if (signal.aborted) return
          const answered = positions.find(
            ({ topic, partition }) => topic === cursor.topic && partition === cursor.partition,
          )
          if (!answered) throw positionMissing(cursor)
          const key = partitionKey(cursor.topic, cursor.partition)
          const known = ranges.get(key)
          const sound =
            known && positionProblem({ ...answered, position: answered.offset }, known) === undefined
          const range = sound ? known : await this.verify(cursor, answered.offset, signal)
          if (signal.aborted) return
          cursor.place(answered, range.logEnd)
          this.seek(cursor)
          if (cursor.reached) this.hold(cursor, 'reached')
          if (this.#fullSinks.has(sink)) this.hold(cursor, 'sinkFull')
          this.unhold(cursor, 'unpositioned')
        }
      }),
    )
  }

  #ranges(topic: string, signal: AbortSignal): Promise<ReadonlyMap<number, LogRange>> {
    const { admin, runtime } = this.#options
    return patiently(runtime, signal, () => logRanges(admin, topic))
  }

  async #committed(topics: readonly string[]): Promise<ReadonlyMap<string, bigint>> {
    const { admin, groupId } = this.#options
    const committed = new Map<string, bigint>()
    if (topics.length === 0) return committed
    const fetched = await admin.fetchOffsets({ groupId, topics: [...topics] }).catch((error) => {
      throw kafkaFailure(error, {
        code: 'GROUP_OFFSETS_FAILED',
        doing: `asking what group ${groupId} has committed`,
        retryable: true,
        facts: { groupId },
      })
    })
    for (const { topic, partitions } of fetched) {
      for (const { partition, offset } of partitions) {
        if (BigInt(offset) >= 0n) committed.set(partitionKey(topic, partition), BigInt(offset))
      }
    }
    return committed
  }

  async #release(drainMillis: number | undefined): Promise<void> {
    const { runtime, committer } = this.#options
    const drain = drainMillis !== undefined
    const owned = [...this.cursors.values()]
    this.cursors.clear()
    this.#pause(owned)
    for (const cursor of owned) cursor.displace()
    const assigned = owned.filter((cursor) => this.#assigned.has(cursor))
    this.#assigned.clear()
    const options = drain ? { drain, deadline: runtime.monotonic() + drainMillis } : { drain }
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
  }

  #pause(partitions: readonly TopicPartition[]): void {
    const topics = partitions.map(({ topic, partition }) => ({ topic, partitions: [partition] }))
    try {
      if (topics.length > 0) this.#options.consumer.pause(topics)
    } catch {
      // kafkajs throws when it does not run any more, and then fetches nothing either.
    }
  }
}

const bySink = (cursors: readonly PartitionCursor[]): ReadonlyMap<PartitionedSink, PartitionCursor[]> => {
  const groups = new Map<PartitionedSink, PartitionCursor[]>()
  for (const cursor of cursors) groups.set(cursor.sink, [...(groups.get(cursor.sink) ?? []), cursor])
  return groups
}

const positionMissing = ({ topic, partition }: TopicPartition): StockpipeError =>
  new StockpipeError({
    code: 'POSITION_MISSING',
    message: `The sink of topic ${topic} did not answer where to read partition ${partition} from.`,
    facts: { topic, partition },
  })

import { EventEmitter } from 'node:events'
import {
  type AssignedPartition,
  type AssignOptions,
  type PartitionedSink,
  type PartitionedSinkEvents,
  type PartitionPosition,
  packedAt,
  type RecordBlock,
  type RevokeOptions,
  recordOffset,
  type TopicPartition,
} from '@stockpipe/core'

export interface PublishedRecord {
  readonly offset: bigint
  readonly key: string | null
  readonly value: string | null
}

const keyOf = ({ topic, partition }: TopicPartition): string => `${topic}/${partition}`
const text = (bytes: Uint8Array | null): string | null =>
  bytes === null ? null : Buffer.from(bytes).toString()

/** What outlives a sink: where each partition log stands and what was published of it. */
export class MemoryJournal {
  readonly next = new Map<string, bigint>()
  readonly records = new Map<string, PublishedRecord[]>()
  readonly lastRecords = new Map<string, NonNullable<PartitionPosition['lastRecord']>>()

  all(): PublishedRecord[] {
    return [...this.records.values()].flat()
  }
}

/** A sink that publishes to memory, and holds the loop to its contract: no gap, no overlap, nothing unassigned. */
export class MemorySink implements PartitionedSink {
  readonly journal: MemoryJournal
  readonly #events = new EventEmitter()
  readonly #last = new Map<string, NonNullable<PartitionPosition['lastRecord']>>()
  readonly assigned = new Map<string, bigint>()
  readonly buffered = new Map<string, PublishedRecord[]>()
  readonly calls: string[] = []
  readonly violations: string[] = []
  readonly assignments: AssignedPartition[] = []
  /** Awaited by each write, once the block is taken. */
  beforeRoom: (block: RecordBlock) => Promise<void> = async () => {}
  beforeAssign: (signal?: AbortSignal) => Promise<void> = async () => {}
  beforeDrain: (options: RevokeOptions) => Promise<void> = async () => {}
  /** Also takes blocks that begin before its position, and drops what it has, as beside another sink. */
  mayOverlap = false
  /** Publishes a partition whenever it has buffered so many records. */
  publishEvery = Number.POSITIVE_INFINITY

  constructor(journal = new MemoryJournal()) {
    this.journal = journal
  }

  async assign(
    partitions: readonly AssignedPartition[],
    options: AssignOptions,
  ): Promise<readonly PartitionPosition[]> {
    this.calls.push(`assign ${partitions.map(keyOf).sort().join(' ')}`)
    await this.beforeAssign(options.signal)
    options.signal?.throwIfAborted()
    return partitions.map((assigned) => {
      const key = keyOf(assigned)
      if (this.assigned.has(key)) this.violations.push(`${key} assigned twice`)
      const offset = this.journal.next.get(key) ?? assigned.logStart
      this.assigned.set(key, offset)
      this.buffered.set(key, [])
      this.assignments.push(assigned)
      const lastRecord = this.journal.lastRecords.get(key)
      const { topic, partition } = assigned
      return { topic, partition, offset, ...(lastRecord ? { lastRecord } : {}) }
    })
  }

  async write(block: RecordBlock): Promise<void> {
    const key = keyOf(block)
    const position = this.assigned.get(key)
    if (position === undefined) {
      this.violations.push(`${key} written to but not assigned`)
      throw new Error(`${key} is not assigned`)
    }
    if (block.firstOffset > position || (block.firstOffset < position && !this.mayOverlap)) {
      this.violations.push(`${key}: a block begins at ${block.firstOffset}, the position is ${position}`)
    }
    for (let index = 0; index < block.count; index++) {
      if (recordOffset(block, index) < position) continue
      this.buffered.get(key)!.push({
        offset: recordOffset(block, index),
        key: text(packedAt(block.keys, index)),
        value: text(packedAt(block.values, index)),
      })
    }
    this.assigned.set(key, block.nextOffset)
    const { leaderEpoch, count } = block
    if (leaderEpoch !== undefined && count > 0) {
      this.#last.set(key, { offset: recordOffset(block, count - 1), leaderEpoch })
    }
    if (this.buffered.get(key)!.length >= this.publishEvery) this.#publish(block)
    await this.beforeRoom(block)
  }

  async revoke(partitions: readonly TopicPartition[], options: RevokeOptions): Promise<void> {
    this.calls.push(`revoke ${partitions.map(keyOf).sort().join(' ')} ${options.drain ? 'drain' : 'give up'}`)
    if (options.drain) await this.beforeDrain(options)
    for (const partition of partitions) {
      const key = keyOf(partition)
      if (!this.assigned.has(key)) this.violations.push(`${key} revoked but not assigned`)
      if (options.drain) this.#publish(partition)
      this.assigned.delete(key)
      this.buffered.delete(key)
    }
  }

  async flush(): Promise<void> {
    this.calls.push('flush')
    for (const key of this.assigned.keys()) {
      const [topic, partition] = key.split('/')
      this.#publish({ topic: topic!, partition: Number(partition) })
    }
  }

  async close(): Promise<void> {
    this.calls.push('close')
  }

  on<Event extends keyof PartitionedSinkEvents>(
    event: Event,
    listener: (...details: PartitionedSinkEvents[Event]) => void,
  ): void {
    this.#events.on(event, listener as (...details: unknown[]) => void)
  }

  off<Event extends keyof PartitionedSinkEvents>(
    event: Event,
    listener: (...details: PartitionedSinkEvents[Event]) => void,
  ): void {
    this.#events.off(event, listener as (...details: unknown[]) => void)
  }

  emit<Event extends keyof PartitionedSinkEvents>(
    event: Event,
    ...details: PartitionedSinkEvents[Event]
  ): void {
    this.#events.emit(event, ...details)
  }

  get listeners(): number {
    return this.#events.eventNames().reduce((sum, name) => sum + this.#events.listenerCount(name), 0)
  }

  /** Publishes only what nobody else has published since: as a claim does. */
  #publish({ topic, partition }: TopicPartition): void {
    const key = keyOf({ topic, partition })
    const records = this.buffered.get(key) ?? []
    const published = this.journal.next.get(key)
    if (published !== undefined && records.length > 0 && records[0]!.offset < published) {
      this.buffered.set(key, [])
      this.emit('fenced', { topic, partition }, new Error(`${key} was published by another owner`))
      return
    }
    this.journal.records.set(key, [...(this.journal.records.get(key) ?? []), ...records])
    this.journal.next.set(key, this.assigned.get(key)!)
    const last = this.#last.get(key)
    if (last) this.journal.lastRecords.set(key, last)
    this.buffered.set(key, [])
    this.emit('committable', { topic, partition, offset: this.assigned.get(key)! })
  }
}

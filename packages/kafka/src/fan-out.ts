import { EventEmitter } from 'node:events'
import {
  type AssignedPartition,
  type AssignOptions,
  ConfigurationError,
  type PartitionedSink,
  type PartitionedSinkEvents,
  type PartitionPosition,
  type RecordBlock,
  type RevokeOptions,
  StockpipeError,
  type TopicPartition,
} from '@stockpipe/core'
import { copyOfBlock } from './block-copy.ts'
import { partitionKey } from './partition-cursor.ts'

/** Where the sinks stand with one partition. */
interface FannedPartition {
  /** The next record of each sink. */
  readonly positions: Map<PartitionedSink, bigint>
  /** Everything before is published by the sink. */
  readonly published: Map<PartitionedSink, bigint>
  /** What was last told to be committable. */
  told: bigint | undefined
}

class FanOutSink implements PartitionedSink, AsyncDisposable {
  readonly #sinks: readonly PartitionedSink[]
  readonly #events = new EventEmitter()
  readonly #full = new Set<PartitionedSink>()
  readonly #partitions = new Map<string, FannedPartition>()
  readonly #undo: (() => void)[] = []

  constructor(sinks: readonly PartitionedSink[]) {
    this.#sinks = [...sinks]
    for (const sink of this.#sinks) this.#listen(sink)
  }

  async assign(
    partitions: readonly AssignedPartition[],
    options: AssignOptions,
  ): Promise<readonly PartitionPosition[]> {
    for (const partition of partitions) {
      this.#partitions.set(keyOf(partition), { positions: new Map(), published: new Map(), told: undefined })
    }
    const answers = await Promise.allSettled(this.#sinks.map((sink) => sink.assign(partitions, options)))
    try {
      const answered = answers.map((answer) => {
        if (answer.status === 'rejected') throw answer.reason
        return answer.value
      })
      return partitions.map((partition) => this.#place(partition, answered))
    } catch (error) {
      const assigned = this.#sinks.filter((_, index) => answers[index]?.status === 'fulfilled')
      await Promise.allSettled(assigned.map((sink) => sink.revoke(partitions, { drain: false })))
      for (const partition of partitions) this.#partitions.delete(keyOf(partition))
      throw error
    }
  }

  async write(block: RecordBlock): Promise<void> {
    const fanned = this.#partitions.get(keyOf(block))
    if (!fanned) {
      const { topic, partition } = block
      throw new StockpipeError({
        code: 'PARTITION_NOT_ASSIGNED',
        message: `${topic}-${partition} is not assigned to these sinks (any more); assign it before writing.`,
        facts: { topic, partition },
      })
    }
    const { positions } = fanned
    const { nextOffset } = block
    const behind = this.#sinks.filter((sink) => (positions.get(sink) ?? 0n) < nextOffset)
    // The block becomes the last one's own; all copies are made before anybody can transfer it.
    const blocks = behind.map((_, index) => (index < behind.length - 1 ? copyOfBlock(block) : block))
    await Promise.all(
      behind.map(async (sink, index) => {
        await sink.write(blocks[index]!)
        positions.set(sink, nextOffset)
      }),
    )
  }

  async revoke(partitions: readonly TopicPartition[], options: RevokeOptions): Promise<void> {
    const fanned = partitions.map(
      (partition) => [keyOf(partition), this.#partitions.get(keyOf(partition))] as const,
    )
    try {
      await this.#every((sink) => sink.revoke(partitions, options))
    } finally {
      for (const [key, former] of fanned) {
        if (this.#partitions.get(key) === former) this.#partitions.delete(key)
      }
    }
  }

  async flush(options?: { readonly signal?: AbortSignal }): Promise<void> {
    await this.#every((sink) => sink.flush(options))
  }

  async close(): Promise<void> {
    try {
      await this.#every((sink) => sink.close())
    } finally {
      for (const off of this.#undo.splice(0)) off()
    }
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
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

  #listen(sink: PartitionedSink): void {
    const on = <Event extends keyof PartitionedSinkEvents>(
      event: Event,
      listener: (...details: PartitionedSinkEvents[Event]) => void,
    ): void => {
      sink.on(event, listener)
      this.#undo.push(() => sink.off(event, listener))
    }
    on('full', () => {
      this.#full.add(sink)
      if (this.#full.size === 1) this.#events.emit('full')
    })
    on('room', () => {
      if (this.#full.delete(sink) && this.#full.size === 0) this.#events.emit('room')
    })
    on('committable', (position) => {
      const fanned = this.#partitions.get(keyOf(position))
      if (!fanned) return
      fanned.published.set(sink, position.offset)
      this.#tell(position, fanned)
    })
    on('fenced', (partition, error) => this.#events.emit('fenced', partition, error))
    on('failed', (partition, error) => this.#events.emit('failed', partition, error))
  }

  /** Reading begins where the sink that is furthest behind wants it. */
  #place(
    { topic, partition }: TopicPartition,
    answered: readonly (readonly PartitionPosition[])[],
  ): PartitionPosition {
    const key = partitionKey(topic, partition)
    const fanned = this.#partitions.get(key)
    const positions = this.#sinks.map((sink, index) => {
      const own = answered[index]?.find((position) => keyOf(position) === key)
      if (!own || !fanned) {
        throw new StockpipeError({
          code: 'POSITION_MISSING',
          message: `A sink of topic ${topic} did not answer where to read partition ${partition} from.`,
          facts: { topic, partition },
        })
      }
      fanned.positions.set(sink, own.offset)
      return own
    })
    if (fanned) this.#begin({ topic, partition }, fanned)
    const offset = smallest(positions.map((own) => own.offset))
    // Of what the others have taken beyond it the loop learns as it reads.
    const lastRecord = positions.find((own) => own.offset === offset && own.lastRecord)?.lastRecord
    return { topic, partition, offset, ...(lastRecord ? { lastRecord } : {}) }
  }

  /** A sink has published everything before the position it answers, or more when it has said so meanwhile. */
  #begin(partition: TopicPartition, fanned: FannedPartition): void {
    const { positions, published } = fanned
    const heard = published.size > 0
    for (const [sink, offset] of positions) published.set(sink, published.get(sink) ?? offset)
    if (heard) this.#tell(partition, fanned)
    else fanned.told = smallest([...published.values()])
  }

  /** Tells what every sink has published, when that is more than was told before. */
  #tell({ topic, partition }: TopicPartition, fanned: FannedPartition): void {
    if (fanned.published.size < this.#sinks.length) return
    const offset = smallest([...fanned.published.values()])
    if (fanned.told !== undefined && offset <= fanned.told) return
    fanned.told = offset
    this.#events.emit('committable', { topic, partition, offset })
  }

  /** Calls every sink, whatever another one comes to; then throws what the first that failed threw. */
  async #every(call: (sink: PartitionedSink) => Promise<void>): Promise<void> {
    const outcomes = await Promise.allSettled(this.#sinks.map((sink) => call(sink)))
    for (const outcome of outcomes) if (outcome.status === 'rejected') throw outcome.reason
  }
}

const keyOf = ({ topic, partition }: TopicPartition): string => partitionKey(topic, partition)

const smallest = (offsets: readonly bigint[]): bigint => {
  let [least = 0n] = offsets
  for (const offset of offsets) if (offset < least) least = offset
  return least
}

/**
 * One sink of several for the same topics: everything is read once and handed to each, such as to a table of raw and
 * one of transformed rows. Closing it closes them.
 *
 * - *Position*: partitions are read from where the sink that is furthest behind stands; the others drop what they have.
 * - *Room*: a sink that is full holds its partitions back for all of them.
 * - *Committed*: only what every sink has published, for lag monitors; each sink goes on from its own journal.
 * - *Failure*: one sink that fails ends the consumer for all; one that is fenced in a partition has it taken anew by all.
 *   What the others had not published of it is read again, and is in their tables once.
 * - *Memory*: each sink gets a block of its own, since its buffers may go to another thread: a copy for all but one.
 *
 * Throws a `ConfigurationError` `SINKS_INVALID` without sinks, or when one is given twice.
 */
export const fanOut = (sinks: readonly PartitionedSink[]): PartitionedSink & AsyncDisposable => {
  if (sinks.length === 0 || new Set(sinks).size < sinks.length) {
    throw new ConfigurationError({
      code: 'SINKS_INVALID',
      message:
        sinks.length === 0
          ? 'There is no sink to fan out to.'
          : 'A sink is given twice: each takes every record once.',
    })
  }
  return new FanOutSink(sinks)
}

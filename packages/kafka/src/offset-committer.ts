import type { PartitionPosition, Runtime, RuntimeTimer, TopicPartition } from '@stockpipe/core'
import type { Consumer } from 'kafkajs'
import { partitionKey } from './partition-cursor.ts'
import { settledWithin } from './waiting.ts'

/**
 * Commits published positions to the group, together and now and then. Best effort: they are for lag monitors, the
 * journal has the truth.
 */
export class OffsetCommitter {
  readonly #consumer: Pick<Consumer, 'commitOffsets'>
  readonly #runtime: Runtime
  readonly #intervalMillis: number
  readonly #positions = new Map<string, PartitionPosition>()
  #timer: RuntimeTimer | undefined
  #committing: Promise<void> = Promise.resolve()

  constructor(consumer: Pick<Consumer, 'commitOffsets'>, runtime: Runtime, intervalMillis: number) {
    this.#consumer = consumer
    this.#runtime = runtime
    this.#intervalMillis = intervalMillis
  }

  add(position: PartitionPosition): void {
    this.#positions.set(partitionKey(position.topic, position.partition), position)
    this.#timer ??= this.#runtime.setTimer(() => {
      this.#timer = undefined
      this.#commit()
    }, this.#intervalMillis)
  }

  /** Forgets what is not committed yet of a partition: it may belong to others now. */
  forget({ topic, partition }: TopicPartition): void {
    this.#positions.delete(partitionKey(topic, partition))
  }

  /** Commits what is left, for at most `limitMillis`. */
  async finish(limitMillis: number): Promise<void> {
    this.#timer?.cancel()
    this.#timer = undefined
    this.#commit()
    await settledWithin(this.#runtime, limitMillis, this.#committing)
  }

  #commit(): void {
    const offsets = [...this.#positions.values()].map(({ topic, partition, offset }) => ({
      topic,
      partition,
      offset: offset.toString(),
    }))
    this.#positions.clear()
    if (offsets.length === 0) return
    this.#committing = this.#committing.then(() => this.#consumer.commitOffsets(offsets)).catch(() => {})
  }
}

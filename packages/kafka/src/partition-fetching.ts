import type { TopicPartition } from '@stockpipe/core'
import type { Consumer } from 'kafkajs'
import type { Hold, PartitionCursor } from './partition-cursor.ts'

/** Which partitions kafkajs fetches, and from where. */
export class PartitionFetching {
  readonly #consumer: Pick<Consumer, 'pause' | 'resume' | 'seek'>

  constructor(consumer: Pick<Consumer, 'pause' | 'resume' | 'seek'>) {
    this.#consumer = consumer
  }

  pause(partitions: readonly TopicPartition[]): void {
    const topics = partitions.map(({ topic, partition }) => ({ topic, partitions: [partition] }))
    if (topics.length > 0) ifRunning(() => this.#consumer.pause(topics))
  }

  hold(cursor: PartitionCursor, reason: Hold): void {
    const fetched = cursor.holds.size === 0
    cursor.holds.add(reason)
    if (fetched) this.pause([cursor])
  }

  unhold(cursor: PartitionCursor, reason: Hold): void {
    if (!cursor.holds.delete(reason) || cursor.holds.size > 0) return
    const { topic, partition } = cursor
    ifRunning(() => this.#consumer.resume([{ topic, partitions: [partition] }]))
  }

  /** Makes kafkajs fetch from the cursor's position; what it has fetched from elsewhere is dropped. */
  seek(cursor: PartitionCursor): void {
    const { topic, partition, position } = cursor
    if (position === undefined) return
    ifRunning(() => this.#consumer.seek({ topic, partition, offset: position.toString() }))
  }
}

/** kafkajs throws when it does not run any more. It fetches nothing then, and a join comes before it does again. */
const ifRunning = (call: () => void): void => {
  try {
    call()
  } catch {}
}

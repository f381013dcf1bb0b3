import {
  type AssignedPartition,
  type AssignOptions,
  channels,
  type PartitionedSink,
  type PartitionPosition,
  type RecordBatchBlock,
  type RecordBlock,
  type RevokeOptions,
  type Runtime,
  type TopicPartition,
} from '@stockpipe/core'
import type { ConsumerLag } from './consumer-lag.ts'
import { bytesOf } from './consumer-loop.ts'

/** Tells which partitions the group gave this member. */
export const tellJoined = (
  groupId: string,
  memberId: string,
  assignment: Readonly<Record<string, readonly number[]>>,
): void =>
  channels.kafka.joined.publish(() => ({
    groupId,
    memberId,
    partitions: Object.entries(assignment).flatMap(([topic, numbers]) =>
      numbers.map((partition) => ({ topic, partition })),
    ),
  }))

/** Tells that the run of this member has ended. */
export const tellLeft = (groupId: string): void => channels.kafka.left.publish(() => ({ groupId }))

/** Tells how far each partition is behind. */
export const tellLag = (groupId: string, { partitions }: ConsumerLag): void => {
  for (const { topic, partition, records, seconds = null } of partitions) {
    channels.kafka.lag.publish(() => ({ groupId, topic, partition, records, seconds }))
  }
}

/** The same sinks, each told of on the channels: what it is assigned, handed and loses. */
export const observedSinks = (
  sinks: ReadonlyMap<string, PartitionedSink>,
  groupId: string,
  runtime: Runtime,
): ReadonlyMap<string, PartitionedSink> => {
  const observed = new Map<PartitionedSink, PartitionedSink>()
  for (const sink of sinks.values()) observed.set(sink, new ObservedSink(sink, groupId, runtime))
  return new Map([...sinks].map(([topic, sink]) => [topic, observed.get(sink)!]))
}

class ObservedSink implements PartitionedSink {
  readonly #sink: PartitionedSink
  readonly #groupId: string
  readonly #runtime: Runtime
  readonly on: PartitionedSink['on']
  readonly off: PartitionedSink['off']
  readonly writeBatches: PartitionedSink['writeBatches']

  constructor(sink: PartitionedSink, groupId: string, runtime: Runtime) {
    this.#sink = sink
    this.#groupId = groupId
    this.#runtime = runtime
    this.on = sink.on.bind(sink)
    this.off = sink.off.bind(sink)
    const writeBatches = sink.writeBatches?.bind(sink)
    if (!writeBatches) return
    this.writeBatches = async (block) => {
      const told = this.#blockTeller(block)
      const records = await writeBatches(block)
      if (records !== undefined) told(records)
      return records
    }
  }

  async assign(
    partitions: readonly AssignedPartition[],
    options: AssignOptions,
  ): Promise<readonly PartitionPosition[]> {
    const positions = await this.#sink.assign(partitions, options)
    channels.kafka.assigned.publish(() => ({
      groupId: this.#groupId,
      generation: options.generation,
      partitions: positions,
    }))
    return positions
  }

  async write(block: RecordBlock): Promise<void> {
    const { count } = block
    const told = this.#blockTeller(block)
    await this.#sink.write(block)
    told(count)
  }

  async revoke(partitions: readonly TopicPartition[], options: RevokeOptions): Promise<void> {
    try {
      await this.#sink.revoke(partitions, options)
    } finally {
      channels.kafka.revoked.publish(() => ({
        groupId: this.#groupId,
        partitions: partitions.map(({ topic, partition }) => ({ topic, partition })),
        drained: options.drain,
      }))
    }
  }

  flush(options?: { readonly signal?: AbortSignal }): Promise<void> {
    return this.#sink.flush(options)
  }

  close(): Promise<void> {
    return this.#sink.close()
  }

  /** Tells how long a block took from here on; what it holds is read before the sink takes its buffers. */
  #blockTeller(block: RecordBlock | RecordBatchBlock): (records: number) => void {
    if (!channels.kafka.block.hasSubscribers) return () => {}
    const begun = this.#runtime.monotonic()
    const { topic, partition } = block
    const bytes = bytesOf(block)
    return (records) => {
      const millis = this.#runtime.monotonic() - begun
      channels.kafka.block.publish(() => ({
        groupId: this.#groupId,
        topic,
        partition,
        records,
        bytes,
        millis,
      }))
    }
  }
}

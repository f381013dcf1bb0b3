import {
  type AssignedPartition,
  type AssignOptions,
  channels,
  type PartitionedSink,
  type PartitionPosition,
  type RecordBlock,
  type RevokeOptions,
  type Runtime,
  type TopicPartition,
} from '@stockpipe/core'
import type { ConsumerLag } from './consumer-lag.ts'

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

  constructor(sink: PartitionedSink, groupId: string, runtime: Runtime) {
    this.#sink = sink
    this.#groupId = groupId
    this.#runtime = runtime
    this.on = sink.on.bind(sink)
    this.off = sink.off.bind(sink)
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

  write(block: RecordBlock): Promise<void> {
    return channels.kafka.block.hasSubscribers ? this.#timedWrite(block) : this.#sink.write(block)
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

  async #timedWrite(block: RecordBlock): Promise<void> {
    const begun = this.#runtime.monotonic()
    // Read before the sink takes the block's buffers.
    const { topic, partition, count: records, values, keys } = block
    const bytes = values.bytes.length + keys.bytes.length
    await this.#sink.write(block)
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

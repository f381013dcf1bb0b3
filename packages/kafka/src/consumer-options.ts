import type { PartitionedSink, PartitionPosition, Runtime, TopicDefinition } from '@stockpipe/core'
import type { Kafka } from 'kafkajs'
import type { BlockLimits } from './message-blocks.ts'

/** How far a consumer has come. */
export interface ConsumerProgress {
  /** Records handed to sinks. */
  readonly records: number
  /** Bytes of their keys and values. */
  readonly bytes: number
  /** Records still to come from the partitions this member owns, as far as is known. */
  readonly lag: number
}

/** What a consumer did. */
export interface ConsumerSummary {
  /** `reached`: everything up to `until` is published. `aborted`: the signal ended it. */
  readonly reason: 'reached' | 'aborted'
  readonly records: number
  readonly bytes: number
  /** Where the partitions this member owned at the end stand: the next record to hand over. */
  readonly positions: readonly PartitionPosition[]
}

export interface RunConsumerOptions extends Partial<BlockLimits> {
  /** Made by the program: brokers, TLS, SASL, logging and retries are its own. */
  readonly kafka: Kafka
  readonly groupId: string
  readonly topics: readonly (string | TopicDefinition)[]
  /** One sink for all topics, or one by topic name. Made and closed by the program. */
  readonly sink: PartitionedSink | Readonly<Record<string, PartitionedSink>>
  /** `latest`: end when everything the topics held at the start is published. Default: go on until aborted. */
  readonly until?: 'latest'
  readonly signal?: AbortSignal
  readonly onProgress?: (progress: ConsumerProgress) => void
  /** When aborted or rebalanced: how long the sink may take to publish what it has buffered. Default 4,000. */
  readonly drainMillis?: number
  /** Default 30,000. */
  readonly sessionTimeoutMillis?: number
  /** Default 3,000. */
  readonly heartbeatIntervalMillis?: number
  /** Default 60,000. */
  readonly rebalanceTimeoutMillis?: number
  /** How long a fetch waits at the broker for records to come. Default 500. */
  readonly maxWaitMillis?: number
  /** Bytes a fetch takes of one partition. Default 1 MiB. */
  readonly maxBytesPerPartition?: number
  /** Partitions handed over side by side, so that a slow one does not hold the others back. Default 4. */
  readonly partitionsConsumedConcurrently?: number
  /** How often published positions are committed to the group. Default 1,000. */
  readonly commitIntervalMillis?: number
  /** How often positions that stand still are compared with the log. Default 5,000. */
  readonly positionCheckMillis?: number
  readonly runtime?: Runtime
}

/** Topic names and the sink of each. */
export const sinksByTopic = (
  options: Pick<RunConsumerOptions, 'topics' | 'sink'>,
): ReadonlyMap<string, PartitionedSink> => {
  const { sink } = options
  const isSink = (value: RunConsumerOptions['sink']): value is PartitionedSink =>
    typeof (value as PartitionedSink).write === 'function'
  const names = options.topics.map((topic) => (typeof topic === 'string' ? topic : topic.name))
  const sinks = new Map<string, PartitionedSink>()
  for (const name of names) {
    const own = isSink(sink) ? sink : sink[name]
    if (own) sinks.set(name, own)
  }
  return sinks
}

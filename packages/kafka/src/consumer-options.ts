import {
  ConfigurationError,
  type PartitionedSink,
  type PartitionPosition,
  type Runtime,
  type TopicDefinition,
} from '@stockpipe/core'
import type { Kafka } from 'kafkajs'
import type { ConsumerLag } from './consumer-lag.ts'
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
  /**
   * `reached`: everything up to `until` is published of the partitions this member owned at the end, which are none when
   * the others have them all. `aborted`: the signal ended it.
   */
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
  /** One sink for all topics, or one by topic name; `fanOut` makes one of several. Made and closed by the program. */
  readonly sink: PartitionedSink | Readonly<Record<string, PartitionedSink>>
  /**
   * `latest`: end when everything the topics held at the start is published. A `Date` or milliseconds since the epoch:
   * end before each partition's first record with that timestamp or a later one, or where its log ended at the start
   * when there is none. Timestamps need not ascend: an older record behind that one is left out. Default: go on until
   * aborted.
   */
  readonly until?: 'latest' | Date | number
  readonly signal?: AbortSignal
  readonly onProgress?: (progress: ConsumerProgress) => void
  /** Told of the lag every `positionCheckMillis`, after the log ends of partitions that stood still were asked for. */
  readonly onLag?: (lag: ConsumerLag) => void
  /**
   * What becomes of buffered records when the group rebalances. `keep`: partitions that stay go on without being read
   * again, those that leave are given up after the join and read again by their new owner. `drain`: everything is
   * published, for `drainMillis` at most, and assigned anew: before the member joins again when a heartbeat beside a batch
   * tells of the rebalance, while it joins when an idle one does. Default `keep`.
   */
  readonly onRebalance?: 'keep' | 'drain'
  /**
   * When aborted, and in a rebalance with `onRebalance: 'drain'`: how long the sink may take to publish what it has
   * buffered. In a rebalance two thirds of the session and rebalance time-outs at most. Default 4,000.
   */
  readonly drainMillis?: number
  /** Default 30,000. */
  readonly sessionTimeoutMillis?: number
  /** With `maxWaitMillis` half of the session time-out at most. Default 3,000. */
  readonly heartbeatIntervalMillis?: number
  /** Default 60,000. */
  readonly rebalanceTimeoutMillis?: number
  /** How long a fetch waits at the broker for records to come. Default 500. */
  readonly maxWaitMillis?: number
  /** Bytes a fetch takes of one partition. Default 1 MiB. */
  readonly maxBytesPerPartition?: number
  /**
   * Bytes a fetch takes of one broker, as they are compressed: what is fetched and not handed over yet is in no budget of
   * a sink. Default 10 MiB, and 2 MiB with `recordBatches: 'messages'`, for which kafkajs makes an object of each message.
   */
  readonly maxBytes?: number
  /**
   * What kafkajs is handed: whole record batches, unpacked here with their CRC-32C checked and every codec of Kafka,
   * or messages, which take several times the CPU, are not checked, and need a codec for snappy and lz4. Sinks get the
   * same blocks, but that kafkajs shows records of transactions that were aborted side by side. Where record batches
   * cannot be had (another kafkajs, Kafka before 2.3) the log of `kafka` says so once and messages are read. Default
   * `raw`.
   */
  readonly recordBatches?: 'raw' | 'messages'
  /** Partitions handed over side by side, so that a slow one does not hold the others back. Default 4. */
  readonly partitionsConsumedConcurrently?: number
  /** How often published positions are committed to the group. Default 1,000. */
  readonly commitIntervalMillis?: number
  /** How often topics are compared with those that were read, and positions that stand still with the log. Default 5,000. */
  readonly positionCheckMillis?: number
  /** Whether the run is told of on the channels of `@stockpipe/core`, and so in metrics. Default true. */
  readonly telemetry?: boolean
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

/** Throws a `ConfigurationError`: `SINK_MISSING`, `UNTIL_INVALID`, `HEARTBEAT_TOO_RARE`. */
export const checkConsumerOptions = (
  options: RunConsumerOptions,
  sinks: ReadonlyMap<string, PartitionedSink>,
): void => {
  const { groupId, until } = options
  const facts = { groupId }
  const names = options.topics.map((topic) => (typeof topic === 'string' ? topic : topic.name))
  const missing = names.filter((name) => !sinks.has(name))
  if (names.length === 0 || missing.length > 0) {
    throw new ConfigurationError({
      code: 'SINK_MISSING',
      message:
        names.length === 0
          ? `Consumer group ${groupId} has no topic to read.`
          : `Consumer group ${groupId} has no sink for ${missing.join(', ')}.`,
      facts,
    })
  }
  if (
    until !== undefined &&
    until !== 'latest' &&
    !(Number.isSafeInteger(Number(until)) && Number(until) >= 0)
  ) {
    throw new ConfigurationError({
      code: 'UNTIL_INVALID',
      message: `Consumer group ${groupId} cannot read until ${String(until)}: give 'latest', a valid Date, or whole milliseconds since the epoch.`,
      facts,
    })
  }
  const { sessionTimeoutMillis, heartbeatIntervalMillis, maxWaitMillis } = consumerTimes(options)
  // An idle member beats when a fetch has come back.
  if (!(heartbeatIntervalMillis > 0 && heartbeatIntervalMillis + maxWaitMillis <= sessionTimeoutMillis / 2)) {
    throw new ConfigurationError({
      code: 'HEARTBEAT_TOO_RARE',
      message:
        `Consumer group ${groupId} would lose its members to one late heartbeat: heartbeatIntervalMillis is ` +
        `${heartbeatIntervalMillis}, maxWaitMillis ${maxWaitMillis}, and sessionTimeoutMillis ${sessionTimeoutMillis}. ` +
        'Together the first two may be half of the last at most.',
      facts: { ...facts, heartbeatIntervalMillis, maxWaitMillis, sessionTimeoutMillis },
    })
  }
}

/** The times of a run, with their defaults. */
export const consumerTimes = (options: RunConsumerOptions) => ({
  drainMillis: options.drainMillis ?? 4000,
  sessionTimeoutMillis: options.sessionTimeoutMillis ?? 30_000,
  heartbeatIntervalMillis: options.heartbeatIntervalMillis ?? 3000,
  rebalanceTimeoutMillis: options.rebalanceTimeoutMillis ?? 60_000,
  maxWaitMillis: options.maxWaitMillis ?? 500,
  commitIntervalMillis: options.commitIntervalMillis ?? 1000,
  positionCheckMillis: options.positionCheckMillis ?? 5000,
})

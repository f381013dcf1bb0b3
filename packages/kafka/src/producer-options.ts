import {
  type ColumnRecord,
  ConfigurationError,
  type InputOf,
  type PartitionRecord,
  type Runtime,
  type TopicDefinition,
} from '@stockpipe/core'
import type { Kafka } from 'kafkajs'
import type { CompressionName } from './compression.ts'
import type { BatchLimits } from './outgoing-records.ts'

/** How hard records are tried to be delivered, and in what portions. */
export interface DeliveryOptions extends Partial<BatchLimits> {
  /**
   * Default `zstd`. `snappy` and `lz4` need a codec registered with kafkajs; consumers of kafkajs need one for each of
   * them and for zstd (`registerZstd`).
   */
  readonly compression?: CompressionName
  /**
   * Requests under way at once to one broker. Default 5. Safe at any number: a partition has one batch under way, so
   * that none can overtake.
   */
  readonly maxInFlightRequests?: number
  /** Attempts after the first one of a batch. Default without end, within `deliveryTimeoutMillis`. */
  readonly retries?: number
  /**
   * When a batch that is not acknowledged is given up, counted from its first row. Default 120,000. A request under
   * way is waited for, for 30,000 more at most.
   */
  readonly deliveryTimeoutMillis?: number
}

export interface ProducerOptions<Columns extends ColumnRecord, Partitions extends PartitionRecord>
  extends DeliveryOptions {
  readonly kafka: Kafka
  readonly topic: TopicDefinition<Columns, Partitions>
  /** How long a row may wait for company before it is sent: less than `deliveryTimeoutMillis`. Default 5; 0 sends at once. */
  readonly lingerMillis?: number
  /** Bytes of rows that are not acknowledged yet, at which `send` waits. Default 33,554,432. */
  readonly bufferBytes?: number
  /**
   * Chooses a row's partition instead of its key. A number that the topic has no partition for is refused
   * (`PARTITION_OUT_OF_RANGE`).
   */
  readonly partitionOf?: (row: InputOf<Columns>, partitions: number) => number
  /** When it aborts, rows that are not acknowledged are given up (`DELIVERY_ABORTED`) and no more are taken. */
  readonly signal?: AbortSignal
  readonly runtime?: Runtime
}

/** Of `deliveryTimeoutMillis`. */
export const defaultDeliveryTimeoutMillis = 120_000

const endless = Number.POSITIVE_INFINITY
const limits = {
  // kafkajs cannot read batches of more than about 125,000 records.
  batchRows: [1, 65_536],
  batchBytes: [128, endless],
  maxInFlightRequests: [1, endless],
  retries: [0, endless],
  deliveryTimeoutMillis: [1, endless],
  // Timers of Node take no more.
  lingerMillis: [0, 2_147_483_647],
  bufferBytes: [1, endless],
} as const

/** Throws a `ConfigurationError` `PRODUCER_OPTION_INVALID` for a number that cannot be meant. */
export const checkDeliveryNumbers = (
  options: { readonly [Name in keyof typeof limits]?: number },
  topic: string,
): void => {
  const invalid = (option: string, finding: string): ConfigurationError =>
    new ConfigurationError({
      code: 'PRODUCER_OPTION_INVALID',
      message: `${option} of the producer of topic ${topic} is ${finding}.`,
      facts: { topic, option },
    })
  for (const [name, [least, most]] of Object.entries(limits)) {
    const value = options[name as keyof typeof limits]
    if (value === undefined || (value >= least && value <= most)) continue
    throw invalid(name, `a number from ${least} ${most === endless ? 'on' : `to ${most}`}, not ${value}`)
  }
  const { lingerMillis = 0, deliveryTimeoutMillis = defaultDeliveryTimeoutMillis } = options
  if (lingerMillis > 0 && lingerMillis >= deliveryTimeoutMillis) {
    throw invalid(
      'lingerMillis',
      `${lingerMillis} and deliveryTimeoutMillis ${deliveryTimeoutMillis}: rows would be given up before they are sent`,
    )
  }
}

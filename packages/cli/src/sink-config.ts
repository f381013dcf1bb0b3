import type { RunConsumerOptions } from '@stockpipe/kafka'
import type { CompactOptions, SinkOptions } from '@stockpipe/s3-sink'
import type { Kafka, KafkaConfig } from 'kafkajs'

/** What `stockpipe compact` and `stockpipe retire` need beside the sink; as for `compactPartitions`. */
export type CompactionConfig = Pick<
  CompactOptions,
  | 'catalog'
  | 'compactedLocation'
  | 'olderThanMillis'
  | 'graceMillis'
  | 'betweenMillis'
  | 'sortBy'
  | 'compression'
  | 'fileBytes'
  | 'rowBytes'
  | 'temporaryFolder'
>

/** What `stockpipe sink --config FILE` runs: one topic, read as a member of a consumer group, into one table. */
export interface SinkConfig {
  /** A client of kafkajs, or what one is made with. */
  readonly kafka: Kafka | KafkaConfig
  readonly groupId: string
  /** As for `createSink`. Without a `logger` the service's own lines tell what the sink has to say. */
  readonly sink: SinkOptions
  /** As for `runConsumer`, but for what the command says itself. */
  readonly consumer?: Omit<
    RunConsumerOptions,
    'kafka' | 'groupId' | 'topics' | 'sink' | 'until' | 'signal' | 'onProgress'
  >
  /** For `stockpipe compact` and `stockpipe retire`. */
  readonly compaction?: CompactionConfig
  /** Called at the end, whatever the end: frees what the file has made. */
  readonly close?: () => Promise<void> | void
}

/** What the file exports: the configuration, or a function that makes it when the command starts. */
export type SinkConfigExport = SinkConfig | (() => SinkConfig | Promise<SinkConfig>)

/** Answers the same, checked: `export default defineSinkConfig({ ... })`. */
export const defineSinkConfig = <Config extends SinkConfigExport>(config: Config): Config => config

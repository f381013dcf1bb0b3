export type { CompressionName } from './compression.ts'
export { type ConfluentRegistryOptions, createConfluentRegistry } from './confluent-registry.ts'
export type { ConsumerLag, PartitionLag } from './consumer-lag.ts'
export type { ConsumerProgress, ConsumerSummary, RunConsumerOptions } from './consumer-options.ts'
export {
  createDeadLetterTopic,
  type DeadLetterTopic,
  type DeadLetterTopicOptions,
  deadLetterHeaders,
} from './dead-letter-topic.ts'
export { DeliveryError, type DeliveryOutcome, type DeliveryReport } from './delivery-report.ts'
export type { ProducerStatistics } from './delivery-settings.ts'
export { type EnsuredTopic, type EnsureTopicsOptions, ensureTopics } from './ensure-topics.ts'
export { fanOut } from './fan-out.ts'
export { type LoadProgress, type LoadTopicOptions, loadTopic } from './load-topic.ts'
export type { BlockLimits } from './message-blocks.ts'
export { murmur2, partitionOfKey } from './murmur2.ts'
export type { BatchLimits } from './outgoing-records.ts'
export type { DeliveryOptions, ProducerOptions } from './producer-options.ts'
export { createRecordReader, type RecordReaderOptions } from './record-reader.ts'
export { runConsumer } from './run-consumer.ts'
export { createProducer, type SendOptions, type TypedProducer } from './typed-producer.ts'
export { registerZstd } from './zstd-codec.ts'

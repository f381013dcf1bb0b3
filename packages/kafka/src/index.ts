export type { ConsumerProgress, ConsumerSummary, RunConsumerOptions } from './consumer-options.ts'
export {
  createDeadLetterTopic,
  type DeadLetterTopic,
  type DeadLetterTopicOptions,
  deadLetterHeaders,
} from './dead-letter-topic.ts'
export { type EnsuredTopic, type EnsureTopicsOptions, ensureTopics } from './ensure-topics.ts'
export { type LoadProgress, type LoadTopicOptions, loadTopic } from './load-topic.ts'
export type { BlockLimits } from './message-blocks.ts'
export { murmur2, partitionOfKey } from './murmur2.ts'
export type { BatchLimits } from './outgoing-records.ts'
export { createRecordReader, type RecordReaderOptions } from './record-reader.ts'
export { runConsumer } from './run-consumer.ts'
export { createProducer, type ProducerOptions, type TypedProducer } from './typed-producer.ts'

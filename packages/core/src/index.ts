export type { StandardSchemaV1 } from '@standard-schema/spec'
export { type AvroEncoding, type AvroFraming, type AvroInstantFormat, avro } from './avro-encoding.ts'
export { avroSchemaOf } from './avro-table-schema.ts'
export { blockBuffers, blockMemory, giveBlockMemory } from './block-memory.ts'
export { boundTable } from './bound-table.ts'
export { calendarPartition, calendarStep, type ZoneOffset, zoneOffset } from './calendar.ts'
export { abortWith, untilAborted } from './call-signal.ts'
export { CellProblem } from './cell-problem.ts'
export {
  Column,
  type ColumnInput,
  type ColumnOrigin,
  type ColumnOutput,
  type EpochNanos,
  TimestampColumn,
  t,
} from './column.ts'
export {
  type ByteDictionary,
  type ColumnBatch,
  type ColumnVector,
  isPresent,
  type Validity,
} from './column-batch.ts'
export { ColumnBuilder, type StoredValue } from './column-builder.ts'
export type {
  ColumnDefinition,
  ColumnKind,
  ColumnType,
  MapKeyKind,
  MapKeyType,
  NestedKind,
  NestedValue,
  PartitionDefinition,
  RecordMetadata,
  StructField,
  TransformKind,
} from './column-type.ts'
export { columnValueProblem } from './column-value.ts'
export { crc32c, crc32cHex } from './crc32c.ts'
export { createDecoder } from './create-decoder.ts'
export { createEncoder } from './create-encoder.ts'
export { type CsvEncoding, csv } from './csv-encoding.ts'
export type { DeadLetter, DeadLetterPublisher } from './dead-letter.ts'
export { Decimal, type DecimalRounding } from './decimal.ts'
export type {
  DecodedBlock,
  Decoder,
  DecoderOptions,
  DecoderSchemas,
  RejectedRecord,
} from './decoder.ts'
export type { ErrorFacts, StockpipeErrorOptions } from './errors.ts'
export {
  ConfigurationError,
  EngineLostError,
  FencedError,
  LogChangedError,
  LostPositionError,
  SchemaMismatchError,
  StockpipeError,
} from './errors.ts'
export { freeMemory } from './free-memory.ts'
export type {
  CheckedPartitions,
  ColumnRecord,
  InputOf,
  KeyColumn,
  MemberPath,
  PartitionOf,
  PartitionRecord,
  RowOf,
} from './infer.ts'
export { formatDate, parseDate, parseInstantNanos } from './instant.ts'
export { type InstantFormat, type JsonEncoding, json } from './json-encoding.ts'
export { MemoryPool } from './memory-pool.ts'
export { nearestName } from './nearest-name.ts'
export type {
  CallOptions,
  ObjectMetadata,
  ObjectStore,
  ObjectSummary,
  UploadedPart,
  UploadSummary,
} from './object-store.ts'
export {
  type CatalogChangeOptions,
  compactedByParameter,
  type PartitionCatalog,
  type PartitionPlacement,
} from './partition-catalog.ts'
export {
  defaultPartitionName,
  escapePartitionValue,
  partitionPath,
  unescapePartitionValue,
} from './partition-path.ts'
export type { PartitionRegistrar, PartitionToRegister } from './partition-registrar.ts'
export {
  bucket,
  type CalendarOptions,
  day,
  hour,
  identity,
  month,
  type PartitionTransform,
  truncate,
  year,
} from './partition-transform.ts'
export type {
  AssignedPartition,
  AssignOptions,
  PartitionedSink,
  PartitionedSinkEvents,
  PartitionPosition,
  RevokeOptions,
  TopicPartition,
} from './partitioned-sink.ts'
export {
  loadUnpackBatches,
  type RecordBatchBlock,
  type UnpackBatches,
  type UnpackBatchesModule,
} from './record-batch-block.ts'
export {
  blockBetween,
  blockUntil,
  type PackedBytes,
  packedAt,
  type RecordBlock,
  recordOffset,
} from './record-block.ts'
export { RecordBlockBuilder, type RecordToPack } from './record-block-builder.ts'
export type { EncodedRecord, RecordEncoder } from './record-encoder.ts'
export { decodeHeaders, encodeHeaders, type RecordHeaders } from './record-headers.ts'
export type { RecordReader } from './record-reader.ts'
export type { ReadSourceOptions, RecordSource, SourceBatch, SourceProgress } from './record-source.ts'
export { createTransformingDecoder, defineRowTransform, type RowTransform } from './row-transform.ts'
export type { RowIssue } from './row-validation.ts'
export type { Runtime, RuntimeTimer } from './runtime.ts'
export { sleep, systemRuntime } from './runtime.ts'
export type { RegisteredSchema, SchemaRegistry } from './schema-registry.ts'
export {
  attemptsRefused,
  httpStatusOf,
  lostConnections,
  neverConnected,
  serviceErrorName,
} from './service-failure.ts'
export {
  BoundTable,
  defineTable,
  type FileFormat,
  type InferInput,
  type InferPartition,
  type InferRow,
  type InferSelect,
  TableDefinition,
  type TableJSON,
  tableFromJSON,
} from './table.ts'
export {
  type BatchDelivered,
  type BlockHandedOver,
  type CallRetried,
  channels,
  type GroupJoined,
  type GroupLeft,
  type GroupPublished,
  type GroupSettled,
  type LagMeasured,
  type LogBuffered,
  type LogEnded,
  type PartitionsAssigned,
  type PartitionsRevoked,
  type SinkLogEvent,
  type SinkMemory,
  type StoreRequest,
  TelemetryChannel,
} from './telemetry.ts'
export { defineTopic, type InferRecord, TopicDefinition, type TopicJSON, topicFromJSON } from './topic.ts'
export type { ValueEncoding } from './value-encoding.ts'

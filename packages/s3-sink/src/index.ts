export type { Checkpoint, PrunedTotals } from './checkpoint.ts'
export { type CleanUploadsOptions, cleanUploads } from './clean-uploads.ts'
export {
  type CompactedPartition,
  type CompactionProgress,
  type CompactionReport,
  type CompactOptions,
  compactPartitions,
} from './compact.ts'
export type { CompactionAccessOptions } from './compaction-context.ts'
export type {
  CompactedFile,
  CompactionRecord,
  CompactionSource,
  GenerationKind,
} from './compaction-record.ts'
export {
  type DeadLetterFile,
  type DeadLetters,
  openDeadLetters,
  type ReplayOptions,
  type ReplayOutcome,
} from './dead-letter-access.ts'
export { deadLetterTable } from './dead-letter-table.ts'
export { createEngine } from './engine.ts'
export type { Engine, EngineOptions, EngineRequest, EngineResponse, FileContent } from './engine-messages.ts'
export { type CallOutcome, JournalFormatError, LostUploadError, ObjectStoreError } from './errors.ts'
export type { EventTimeBoundary } from './event-boundary.ts'
export type { Genesis } from './genesis.ts'
export {
  type InitiatedLog,
  type InitJournalOptions,
  initJournal,
} from './init-journal.ts'
export type { JournalAccessOptions } from './journal-access.ts'
export { type DescribedLog, type DescribeJournalOptions, describeJournal } from './journal-description.ts'
export type { EntryFile, JournalEntry } from './journal-entry.ts'
export { journalOfSink } from './journal-of-sink.ts'
export {
  type KafkaLambdaEvent,
  type KafkaLambdaRecord,
  recordBlocksOfLambdaEvent,
} from './lambda-event.ts'
export type { SinkLogger } from './logger.ts'
export { createMemoryBudget, type MemoryBudget, type MemorySnapshot } from './memory-budget.ts'
export type { ObjectSettings } from './object-settings.ts'
export { createS3ObjectStore, type S3ObjectStoreOptions } from './object-store.ts'
export type { ParquetCompression } from './parquet-compression.ts'
export { type PrunedLog, type PruneJournalOptions, pruneJournal } from './prune.ts'
export { createPushSink } from './push-sink.ts'
export type { PushOptions, PushResult, PushSink, PushSinkOptions } from './push-sink-options.ts'
export { type ResetOptions, type ResetReport, resetPartitionLog } from './reset.ts'
export {
  type RetiredPartition,
  type RetirementReport,
  type RetireOptions,
  retirePartitions,
} from './retire.ts'
export type { SortColumn } from './row-order.ts'
export { createSink, type Sink } from './sink.ts'
export type { LifecycleRule, PutIfAbsentOptions, SinkObjectStore } from './sink-object-store.ts'
export type {
  CutReason,
  DeadLetterOptions,
  GroupCommit,
  LateOptions,
  RotationOptions,
  SinkOptions,
  WorkerOptions,
} from './sink-options.ts'
export type { OffsetForTimestamp, StartPolicy } from './start-policy.ts'
export type { AbortedUpload, CleanedUploads } from './upload-cleaner.ts'
export { type VerifyOptions, verifySink } from './verify.ts'
export {
  formatVerifyReport,
  type UnreadFile,
  type VerifiedCompaction,
  type VerifiedFile,
  type VerifiedLog,
  type VerifyProblem,
  type VerifyReport,
  type VerifyTotals,
} from './verify-report.ts'

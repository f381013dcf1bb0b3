export {
  type AppliedDatabase,
  type AppliedPlan,
  type AppliedTable,
  type ApplyPlanOptions,
  applyPlan,
  type MendProgress,
} from './apply-plan.ts'
export {
  type BarColumns,
  type BarInterval,
  type BarsDefinition,
  type BarsOptions,
  defineBars,
} from './bars-definition.ts'
export { barsQuery, barsTable, barsUnload } from './bars-statement.ts'
export {
  type AthenaBarsWriterOptions,
  athenaBarsWriter,
  type BarsStore,
  type BarsWriter,
  type BuildBarsOptions,
  type BuiltBars,
  buildBars,
  type StatementRunner,
} from './build-bars.ts'
export type { CatalogPartition } from './catalog-partition.ts'
export { type CatalogTable, catalogTable } from './catalog-table.ts'
export {
  type CatalogColumn,
  type CheckEvolutionOptions,
  type ColumnChange,
  type ColumnsToCheck,
  checkEvolution,
  type DefinedColumns,
  type SchemaEvolution,
} from './check-evolution.ts'
export { glueColumnType } from './column-type.ts'
export type { CrawledTable } from './crawled-tables.ts'
export type { CrawlerPath, CrawlerSettings } from './crawler-definition.ts'
export {
  type CreatedPartitions,
  type CreatePartitionsOptions,
  createPartitions,
  type MendedPartition,
  type NewPartition,
  type SwitchedPartition,
} from './create-partitions.ts'
export { type DeletePartitionsOptions, deletePartitions } from './delete-partitions.ts'
export { type EnsureDatabaseOptions, ensureDatabase } from './ensure-database.ts'
export { type EnsuredJob, type EnsureJobOptions, ensureJob } from './ensure-job.ts'
export { type EnsuredTable, type EnsureTableOptions, ensureTable } from './ensure-table.ts'
export {
  CrawlerError,
  GlueRequestError,
  type IndexBackfillError,
  JobRunError,
  PartitionBatchError,
  type PartitionFailure,
  PartitionIndexError,
  PartitionRegistrationError,
  TableConflictError,
  type TableDifference,
} from './errors.ts'
export { type FormatPlanOptions, formatPlan } from './format-plan.ts'
export { type FoundPartitions, type GetPartitionsOptions, getPartitions } from './get-partitions.ts'
export {
  type BarsJobOptions,
  barsJob,
  barsScript,
  type GlueBarsWriterOptions,
  glueBarsWriter,
} from './glue-bars-writer.ts'
export type { GlueSender } from './glue-request.ts'
export {
  defineJob,
  type GlueJob,
  type JobArguments,
  type PythonShellJob,
  type RayJob,
  type SparkJob,
  type StreamingJob,
} from './job-definition.ts'
export { cloudWatchLogReader, type LogEventsSource } from './job-log-reader.ts'
export { type ListPartitionsOptions, listPartitions } from './list-partitions.ts'
export { createPartitionCatalog, type PartitionCatalogOptions } from './partition-catalog.ts'
export {
  type PartitionCondition,
  type PartitionFilter,
  type PartitionRange,
  type PartitionWhere,
  partitionExpressions,
} from './partition-expression.ts'
export {
  type EnsuredPartitionIndexes,
  type EnsurePartitionIndexesOptions,
  ensurePartitionIndexes,
  type PartitionIndexDefinition,
  partitionFilteringParameter,
} from './partition-index.ts'
export {
  type ProjectedKeys,
  type ProjectedPartitioning,
  projectedLocation,
  type TablePartitioning,
  unprojectedReason,
} from './partition-projection.ts'
export { createPartitionRegistrar, type PartitionRegistrarOptions } from './partition-registrar.ts'
export type { PartitionOptions, PartitionProgress } from './partition-request.ts'
export type { PartitionValues } from './partition-values.ts'
export { CatalogChangedError, DestructiveChangeError, PlanNotAppliedError } from './plan-errors.ts'
export { type PlanTablesOptions, planTables } from './plan-tables.ts'
export type { PollDelays } from './poller.ts'
export type { DateUnit } from './projection-dates.ts'
export type {
  DateProjection,
  EnumProjection,
  InjectedProjection,
  IntegerProjection,
  ProjectionWriter,
} from './projection-rules.ts'
export { type RemoveReplacedBarsOptions, removeReplacedBars } from './replaced-bars.ts'
export {
  type CrawlerProgress,
  type CrawlerRun,
  type EnsureCrawlerOptions,
  type EnsuredCrawler,
  ensureCrawler,
  type RunCrawlerOptions,
  runCrawler,
} from './run-crawler.ts'
export {
  type EndedJobRun,
  type JobLogReader,
  type JobRunProgress,
  type RunJobOptions,
  runJob,
} from './run-job.ts'
export {
  type CheckDriftOptions,
  checkDrift,
  type DriftReport,
  type FileColumns,
  type SchemaDrift,
} from './schema-drift.ts'
export { createGlueSchemaRegistry, type GlueSchemaRegistryOptions } from './schema-registry.ts'
export { fingerprintParameter, glueTableInput } from './table-input.ts'
export {
  type DestructiveChange,
  type DestructiveTableChange,
  destructiveChanges,
  destructiveChangesOf,
  type PlannedDatabase,
  type PlannedPartitions,
  type PlannedTable,
  planDiffers,
  type TableChange,
  type TablePlan,
} from './table-plan.ts'
export type { PartitionSchemas, ReadErrorName, ReadOutcome } from './type-evolution.ts'
export { type PartitionUpdate, type UpdatePartitionsOptions, updatePartitions } from './update-partitions.ts'
export { type UploadJobScriptOptions, uploadJobScript } from './upload-job-script.ts'

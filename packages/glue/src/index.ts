export {
  type AppliedDatabase,
  type AppliedPlan,
  type AppliedTable,
  type ApplyPlanOptions,
  applyPlan,
} from './apply-plan.ts'
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
export { type EnsureDatabaseOptions, ensureDatabase } from './ensure-database.ts'
export { type EnsuredTable, type EnsureTableOptions, ensureTable } from './ensure-table.ts'
export {
  CrawlerError,
  GlueRequestError,
  type PartitionFailure,
  PartitionRegistrationError,
  TableConflictError,
  type TableDifference,
} from './errors.ts'
export { type FormatPlanOptions, formatPlan } from './format-plan.ts'
export type { GlueSender } from './glue-request.ts'
export type {
  DateProjection,
  EnumProjection,
  InjectedProjection,
  ProjectedKeys,
  TablePartitioning,
} from './partition-projection.ts'
export { createPartitionRegistrar, type PartitionRegistrarOptions } from './partition-registrar.ts'
export { CatalogChangedError, DestructiveChangeError, PlanNotAppliedError } from './plan-errors.ts'
export { type PlanTablesOptions, planTables } from './plan-tables.ts'
export { type CrawlerProgress, type CrawlerRun, type RunCrawlerOptions, runCrawler } from './run-crawler.ts'
export { createGlueSchemaRegistry, type GlueSchemaRegistryOptions } from './schema-registry.ts'
export { fingerprintParameter, glueTableInput } from './table-input.ts'
export {
  type DestructiveChange,
  type DestructiveTableChange,
  destructiveChanges,
  destructiveChangesOf,
  type PlannedDatabase,
  type PlannedTable,
  planDiffers,
  type TableChange,
  type TablePlan,
} from './table-plan.ts'
export type { PartitionSchemas, ReadErrorName, ReadOutcome } from './type-evolution.ts'

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
export type { GlueSender } from './glue-request.ts'
export type {
  DateProjection,
  EnumProjection,
  InjectedProjection,
  ProjectedKeys,
  TablePartitioning,
} from './partition-projection.ts'
export { createPartitionRegistrar, type PartitionRegistrarOptions } from './partition-registrar.ts'
export { type CrawlerProgress, type CrawlerRun, type RunCrawlerOptions, runCrawler } from './run-crawler.ts'
export { createGlueSchemaRegistry, type GlueSchemaRegistryOptions } from './schema-registry.ts'
export { fingerprintParameter, glueTableInput } from './table-input.ts'

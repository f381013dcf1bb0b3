export { type AverageValue, avg, max, min, type SumValue, sum } from './aggregates.ts'
export { type AllowFullScan, FullScanError } from './partition-guard.ts'
export type { QuerySource } from './query-source.ts'
export type { RunSettings } from './run-settings.ts'
export { stated } from './stated.ts'
export {
  type AthenaBuilder,
  type AthenaWithBuilder,
  type BuilderSource,
  type DatabaseOf,
  withBuilder,
} from './with-builder.ts'
export {
  fullScan,
  type PartitionSelection,
  type PartitionSelections,
  type ProjectedKey,
  ProjectedTable,
  projected,
  TablePart,
  within,
} from './within.ts'

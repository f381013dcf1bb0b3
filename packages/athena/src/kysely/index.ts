export { type AverageValue, avg, max, min, type SumValue, sum } from './aggregates.ts'
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

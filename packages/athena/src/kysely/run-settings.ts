import type { StatementOptions } from '../athena.ts'
import type { AllowFullScan } from './partition-guard.ts'

/** How the queries of a builder are run; what is left out is as `createAthena` was told. */
export interface RunSettings extends Omit<StatementOptions, 'sql' | 'parameters'> {
  /**
   * Queries may read every partition of a table: true for all tables, or those of the names they have in the builder.
   * Default false: a query over a partitioned table has to restrict a partition, or a column that one is made from.
   */
  readonly allowFullScan?: AllowFullScan
}

import { afterAll, beforeAll, describe } from 'vitest'
import { CaseCatalog, type GlueDifferences, type GlueSubject } from './case-catalog.ts'
import { describeColumnStatistics } from './column-statistics.ts'
import { describeDatabases } from './databases.ts'
import { describePartitionBatches } from './partition-batches.ts'
import { describePartitionExpressions } from './partition-expressions.ts'
import { describePartitionIndexes } from './partition-indexes.ts'
import { describePartitionListing } from './partition-listing.ts'
import { describePartitions } from './partitions.ts'
import { describeSearch } from './search.ts'
import { describeTableVersions } from './table-versions.ts'
import { describeTables } from './tables.ts'
import { describeTags } from './tags.ts'
import { describeFunctions } from './user-defined-functions.ts'
import { describeValidation } from './validation.ts'

export type { GlueDifferences, GlueSubject } from './case-catalog.ts'

const concepts = [
  describeDatabases,
  describeTables,
  describeTableVersions,
  describePartitions,
  describePartitionBatches,
  describePartitionListing,
  describePartitionExpressions,
  describePartitionIndexes,
  describeColumnStatistics,
  describeFunctions,
  describeTags,
  describeSearch,
  describeValidation,
]

/**
 * What every Glue catalog must answer: the same cases, unchanged, for the embedded service and for another.
 * `start` is called once, before the first case; it must answer an empty catalog, disposed of after the last.
 * `differences` tells where the other is known to be wrong.
 */
export const describeGlue = (
  name: string,
  start: () => Promise<GlueSubject & AsyncDisposable>,
  { differences = {} }: { readonly differences?: GlueDifferences } = {},
): void => {
  describe(`Glue by ${name}`, () => {
    const catalog = new CaseCatalog(start, differences)
    beforeAll(() => catalog.open())
    afterAll(() => catalog.close())
    for (const describeConcept of concepts) describeConcept(catalog)
  })
}

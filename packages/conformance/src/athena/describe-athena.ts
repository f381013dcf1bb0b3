import { afterAll, beforeAll, describe } from 'vitest'
import { type AthenaDifferences, type AthenaPart, type AthenaSubject, CaseAthena } from './case-athena.ts'
import { describeCatalogMetadata } from './catalog-metadata.ts'
import { describeCreateTableAs } from './create-table-as.ts'
import { describeExecutions } from './executions.ts'
import { describeHiveDdl } from './hive-ddl.ts'
import { describeHivePartitions } from './hive-partitions.ts'
import { describeInsertUnload } from './insert-unload.ts'
import { describeMarketQueries } from './market-queries.ts'
import { describeNamedQueries } from './named-queries.ts'
import { describeOddSymbols } from './odd-symbols.ts'
import { describePartitionProjection } from './partition-projection.ts'
import { describePartitionPruning } from './partition-pruning.ts'
import { describePreparedStatements } from './prepared-statements.ts'
import { describeResultReuse } from './result-reuse.ts'
import { describeResults } from './results.ts'
import { describeSchemaEvolution } from './schema-evolution.ts'
import { describeSqlFailures } from './sql-failures.ts'
import { describeSqlQueries } from './sql-queries.ts'
import { describeSqlValues } from './sql-values.ts'
import { describeStartQuery } from './start-query.ts'
import { describeStopping } from './stopping.ts'
import { describeViews } from './views.ts'
import { describeWorkGroups } from './work-groups.ts'

export type { AthenaDifferences, AthenaPart, AthenaSubject } from './case-athena.ts'

const parts: Readonly<Record<AthenaPart, readonly ((athena: CaseAthena) => void)[]>> = {
  sql: [describeSqlValues, describeSqlQueries, describeMarketQueries, describeSqlFailures],
  catalog: [
    describeHiveDdl,
    describeHivePartitions,
    describePartitionPruning,
    describePartitionProjection,
    describeSchemaEvolution,
    describeOddSymbols,
    describeViews,
    describeCatalogMetadata,
  ],
  writing: [describeCreateTableAs, describeInsertUnload],
  service: [
    describeStartQuery,
    describeExecutions,
    describeResults,
    describeStopping,
    describeResultReuse,
    describeWorkGroups,
    describeNamedQueries,
    describePreparedStatements,
  ],
}

/**
 * What every Athena must answer: the same cases, unchanged, for the embedded service and for another.
 * `start` is called once, before the first case; it must answer a service without buckets and databases of ours, disposed of
 * after the last. `parts` are those that are run, all by default. `differences` tells where the other is known to be wrong.
 */
export const describeAthena = (
  name: string,
  start: () => Promise<AthenaSubject & AsyncDisposable>,
  options: { readonly parts?: readonly AthenaPart[]; readonly differences?: AthenaDifferences } = {},
): void => {
  describe(`Athena by ${name}`, () => {
    const athena = new CaseAthena(start, options.differences ?? {})
    beforeAll(() => athena.open())
    afterAll(() => athena.close())
    for (const part of options.parts ?? (Object.keys(parts) as AthenaPart[])) {
      for (const describeConcept of parts[part]) describeConcept(athena)
    }
  })
}

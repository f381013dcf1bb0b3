import { StockpipeError } from '@stockpipe/core'
import type { ScopeSource } from './name-scope.ts'
import { type PartitionCondition, restricts } from './partition-condition.ts'

/** A built query that would read every partition of a table, by a name the table has in the builder. */
export class FullScanError extends StockpipeError {
  override readonly name = 'FullScanError'
  /** `database.table`. */
  readonly table: string
  /** The partitions, one of which has to be restricted. */
  readonly partitionKeys: readonly string[]

  constructor(options: {
    readonly source: string
    readonly table: string
    readonly keys: readonly string[]
    readonly hint: string
  }) {
    const { source, table, keys, hint } = options
    super({
      code: 'PARTITION_PREDICATE_MISSING',
      message: `The query restricts no partition of ${table}, and would read all of it: add a predicate on ${keys.join(' or ')}${hint}, beside others with AND and in the SELECT that reads '${source}', or allow it with allowFullScan.`,
      facts: { table, partitionKeys: keys.join(', ') },
    })
    this.table = table
    this.partitionKeys = Object.freeze([...keys])
  }
}

/** Which tables may be read whole: all, or those of the names they have in the builder. */
export type AllowFullScan = boolean | readonly string[]

/** A predicate that filters rows of some sources before they are read. */
export interface Filter {
  readonly condition: PartitionCondition | undefined
  readonly sources: readonly ScopeSource[]
}

/** Throws a `FullScanError` for a partitioned table of which no filter leaves out a partition. */
export const refuseFullScans = (
  sources: readonly ScopeSource[],
  filters: readonly Filter[],
  allowed: AllowFullScan,
): void => {
  if (allowed === true) return
  for (const source of sources) {
    const { table: bound, named } = source
    if (!bound || bound.table.partitions.length === 0 || named?.part !== undefined) continue
    if (allowed !== false && named && allowed.includes(named.name)) continue
    if (filters.some((filter) => filter.sources.includes(source) && restricts(filter.condition, source)))
      continue
    const { partitions } = bound.table
    const sourceColumns = [...new Set(partitions.map((partition) => partition.source))]
    throw new FullScanError({
      source: source.name,
      table: `${bound.database}.${bound.table.name}`,
      keys: partitions.map(({ name }) => name),
      hint: `, or on ${sourceColumns.join(' or ')}, from which ${partitions.length === 1 ? 'it is' : 'they are'} made`,
    })
  }
}

import { boundTable, type ColumnRecord, type PartitionRecord, systemRuntime } from '@stockpipe/core'
import { type CatalogPartition, catalogPartition } from './catalog-partition.ts'
import { fetchPartitions, type PartitionOptions } from './partition-request.ts'
import { keyOf, namedValues, orderedValues, type PartitionValues } from './partition-values.ts'

export interface GetPartitionsOptions<Columns extends ColumnRecord, Partitions extends PartitionRecord>
  extends PartitionOptions<Columns, Partitions> {
  readonly partitions: Iterable<PartitionValues<Partitions>>
}

export interface FoundPartitions<Partitions extends PartitionRecord = PartitionRecord> {
  /** In the order they were asked for. */
  readonly found: readonly CatalogPartition<Partitions>[]
  readonly absent: readonly PartitionValues<Partitions>[]
}

/**
 * The partitions of these values, 1,000 a call; what Glue leaves unprocessed is asked for again.
 *
 * Throws a `PartitionBatchError` when Glue goes on leaving some, a `GlueRequestError` when a call fails.
 */
export const getPartitions = async <Columns extends ColumnRecord, Partitions extends PartitionRecord>(
  options: GetPartitionsOptions<Columns, Partitions>,
): Promise<FoundPartitions<Partitions>> => {
  const { client, signal, runtime = systemRuntime } = options
  const table = boundTable(options.table)
  const wanted = new Map<string, readonly string[]>()
  for (const partition of options.partitions) {
    const values = orderedValues(table, partition)
    wanted.set(keyOf(values), values)
  }
  const partitions = await fetchPartitions({ client, runtime, signal }, table, [...wanted.values()])
  const found: CatalogPartition<Partitions>[] = []
  const absent: PartitionValues<Partitions>[] = []
  for (const [key, values] of wanted) {
    const partition = partitions.get(key)
    if (partition === undefined) absent.push(namedValues<Partitions>(table, values))
    else found.push(catalogPartition<Partitions>(table, partition))
  }
  return { found, absent }
}

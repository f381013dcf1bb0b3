import type { Partition } from '@aws-sdk/client-glue'
import type { BoundTable, PartitionRecord } from '@stockpipe/core'
import { isSwitched } from './partition-difference.ts'
import { namedValues, type PartitionValues } from './partition-values.ts'

/** A partition as the catalog has it. */
export interface CatalogPartition<Partitions extends PartitionRecord = PartitionRecord> {
  /** By name; null for `__HIVE_DEFAULT_PARTITION__`. */
  readonly values: PartitionValues<Partitions>
  readonly location: string
  /** With Glue's types; undefined where they were not asked for. */
  readonly columns: readonly { readonly name: string; readonly type: string }[] | undefined
  readonly parameters: Readonly<Record<string, string>>
  readonly creationTime: Date | undefined
  /** Its location was chosen by stockpipe on purpose, by compaction or a rebuild: a parameter `stockpipe.…` says so. */
  readonly switched: boolean
}

/** A partition of Glue's answer, by the names of the table. */
export const catalogPartition = <Partitions extends PartitionRecord>(
  bound: BoundTable,
  partition: Partition,
): CatalogPartition<Partitions> => ({
  values: namedValues<Partitions>(bound, partition.Values ?? []),
  location: partition.StorageDescriptor?.Location ?? '',
  columns: partition.StorageDescriptor?.Columns?.map(({ Name, Type }) => ({
    name: Name ?? '',
    type: Type ?? '',
  })),
  parameters: partition.Parameters ?? {},
  creationTime: partition.CreationTime,
  switched: isSwitched(partition.Parameters),
})

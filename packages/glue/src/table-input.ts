import type { Column, StorageDescriptor, TableInput } from '@aws-sdk/client-glue'
import type { BoundTable, ColumnRecord, PartitionRecord } from '@stockpipe/core'
import { glueColumnType } from './column-type.ts'
import {
  type ProjectedPartitioning,
  projectionParameters,
  type TablePartitioning,
} from './partition-projection.ts'

/** The table parameter that holds the fingerprint of the definition the table was made from. */
export const fingerprintParameter = 'stockpipe.fingerprint'

const parquet = 'org.apache.hadoop.hive.ql.io.parquet'

/** The storage descriptor of the table or of one of its partitions. */
export const storageDescriptor = (bound: BoundTable, location: string): StorageDescriptor => ({
  Columns: bound.table.columns.map(({ name, type }): Column => ({ Name: name, Type: glueColumnType(type) })),
  Location: location,
  InputFormat: `${parquet}.MapredParquetInputFormat`,
  OutputFormat: `${parquet}.MapredParquetOutputFormat`,
  SerdeInfo: {
    SerializationLibrary: `${parquet}.serde.ParquetHiveSerDe`,
    Parameters: { 'serialization.format': '1' },
  },
  Compressed: false,
  StoredAsSubDirectories: false,
})

/**
 * The table as CreateTable and UpdateTable take it: an external Parquet table with string partition keys.
 *
 * @param options `partitioning`: default registered
 * Throws a `ConfigurationError` when the projection's rules do not suit the table's partitions.
 */
export const glueTableInput = <Columns extends ColumnRecord, Partitions extends PartitionRecord>(
  bound: BoundTable<Columns, Partitions>,
  options: { readonly partitioning?: TablePartitioning<Partitions> } = {},
): TableInput => ({
  Name: bound.table.name,
  TableType: 'EXTERNAL_TABLE',
  StorageDescriptor: storageDescriptor(bound, bound.location),
  PartitionKeys: bound.table.partitions.map(({ name }): Column => ({ Name: name, Type: 'string' })),
  Parameters: {
    EXTERNAL: 'TRUE',
    classification: 'parquet',
    [fingerprintParameter]: bound.table.fingerprint,
    ...(options.partitioning?.kind === 'projected'
      ? projectionParameters(bound, options.partitioning as ProjectedPartitioning)
      : {}),
  },
})

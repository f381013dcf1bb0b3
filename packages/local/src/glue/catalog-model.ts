/** A column or partition key as Glue stores it; `Type` is a Hive type. */
export interface GlueColumn {
  readonly Name: string
  readonly Type?: string
  readonly Comment?: string
  readonly Parameters?: Readonly<Record<string, string>>
}

export interface SerDeInfo {
  readonly Name?: string
  readonly SerializationLibrary?: string
  readonly Parameters?: Readonly<Record<string, string>>
}

export interface StorageDescriptor {
  readonly Columns?: readonly GlueColumn[]
  readonly Location?: string
  readonly InputFormat?: string
  readonly OutputFormat?: string
  readonly Compressed?: boolean
  readonly NumberOfBuckets?: number
  readonly SerdeInfo?: SerDeInfo
  readonly BucketColumns?: readonly string[]
  readonly SortColumns?: readonly Readonly<Record<string, unknown>>[]
  readonly Parameters?: Readonly<Record<string, string>>
  readonly SkewedInfo?: Readonly<Record<string, unknown>>
  readonly StoredAsSubDirectories?: boolean
}

/** A database; times are seconds since the epoch, as AWS JSON carries them. */
export interface GlueDatabase {
  readonly Name: string
  readonly Description?: string
  readonly LocationUri?: string
  readonly Parameters?: Readonly<Record<string, string>>
  readonly CreateTableDefaultPermissions?: readonly Readonly<Record<string, unknown>>[]
  readonly CreateTime: number
}

/** A table; times are seconds since the epoch. */
export interface GlueTable {
  readonly Name: string
  readonly DatabaseName: string
  readonly Description?: string
  readonly Owner?: string
  readonly CreateTime: number
  readonly UpdateTime: number
  readonly LastAccessTime?: number
  readonly LastAnalyzedTime?: number
  readonly Retention?: number
  readonly StorageDescriptor?: StorageDescriptor
  readonly PartitionKeys?: readonly GlueColumn[]
  readonly ViewOriginalText?: string
  readonly ViewExpandedText?: string
  readonly TableType?: string
  readonly Parameters?: Readonly<Record<string, string>>
  readonly VersionId: string
}

/** A partition; `Values` are raw, in the order of the table's partition keys. */
export interface GluePartition {
  readonly Values: readonly string[]
  readonly DatabaseName: string
  readonly TableName: string
  readonly CreationTime: number
  readonly LastAccessTime?: number
  readonly LastAnalyzedTime?: number
  readonly StorageDescriptor?: StorageDescriptor
  readonly Parameters?: Readonly<Record<string, string>>
}

/** A partition index of a table; what state it is in follows from the time. */
export interface PartitionIndex {
  readonly IndexName: string
  /** Names of partition keys. */
  readonly Keys: readonly string[]
  /** When it was asked for, or to be removed. */
  readonly changedAtMillis: number
  readonly deleting?: boolean
  /** Partitions that keep it from becoming active. */
  readonly BackfillErrors?: readonly {
    readonly Code: 'INVALID_PARTITION_TYPE_DATA_ERROR' | 'UNSUPPORTED_PARTITION_CHARACTER_ERROR'
    readonly Partitions: readonly { readonly Values: readonly string[] }[]
  }[]
}

/** Statistics of one column, kept as they were given. */
export interface ColumnStatistics {
  readonly ColumnName: string
  readonly ColumnType: string
  readonly AnalyzedTime: number
  readonly StatisticsData: Readonly<Record<string, unknown>>
}

/** A user-defined function; `CreateTime` is seconds since the epoch. */
export interface GlueFunction {
  readonly FunctionName: string
  readonly DatabaseName: string
  readonly ClassName?: string
  readonly OwnerName?: string
  readonly OwnerType?: string
  readonly FunctionType?: string
  readonly ResourceUris?: readonly Readonly<Record<string, unknown>>[]
  readonly ArtifactLocation?: string
  readonly CreateTime: number
}

/** What a caller gives to make or replace a table; the catalog adds times, version and database. */
export type TableDefinition = Omit<GlueTable, 'DatabaseName' | 'CreateTime' | 'UpdateTime' | 'VersionId'>

/** What a caller gives to make or replace a partition. */
export type PartitionDefinition = Omit<GluePartition, 'DatabaseName' | 'TableName' | 'CreationTime'>

/** What a caller would give to make this table again. */
export function definitionOf(table: GlueTable): TableDefinition {
  const { DatabaseName: _1, CreateTime: _2, UpdateTime: _3, VersionId: _4, ...definition } = table
  return definition
}

/** What a caller would give to make this partition again. */
export function partitionDefinitionOf(partition: GluePartition): PartitionDefinition {
  const { DatabaseName: _1, TableName: _2, CreationTime: _3, ...definition } = partition
  return definition
}

/** How Hive reads Parquet: the format members of a storage descriptor. */
export const parquetFormat = {
  InputFormat: 'org.apache.hadoop.hive.ql.io.parquet.MapredParquetInputFormat',
  OutputFormat: 'org.apache.hadoop.hive.ql.io.parquet.MapredParquetOutputFormat',
  SerdeInfo: {
    SerializationLibrary: 'org.apache.hadoop.hive.ql.io.parquet.serde.ParquetHiveSerDe',
    Parameters: { 'serialization.format': '1' },
  },
} as const

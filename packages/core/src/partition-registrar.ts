/** One partition of one table, to be made visible to queries. */
export interface PartitionToRegister {
  /** In the order of the table's partitions; null becomes `__HIVE_DEFAULT_PARTITION__`. */
  readonly values: readonly (string | null)[]
  /** `s3://bucket/prefix/` that holds the partition's files; the literal key, not URL-encoded again. */
  readonly location: string
}

/** How the sink makes new partitions visible without knowing Glue. */
export interface PartitionRegistrar {
  /**
   * Resolves when every partition is known to the catalog; one that is there already is fine.
   *
   * @param options `onSwitched`: told of those that the catalog has elsewhere on purpose, because they were compacted or
   *   retired: queries do not see what is written to the location asked for
   */
  register(
    partitions: readonly PartitionToRegister[],
    options?: {
      readonly signal?: AbortSignal
      readonly onSwitched?: (partition: PartitionToRegister) => void
    },
  ): Promise<void>
}

/** Where the catalog has a partition, and what it keeps of it. */
export interface PartitionPlacement {
  /** `s3://bucket/prefix/`, always with the slash at its end. */
  readonly location: string
  readonly parameters: Readonly<Record<string, string>>
}

/** Options of a change to the catalog. */
export interface CatalogChangeOptions {
  readonly signal?: AbortSignal
  /**
   * Milliseconds since the epoch. A request that would be signed later is not sent: it throws a `StockpipeError` with
   * code `SIGNED_TOO_LATE`.
   */
  readonly signedBefore?: number
}

/** How compaction finds and moves registered partitions of one table without knowing Glue. */
export interface PartitionCatalog {
  /**
   * The partition of these values; undefined when there is none. Throws a `ConfigurationError` with code
   * `PARTITIONS_PROJECTED` for a table whose partitions are projected: they have no location of their own.
   */
  get(
    values: readonly (string | null)[],
    options?: { readonly signal?: AbortSignal },
  ): Promise<PartitionPlacement | undefined>
  /**
   * Has the partition read from another location, with the table's columns and `parameters` beside those it has.
   * `elsewhere`: it is neither at `from` nor at `to`, and nothing is changed. Whether it is still at `from` when the
   * change takes effect nobody promises: whoever calls decides beforehand who may.
   */
  switchLocation(
    change: {
      readonly values: readonly (string | null)[]
      readonly from: string
      readonly to: string
      readonly parameters: Readonly<Record<string, string>>
    },
    options?: CatalogChangeOptions,
  ): Promise<'switched' | 'elsewhere' | 'gone'>
  /** Makes the partition where there is none, with the table's columns; one that is there is left as it is. */
  create(
    partition: {
      readonly values: readonly (string | null)[]
      readonly location: string
      readonly parameters: Readonly<Record<string, string>>
    },
    options?: CatalogChangeOptions,
  ): Promise<'created' | 'exists'>
  /** Takes the partition out of the catalog, unless it is not at `from`; one that is gone is fine. */
  drop(
    partition: { readonly values: readonly (string | null)[]; readonly from: string },
    options?: CatalogChangeOptions,
  ): Promise<'dropped' | 'elsewhere'>
}

/**
 * The parameter of a partition that was compacted or retired: which sink's journal tells of it. Rows that a sink adds to the
 * partition's former folder afterwards are not read until the next compaction, and its location is not to be mended.
 */
export const compactedByParameter = 'stockpipe.compacted-by'

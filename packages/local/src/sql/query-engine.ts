/** A column or partition key as the catalog declares it; `type` is a Hive type such as `decimal(18,4)`. */
export interface CatalogColumn {
  readonly name: string
  readonly type: string
}

/** One data file of a table with the partition values its rows carry. */
export interface TableFile {
  /** Path of the plain file on this machine. */
  readonly filePath: string
  /** What `"$path"` answers: `s3://bucket/key`. */
  readonly uri: string
  readonly size: number
  /** In the order of the table's partition keys; null for the default partition. */
  readonly partitionValues: readonly (string | null)[]
}

/** A table as a query needs it. */
export interface ResolvedTable {
  readonly database: string
  readonly name: string
  readonly columns: readonly CatalogColumn[]
  readonly partitionKeys: readonly CatalogColumn[]
  /** Lists the data files of the partitions that `keep` accepts; others are neither listed nor read. */
  listFiles(keep: (partitionValues: readonly (string | null)[]) => boolean): Promise<readonly TableFile[]>
}

/** Finds tables by name; undefined when there is none (the engine answers TABLE_NOT_FOUND). */
export interface TableResolver {
  resolveTable(database: string, name: string): Promise<ResolvedTable | undefined>
}

/** A column of an answer, with Trino's type text such as `decimal(38,4)`, `timestamp(3)`, `varchar`. */
export interface ResultColumn {
  readonly name: string
  readonly type: string
}

/** The answer to a SELECT: every value as Athena renders it, null for NULL. */
export interface QueryResult {
  readonly columns: readonly ResultColumn[]
  readonly rows: readonly (readonly (string | null)[])[]
  /** Sum of the sizes of the files read. */
  readonly scannedBytes: number
}

export interface RunQueryOptions {
  readonly sql: string
  readonly database: string
  /** SQL text for each `?`, in order, as StartQueryExecution's ExecutionParameters carry it. */
  readonly parameters?: readonly string[]
  readonly resolver: TableResolver
  readonly signal?: AbortSignal
}

/** Runs Trino SQL over Parquet files. Throws `QueryError` for everything it refuses or that fails. */
export interface QueryEngine {
  run(options: RunQueryOptions): Promise<QueryResult>
  close(): Promise<void>
}

/** Why a query failed or was refused, in Trino's words where Trino has them (`TABLE_NOT_FOUND: line 1:15: ...`). */
export class QueryError extends Error {
  override readonly name = 'QueryError'
  /** Trino's error name, such as `SYNTAX_ERROR`, `DIVISION_BY_ZERO`, `NOT_SUPPORTED`. */
  readonly errorName: string
  /** 1 system, 2 user, 3 other, as Athena's AthenaError. */
  readonly category: 1 | 2 | 3

  constructor(errorName: string, message: string, options: { category?: 1 | 2 | 3; cause?: unknown } = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause })
    this.errorName = errorName
    this.category = options.category ?? 2
  }
}

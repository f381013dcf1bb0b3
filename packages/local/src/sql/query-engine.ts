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
  /** Lower-cased names of columns that the file's partition declares as text and the table as an integer. */
  readonly textColumns?: ReadonlySet<string>
}

/** A table as a query needs it. */
export interface ResolvedTable {
  readonly database: string
  readonly name: string
  readonly columns: readonly CatalogColumn[]
  readonly partitionKeys: readonly CatalogColumn[]
  /**
   * Lists the data files of the partitions that `keep` accepts; others are neither listed nor read. What `keepValue` says of
   * the value of one key it says of every partition that has it, so that few need to be thought of where they are projected.
   */
  listFiles(
    keep: (partitionValues: readonly (string | null)[]) => boolean,
    keepValue?: (keyIndex: number, value: string | null) => boolean,
  ): Promise<readonly TableFile[]>
}

/** A view as a query needs it: its query, and the columns it had when it was made. */
export interface ResolvedView {
  readonly database: string
  readonly name: string
  readonly viewSql: string
  /** The database that names without one in `viewSql` are of. */
  readonly viewDatabase: string
  readonly columns: readonly ResultColumn[]
}

/** Finds tables and views by name; undefined when there is none (the engine answers TABLE_NOT_FOUND). */
export interface TableResolver {
  resolveTable(database: string, name: string): Promise<ResolvedTable | ResolvedView | undefined>
}

/** A column of an answer, with Trino's type text such as `decimal(38,4)`, `timestamp(3)`, `varchar`. */
export interface ResultColumn {
  readonly name: string
  readonly type: string
}

/** Takes the rows of an answer as they come. */
export interface RowSink {
  /** Called before the first row. */
  begin(columns: readonly ResultColumn[]): void
  /** Takes some rows, in order; the next come once it resolves. */
  add(rows: readonly (readonly (string | null)[])[]): Promise<void>
}

/** The answer to a SELECT: every value as Athena renders it, null for NULL. */
export interface QueryResult {
  readonly columns: readonly ResultColumn[]
  /** Those that went to no `rowSink`. */
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

/** A column of a query that is only described. */
export interface DescribedColumn {
  /** Undefined for an expression without a name. */
  readonly name: string | undefined
  /** Trino's type text; `unknown` for a bare NULL. */
  readonly type: string
  /** The type of a Hive table's column that holds it; undefined where there is none. */
  readonly hiveType: string | undefined
}

/** What is known of a query before it runs. */
export interface QueryDescription {
  readonly columns: readonly DescribedColumn[]
  /** All tables and views it names, those of its views among them, as `database.table`. */
  readonly relations: readonly string[]
  /** The tables it reads, with the columns it needs of each, in the order of the statement. */
  readonly scans: readonly { readonly table: string; readonly columns: readonly string[] }[]
}

/** A column of the files to be written, or a partition key. */
export interface WrittenColumn {
  readonly name: string
  readonly hiveType: string
  /** The place of its value among the query's columns; undefined writes NULL. */
  readonly from: number | undefined
}

/** How the rows of a query become Parquet files. */
export interface FileLayout {
  readonly columns: readonly WrittenColumn[]
  readonly partitionKeys: readonly WrittenColumn[]
  readonly compression: 'GZIP' | 'SNAPPY' | 'ZSTD' | 'UNCOMPRESSED'
  /** Of ZSTD only. */
  readonly compressionLevel?: number
}

export interface WriteQueryOptions extends RunQueryOptions {
  /** Says how to write the columns the query turns out to have. Throws `QueryError` to refuse them. */
  readonly layoutOf: (columns: readonly DescribedColumn[]) => FileLayout
}

/** A file the engine has written, with the partition its rows belong to. */
export interface WrittenFile {
  readonly filePath: string
  readonly partitionValues: readonly (string | null)[]
}

/** The rows of a query as files of this machine, one a partition; disposing of it removes them. */
export interface WrittenQuery extends AsyncDisposable {
  readonly files: readonly WrittenFile[]
  readonly rowCount: number
  /** Sum of the sizes of the files read. */
  readonly scannedBytes: number
}

/** The answer to a statement around a query; one that writes has the number of its rows. */
export interface StatementAnswer extends QueryResult {
  readonly writtenRows?: number
}

/** Runs Trino SQL over Parquet files. Throws `QueryError` for everything it refuses or that fails. */
export interface QueryEngine {
  /** Throws SYNTAX_ERROR for text that is no query. Absent where only its run can tell. */
  checkSyntax?(sql: string): void
  /** Runs a query; rows it hands to `rowSink` are held in memory by nobody. */
  run(options: RunQueryOptions & { readonly rowSink?: RowSink }): Promise<QueryResult>
  /** Checks a query without running it. */
  describe(options: RunQueryOptions): Promise<QueryDescription>
  /** Runs a query and writes its rows as Parquet files. */
  write(options: WriteQueryOptions): Promise<WrittenQuery>
  /** Runs CREATE TABLE AS, INSERT, CREATE VIEW and EXPLAIN whole. Absent where they are taken apart before. */
  runStatement?(options: RunQueryOptions): Promise<StatementAnswer>
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

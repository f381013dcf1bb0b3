/** A type as Arrow tells it. */
export interface ColumnDataType {
  readonly typeId: number
  readonly children?: readonly { readonly name: string }[] | null
  readonly scale?: number
  readonly bitWidth?: number
  readonly unit?: number
  toString(): string
}

/** Values of one column as Arrow lays them out; a `Data` of apache-arrow is one. */
export interface ColumnData {
  readonly type: ColumnDataType
  readonly length: number
  readonly offset: number
  readonly nullCount: number
  readonly nullBitmap?: Uint8Array | null
  readonly values: ArrayBufferView
  readonly valueOffsets: Int32Array
  readonly children: readonly ColumnData[]
}

/** Rows of a Parquet file, by column. */
export interface ParquetBatch {
  readonly rows: number
  /** By the name in the file. */
  readonly columns: ReadonlyMap<string, ColumnData>
}

/** Bytes of a file by their places. */
export interface RangedFile {
  readonly size: number
  read(start: number, end: number): Promise<Uint8Array>
}

/** A Parquet file whose footer has been read. */
export interface OpenedParquet {
  readonly rows: number
  /** Names and types of its columns, types as Arrow writes them. */
  readonly columns: readonly { readonly name: string; readonly type: string }[]
  /**
   * Rows of the named columns, in order: of one row group at a time the columns are held as they are compressed, and of
   * these some batches.
   */
  batches(columns: readonly string[], limit?: number): AsyncGenerator<ParquetBatch, void>
}

/** Opens Parquet files. Throws a `ConfigurationError` where a library for it is not installed, and what `file.read` throws. */
export type OpenParquet = (file: RangedFile) => Promise<OpenedParquet>

/** Arrow's numbers of types. */
export const arrowTypes = {
  integer: 2,
  float: 3,
  binary: 4,
  utf8: 5,
  boolean: 6,
  decimal: 7,
  date: 8,
  timestamp: 10,
  list: 12,
  struct: 13,
  map: 17,
} as const

/** True where a value is there. */
export const isValid = ({ nullCount, nullBitmap, offset }: ColumnData, index: number): boolean =>
  nullCount === 0 ||
  !nullBitmap ||
  nullBitmap.length === 0 ||
  ((nullBitmap[(offset + index) >> 3]! >> ((offset + index) & 7)) & 1) === 1

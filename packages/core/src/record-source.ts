/** How far a source has come. */
export interface SourceProgress {
  readonly records: number
  /** Undefined when the source does not know how many there will be. */
  readonly totalRecords?: number
}

/** Rows handed on together. */
export interface SourceBatch<Row> {
  readonly rows: readonly Row[]
  /** Where to resume so that the row after this batch comes first. */
  readonly position: number
}

export interface ReadSourceOptions {
  /** Rows to leave out: the `position` of the last batch that was dealt with. Default 0. */
  readonly from?: number
  readonly signal?: AbortSignal
  readonly onProgress?: (progress: SourceProgress) => void
}

/** Where records come from; reading it again from the same position gives the same rows. */
export interface RecordSource<Row> {
  read(options?: ReadSourceOptions): AsyncIterable<SourceBatch<Row>>
}

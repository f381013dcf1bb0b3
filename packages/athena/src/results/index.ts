export type { ResultPath } from './answer-pages.ts'
export { arrowBatches, arrowTable } from './arrow-table.ts'
export type {
  ColumnData,
  ColumnDataType,
  OpenedParquet,
  OpenParquet,
  ParquetBatch,
  RangedFile,
} from './column-data.ts'
export { ndjson } from './ndjson.ts'
export { canReadParquet, openParquet } from './parquet-file.ts'
export { ResultReadError } from './result-read-error.ts'
export type { OpenedObject, ResultStore, StoredLocation, StoredObject } from './result-store.ts'
export { UnreadableObject } from './result-store.ts'
export { type S3Sender, s3ResultStore } from './s3-result-store.ts'

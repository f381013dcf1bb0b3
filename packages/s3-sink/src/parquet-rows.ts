import { type ColumnBatch, type ColumnDefinition, StockpipeError } from '@stockpipe/core'
import { arrowVector } from './arrow-vector.ts'

/** Rows that are decoded at once. */
const batchRows = 65_536

/**
 * The rows of a Parquet file as batches of these columns, in their order; one row group is decoded at a time. The reader
 * is parquet-rs, so that what our own encoder has written is judged by another.
 *
 * Throws a `StockpipeError` with code `PARQUET_UNREADABLE` for a file that is damaged or has other columns.
 */
export async function* readParquetRows(
  columns: readonly ColumnDefinition[],
  bytes: Uint8Array,
): AsyncGenerator<ColumnBatch> {
  const [{ tableFromIPC }, { ParquetFile }] = await Promise.all([
    import('apache-arrow'),
    import('parquet-wasm/node'),
  ])
  const file = await readable(() => ParquetFile.fromFile(new Blob([bytes as Uint8Array<ArrayBuffer>])))
  try {
    const groups = file.metadata().numRowGroups()
    let rows = 0n
    for (let group = 0; group < groups; group += 1) {
      const table = await readable(async () =>
        tableFromIPC((await file.read({ rowGroups: [group], batchSize: batchRows })).intoIPCStream()),
      )
      for (const batch of table.batches) {
        const offsets = BigInt64Array.from({ length: batch.numRows }, (_, row) => rows + BigInt(row))
        rows += BigInt(batch.numRows)
        yield {
          rows: batch.numRows,
          offsets,
          columns: columns.map((column) => {
            const index = table.schema.fields.findIndex(({ name }) => name === column.name)
            const data = batch.data.children[index]
            if (data === undefined) throw unreadable(`it has no column '${column.name}'`)
            return arrowVector(column, data)
          }),
        }
      }
    }
  } finally {
    file.free()
  }
}

const readable = async <T>(read: () => Promise<T>): Promise<T> => {
  try {
    return await read()
  } catch (cause) {
    throw unreadable(cause instanceof Error ? cause.message : String(cause), cause)
  }
}

const unreadable = (why: string, cause?: unknown): StockpipeError =>
  new StockpipeError({ code: 'PARQUET_UNREADABLE', message: `It cannot be read as Parquet: ${why}.`, cause })

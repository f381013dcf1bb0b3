import { type ColumnBatch, type ColumnDefinition, StockpipeError } from '@stockpipe/core'
import { arrowVector } from './arrow-vector.ts'
import { integerOf, readFileMetaData, structsOf } from './parquet-footer.ts'

/** Rows of a batch. */
const batchRows = 65_536
/** Bytes of row groups, before compression, that are decoded at once. */
const decodedBytes = 16 * 1024 * 1024

/**
 * The rows of a Parquet file as batches of these columns, in their order; a few row groups are decoded at a time. The
 * reader is parquet-rs, so that what our own encoder has written is judged by another.
 *
 * Throws a `StockpipeError` with code `PARQUET_UNREADABLE` for a file that is damaged or has other columns.
 */
export async function* readParquetRows(
  columns: readonly ColumnDefinition[],
  bytes: Uint8Array,
): AsyncGenerator<ColumnBatch> {
  const [{ tableFromIPC }, { readParquet }] = await Promise.all([
    import('apache-arrow'),
    import('parquet-wasm/node'),
  ])
  let rows = 0n
  for (const rowGroups of readable(() => rowGroupsTogether(bytes))) {
    // Not as it is read from a Blob: damaged pages have parquet-rs panic, and nobody would hear of it.
    const table = readable(() =>
      tableFromIPC(readParquet(bytes, { rowGroups, batchSize: batchRows }).intoIPCStream()),
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
}

/** The numbers of row groups that are decoded together. */
const rowGroupsTogether = (bytes: Uint8Array): number[][] => {
  const together: number[][] = []
  let open = Number.POSITIVE_INFINITY
  for (const [number, group] of structsOf(readFileMetaData(bytes), 4).entries()) {
    const size = integerOf(group, 2)
    if (open + size > decodedBytes) {
      together.push([])
      open = 0
    }
    together.at(-1)!.push(number)
    open += size
  }
  return together
}

const readable = <T>(read: () => T): T => {
  try {
    return read()
  } catch (cause) {
    const error = cause instanceof Error ? cause : new Error(String(cause))
    // What a panic of parquet-rs comes to is a WebAssembly.RuntimeError, "unreachable".
    throw unreadable(error.name === 'RuntimeError' ? 'its pages are damaged' : error.message, cause)
  }
}

const unreadable = (why: string, cause?: unknown): StockpipeError =>
  new StockpipeError({
    code: 'PARQUET_UNREADABLE',
    message: `It cannot be read as Parquet: ${why.replace(/\.$/, '')}.`,
    cause,
  })

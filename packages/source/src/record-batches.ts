import type { ReadSourceOptions, SourceBatch } from '@stockpipe/core'

/**
 * Groups rows into batches, leaving out the first `from`, and tells progress after each.
 *
 * The records come as functions, so that what is left out is never turned into a row.
 */
export async function* recordBatches<Row>(
  records: AsyncIterable<() => Row>,
  batchRows: number,
  totalRecords: number | undefined,
  options: ReadSourceOptions,
): AsyncGenerator<SourceBatch<Row>> {
  const { from = 0, signal, onProgress } = options
  let position = 0
  let rows: Row[] = []
  const batch = (): SourceBatch<Row> => {
    onProgress?.({ records: position, ...(totalRecords === undefined ? {} : { totalRecords }) })
    const full = rows
    rows = []
    return { rows: full, position }
  }
  for await (const makeRow of records) {
    signal?.throwIfAborted()
    position += 1
    if (position <= from) continue
    rows.push(makeRow())
    if (rows.length >= batchRows) yield batch()
  }
  signal?.throwIfAborted()
  if (rows.length > 0) yield batch()
}

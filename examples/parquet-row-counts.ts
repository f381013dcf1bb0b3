import { GetObjectCommand, paginateListObjectsV2, type S3Client } from '@aws-sdk/client-s3'
import type { BoundTable } from '@stockpipe/core'
import { parquetReadObjects } from 'hyparquet'

/** Rows of each symbol in a table's Parquet files, counted by a reader that is not ours and knows no catalog. */
export const countParquetRows = async (
  s3: S3Client,
  table: BoundTable,
  signal: AbortSignal,
): Promise<{ readonly files: number; readonly rows: Map<string, number> }> => {
  const rows = new Map<string, number>()
  let files = 0
  for await (const page of paginateListObjectsV2(
    { client: s3 },
    { Bucket: table.bucket, Prefix: table.prefix },
  )) {
    for (const { Key } of page.Contents ?? []) {
      signal.throwIfAborted()
      const object = await s3.send(new GetObjectCommand({ Bucket: table.bucket, Key }), {
        abortSignal: signal,
      })
      const bytes = await object.Body!.transformToByteArray()
      const file = bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.byteLength) as ArrayBuffer
      for (const { symbol } of await parquetReadObjects({ file, columns: ['symbol'] })) {
        rows.set(String(symbol), (rows.get(String(symbol)) ?? 0) + 1)
      }
      files += 1
    }
  }
  return { files, rows }
}

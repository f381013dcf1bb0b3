import { footerLength, type ParquetFooter, readParquetFooter } from './parquet-footer.ts'
import type { ReadableStore } from './retrying-reads.ts'

const tailBytes = 65_536

/** The footer of a file of so many bytes; undefined when it has gone. Throws for what is no whole Parquet file. */
export const readFooterOf = async (
  store: ReadableStore,
  file: { readonly key: string; readonly bytes: number },
  signal: AbortSignal | undefined,
): Promise<ParquetFooter | undefined> => {
  const end = (lastBytes: number) => store.get(file.key, { ...(signal ? { signal } : {}), lastBytes })
  let tail = await end(Math.min(tailBytes, file.bytes))
  if (tail === undefined) return undefined
  const length = footerLength(tail)
  if (length > tail.length) tail = await end(Math.min(length, file.bytes))
  return tail && readParquetFooter(tail)
}

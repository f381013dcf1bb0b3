import { glueColumnsOf } from './parquet-column-type.ts'
import { decodeFooter, footerBytesOf, trailerBytes } from './parquet-footer.ts'

/** A column with its type of the catalog, such as `decimal(18,4)`. */
export interface ParquetColumn {
  readonly name: string
  readonly type: string
}

/**
 * The columns that the footer of a Parquet file declares, by the rules of the crawler; a number when more is needed: how many
 * of the file's last bytes.
 *
 * @param tail the last bytes of the file, 8 or more
 * @throws NotParquetError for what is no Parquet file, UnreadableFieldError for a field that Athena has no type for
 */
export function parquetColumns(tail: Uint8Array): readonly ParquetColumn[] | number {
  const bytes = Buffer.from(tail.buffer, tail.byteOffset, tail.byteLength)
  const needed = footerBytesOf(bytes) + trailerBytes
  if (needed > bytes.length) return needed
  const { fields } = decodeFooter(bytes.subarray(bytes.length - needed, bytes.length - trailerBytes))
  return glueColumnsOf(fields).map(({ Name, Type = '' }) => ({ name: Name, type: Type }))
}

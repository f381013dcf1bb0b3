import { type ColumnBatch, type ColumnDefinition, StockpipeError } from '@stockpipe/core'
import { ByteWriter } from './byte-writer.ts'
import { type EncodedChunk, encodeChunk, pageMemoryBytes } from './column-chunk.ts'
import { type ColumnLeaf, leavesOf } from './column-leaf.ts'
import { type PageCompressor, type ParquetCompression, pageCompressor } from './parquet-compression.ts'
import { parquetFooter } from './parquet-file.ts'
import { rowMemory } from './row-memory.ts'
import { RowOrder, type SortColumn } from './row-order.ts'
import { scratchMemory } from './scratch-memory.ts'
import { WordDictionary } from './word-dictionary.ts'
import { zstdMemoryBytes } from './zstd.ts'

/** What the footer of a file tells of a row group. */
export interface RowGroupMetadata {
  readonly byteLength: number
  readonly rows: number
  /** One a leaf of the schema. */
  readonly chunks: readonly EncodedChunk[]
}

/** A row group: its pages, and what has to be told of it. */
export interface EncodedRowGroup extends RowGroupMetadata {
  readonly bytes: Uint8Array
}

/** A row group is put together here, so that only its whole bytes are made anew. */
const scratch = new ByteWriter(64 * 1024)

/** Bytes the encoder keeps for the next row group; shared by every encoder of the thread. */
export const encoderMemoryBytes = (): number =>
  scratch.bytes.length +
  scratchMemory.capacityBytes +
  rowMemory.capacityBytes +
  pageMemoryBytes() +
  WordDictionary.capacityBytes +
  zstdMemoryBytes()

/** Encodes batches of one table as row groups, and the footers of files of row groups. */
export class ParquetEncoder {
  readonly #columns: readonly ColumnDefinition[]
  readonly #leaves: readonly (readonly ColumnLeaf[])[]
  readonly #compressor: PageCompressor
  readonly #order: RowOrder | undefined

  /** Throws a `ConfigurationError` for a codec Athena's engine cannot read, and columns rows cannot be sorted by. */
  constructor(
    columns: readonly ColumnDefinition[],
    options: {
      readonly compression: ParquetCompression
      readonly sortBy?: readonly (string | SortColumn)[] | undefined
    },
  ) {
    this.#columns = columns
    this.#leaves = columns.map(leavesOf)
    this.#compressor = pageCompressor(options.compression)
    if (options.sortBy && options.sortBy.length > 0) this.#order = new RowOrder(columns, options.sortBy)
  }

  /** The rows as one row group, sorted where they are to be. The same rows give the same bytes. */
  encode(rows: ColumnBatch): EncodedRowGroup {
    try {
      const batch = this.#order?.sorted(rows) ?? rows
      scratch.clear()
      const chunks = this.#leaves.flatMap((leaves, index) =>
        leaves.map((leaf) =>
          encodeChunk(leaf, leaf.shred(batch.columns[index]!, batch.rows), this.#compressor, scratch),
        ),
      )
      const bytes = scratch.toBytes()
      return { bytes, byteLength: bytes.length, rows: batch.rows, chunks }
    } catch (cause) {
      throw new StockpipeError({
        code: 'PARQUET_ENCODING_FAILED',
        message: `A row group of ${rows.rows} rows could not be encoded as Parquet: ${cause instanceof Error ? cause.message : String(cause)}`,
        cause,
      })
    }
  }

  /** What a file has after these row groups. In pieces. */
  footer(
    rowGroups: readonly RowGroupMetadata[],
    keyValues: ReadonlyMap<string, string>,
  ): readonly Uint8Array[] {
    const leaves = this.#leaves.flat()
    const sorting = (this.#order?.columns ?? []).map(({ column, descending, nullsFirst }) => ({
      leaf: leaves.findIndex(({ path }) => path.length === 1 && path[0] === column),
      descending,
      nullsFirst,
    }))
    return parquetFooter({ columns: this.#columns, leaves, rowGroups, keyValues, sorting })
  }
}

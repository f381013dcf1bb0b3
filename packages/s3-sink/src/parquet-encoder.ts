import { type ColumnBatch, type ColumnDefinition, StockpipeError } from '@stockpipe/core'
import { ByteWriter } from './byte-writer.ts'
import { type EncodedChunk, encodeChunk, pageMemoryBytes } from './column-chunk.ts'
import { type ColumnLeaf, leavesOf } from './column-leaf.ts'
import { type PageCompressor, type ParquetCompression, pageCompressor } from './parquet-compression.ts'
import { parquetFile } from './parquet-file.ts'
import { rowMemory } from './row-memory.ts'
import { RowOrder, type SortColumn } from './row-order.ts'
import { scratchMemory } from './scratch-memory.ts'
import { WordDictionary } from './word-dictionary.ts'
import { zstdMemoryBytes } from './zstd.ts'

/** A row group: its pages, and what the footer of a file that holds it has to tell. */
export interface EncodedRowGroup {
  readonly bytes: Uint8Array
  readonly rows: number
  /** One a leaf of the schema. */
  readonly chunks: readonly EncodedChunk[]
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

/** Encodes batches of one table as row groups, and puts row groups together to files. */
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
      return { bytes: scratch.toBytes(), rows: batch.rows, chunks }
    } catch (cause) {
      throw new StockpipeError({
        code: 'PARQUET_ENCODING_FAILED',
        message: `A row group of ${rows.rows} rows could not be encoded as Parquet: ${cause instanceof Error ? cause.message : String(cause)}`,
        cause,
      })
    }
  }

  /** A file of row groups, in pieces that share memory with them. */
  file(rowGroups: readonly EncodedRowGroup[], keyValues: ReadonlyMap<string, string>): readonly Uint8Array[] {
    const leaves = this.#leaves.flat()
    const sorting = (this.#order?.columns ?? []).map(({ column, descending, nullsFirst }) => ({
      leaf: leaves.findIndex(({ path }) => path.length === 1 && path[0] === column),
      descending,
      nullsFirst,
    }))
    return parquetFile({ columns: this.#columns, leaves, rowGroups, keyValues, sorting })
  }
}

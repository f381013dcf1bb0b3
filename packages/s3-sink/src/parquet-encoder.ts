import { type ColumnBatch, type ColumnDefinition, StockpipeError } from '@stockpipe/core'
import { ByteWriter } from './byte-writer.ts'
import { type EncodedChunk, encodeChunk, pageMemoryBytes } from './column-chunk.ts'
import { type ColumnLeaf, leavesOf } from './column-leaf.ts'
import { type PageCompressor, type ParquetCompression, pageCompressor } from './parquet-compression.ts'
import { parquetFile } from './parquet-file.ts'
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
  pageMemoryBytes() +
  WordDictionary.capacityBytes +
  zstdMemoryBytes()

/** Encodes batches of one table as row groups, and puts row groups together to files. */
export class ParquetEncoder {
  readonly #columns: readonly ColumnDefinition[]
  readonly #leaves: readonly (readonly ColumnLeaf[])[]
  readonly #compressor: PageCompressor

  /** Throws a `ConfigurationError` for a codec Athena's engine cannot read. */
  constructor(columns: readonly ColumnDefinition[], options: { readonly compression: ParquetCompression }) {
    this.#columns = columns
    this.#leaves = columns.map(leavesOf)
    this.#compressor = pageCompressor(options.compression)
  }

  /** The rows as one row group. The same rows give the same bytes. */
  encode(batch: ColumnBatch): EncodedRowGroup {
    try {
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
        message: `A row group of ${batch.rows} rows could not be encoded as Parquet: ${cause instanceof Error ? cause.message : String(cause)}`,
        cause,
      })
    }
  }

  /** A file of row groups, in pieces that share memory with them. */
  file(rowGroups: readonly EncodedRowGroup[], keyValues: ReadonlyMap<string, string>): readonly Uint8Array[] {
    return parquetFile({ columns: this.#columns, leaves: this.#leaves.flat(), rowGroups, keyValues })
  }
}

import { type ColumnBatch, type ColumnDefinition, ConfigurationError, StockpipeError } from '@stockpipe/core'
import type { Schema } from 'apache-arrow'
import {
  Compression,
  Table,
  type WriterProperties,
  WriterPropertiesBuilder,
  wasmMemory,
  writeParquet,
} from 'parquet-wasm/node'
import { arrowSchema, arrowStream } from './arrow-stream.ts'

const compressions = {
  snappy: Compression.SNAPPY,
  zstd: Compression.ZSTD,
  gzip: Compression.GZIP,
  uncompressed: Compression.UNCOMPRESSED,
} as const

/** Codecs that every engine of `facts` reads. */
export type ParquetCompression = keyof typeof compressions

/** Bytes the encoder holds outside the JavaScript heap; shared by every encoder of the thread, never shrinks. */
export const encoderMemoryBytes = (): number =>
  (wasmMemory() as { readonly buffer: ArrayBuffer }).buffer.byteLength

/** Writes batches of one table as whole Parquet files. */
export class ParquetEncoder {
  readonly #schema: Schema
  readonly #compression: Compression
  readonly #rowGroupRows: number
  /** Columns whose values hardly repeat: a dictionary costs time and makes the file larger. */
  readonly #plainColumns: readonly string[]

  /** Throws a `ConfigurationError` for a codec Athena's engine cannot read. */
  constructor(
    columns: readonly ColumnDefinition[],
    options: { readonly compression: ParquetCompression; readonly rowGroupRows: number },
  ) {
    const compression = Object.hasOwn(compressions, options.compression)
      ? compressions[options.compression]
      : undefined
    if (compression === undefined) {
      throw new ConfigurationError({
        code: 'COMPRESSION_REFUSED',
        message: `Parquet cannot be written with "${options.compression}": Athena's engine does not read it (lz4_raw fails there); use snappy, zstd, gzip or uncompressed.`,
      })
    }
    this.#schema = arrowSchema(columns)
    this.#compression = compression
    this.#plainColumns = columns.filter(hardlyRepeats).map((column) => column.name)
    this.#rowGroupRows = options.rowGroupRows
  }

  /** A file with these rows. The order of the footer's key-value pairs is not fixed; all else is. */
  encode(batch: ColumnBatch, keyValues: ReadonlyMap<string, string>): Uint8Array {
    const stream = arrowStream(this.#schema, batch)
    let properties: WriterProperties | undefined
    let table: Table | undefined
    try {
      let builder = new WriterPropertiesBuilder()
        .setCreatedBy('stockpipe')
        .setCompression(this.#compression)
        .setMaxRowGroupSize(this.#rowGroupRows)
        .setKeyValueMetadata(new Map(keyValues))
      for (const name of this.#plainColumns) builder = builder.setColumnDictionaryEnabled(name, false)
      properties = builder.build()
      table = Table.fromIPCStream(stream)
      const given = [table, properties] as const
      // The call takes both over, whether it returns or throws; freeing them after it would be an error.
      table = undefined
      properties = undefined
      return writeParquet(...given)
    } catch (cause) {
      throw new StockpipeError({
        code: 'PARQUET_ENCODING_FAILED',
        message: `A file of ${batch.rows} rows could not be encoded as Parquet: ${cause instanceof Error ? cause.message : String(cause)}`,
        cause,
      })
    } finally {
      table?.free()
      properties?.free()
    }
  }
}

const hardlyRepeats = ({ type, metadata }: ColumnDefinition): boolean =>
  type.kind === 'timestamp' || type.kind === 'epochNanos' || metadata?.field === 'offset'

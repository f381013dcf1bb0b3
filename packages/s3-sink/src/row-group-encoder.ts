import type { ColumnBatch } from '@stockpipe/core'
import { batchSlice } from './batch-slice.ts'
import { EncodedSize } from './encoded-size.ts'
import type { EventTimeRange } from './event-time.ts'
import type { ParquetEncoder, RowGroupMetadata } from './parquet-encoder.ts'
import { rowGroupFooterBytes } from './parquet-file.ts'

/** Values of a row group held as columns, in bytes: what the encoder has to copy at once. */
const greatestPayload = 16 * 1024 * 1024
/** A row group takes no more of a file's target than this, so that a file can end close to it. */
const greatestShare = 0.25
const aimedShare = 0.2

/** What the file of a row group has to know of it to its end. */
export interface RowGroupFacts extends EventTimeRange {
  readonly rowGroup: RowGroupMetadata
  /** Its share of the footer, in bytes. */
  readonly footerBytes: number
  readonly rows: number
  readonly firstOffset: bigint
  readonly lastOffset: bigint
}

/** Rows as a row group, to become a file with others. */
export interface EncodedRows {
  readonly bytes: Uint8Array
  readonly facts: RowGroupFacts
}

export interface RowGroupEncoderOptions {
  readonly encoder: ParquetEncoder
  readonly columns: number
  readonly rowGroupRows: number
  /** Target of a file, in bytes. */
  readonly fileBytes: number
  /** Bytes of every part of a file but the last. */
  readonly partBytes: number
  readonly eventTimes: (rowGroup: RowGroupMetadata) => EventTimeRange
}

/** Says when the rows of a path become a row group, encodes them, and learns what rows come to from those it did. */
export class RowGroupEncoder {
  readonly size: EncodedSize
  readonly fileBytes: number
  readonly partBytes: number
  readonly #options: RowGroupEncoderOptions

  constructor(options: RowGroupEncoderOptions) {
    this.#options = options
    this.fileBytes = options.fileBytes
    this.partBytes = options.partBytes
    this.size = new EncodedSize(options.columns)
  }

  /** Rows that one row group takes at most. */
  get rows(): number {
    return this.#options.rowGroupRows
  }

  /** What a file has after these row groups. In pieces. */
  footer(rows: readonly RowGroupFacts[], keyValues: ReadonlyMap<string, string>): readonly Uint8Array[] {
    return this.#options.encoder.footer(
      rows.map(({ rowGroup }) => rowGroup),
      keyValues,
    )
  }

  /** Whether rows whose values take `payloadBytes` should be encoded now. */
  isDue(rows: number, payloadBytes: number): boolean {
    return (
      rows >= this.rows ||
      payloadBytes >= greatestPayload ||
      this.size.estimate(payloadBytes, 0) >= this.fileBytes * aimedShare
    )
  }

  /** The rows as row groups, each at most a quarter of the target unless a single row is larger. */
  encode(batch: ColumnBatch, payloadBytes: number): EncodedRows[] {
    const { bytes, ...rowGroup } = this.#options.encoder.encode(batch)
    const footerBytes = rowGroupFooterBytes(rowGroup)
    const fileBytes = bytes.length + footerBytes
    this.size.learn({ payloadBytes, files: 1, encodedBytes: fileBytes, footerBytes })
    const limit = this.fileBytes * greatestShare
    if (fileBytes <= limit || batch.rows === 1) {
      return [
        {
          bytes,
          facts: {
            rowGroup,
            footerBytes,
            rows: batch.rows,
            firstOffset: batch.offsets[0]!,
            lastOffset: batch.offsets[batch.rows - 1]!,
            ...this.#options.eventTimes(rowGroup),
          },
        },
      ]
    }
    // Less compressible than foretold.
    const rows = Math.max(1, Math.floor((batch.rows * this.fileBytes * aimedShare) / fileBytes))
    const encoded: EncodedRows[] = []
    for (let from = 0; from < batch.rows; from += rows) {
      const to = Math.min(batch.rows, from + rows)
      encoded.push(...this.encode(batchSlice(batch, from, to), (payloadBytes * (to - from)) / batch.rows))
    }
    return encoded
  }
}

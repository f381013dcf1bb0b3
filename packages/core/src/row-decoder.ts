import { isUtf8 } from 'node:buffer'
import type { StoredValue } from './column-builder.ts'
import type { ColumnDefinition } from './column-type.ts'
import { type ColumnWriter, createColumnWriter } from './column-writer.ts'
import type { DecodedBlock, Decoder, DecoderOptions, RejectedRecord } from './decoder.ts'
import { type RecordBlock, recordOffset } from './record-block.ts'
import { createRecordFactWriter, type RecordFactWriter, rowOffsets } from './record-fact-writer.ts'

/**
 * Scans the value in `bytes[start, end)` as row `row`. True: every column has its value. False: the value is odd or
 * does not fit, and an exact reader has to look at it. A row may be scanned again.
 */
export type RowScanner = (
  bytes: Uint8Array,
  view: DataView,
  start: number,
  end: number,
  row: number,
) => boolean

/** Why a record is rejected, before it has an offset. */
export interface RowFault {
  readonly column?: string
  readonly reason: string
}

/** Reads one record at a time, exactly: it alone decides what a value means and what is wrong with it. */
export interface ExactRowReader {
  /** What each column stores for the record read last. */
  readonly row: readonly (StoredValue | null)[]
  /** Reads a record into `row`, or says why it is none. */
  read(block: RecordBlock, index: number): RowFault | undefined
}

/** The record as it is rejected. */
export const rejectedRecord = (block: RecordBlock, index: number, fault: RowFault): RejectedRecord => ({
  index,
  offset: recordOffset(block, index),
  ...(fault.column === undefined ? {} : { column: fault.column }),
  reason: fault.reason,
})

/** Bytes that end in a 0x00, so that no scanner has to look where they end. */
const terminated = (bytes: Uint8Array): Uint8Array => {
  if (bytes.length > 0 && bytes[bytes.length - 1] === 0) return bytes
  const longer = new Uint8Array(bytes.length + 1)
  longer.set(bytes)
  return longer
}

/**
 * A decoder that scans each value straight into columns; what is odd goes to the exact reader, which alone rejects.
 *
 * @param options `text`: values must be UTF-8, or go to the exact reader. `scanner`: makes the scanner from the writers of
 *   the table's columns, in their order; those of facts of the record are not its concern
 */
export const createRowDecoder = (
  columns: readonly ColumnDefinition[],
  options: DecoderOptions & {
    readonly exact: ExactRowReader
    readonly text: boolean
    readonly scanner: (writers: readonly ColumnWriter[]) => RowScanner
  },
): Decoder => {
  const { exact, text, reuseBatches = false } = options
  const writers = columns.map(({ type }) => createColumnWriter(type))
  for (const writer of writers) writer.reusesArrays = reuseBatches
  const facts: RecordFactWriter[] = []
  columns.forEach((column, slot) => {
    const { metadata } = column
    if (metadata) facts.push(createRecordFactWriter({ ...column, metadata }, writers[slot]!))
  })
  const scanRow = options.scanner(writers)

  const writeFacts = (block: RecordBlock, index: number, row: number): boolean => {
    for (const fact of facts) if (!fact.write(block, index, row)) return false
    return true
  }

  let indexes = new Int32Array(0)
  let offsets = new BigInt64Array(0)
  return {
    decode(block): DecodedBlock {
      const bytes = terminated(block.values.bytes)
      const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length)
      const { starts, lengths } = block.values
      const allFit = !text || isUtf8(bytes)
      for (const writer of writers) writer.begin(block.count)
      for (const fact of facts) fact.begin(block)
      const rejected: RejectedRecord[] = []
      if (indexes.length < block.count) indexes = new Int32Array(block.count)
      if (!reuseBatches || offsets.length < block.count) offsets = new BigInt64Array(block.count)
      let row = 0
      for (let index = 0; index < block.count; index++) {
        const start = starts[index]!
        const length = lengths[index]!
        const end = start + length
        const fits =
          length >= 0 &&
          (allFit || isUtf8(bytes.subarray(start, end))) &&
          scanRow(bytes, view, start, end, row) &&
          writeFacts(block, index, row)
        if (!fits) {
          for (const writer of writers) writer.undo(row)
          const fault = exact.read(block, index)
          if (fault) {
            rejected.push(rejectedRecord(block, index, fault))
            continue
          }
          writers.forEach((writer, slot) => void writer.set(row, exact.row[slot]!))
        }
        indexes[row] = index
        row += 1
      }
      for (const fact of facts) fact.finish(block, indexes, row)
      return {
        batch: {
          rows: row,
          columns: writers.map((writer) => writer.finish(row)),
          offsets: rowOffsets(block, indexes, row, offsets),
        },
        rejected,
      }
    },
  }
}

import { isUtf8 } from 'node:buffer'
import type { ColumnDefinition, RecordMetadata } from './column-type.ts'
import { type ColumnWriter, DictionaryWriter, NumberWriter, WideWriter } from './column-writer.ts'
import type { RecordBlock } from './record-block.ts'
import { isTimestampMillis, recordFact } from './record-fact.ts'

/** Writes the facts of records into the metadata columns of a table. */
export interface RecordFactWriter {
  begin(block: RecordBlock): void
  /** Writes what has to be looked at record by record; false: an exact reader has to look at the record. */
  write(block: RecordBlock, index: number, row: number): boolean
  /** Writes the rest for all rows. @param indexes the record of each row */
  finish(block: RecordBlock, indexes: Int32Array, rows: number): void
}

/** The offset of each row. @param into memory for them; a part of it is answered where it is longer */
export const rowOffsets = (
  block: RecordBlock,
  indexes: Int32Array,
  rows: number,
  into: BigInt64Array<ArrayBuffer> = new BigInt64Array(rows),
): BigInt64Array<ArrayBuffer> => {
  const offsets = into.length === rows ? into : into.subarray(0, rows)
  if (rows === 0) return offsets
  const words = new Int32Array(offsets.buffer, offsets.byteOffset)
  offsets[0] = block.firstOffset
  const low = words[0]! >>> 0
  const high = words[1]!
  for (let row = 0; row < rows; row++) {
    const sum = low + block.offsetDeltas[indexes[row]!]!
    words[row * 2] = sum
    words[row * 2 + 1] = high + (sum > 0xffff_ffff ? 1 : 0)
  }
  return offsets
}

const continues = (byte: number | undefined): boolean => byte !== undefined && (byte & 0xc0) === 0x80

const keyWriter = (writer: DictionaryWriter): RecordFactWriter => {
  let allUtf8 = false
  return {
    begin: ({ keys }) => void (allUtf8 = isUtf8(keys.bytes)),
    write({ keys }, index, row) {
      const length = keys.lengths[index]!
      if (length < 0) {
        writer.setNull(row)
        return true
      }
      const start = keys.starts[index]!
      const end = start + length
      // Part of a valid text is valid where it begins and ends between characters.
      const valid = allUtf8 && !continues(keys.bytes[start]) && !continues(keys.bytes[end])
      if (!valid && !isUtf8(keys.bytes.subarray(start, end))) return false
      writer.codes[row] = writer.dictionary.intern(keys.bytes, start, end, row)
      return true
    },
    finish() {},
  }
}

const headerWriter = (
  writer: DictionaryWriter,
  metadata: RecordMetadata & { field: 'header' },
): RecordFactWriter => ({
  begin() {},
  write(block, index, row) {
    if (block.headers === undefined || block.headers.lengths[index]! < 0) {
      writer.setNull(row)
      return true
    }
    const value = recordFact(block, index, metadata)
    if (value !== null && typeof value !== 'string') return false
    writer.set(row, value)
    return true
  },
  finish() {},
})

const timestampWriter = (writer: WideWriter): RecordFactWriter => ({
  begin() {},
  write: (block, index) => isTimestampMillis(block.timestamps[index]!),
  finish(block, indexes, rows) {
    const { words } = writer
    for (let row = 0; row < rows; row++) {
      const millis = block.timestamps[indexes[row]!]!
      words[row * 2] = millis
      words[row * 2 + 1] = Math.floor(millis / 4_294_967_296)
    }
  },
})

/** The writer of a metadata column. */
export const createRecordFactWriter = (
  { metadata }: ColumnDefinition & { readonly metadata: RecordMetadata },
  writer: ColumnWriter,
): RecordFactWriter => {
  if (metadata.field === 'timestamp' && writer instanceof WideWriter) return timestampWriter(writer)
  if (metadata.field === 'key' && writer instanceof DictionaryWriter) return keyWriter(writer)
  if (metadata.field === 'header' && writer instanceof DictionaryWriter) return headerWriter(writer, metadata)
  return {
    begin() {},
    write: () => true,
    finish(block, indexes, rows) {
      if (writer instanceof NumberWriter) writer.values.fill(block.partition, 0, rows)
      else if (writer instanceof WideWriter) writer.values.set(rowOffsets(block, indexes, rows))
    },
  }
}

import { isUtf8 } from 'node:buffer'
import { createColumnWriter } from './column-writer.ts'
import type { DecodedBlock, Decoder, RejectedRecord } from './decoder.ts'
import { jsonCellReader } from './json-cell.ts'
import { JsonRowReader, rejectedRecord } from './json-reference.ts'
import { canGenerateCode, createGeneratedRowScanner } from './json-row-code.ts'
import { createRowScanner, type ScannedMember } from './json-row-scanner.ts'
import { jsonValueScanner } from './json-value-scanner.ts'
import type { RecordBlock } from './record-block.ts'
import { createRecordFactWriter, type RecordFactWriter, rowOffsets } from './record-fact-writer.ts'
import type { TopicDefinition } from './topic.ts'

/** Bytes that end in a 0x00, so that no scanner has to look where they end. */
const terminated = (bytes: Uint8Array): Uint8Array => {
  if (bytes.length > 0 && bytes[bytes.length - 1] === 0) return bytes
  const longer = new Uint8Array(bytes.length + 1)
  longer.set(bytes)
  return longer
}

/**
 * A decoder of a topic whose values are JSON objects, from their bytes straight into columns. What is odd goes to the
 * exact reader, value by value or record by record; that reader alone rejects.
 *
 * @param options `generateCode`: default where it is allowed; both ways give the same. `learnAfter`: see
 *   `createGeneratedRowScanner`
 */
export const createJsonDecoder = (
  topic: TopicDefinition,
  options: { readonly generateCode?: boolean; readonly learnAfter?: number } = {},
): Decoder => {
  const { generateCode = canGenerateCode(), learnAfter = 512 } = options
  const { columns } = topic.table
  const writers = columns.map(({ type }) => createColumnWriter(type))
  const exact = new JsonRowReader(topic)
  const facts: RecordFactWriter[] = []
  const members: ScannedMember[] = []
  columns.forEach((column, slot) => {
    const writer = writers[slot]!
    const { metadata } = column
    if (metadata) {
      facts.push(createRecordFactWriter({ ...column, metadata }, writer))
      return
    }
    const format = topic.value.timestamps[column.name]
    members.push({
      name: topic.value.names[column.name] ?? column.name,
      scan: jsonValueScanner({ column, format, writer, readCell: jsonCellReader(column, topic.value) }),
      setNull: column.nullable ? (row) => writer.setNull(row) : undefined,
    })
  })
  const scanRow = generateCode
    ? createGeneratedRowScanner(members, learnAfter)
    : createRowScanner(members).scan

  const writeFacts = (block: RecordBlock, index: number, row: number): boolean => {
    for (const fact of facts) if (!fact.write(block, index, row)) return false
    return true
  }

  return {
    decode(block): DecodedBlock {
      const bytes = terminated(block.values.bytes)
      const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length)
      const { starts, lengths } = block.values
      const allUtf8 = isUtf8(bytes)
      for (const writer of writers) writer.begin(block.count)
      for (const fact of facts) fact.begin(block)
      const rejected: RejectedRecord[] = []
      const indexes = new Int32Array(block.count)
      let row = 0
      for (let index = 0; index < block.count; index++) {
        const start = starts[index]!
        const length = lengths[index]!
        const end = start + length
        const fits =
          length >= 0 &&
          (allUtf8 || isUtf8(bytes.subarray(start, end))) &&
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
          offsets: rowOffsets(block, indexes, row),
        },
        rejected,
      }
    },
  }
}

/** The decoder for a topic's encoding. */
export const createDecoder = (topic: TopicDefinition): Decoder => createJsonDecoder(topic)

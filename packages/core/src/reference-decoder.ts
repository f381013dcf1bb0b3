import { ColumnBuilder } from './column-builder.ts'
import type { ColumnDefinition } from './column-type.ts'
import type { DecodedBlock, Decoder, RejectedRecord } from './decoder.ts'
import { recordOffset } from './record-block.ts'
import { type ExactRowReader, rejectedRecord } from './row-decoder.ts'

/** The decoder that reads every record exactly, one after the other: what the fast one has to equal. */
export const createReferenceDecoder = (
  columns: readonly ColumnDefinition[],
  reader: ExactRowReader,
): Decoder => ({
  decode(block): DecodedBlock {
    const builders = columns.map((column) => new ColumnBuilder(column.type))
    const offsets: bigint[] = []
    const rejected: RejectedRecord[] = []
    for (let index = 0; index < block.count; index++) {
      const fault = reader.read(block, index)
      if (fault) {
        rejected.push(rejectedRecord(block, index, fault))
        continue
      }
      for (let slot = 0; slot < columns.length; slot++) builders[slot]!.append(reader.row[slot]!)
      offsets.push(recordOffset(block, index))
    }
    return {
      batch: {
        rows: offsets.length,
        columns: builders.map((builder) => builder.finish()),
        offsets: BigInt64Array.from(offsets),
      },
      rejected,
    }
  },
})

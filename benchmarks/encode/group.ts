import type { ColumnBatch, TableDefinition } from '../../packages/core/src/index.ts'
import { eventTimeRange } from '../../packages/s3-sink/src/event-time.ts'
import { GroupBuffer } from '../../packages/s3-sink/src/group-buffer.ts'
import type { ParquetCompression } from '../../packages/s3-sink/src/parquet-compression.ts'
import { encoderMemoryBytes, ParquetEncoder } from '../../packages/s3-sink/src/parquet-encoder.ts'
import { cutParts } from '../../packages/s3-sink/src/part-cutter.ts'
import { RowGroupEncoder } from '../../packages/s3-sink/src/row-group-encoder.ts'

const mebibyte = 1024 * 1024

/** A flush group as the engine makes it from decoded batches: routed and appended, then cut into the parts of its files. */
export const makeGroup = (
  table: TableDefinition,
  batches: readonly ColumnBatch[],
  compression: ParquetCompression,
) => {
  const encoder = new RowGroupEncoder({
    encoder: new ParquetEncoder(table.columns, { compression }),
    columns: table.columns.length,
    rowGroupRows: 65_536,
    fileBytes: 128 * mebibyte,
    eventTimes: eventTimeRange(table, undefined),
  })
  const group = new GroupBuffer(table, 512, encoder)
  const begun = process.cpuUsage()
  for (const batch of batches) group.append(batch, 0)
  const appendSeconds = secondsSince(begun)
  const heldBytes = group.capacityBytes
  let [bytes, files] = [0, 0]
  for (const path of group.paths()) {
    for (const rowGroups of path.files()) {
      const pieces = encoder.file(rowGroups, new Map([['stockpipe.fingerprint', table.fingerprint]]))
      for (const part of cutParts(pieces, 8 * mebibyte)) bytes += part.bytes.length
      files += 1
    }
  }
  return {
    files,
    bytes,
    heldBytes,
    encoderBytes: encoderMemoryBytes(),
    appendSeconds,
    seconds: secondsSince(begun),
  }
}

/** CPU time of this process, user and system. */
export const secondsSince = (begun: NodeJS.CpuUsage): number => {
  const { user, system } = process.cpuUsage(begun)
  return (user + system) / 1e6
}

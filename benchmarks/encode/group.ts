import type { ColumnBatch, TableDefinition } from '../../packages/core/src/index.ts'
import { eventTimeRange } from '../../packages/s3-sink/src/event-time.ts'
import { GroupBuffer } from '../../packages/s3-sink/src/group-buffer.ts'
import type { ParquetCompression } from '../../packages/s3-sink/src/parquet-compression.ts'
import { encoderMemoryBytes, ParquetEncoder } from '../../packages/s3-sink/src/parquet-encoder.ts'
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
    partBytes: 8 * mebibyte,
    eventTimes: eventTimeRange(table, undefined),
  })
  const group = new GroupBuffer(table, 512, encoder)
  const begun = process.cpuUsage()
  let [bytes, files, heldBytes] = [0, 0, 0]
  for (const batch of batches) {
    group.append(batch, 0)
    heldBytes = Math.max(heldBytes, group.capacityBytes)
    for (let taken = group.takePart(); taken; taken = group.takePart()) bytes += taken.part.bytes.length
  }
  const appendSeconds = secondsSince(begun)
  for (const path of group.paths()) {
    const { files: made, release } = path.files()
    for (const file of made) {
      const footer = encoder.footer(file.rowGroups, new Map([['stockpipe.fingerprint', table.fingerprint]]))
      for (const part of file.rest(footer)) bytes += part.bytes.length
      files += 1
    }
    release()
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

import { CellProblem } from './cell-problem.ts'
import type { StoredValue } from './column-builder.ts'
import type { RecordMetadata } from './column-type.ts'
import { earliestMillis, latestMillis } from './instant.ts'
import { packedAt, type RecordBlock, recordOffset } from './record-block.ts'
import { decodeHeaders } from './record-headers.ts'

const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })

const textOf = (bytes: Uint8Array | null, what: string): string | null | CellProblem => {
  if (bytes === null) return null
  try {
    return utf8.decode(bytes)
  } catch {
    return new CellProblem(`cannot hold the record's ${what}: it is not UTF-8`)
  }
}

/** True for a record timestamp that a timestamp column holds: whole milliseconds in the years 0001 to 9999. */
export const isTimestampMillis = (millis: number): boolean =>
  millis >= Number(earliestMillis) && millis <= Number(latestMillis) && Number.isInteger(millis)

const headerOf = (bytes: Uint8Array, name: string): string | null | CellProblem => {
  try {
    const last = decodeHeaders(bytes).findLast(([key]) => key === name)
    return last ? textOf(last[1], `header "${name}"`) : null
  } catch {
    return new CellProblem(`cannot be read: the record's headers are not what the Kafka record format says`)
  }
}

/** The value of a metadata column for one record. */
export const recordFact = (
  block: RecordBlock,
  index: number,
  metadata: RecordMetadata,
): StoredValue | null | CellProblem => {
  switch (metadata.field) {
    case 'offset':
      return recordOffset(block, index)
    case 'partition':
      return block.partition
    case 'timestamp': {
      const millis = block.timestamps[index]!
      if (isTimestampMillis(millis)) return BigInt(millis)
      const shown = Number.isInteger(millis) ? BigInt(millis) : millis
      return new CellProblem(`lies outside the years 0001 to 9999: the record's timestamp is ${shown} ms`)
    }
    case 'key':
      return textOf(packedAt(block.keys, index), 'key')
    case 'header': {
      const bytes = block.headers && packedAt(block.headers, index)
      return bytes ? headerOf(bytes, metadata.header) : null
    }
  }
}

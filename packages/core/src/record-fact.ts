import { CellProblem } from './cell-problem.ts'
import type { StoredValue } from './column-builder.ts'
import type { RecordMetadata } from './column-type.ts'
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
    case 'timestamp':
      return BigInt(block.timestamps[index]!)
    case 'key':
      return textOf(packedAt(block.keys, index), 'key')
    case 'header': {
      const bytes = block.headers && packedAt(block.headers, index)
      if (!bytes) return null
      const last = decodeHeaders(bytes).findLast(([name]) => name === metadata.header)
      return last ? textOf(last[1], `header "${metadata.header}"`) : null
    }
  }
}

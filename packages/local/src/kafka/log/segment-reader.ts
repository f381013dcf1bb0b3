import { readInt64 } from '../protocol/wire-reader.ts'
import { batchHeaderBytes, batchLengthOverheadBytes } from './record-batch.ts'
import type { Segment } from './segment.ts'

/** Read beyond what was asked for, as the index leads to a place somewhat before the first batch. */
const readAheadBytes = 32 * 1024

/** Reads whole batches of one segment, from the batch that holds `offset`. */
export const readBatches = (
  segment: Segment,
  options: { offset: number; endOffset: number; maxBytes: number; atLeastOne: boolean },
): { records: Buffer; nextOffset: number } => {
  let position = segment.positionBefore(options.offset)
  let chunk: Buffer = Buffer.alloc(0)
  let cursor = 0
  let start = -1
  let nextOffset = options.offset
  for (;;) {
    if (chunk.length - cursor < batchHeaderBytes) {
      if (start !== -1 || position + cursor >= segment.sizeBytes) break
      position += cursor
      const wanted = Math.max(options.maxBytes, 0) + readAheadBytes
      chunk = segment.read(position, Math.min(wanted, segment.sizeBytes - position))
      cursor = 0
      continue
    }
    const baseOffset = readInt64(chunk, cursor)
    const sizeBytes = chunk.readInt32BE(cursor + 8) + batchLengthOverheadBytes
    const lastOffset = baseOffset + chunk.readInt32BE(cursor + 23)
    if (lastOffset < options.offset) {
      cursor += sizeBytes
      continue
    }
    if (start === -1) start = cursor
    if (baseOffset >= options.endOffset) break
    if (cursor - start + sizeBytes > options.maxBytes && !(cursor === start && options.atLeastOne)) break
    if (cursor + sizeBytes > chunk.length) {
      if (cursor > start) break
      chunk = segment.read(position + cursor, sizeBytes)
      start = 0
      cursor = 0
    }
    cursor += sizeBytes
    nextOffset = lastOffset + 1
  }
  return {
    records: chunk.subarray(start === -1 ? chunk.length : start, Math.min(cursor, chunk.length)),
    nextOffset,
  }
}

import { LogChangedError, type RecordBlock, recordOffset } from '@stockpipe/core'
import { recordFacts } from './flush-group.ts'
import type { LastRecord } from './journal-entry.ts'

/**
 * Compares the newest entry's last record with what Kafka has at its offset. Answers false when the block ends
 * before it. Throws a `LogChangedError` when the log is another one.
 *
 * @param options `compacted`: the record may be missing although younger ones are there
 */
export const checkLastRecord = (
  block: RecordBlock,
  last: LastRecord,
  options: { readonly compacted: boolean },
): boolean => {
  if (block.nextOffset <= last.offset) return false
  for (let index = 0; index < block.count; index += 1) {
    const offset = recordOffset(block, index)
    if (offset < last.offset) continue
    if (offset > last.offset) break
    const found = recordFacts(block, index)
    const epochs = [found.leaderEpoch, last.leaderEpoch]
    if (!epochs.includes(null) && epochs[0] !== epochs[1]) {
      const [isOf, was] = epochs
      throw logChanged(block, last, `was written in leader epoch ${isOf}, the journal says ${was}`)
    }
    if (found.timestamp === last.timestamp && found.crc32c === last.crc32c) return true
    throw logChanged(
      block,
      last,
      `has timestamp ${found.timestamp} and checksum ${found.crc32c}, the journal says ${last.timestamp} and ${last.crc32c}`,
    )
  }
  if (options.compacted) return true
  throw logChanged(block, last, 'is missing although the log has younger ones')
}

const logChanged = (block: RecordBlock, last: LastRecord, found: string): LogChangedError =>
  new LogChangedError({
    code: 'LOG_CHANGED',
    message:
      `${block.topic}-${block.partition}: the record at offset ${last.offset} ${found}. The topic was made anew, or its log ` +
      'was cut and grew again. Use a new sink name for a new topic; a compacted topic needs `compacted: true`.',
    facts: { topic: block.topic, partition: block.partition, offset: last.offset },
  })

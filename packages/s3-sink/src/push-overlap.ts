import { LostPositionError, type RecordBlock, recordOffset } from '@stockpipe/core'
import type { Chain } from './chain.ts'
import type { JournalEntry } from './journal-entry.ts'
import { checkLastRecord } from './last-record-check.ts'

/**
 * Whether the records of a block below the journal's position `next` are in its groups, as far as the entries tell:
 * by their holes, and by every last record that the block has. Entries that were pruned tell nothing.
 *
 * Throws a `LostPositionError` (`PUSH_INTO_HOLE`) or a `LogChangedError`.
 */
export const checkOverlap = async (
  chain: Chain,
  block: RecordBlock,
  next: bigint,
  signal: AbortSignal,
): Promise<void> => {
  if (block.count === 0) return
  const from = recordOffset(block, 0)
  if (from >= next) return
  const to = block.nextOffset < next ? block.nextOffset : next
  for (const start of await chain.startsOver(from, to, signal)) {
    const entry = await chain.entryAt(start, signal)
    if (!entry) return
    const { lastRecord } = entry
    if (lastRecord && from <= lastRecord.offset) checkLastRecord(block, lastRecord, { compacted: true })
    refuseInHoles(block, entry, next)
  }
}

const refuseInHoles = (block: RecordBlock, entry: JournalEntry, next: bigint): void => {
  let index = 0
  for (const { from, to } of entry.holes.ranges) {
    while (index < block.count && recordOffset(block, index) < from) index += 1
    if (index === block.count) return
    const firstOffset = recordOffset(block, index)
    if (firstOffset >= to) continue
    const { topic, partition } = block
    throw new LostPositionError({
      code: 'PUSH_INTO_HOLE',
      message:
        `${topic}-${partition}: record ${firstOffset} is in no file and never will be: the journal stands at ${next} and stepped over ` +
        `the offsets ${from} to ${to - 1n}${entry.cutBy === 'reset' ? ' in a reset' : ", which onHole: 'accept' allowed"}. Push such records by a sink of another name, into a table of its own.`,
      facts: { topic, partition, firstOffset, from, to, next },
    })
  }
}

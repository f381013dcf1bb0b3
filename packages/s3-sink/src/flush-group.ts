import { crc32cHex, packedAt, type RecordBlock, recordOffset } from '@stockpipe/core'
import type { Holes, LastRecord } from './journal-entry.ts'

const listedHoles = 256

/** What a block adds to the open group; read before the engine takes the block's buffers. */
export interface BlockFacts {
  readonly next: bigint
  readonly records: number
  readonly holes: readonly { readonly from: bigint; readonly to: bigint }[]
  readonly lastRecord: LastRecord | null
}

/** The facts of a block's records in `[from, to)`, which lies within the block. Default of `to`: the block's end. */
export const blockFacts = (block: RecordBlock, from: bigint, to = block.nextOffset): BlockFacts => {
  if (to === block.nextOffset && BigInt(block.count) === block.nextOffset - block.firstOffset) {
    const lastRecord = recordFacts(block, block.count - 1)
    return { next: to, records: Number(to - from), holes: [], lastRecord }
  }
  const holes: { from: bigint; to: bigint }[] = []
  let expected = from
  let records = 0
  let last = -1
  for (let index = 0; index < block.count; index += 1) {
    const offset = recordOffset(block, index)
    if (offset < from) continue
    if (offset >= to) break
    if (offset > expected) holes.push({ from: expected, to: offset })
    expected = offset + 1n
    records += 1
    last = index
  }
  if (to > expected) holes.push({ from: expected, to })
  return { next: to, records, holes, lastRecord: last < 0 ? null : recordFacts(block, last) }
}

/** Offset, timestamp and checksum of one record. */
export const recordFacts = (block: RecordBlock, index: number): LastRecord => ({
  offset: recordOffset(block, index),
  timestamp: block.timestamps[index]!,
  crc32c: crc32cHex(packedAt(block.values, index) ?? new Uint8Array()),
  leaderEpoch: block.leaderEpoch ?? null,
})

/** The open flush group of a partition log: the run of offsets that will be claimed together. */
export class FlushGroup {
  readonly start: bigint
  /** At the group's start, milliseconds since the epoch; null while no event time was seen. */
  readonly watermark: number | null
  next: bigint
  records = 0
  rows = 0
  deadLetters = 0
  skipped = 0
  lastRecord: LastRecord | null
  #holeOffsets = 0n
  readonly #holeRanges: { from: bigint; to: bigint }[] = []
  #moreHoles = false

  /** @param lastRecord of the group before */
  constructor(start: bigint, lastRecord: LastRecord | null, watermark: number | null) {
    this.start = start
    this.watermark = watermark
    this.next = start
    this.lastRecord = lastRecord
  }

  get isEmpty(): boolean {
    return this.next === this.start
  }

  get holes(): Holes {
    return { offsets: this.#holeOffsets, ranges: this.#holeRanges, truncated: this.#moreHoles }
  }

  /** @param taken what the block's records became */
  add(facts: BlockFacts, taken: Pick<FlushGroup, 'rows' | 'deadLetters' | 'skipped'>): void {
    this.next = facts.next
    this.records += facts.records
    this.rows += taken.rows
    this.deadLetters += taken.deadLetters
    this.skipped += taken.skipped
    this.lastRecord = facts.lastRecord ?? this.lastRecord
    for (const hole of facts.holes) this.#addHole(hole)
  }

  #addHole({ from, to }: { readonly from: bigint; readonly to: bigint }): void {
    this.#holeOffsets += to - from
    const last = this.#holeRanges.at(-1)
    if (last?.to === from) last.to = to
    else if (this.#holeRanges.length < listedHoles) this.#holeRanges.push({ from, to })
    else this.#moreHoles = true
  }
}

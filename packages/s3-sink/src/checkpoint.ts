import type { TopicPartition } from '@stockpipe/core'
import type { JournalEntry } from './journal-entry.ts'
import { JsonFields, journalBytes } from './json-fields.ts'

const format = 'stockpipe-journal-checkpoint'
const formatVersion = 1

/** What the pruned groups of a partition log held together. */
export interface PrunedTotals {
  readonly groups: number
  readonly records: number
  readonly rows: number
  readonly deadLetters: number
  readonly skipped: number
  readonly holeOffsets: bigint
  readonly files: number
  readonly bytes: number
}

/** Stands for the entries from genesis to `next` that were pruned; never changed, a new one at each pruning. */
export interface Checkpoint extends TopicPartition {
  readonly sink: string
  readonly writer: string
  /** ISO 8601, for people. */
  readonly createdAt: string
  readonly genesisStart: bigint
  /** Start of the last pruned group: what the first entry that is left follows. */
  readonly lastStart: bigint
  /** Where the pruned groups end, and the entries that are left begin. */
  readonly next: bigint
  readonly pruned: PrunedTotals
}

const nothing: PrunedTotals = {
  groups: 0,
  records: 0,
  rows: 0,
  deadLetters: 0,
  skipped: 0,
  holeOffsets: 0n,
  files: 0,
  bytes: 0,
}

/** The totals after another group. */
export const withPruned = (
  totals: PrunedTotals = nothing,
  { counts, holes, files }: JournalEntry,
): PrunedTotals => ({
  groups: totals.groups + 1,
  records: totals.records + counts.records,
  rows: totals.rows + counts.rows,
  deadLetters: totals.deadLetters + counts.deadLetters,
  skipped: totals.skipped + counts.skipped,
  holeOffsets: totals.holeOffsets + holes.offsets,
  files: totals.files + files.length,
  bytes: totals.bytes + files.reduce((sum, file) => sum + file.bytes, 0),
})

const dayMillis = 24 * 60 * 60_000

/**
 * Whether an entry below the checkpoint is no remainder of the pruning but was claimed once more afterwards: what was
 * pruned was two days old at least.
 */
export const claimedAfterPruning = (
  { createdAt }: Pick<JournalEntry, 'createdAt'>,
  checkpoint: Checkpoint,
): boolean => Date.parse(createdAt) > Date.parse(checkpoint.createdAt) - dayMillis

export const writeCheckpoint = (checkpoint: Checkpoint): Uint8Array =>
  journalBytes({ format, formatVersion, ...checkpoint })

/** Throws a `JournalFormatError` when the bytes are not the checkpoint that its key says. */
export const readCheckpoint = (
  bytes: Uint8Array,
  key: string,
  expected: { readonly sink: string; readonly log: TopicPartition; readonly next: bigint },
): Checkpoint => {
  const fields = JsonFields.read(bytes, key, format, formatVersion)
  const pruned = fields.object('pruned')
  const checkpoint: Checkpoint = {
    sink: fields.text('sink'),
    writer: fields.text('writer'),
    createdAt: fields.text('createdAt'),
    topic: fields.text('topic'),
    partition: fields.count('partition'),
    genesisStart: fields.offset('genesisStart'),
    lastStart: fields.offset('lastStart'),
    next: fields.offset('next'),
    pruned: {
      groups: pruned.count('groups'),
      records: pruned.count('records'),
      rows: pruned.count('rows'),
      deadLetters: pruned.count('deadLetters'),
      skipped: pruned.count('skipped'),
      holeOffsets: pruned.offset('holeOffsets'),
      files: pruned.count('files'),
      bytes: pruned.count('bytes'),
    },
  }
  const { sink, log, next } = expected
  fields.demand(
    checkpoint.sink === sink && checkpoint.topic === log.topic && checkpoint.partition === log.partition,
    `it is a checkpoint of ${checkpoint.sink} ${checkpoint.topic}-${checkpoint.partition}`,
  )
  fields.demand(checkpoint.next === next, `its next is ${checkpoint.next}, its key says ${next}`)
  fields.demand(
    checkpoint.genesisStart <= checkpoint.lastStart && checkpoint.lastStart < next,
    'genesisStart, lastStart and next ascend',
  )
  const { records, rows, deadLetters, skipped, holeOffsets } = checkpoint.pruned
  fields.demand(
    BigInt(records) + holeOffsets === next - checkpoint.genesisStart,
    'records and holes make up [genesisStart, next)',
  )
  fields.demand(records === rows + deadLetters + skipped, 'every record is a row, a dead letter or skipped')
  return checkpoint
}

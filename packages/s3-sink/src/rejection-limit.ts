import { type RejectedRecord, SchemaMismatchError, type TopicPartition } from '@stockpipe/core'

const leastRecords = 1_000
const namedRecords = 3

/** What becomes of records that are no rows. */
export interface RejectionPolicy {
  readonly onRejected: 'dead-letter' | 'stop'
  /** From 0 to 1. */
  readonly maxRejectedRatio: number
}

/** A run of records: how many, and which of them were rejected first. */
interface Stretch {
  records: number
  rejected: number
  readonly first: RejectedRecord[]
}

const emptyStretch = (): Stretch => ({ records: 0, rejected: 0, first: [] })

/**
 * Stops a partition log whose records are rejected: at the first one, or when too many of the newest ones are. The
 * newest are the last 1,000 to 2,000 records, whatever groups they are in, and blocks count whole.
 */
export class RejectionLimit {
  readonly #log: TopicPartition
  readonly #policy: RejectionPolicy
  #former = emptyStretch()
  #newest = emptyStretch()

  constructor(log: TopicPartition, policy: RejectionPolicy) {
    this.#log = log
    this.#policy = policy
  }

  /** Counts a block's records. Throws a `SchemaMismatchError` `RECORD_REJECTED` or `TOO_MANY_REJECTED`. */
  add(records: number, rejected: readonly RejectedRecord[]): void {
    const { onRejected, maxRejectedRatio } = this.#policy
    if (rejected.length > 0 && onRejected === 'stop') throw recordRejected(this.#log, rejected)
    if (this.#newest.records >= leastRecords) {
      this.#former = this.#newest
      this.#newest = emptyStretch()
    }
    const newest = this.#newest
    newest.records += records
    newest.rejected += rejected.length
    newest.first.push(...rejected.slice(0, namedRecords - newest.first.length))
    const former = this.#former
    const seen = {
      records: former.records + newest.records,
      rejected: former.rejected + newest.rejected,
      first: [...former.first, ...newest.first].slice(0, namedRecords),
    }
    // What follows a stop and has none of it is taken.
    if (rejected.length === 0) return
    if (seen.records < leastRecords || seen.rejected <= maxRejectedRatio * seen.records) return
    throw tooManyRejected(this.#log, maxRejectedRatio, seen)
  }
}

const named = ({ offset, column, reason }: RejectedRecord): string =>
  `offset ${offset}${column === undefined ? '' : `, column ${column}`}: ${reason}`

const recordRejected = (log: TopicPartition, records: readonly RejectedRecord[]): SchemaMismatchError => {
  const first = records[0]!
  const others = records.length > 1 ? ` (and ${records.length - 1} more of the same block)` : ''
  return new SchemaMismatchError({
    code: 'RECORD_REJECTED',
    message:
      `${log.topic}-${log.partition}, offset ${first.offset}${first.column ? `, column ${first.column}` : ''}: ${first.reason}${others}. ` +
      'The partition log stops here and nothing of this flush group is published; correct the table or the record.',
    facts: {
      ...log,
      offset: first.offset,
      column: first.column,
      reason: first.reason,
      records: records.length,
    },
  })
}

const tooManyRejected = (
  log: TopicPartition,
  ratio: number,
  { records, rejected, first }: Stretch,
): SchemaMismatchError =>
  new SchemaMismatchError({
    code: 'TOO_MANY_REJECTED',
    message:
      `${log.topic}-${log.partition}: ${rejected} of the last ${records} records are no rows of the table, more than ` +
      `deadLetters.maxRejectedRatio ${ratio} allows: the table or the encoding is not the topic's. The first: ${first.map(named).join('; ')}. ` +
      'The partition log stops here and nothing of this flush group is published; correct the table, or raise the ratio to keep such records as dead letters.',
    facts: { ...log, records, rejected, offset: first[0]?.offset, reason: first[0]?.reason },
  })

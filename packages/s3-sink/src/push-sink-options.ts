import type { RecordBlock, TopicPartition } from '@stockpipe/core'
import type { JournalEntry } from './journal-entry.ts'
import type { DeadLetterOptions, RotationOptions, SinkOptions } from './sink-options.ts'

/**
 * Options of `createSink` that say how records are read or rotated have no meaning here. All of the work is done on the
 * thread of the caller, who waits for each push anyway: there are no workers.
 */
export interface PushSinkOptions
  extends Omit<
    SinkOptions,
    | 'start'
    | 'offsetForTimestamp'
    | 'readAgain'
    | 'cleaner'
    | 'retainEntriesMillis'
    | 'cutsAtOnce'
    | 'workers'
    | 'compacted'
    | 'onCommit'
    | 'rotation'
    | 'deadLetters'
  > {
  /** `bytes`: target of one file. A push is one group. */
  readonly rotation?: Pick<RotationOptions, 'bytes'>
  /** Dead letters of pushed records go to files alone; `stockpipe dead-letters replay` sends them to a topic. */
  readonly deadLetters?: Omit<DeadLetterOptions, 'publisher'>
  /**
   * Where partition logs begin that the journal does not know: a fixed offset, never taken from what is pushed first,
   * for two first pushes may run at once. Without it `stockpipe journal init` (`initJournal`) has to say it.
   */
  readonly genesis?: bigint | ((log: TopicPartition) => bigint)
}

export interface PushOptions {
  /**
   * Whether records may be missing between the journal's position and the first record handed over. `refuse`: a
   * `LostPositionError` (`PUSH_HOLE`). `accept`: for a compacted or transactional topic, or a filtered event source; the
   * hole is recorded in the journal, and its records are taken no more: pushed later, they are an error. Holes between
   * the records are accepted and recorded either way. Default `refuse`.
   */
  readonly onHole?: 'refuse' | 'accept'
  readonly signal?: AbortSignal
}

/** What became of the records pushed. */
export interface PushResult extends TopicPartition {
  /** Where the journal stands now: everything below is published. */
  readonly next: bigint
  /** The group this push claimed; null when everything had been published before. */
  readonly group: JournalEntry | null
}

/** A sink without a consumer: whoever calls hands records over, as often as it likes, and each is published once. */
export interface PushSink extends AsyncDisposable {
  /**
   * Publishes the records of a block that the journal does not have yet, as one group. Resolved: every record of the
   * block is in exactly one published file, whichever invocation put it there. Rejected: nothing is known, push again.
   *
   * Throws a `ConfigurationError` (`GENESIS_MISSING`, `RECORDS_BELOW_GENESIS`), a `LostPositionError` (`PUSH_HOLE`, or
   * `PUSH_INTO_HOLE` for records that were stepped over), a `LostUploadError` when claimed files are lost and the block
   * does not hold their records, a `LogChangedError`, a `SchemaMismatchError` by the options for dead letters, a
   * `FencedError` when others were faster 20 times.
   */
  push(block: RecordBlock, options?: PushOptions): Promise<PushResult>
  /** Waits for the pushes under way. */
  close(): Promise<void>
}

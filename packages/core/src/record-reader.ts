import type { TopicPartition } from './partitioned-sink.ts'
import type { RecordBlock } from './record-block.ts'

/**
 * Reads records of a partition log a second time, beside whoever consumes it: no offset is committed, no group of
 * anybody else is touched. The sink asks for it when claimed files are lost before they were published.
 */
export interface RecordReader {
  /**
   * The records of `[from, to)`, as blocks that follow each other without a gap: the first begins at `from`, the last
   * ends at `to`. Read with the isolation level of the consumer loop (committed).
   *
   * Throws a `LostPositionError` when Kafka no longer has `from`, a `LogChangedError` when the log ends before `to`.
   */
  read(
    log: TopicPartition,
    from: bigint,
    to: bigint,
    options?: { readonly signal?: AbortSignal },
  ): AsyncIterable<RecordBlock>
}

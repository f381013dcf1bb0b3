import type { TopicPartition } from '@stockpipe/core'

/** How far a partition is behind. */
export interface PartitionLag extends TopicPartition {
  /** The next record to hand over. */
  readonly position: bigint
  /** The log's end as last heard of, or where `until` ends. */
  readonly end: bigint
  /** Offsets from `position` to `end`; holes of compaction and transaction markers count as records. */
  readonly records: number
  /**
   * Age of the last record handed over, by its own timestamp; 0 when caught up. Absent while behind and nothing was
   * handed over yet.
   */
  readonly seconds?: number
}

/** How far the partitions this member owns are behind. */
export interface ConsumerLag {
  /** Of all partitions together. */
  readonly records: number
  /** The largest of all partitions; absent while one of them does not know its own. */
  readonly seconds?: number
  /** Those whose sink has answered. */
  readonly partitions: readonly PartitionLag[]
}

/** The lag of partitions together. */
export const totalLag = (partitions: readonly PartitionLag[]): ConsumerLag => {
  let records = 0
  let seconds: number | undefined = 0
  for (const partition of partitions) {
    records += partition.records
    if (partition.seconds === undefined) seconds = undefined
    else if (seconds !== undefined) seconds = Math.max(seconds, partition.seconds)
  }
  return { records, ...(seconds === undefined ? {} : { seconds }), partitions }
}

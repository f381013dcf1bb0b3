import type { RecordBatchBlock } from './record-batch-block.ts'
import type { RecordBlock } from './record-block.ts'

/** One Kafka topic partition. */
export interface TopicPartition {
  readonly topic: string
  readonly partition: number
}

/** Where to read a partition log from. */
export interface PartitionPosition extends TopicPartition {
  readonly offset: bigint
  /**
   * The last record that was taken, and the epoch of the leader that wrote it: before `offset`, or at it where it is read
   * again to be compared. With it a consumer loop finds out whether the log was cut since. Absent when it is not known.
   */
  readonly lastRecord?: { readonly offset: bigint; readonly leaderEpoch: number }
}

/** What a consumer loop knows of the log when it hands a partition over. */
export interface AssignedPartition extends TopicPartition {
  /** Offset of the first record the broker still has. */
  readonly logStart: bigint
  /** The log's end: one past its last record. */
  readonly logEnd: bigint
  /** What the consumer group has committed; undefined when nothing. Never a position once there is a journal. */
  readonly committed?: bigint
}

export interface AssignOptions {
  /** The group's generation, for logs and telemetry. */
  readonly generation: number
  readonly signal?: AbortSignal
}

export interface RevokeOptions {
  /** True: publish what is buffered first. False: give it up (it is read again). */
  readonly drain: boolean
  /** `Runtime.monotonic()` by which draining must have ended; what is left then is given up. */
  readonly deadline?: number
}

/** What a sink tells its loop. */
export interface PartitionedSinkEvents {
  /** The sink takes blocks again. */
  room: []
  /** The sink is at its limit: partitions should be paused. */
  full: []
  /** Everything before `offset` is published; commit it to the group. */
  committable: [position: PartitionPosition]
  /** Another owner has taken this partition log on; stop reading it, or assign it anew. */
  fenced: [partition: TopicPartition, error: Error]
  /** The partition log cannot go on; with an `EngineLostError` it can once it is assigned anew. */
  failed: [partition: TopicPartition, error: Error]
}

/** What a consumer loop drives: partition logs in, published files out. */
export interface PartitionedSink {
  /**
   * Settles what a predecessor left and answers where to read each partition from. A partition stays assigned, with
   * what is buffered of it, until it is revoked: also while its consumer group has no generation. One that is assigned
   * already is given up and taken anew.
   */
  assign(
    partitions: readonly AssignedPartition[],
    options: AssignOptions,
  ): Promise<readonly PartitionPosition[]>
  /**
   * Takes a block; resolves when there is room for the next. Records it has already are dropped, so a block may begin
   * before the position. The block is the sink's from then on: its buffers may go to another thread. Rejects when its
   * partition is not assigned, or when the block begins beyond the position.
   */
  write(block: RecordBlock): Promise<void>
  /**
   * As `write`, for a sink that unpacks record batches on a thread of its own; absent where it does not. Resolves with how
   * many records it took, and with undefined when none was left of the batches: then it stays where it was.
   */
  readonly writeBatches?: ((block: RecordBatchBlock) => Promise<number | undefined>) | undefined
  revoke(partitions: readonly TopicPartition[], options: RevokeOptions): Promise<void>
  /** Publishes everything taken so far. */
  flush(options?: { readonly signal?: AbortSignal }): Promise<void>
  /** Flushes, settles and ends. */
  close(): Promise<void>
  on<Event extends keyof PartitionedSinkEvents>(
    event: Event,
    listener: (...details: PartitionedSinkEvents[Event]) => void,
  ): void
  off<Event extends keyof PartitionedSinkEvents>(
    event: Event,
    listener: (...details: PartitionedSinkEvents[Event]) => void,
  ): void
}

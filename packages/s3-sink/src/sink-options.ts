import type { S3Client } from '@aws-sdk/client-s3'
import type {
  BoundTable,
  DeadLetterPublisher,
  ObjectStore,
  PartitionRegistrar,
  RecordReader,
  RowTransform,
  Runtime,
  SchemaRegistry,
  TopicDefinition,
  TopicPartition,
} from '@stockpipe/core'
import type { Engine, EngineOptions, FileContent } from './engine-messages.ts'
import type { EventTimeBoundary } from './event-boundary.ts'
import type { SinkLogger } from './logger.ts'
import type { MemoryBudget } from './memory-budget.ts'
import type { ObjectSettings } from './object-settings.ts'
import type { ParquetCompression } from './parquet-compression.ts'
import type { SortColumn } from './row-order.ts'
import type { OffsetForTimestamp, StartPolicy } from './start-policy.ts'

/** What cuts a flush group; whichever comes first. Memory, revocation, `flush()` and `close()` cut as well. */
export interface RotationOptions {
  /** Rows of a group. Default: no limit. */
  readonly rows?: number
  /**
   * Target of one file, in bytes as encoded: a group is cut when its largest file has reached it. A path whose rows
   * come to more in one group (large blocks) becomes several files, all but its last within 15 % of the target.
   * Default 134,217,728 (128 MiB).
   */
  readonly bytes?: number
  /** Bytes of all files of a group together. Default four times `bytes`. */
  readonly groupBytes?: number
  /** Milliseconds since the group's first record was taken. Default 300,000. */
  readonly ageMillis?: number
  /** Milliseconds for which no record came. Default: no limit. */
  readonly idleMillis?: number
  /**
   * A group ends before the first row whose event time lies beyond the hour or day, in UTC or the time zone named,
   * that the watermark or the group's first row is in. Rows go by offset: a row of the former period that comes later
   * is in the next group. Default: event time cuts nothing.
   */
  readonly eventTime?: 'hour' | 'day' | EventTimeBoundary
}

/**
 * What becomes of rows whose event time is more than `allowed` before the watermark: the greatest event time of the
 * partition log's groups before. `separate-prefix`: files under `location`, outside the table and unknown to the
 * catalog; `dead-letter`: dead letters whose reason begins with `late: `. An event time far in the future makes
 * everything after it late.
 */
export interface LateOptions {
  /** Milliseconds, or text such as `10 minutes`. */
  readonly allowed: string | number
  readonly then: 'separate-prefix' | 'dead-letter'
  /**
   * `s3://bucket/prefix/` in the table's bucket and outside its location; the files are kept there under the sink's
   * name. Default `s3://<the table's bucket>/_stockpipe/late/`.
   */
  readonly location?: string
}

/** What becomes of records that cannot be decoded, routed or stored. */
export interface DeadLetterOptions {
  /**
   * `dead-letter`: kept in full in a Parquet file (columns of `deadLetterTable`) under the same claim as their group's
   * rows; `stop`: the first one stops its partition log. Default `dead-letter`.
   */
  readonly onRejected?: 'dead-letter' | 'stop'
  /**
   * `s3://bucket/prefix/` in the table's bucket and outside its location; the files are kept there under the sink's
   * name. Default `s3://<the table's bucket>/_stockpipe/dead-letters/`.
   */
  readonly location?: string
  /**
   * A partition log stops (`TOO_MANY_REJECTED`) when more than this share of its newest records is rejected: that is
   * a wrong schema, not bad rows. Measured over the last 1,000 to 2,000 records, and not before there are 1,000.
   * From 0 to 1; 1 never stops. Default 0.5.
   */
  readonly maxRejectedRatio?: number
  /**
   * Sends each group's dead letters to a topic as well, after its files are published and before the next group is
   * claimed: at least once, also after a crash, as long as whoever goes on has it too. A failure holds the partition log
   * up as one of the registrar does. `createDeadLetterTopic` of `@stockpipe/kafka` is one. Default: to no topic.
   */
  readonly publisher?: DeadLetterPublisher
}

/** What cut a flush group. */
export type CutReason =
  | 'rows'
  | 'bytes'
  | 'age'
  | 'idle'
  | 'event-time'
  | 'memory'
  | 'flush'
  | 'revoke'
  | 'close'
  | 'push'

/** A flush group that has been published and registered. */
export interface GroupCommit {
  readonly log: TopicPartition
  readonly start: bigint
  readonly next: bigint
  readonly records: number
  readonly rows: number
  /** Records kept as dead letters. */
  readonly deadLetters: number
  /** Records that the row transform left out. */
  readonly skipped: number
  /** Offsets at which there was no record. */
  readonly holes: bigint
  readonly files: readonly {
    readonly kind: FileContent
    readonly key: string
    readonly rows: number
    readonly bytes: number
  }[]
  readonly cutBy: CutReason
  /** Milliseconds from the cut to the end of registering. */
  readonly millis: number
}

/** Worker threads of a sink. */
export interface WorkerOptions {
  /** Threads of this sink alone; 0: none. Default: one that sinks share, as where no `workers` are given. */
  readonly count?: number
  /** The entry of a worker: what `@stockpipe/s3-sink/engine-worker` was bundled to. Default: the file of the package. */
  readonly entry?: URL
  /**
   * A worker whose encoder keeps more bytes than this is replaced: new groups begin in a new one, and it ends with its last
   * group. What zstd by WebAssembly takes (Node below 22.15) grows and never shrinks: 16 to 40 MiB at the default level,
   * beyond 100 MiB at level 19; arrays kept for the next row group come to 50 MiB at most. A worker cuts 20 groups at least.
   * Default 134,217,728 (128 MiB).
   */
  readonly maxEncoderBytes?: number
}

export interface SinkOptions extends ObjectSettings {
  /** Names the sink in the journal and in file names. Never give a name to a second topic, table or purpose. */
  readonly name: string
  readonly topic: TopicDefinition
  /** The same table as the topic's, bound to where its files go. */
  readonly table: BoundTable
  /** A client of AWS SDK v3; or `store`. */
  readonly client?: S3Client
  /** The table's bucket, where no client is given; the journal is then kept there or in `journalStore`. */
  readonly store?: ObjectStore
  readonly journalStore?: ObjectStore
  /** `s3://bucket/prefix` outside the table's location. Default `s3://<the table's bucket>/_stockpipe/journal/`. */
  readonly journal?: string
  /** Makes new partitions visible. Default: nobody is told (partition projection needs nobody). */
  readonly registrar?: PartitionRegistrar
  /** Where a partition log begins that the journal does not know. Default `earliest`. */
  readonly start?: StartPolicy
  /** Needed for a start at a timestamp. */
  readonly offsetForTimestamp?: OffsetForTimestamp
  /**
   * Reads records again whose files were claimed and lost before they were published (`createRecordReader` of
   * @stockpipe/kafka). Without it such a loss is a `LostUploadError`.
   */
  readonly readAgain?: RecordReader
  /**
   * Housekeeping of the assigned partition logs at about `everyMillis`: uploads that no entry names and none ever will
   * are aborted, old entries pruned. Default 3,600,000; `false`: never (then run `stockpipe journal clean` and `prune`).
   */
  readonly cleaner?: { readonly everyMillis?: number } | false
  /**
   * How long journal entries are kept at least after their claim, in milliseconds: afterwards a checkpoint says what they held. Default
   * 30 days, 2 days at least; never one of the newest two of a partition log, and never genesis.
   */
  readonly retainEntriesMillis?: number
  readonly rotation?: RotationOptions
  /** The column of event times. Default: the table's first timestamp, epochNanos or date column. */
  readonly eventTimeColumn?: string
  /** Default `accept`: late rows are rows like any other. */
  readonly late?: 'accept' | LateOptions
  readonly deadLetters?: DeadLetterOptions
  /**
   * Changes each row before it is routed, leaves it out (null), or throws and makes it a dead letter; see
   * `defineRowTransform` of `@stockpipe/core`. Pure, and the slow path: every row becomes an object and is decoded
   * twice. Change it between groups only, as the table: a group that is read again must come out the same. Default: none.
   */
  readonly transform?: RowTransform
  /**
   * Where the schemas are that records name by an id, for topics with `avro({ framing: 'confluent' })` or `'glue'`
   * (`createConfluentRegistry` of @stockpipe/kafka, `createGlueSchemaRegistry` of @stockpipe/glue). Each is asked for once;
   * an outage is waited out, and what is thrown as not `retryable` ends the partition log.
   */
  readonly schemaRegistry?: SchemaRegistry
  /**
   * Memory for what is buffered, encoded, staged and sent, over all partition logs: bytes, text such as `256MiB`, or
   * a budget that several sinks share (`createMemoryBudget`). Past 70 % of it the largest group is cut first and
   * writes wait. Default 134,217,728 (128 MiB) in `createSink`, 268,435,456 (256 MiB) in `createPushSink`.
   */
  readonly memory?: string | number | MemoryBudget
  /** Groups cut at once, over all partition logs. Default 4. */
  readonly cutsAtOnce?: number
  /** Parts in flight, over all partition logs. Default 8. */
  readonly uploadsAtOnce?: number
  /**
   * Bytes of an upload's parts but the last, at least 5 MiB. A part is sent as soon as its rows are encoded, while the group
   * is open. Default 8 MiB.
   */
  readonly partBytes?: number
  /** How data files are compressed. Default `snappy`. */
  readonly compression?: ParquetCompression
  /**
   * Columns by which rows are sorted within each row group of a data file (65,536 rows at most); the footer names them.
   * Engines then skip more pages of a row group when they filter by those columns. Equal rows stay in the order of
   * their offsets, nulls come last. It is no part of the table: change it whenever you like. Default: the order of offsets.
   */
  readonly sortBy?: readonly (string | SortColumn)[]
  /** The topic is compacted: the newest entry's last record may be gone although younger ones are there. Default false. */
  readonly compacted?: boolean
  /** Names this process in the journal. Default: random. */
  readonly writer?: string
  readonly runtime?: Runtime
  /** Default: silent. */
  readonly logger?: SinkLogger
  /** Called after each group. */
  readonly onCommit?: (commit: GroupCommit) => void
  /**
   * Worker threads that decode, route and encode, so that the thread of the sink only moves bytes: so many of this sink
   * alone; 0: none, all of it on the thread of the sink. A partition log stays with one worker. Not with `transform` or
   * `createEngine`: a function crosses no threads. Should a worker crash, its partition logs end with an
   * `EngineLostError` and may be assigned anew, which `runConsumer` does. Default: one, which is shared where a process has
   * more sinks than cores but one. None on a single core, with `transform` or `createEngine`, and, with a warning to
   * `logger`, where the file of a worker is not found, as in a bundle.
   */
  readonly workers?: number | WorkerOptions
  /** Makes the engine. Default: the one of this package. */
  readonly createEngine?: (options: EngineOptions) => Engine
}

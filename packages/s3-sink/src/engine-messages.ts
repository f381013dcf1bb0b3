import type {
  RecordBlock,
  RegisteredSchema,
  RejectedRecord,
  RowTransform,
  TopicJSON,
  TopicPartition,
} from '@stockpipe/core'
import type { EventTimeBoundary } from './event-boundary.ts'
import type { LatePolicy } from './late-rows.ts'
import type { ParquetCompression } from './parquet-compression.ts'
import type { SortColumn } from './row-order.ts'

/** What the journal asks of the engine. Only plain values and buffers: it crosses threads. */
export type EngineRequest =
  /**
   * Decode, route and buffer a block; records below `from` are dropped. `watermark`: at the start of the open flush
   * group, milliseconds since the epoch; null or absent while there is none. `schemas`: what the registry has of the ids
   * that were missing; null: nothing. Answered with the parts of files whose bytes are there by then: a part that is
   * pulled is held no more, one that is not pulled is answered later.
   */
  | {
      readonly kind: 'block'
      readonly block: RecordBlock
      readonly from: bigint
      readonly watermark?: number | null
      readonly schemas?: readonly (readonly [id: string, schema: RegisteredSchema | null])[]
    }
  /**
   * Encode everything buffered of a partition log as the files of the flush group `[start, next)`: the data files in
   * the order of their partition values (null first), several for a path whose rows come to more than `fileBytes`,
   * those in the order of their offsets; then late rows in the same way; then its dead letters. Of a file whose first
   * parts were answered to blocks, the rest. Pulled to its end, all of it is dropped; until then no block and no other
   * cut of the log is taken. Returned early, everything stays: the log can be cut again, grow, or be discarded.
   */
  | { readonly kind: 'cut'; readonly log: TopicPartition; readonly start: bigint; readonly next: bigint }
  /** Forget everything buffered of a partition log. */
  | { readonly kind: 'discard'; readonly log: TopicPartition }

/** What a file holds: rows of the table, or records that did not become rows (`deadLetterTable`). */
export type FileContent = 'data' | 'late' | 'dead-letters'

/**
 * What the engine answers, in this order: for a block `rejected?`, parts, `buffered`; for a cut, per file its parts (what
 * is left of them), then `file`.
 */
export type EngineResponse =
  /**
   * Nothing of the block was taken: records of it name these schemas. Look them up, and hand the block over again with
   * what there is; what is null by then has its records rejected.
   */
  | { readonly kind: 'schemas-missing'; readonly log: TopicPartition; readonly ids: readonly string[] }
  /** Records of the block that are no rows, by offset; they are held in full, as dead letters of the open flush group. */
  | { readonly kind: 'rejected'; readonly log: TopicPartition; readonly records: readonly RejectedRecord[] }
  /** The block is in; what the partition log holds now. */
  | {
      readonly kind: 'buffered'
      readonly log: TopicPartition
      /** Rows taken from this block, late ones included. */
      readonly rows: number
      /**
       * The offset of the first record that was not taken, where one crosses `eventTimeBoundary`: cut, and hand the
       * block over again from there.
       */
      readonly stoppedAt?: bigint
      /** Records taken from this block as dead letters. */
      readonly deadLetters: number
      /** Records of this block that the row transform left out. */
      readonly skipped: number
      /** Rows of the open flush group, also of those whose parts were answered. */
      readonly bufferedRows: number
      /** Memory held, dead letters included, estimated. */
      readonly bufferedBytes: number
      /**
       * Size of the files if they were cut now, with the parts that were answered: row groups that are encoded are
       * measured, the other rows estimated.
       */
      readonly encodedBytes: number
      /** Size of the largest of them; at least `fileBytes` when a path comes to several. */
      readonly largestFileBytes: number
      readonly openPaths: number
    }
  /**
   * Bytes of a file, in order. Every part but a file's last is `partBytes` long. They are whoever's who takes them: the
   * engine does not look into them again.
   */
  | {
      readonly kind: 'part'
      readonly log: TopicPartition
      /** Number of the file within the flush group, from 0, by its first part. */
      readonly file: number
      readonly content: FileContent
      /** In the order of the table's partitions; null for the default partition. None for dead letters. */
      readonly partitionValues: readonly (string | null)[]
      /** From 1. */
      readonly partNumber: number
      readonly bytes: Uint8Array
      readonly last: boolean
    }
  /** A file is whole. */
  | {
      readonly kind: 'file'
      readonly log: TopicPartition
      readonly file: number
      readonly content: FileContent
      readonly partitionValues: readonly (string | null)[]
      readonly rows: number
      readonly bytes: number
      readonly firstOffset: bigint
      readonly lastOffset: bigint
      /** Smallest and greatest event time, milliseconds since the epoch; null when the table has none, and for dead letters. */
      readonly minEventTime: number | null
      readonly maxEventTime: number | null
    }

/**
 * CPU only and deterministic in what it answers about rows and paths. Pull the responses one by one: what is left of
 * the next path is encoded when its first part is asked for, so whoever pulls bounds the memory. A block or discard
 * is done when `handle` returns, but for the parts that are pulled. Rows without a path (a date outside the years 1 to
 * 9999, a path too long for a key) are rejected. The reason of a rejection is a pure function of record and table, like a row's path; where records name
 * a schema in a registry, of that schema too, which an id stands for for ever.
 */
export interface Engine {
  /** Bytes held outside the JavaScript heap and by all engines of the thread together. Default: nothing. */
  readonly encoderBytes?: number
  handle(request: EngineRequest): Iterable<EngineResponse>
  /** Frees what is held outside the JavaScript heap. */
  close(): void
}

export interface EngineOptions {
  /** Serialised topic definition (`TopicDefinition.toJSON()`): decoder, columns and partitions come from it. */
  readonly topic: TopicJSON
  /** Bytes of every part but the last; at least 5 MiB (S3). Default 8 MiB. */
  readonly partBytes?: number
  /**
   * Target of a file, in bytes: the rows of a path that come to more are several files, all but the last within 15 %
   * of it. Default 128 MiB.
   */
  readonly fileBytes?: number
  /** Where the files of a group begin, instead of by their size: for a group that is read again. */
  readonly fileStarts?: readonly {
    readonly content: FileContent
    readonly partitionValues: readonly (string | null)[]
    readonly firstOffset: bigint
  }[]
  /** Changes rows before they are routed. A function crosses no threads: only for an engine on the thread of its caller. */
  readonly transform?: RowTransform
  /** Rows of a row group, at most; fewer where they come to more than 16 MiB or a fifth of `fileBytes`. Default 65,536. */
  readonly rowGroupRows?: number
  /** Default `snappy`. */
  readonly compression?: ParquetCompression
  /**
   * Rows of a data file are sorted by these columns within each row group; the footer says so. Files still come in the
   * order of offsets. Default: rows stay in the order of their offsets.
   */
  readonly sortBy?: readonly (string | SortColumn)[]
  /** Column whose minimum and maximum a file carries. Default: the first timestamp, epochNanos or date column. */
  readonly eventTimeColumn?: string
  /** A group ends before the first row whose event time lies beyond the period the group is in. Default: never. */
  readonly eventTimeBoundary?: EventTimeBoundary
  /** Rows that are later than this go to files of their own or become dead letters. Default: rows like any other. */
  readonly late?: LatePolicy
  /**
   * UTF-8 bytes that a partition path (`k1=v1/k2=v2/`) may take of an S3 key's 1,024; rows of longer paths are
   * rejected. Default 512.
   */
  readonly maxPathBytes?: number
  /** Key-value metadata of every footer, beside the fingerprint, topic, partition, start and next. */
  readonly footerMetadata?: Readonly<Record<string, string>>
}

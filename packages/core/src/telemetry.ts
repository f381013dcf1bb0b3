import { channel } from 'node:diagnostics_channel'
import type { PartitionPosition, TopicPartition } from './partitioned-sink.ts'

/**
 * A channel of `node:diagnostics_channel` with a typed payload. Channels are told apart by name in the whole process,
 * so two installed copies of a package share them. One event a batch, file, group or request, never one a record.
 */
export class TelemetryChannel<Payload extends object> {
  readonly name: string
  readonly #channel: ReturnType<typeof channel>

  constructor(name: string) {
    this.name = name
    this.#channel = channel(name)
  }

  get hasSubscribers(): boolean {
    return this.#channel.hasSubscribers
  }

  /** Publishes what `payload` answers; without a subscriber it is not even asked. */
  publish(payload: () => Payload): void {
    if (this.#channel.hasSubscribers) this.#channel.publish(payload())
  }

  /**
   * Calls `listener`, at once and on the publisher's stack, with every payload from now on. What it throws is an
   * uncaught exception of the process. Answers what ends the subscription.
   */
  subscribe(listener: (payload: Payload) => void): () => void {
    const onMessage = (message: unknown) => listener(message as Payload)
    this.#channel.subscribe(onMessage)
    return () => void this.#channel.unsubscribe(onMessage)
  }
}

/** A partition log of a sink. */
export interface SinkLogEvent extends TopicPartition {
  /** The sink's name. */
  readonly sink: string
}

/** A flush group is published and registered. */
export interface GroupPublished extends SinkLogEvent {
  readonly start: bigint
  readonly next: bigint
  /** What cut the group: `rows`, `bytes`, `age`, `memory`, `flush`, `revoke`, `close` ... */
  readonly cutBy: string
  readonly records: number
  readonly rows: number
  readonly deadLetters: number
  /** Offsets at which there was no record. */
  readonly holes: bigint
  readonly files: readonly {
    readonly key: string
    readonly kind: string
    readonly rows: number
    readonly bytes: number
  }[]
  /** Milliseconds each step took, in this order. */
  readonly millis: {
    readonly stage: number
    readonly claim: number
    readonly publish: number
    readonly register: number
  }
  /** Wall clock at the end of registering, milliseconds since the epoch. */
  readonly publishedAt: number
  /** Smallest and greatest event time, milliseconds since the epoch; null when the table has none. */
  readonly minEventTime: number | null
  readonly maxEventTime: number | null
}

/** A group that a predecessor claimed and did not see to its end is published and registered. */
export interface GroupSettled extends SinkLogEvent {
  readonly start: bigint
  readonly next: bigint
  /** Who claimed it. */
  readonly writer: string
  readonly files: number
  readonly millis: number
}

/** A partition log was fenced (another owner claimed first) or failed. */
export interface LogEnded extends SinkLogEvent {
  readonly error: Error
}

/** What a partition log holds in memory for its open group, after a block, a cut, or its end. */
export interface LogBuffered extends SinkLogEvent {
  readonly rows: number
  /** Memory, estimated. */
  readonly bytes: number
  /** False: the log is gone from this sink. */
  readonly open: boolean
}

/** Memory of a sink against its limit. */
export interface SinkMemory {
  readonly sink: string
  readonly usedBytes: number
  readonly limitBytes: number
  /** Past the limit: writes wait and the largest group is cut. */
  readonly full: boolean
}

/** One request to the object store. */
export interface StoreRequest {
  readonly sink: string
  readonly store: 'table' | 'journal'
  /** S3's name of it: `PutObject`, `UploadPart`, `ListObjectsV2` (one event a page) ... */
  readonly operation: string
  /** The key, or the prefix of a listing. */
  readonly key: string
  readonly millis: number
  /**
   * `ok`: an answer, `exists`, `gone` and "not there" among them. `refused`: the store said no. `unknown`: no answer
   * that can be trusted. `aborted`: given up by the caller.
   */
  readonly outcome: 'ok' | 'refused' | 'unknown' | 'aborted'
  /** Bytes of the body sent or received; 0 where there is none. */
  readonly bytes: number
}

/** A call failed and will be made again. */
export interface CallRetried {
  /** The sink's name, where one is behind it. */
  readonly sink: string | undefined
  /** What is done: "claiming trades-0 at 12". */
  readonly what: string
  /** The attempt that failed, from 1. */
  readonly attempt: number
  /** The error's code. */
  readonly code: string
  readonly delayMillis: number
}

/** The member has joined its group: what was given to it, some of which may have been with it before. */
export interface GroupJoined {
  readonly groupId: string
  readonly memberId: string
  readonly partitions: readonly TopicPartition[]
}

/** The member has left its group, at the end of its run. */
export interface GroupLeft {
  readonly groupId: string
}

/** A sink has answered where partitions are read from, and reading begins. */
export interface PartitionsAssigned {
  readonly groupId: string
  /** Counts the joins of this member. */
  readonly generation: number
  readonly partitions: readonly PartitionPosition[]
}

/** Partitions have left a sink of this member. */
export interface PartitionsRevoked {
  readonly groupId: string
  readonly partitions: readonly TopicPartition[]
  /** Whether what was buffered was to be published first; otherwise it was given up, and is read again. */
  readonly drained: boolean
}

/** Records were handed to the sink. */
export interface BlockHandedOver extends TopicPartition {
  readonly groupId: string
  readonly records: number
  /** Of keys and values. */
  readonly bytes: number
  /** Until the sink had taken them. */
  readonly millis: number
}

/** How far a partition is behind, every few seconds. */
export interface LagMeasured extends TopicPartition {
  readonly groupId: string
  readonly records: number
  /** Age of the last record handed over while there are more behind it; 0 at the log's end; null when not known. */
  readonly seconds: number | null
}

/** A batch of records was acknowledged by Kafka, or given up. */
export interface BatchDelivered extends TopicPartition {
  readonly records: number
  /** Of the batch, before compression. */
  readonly bytes: number
  /** Since its first record was taken: the time it waited for company and every attempt are in it. */
  readonly millis: number
  readonly outcome: 'delivered' | 'failed'
  /** The error's code when it failed. */
  readonly code?: string
}

/** Every channel, by the package that publishes it. The names and payloads are public: they change as types do. */
export const channels = Object.freeze({
  s3Sink: Object.freeze({
    group: new TelemetryChannel<GroupPublished>('stockpipe:s3-sink:group'),
    settled: new TelemetryChannel<GroupSettled>('stockpipe:s3-sink:settled'),
    fenced: new TelemetryChannel<LogEnded>('stockpipe:s3-sink:fenced'),
    failed: new TelemetryChannel<LogEnded>('stockpipe:s3-sink:failed'),
    buffered: new TelemetryChannel<LogBuffered>('stockpipe:s3-sink:buffered'),
    memory: new TelemetryChannel<SinkMemory>('stockpipe:s3-sink:memory'),
    request: new TelemetryChannel<StoreRequest>('stockpipe:s3-sink:request'),
    retry: new TelemetryChannel<CallRetried>('stockpipe:s3-sink:retry'),
  }),
  kafka: Object.freeze({
    joined: new TelemetryChannel<GroupJoined>('stockpipe:kafka:joined'),
    left: new TelemetryChannel<GroupLeft>('stockpipe:kafka:left'),
    assigned: new TelemetryChannel<PartitionsAssigned>('stockpipe:kafka:assigned'),
    revoked: new TelemetryChannel<PartitionsRevoked>('stockpipe:kafka:revoked'),
    block: new TelemetryChannel<BlockHandedOver>('stockpipe:kafka:block'),
    lag: new TelemetryChannel<LagMeasured>('stockpipe:kafka:lag'),
    delivery: new TelemetryChannel<BatchDelivered>('stockpipe:kafka:delivery'),
  }),
})

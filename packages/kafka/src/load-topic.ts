import {
  type ColumnRecord,
  ConfigurationError,
  type InputOf,
  type PartitionRecord,
  type RecordSource,
  type Runtime,
  StockpipeError,
  systemRuntime,
  type TopicDefinition,
} from '@stockpipe/core'
import type { Kafka } from 'kafkajs'
import { logRanges, patiently, withAdmin } from './admin-session.ts'
import { batchCompression } from './compression.ts'
import type { RowReceiver } from './delivery-report.ts'
import { kafkaFailure } from './kafka-failure.ts'
import { partitionOfKey } from './murmur2.ts'
import { batchLimits, type OutgoingRecord } from './outgoing-records.ts'
import { KafkajsProducerConnection } from './producer-connection.ts'
import {
  checkDeliveryNumbers,
  type DeliveryOptions,
  defaultDeliveryTimeoutMillis,
} from './producer-options.ts'
import { RecordDelivery } from './record-delivery.ts'
import { rowToRecord } from './row-records.ts'
import { steadyEnds } from './steady-ends.ts'
import { abortable } from './waiting.ts'

/** How far a load has come. */
export interface LoadProgress {
  /** Rows read from the source: written ones and those the topic already held. */
  readonly records: number
  /** Rows written by this run. */
  readonly written: number
  /** Rows the topic already held. */
  readonly skipped: number
}

export interface LoadTopicOptions<Columns extends ColumnRecord, Partitions extends PartitionRecord>
  extends DeliveryOptions {
  readonly kafka: Kafka
  readonly topic: TopicDefinition<Columns, Partitions>
  /** Finite, and the same rows in the same order whenever it is read. */
  readonly source: RecordSource<InputOf<Columns>>
  readonly signal?: AbortSignal
  /** Called after each acknowledged batch, and at the end. */
  readonly onProgress?: (progress: LoadProgress) => void
  readonly runtime?: Runtime
}

/** Enough for full batches of every partition while others are under way. */
const bufferBytes = 16 * 1024 * 1024
const lingerMillis = 20

/**
 * Writes a finite source to a topic exactly once, however often it is killed and started again.
 *
 * The partition of a row follows from its key, and rows keep the source's order within a partition. So the number of
 * records a partition holds is the number of its rows that were written; these are skipped. That needs a topic that
 * nobody else writes to, without compaction and without transactions (their markers take offsets); every answer and
 * the ends of the log are checked against it. A start waits until the replicas have what a predecessor wrote last, for
 * `deliveryTimeoutMillis` at most.
 *
 * Throws a `StockpipeError`: `TOPIC_NOT_THE_SOURCE` when the topic holds something else than the source's rows,
 * `ROW_WITHOUT_KEY`, `ROW_INVALID`, `TOPIC_NOT_STEADY` (replicas behind, or another writer), `DELIVERY_FAILED` or `DELIVERY_TIMED_OUT` (start again: it goes on), or
 * `TOPIC_PARTITIONS_DIFFER`. An aborted signal rejects with its reason.
 */
export const loadTopic = async <Columns extends ColumnRecord, Partitions extends PartitionRecord>(
  options: LoadTopicOptions<Columns, Partitions>,
): Promise<LoadProgress> => {
  const { kafka, source, signal, onProgress, runtime = systemRuntime } = options
  const topic = options.topic as unknown as TopicDefinition
  const limits = batchLimits(options)
  if (topic.key === undefined) throw withoutKey(topic, 'the topic has no key column')
  checkDeliveryNumbers(options, topic.name)
  const recordOf = rowToRecord(options.topic, limits)
  const connection = new KafkajsProducerConnection({ kafka, topic, runtime })
  let abandon = () => {}
  try {
    const compression = await batchCompression(options.compression ?? 'zstd')
    const partitions = await connection.connect(signal)
    if (partitions !== topic.partitions) throw partitionsDiffer(topic, partitions)
    const held = await steadyEnds(
      topic.name,
      () =>
        patiently(runtime, signal, async () => {
          const written = await writtenEnds(connection, topic)
          return { written, readable: await readEnds(kafka, topic, runtime, signal) }
        }),
      { runtime, signal, timeoutMillis: options.deliveryTimeoutMillis ?? defaultDeliveryTimeoutMillis },
    )
    const ends = [...held]
    const rows = new Array<bigint>(partitions).fill(0n)
    const progress = { records: 0, written: 0, skipped: 0 }
    let failure: unknown
    let wake = () => {}
    // Rows of a partition behind one that failed must not be written: their number is how a load goes on.
    const fail = (error: unknown): void => {
      if (failure !== undefined) return
      failure = error
      abandon()
      wake()
    }
    const delivery = new RecordDelivery({
      topic: topic.name,
      partitions,
      connection,
      compression,
      limits,
      lingerMillis,
      maxInFlightRequests: options.maxInFlightRequests ?? 5,
      retries: options.retries ?? Number.POSITIVE_INFINITY,
      deliveryTimeoutMillis: options.deliveryTimeoutMillis ?? defaultDeliveryTimeoutMillis,
      runtime,
      onAcknowledged: (partition, baseOffset, records) => {
        if (baseOffset >= 0n && baseOffset !== ends[partition]) {
          fail(notTheSource(topic, partition, 'another writer'))
        }
        ends[partition]! += BigInt(records)
        progress.written += records
        try {
          onProgress?.({ ...progress })
        } catch (error) {
          fail(error)
        }
      },
      onFailed: ({ code, reason, cause, facts }) => {
        fail(
          new StockpipeError({
            code,
            message: `Loading topic ${topic.name} stopped: ${reason}. Start again: it goes on where it was.`,
            retryable: true,
            cause,
            facts: { ...facts, topic: topic.name },
          }),
        )
      },
      onRoom: () => wake(),
    })
    abandon = () => delivery.abandon({ code: 'DELIVERY_ABORTED', reason: 'the load ended', passing: false })
    const until = async (isThere: () => boolean): Promise<void> => {
      while (failure === undefined && !isThere()) {
        const changed = new Promise<void>((resolve) => {
          wake = resolve
        })
        await abortable(changed, signal)
      }
      if (failure !== undefined) throw failure
      signal?.throwIfAborted()
    }
    let records: OutgoingRecord[] = []
    for await (const { rows: sourceRows } of source.read(signal ? { signal } : {})) {
      for (const row of sourceRows) {
        const record = recordOf(row, progress.records, (key) => {
          if (key === null) throw withoutKey(topic, `row ${progress.records} of the source has none`)
          return partitionOfKey(Buffer.from(key), partitions)
        })
        const { partition } = record
        progress.records += 1
        rows[partition]! += 1n
        if (rows[partition]! <= held[partition]!) progress.skipped += 1
        else records.push(record)
      }
      delivery.add(records, nobody)
      records = []
      await until(() => delivery.bufferedBytes < bufferBytes)
    }
    delivery.flush()
    await until(() => delivery.isIdle)
    const found = await readEnds(kafka, topic, runtime, signal)
    for (const [partition, end] of found.entries()) {
      if (end !== rows[partition]) {
        throw notTheSource(topic, partition, `${end} records for ${rows[partition]} rows`)
      }
    }
    onProgress?.({ ...progress })
    return progress
  } finally {
    abandon()
    await connection.close()
  }
}

/** The load counts batches; nobody asks where a row is. */
const nobody: RowReceiver = { placed() {}, acknowledged() {}, failed() {} }

const readEnds = (
  kafka: Kafka,
  topic: TopicDefinition,
  runtime: Runtime,
  signal: AbortSignal | undefined,
): Promise<readonly bigint[]> =>
  withAdmin(kafka, { runtime, signal }, async (admin) => {
    const ranges = await logRanges(admin, topic.name)
    return Array.from({ length: topic.partitions }, (_, partition) => ranges.get(partition)?.logEnd ?? 0n)
  })

/** As the leaders known have it, who are asked for again when they do not answer. */
const writtenEnds = async (
  connection: KafkajsProducerConnection,
  topic: TopicDefinition,
): Promise<readonly bigint[]> => {
  try {
    const ends = await connection.writtenEnds()
    return Array.from({ length: topic.partitions }, (_, partition) => {
      const end = ends.get(partition)
      if (end === undefined) throw new Error(`partition ${partition} has no leader`)
      return end
    })
  } catch (error) {
    await connection.refreshLeaders().catch(() => {})
    throw kafkaFailure(error, {
      code: 'TOPIC_OFFSETS_FAILED',
      doing: `asking how far topic ${topic.name} is written`,
      retryable: true,
      facts: { topic: topic.name },
    })
  }
}

const notTheSource = (topic: TopicDefinition, partition: number, finding: string): StockpipeError =>
  new StockpipeError({
    code: 'TOPIC_NOT_THE_SOURCE',
    message:
      `Partition ${partition} of topic ${topic.name} does not hold the rows of the source (${finding}): somebody else writes ` +
      'to the topic, transactions left markers, or the source changed. Load into a topic of its own.',
    facts: { topic: topic.name, partition },
  })

const withoutKey = (topic: TopicDefinition, finding: string): ConfigurationError =>
  new ConfigurationError({
    code: 'ROW_WITHOUT_KEY',
    message: `loadTopic needs a key on every row to find its partition again, and for topic ${topic.name} ${finding}.`,
    facts: { topic: topic.name },
  })

const partitionsDiffer = (topic: TopicDefinition, partitions: number): ConfigurationError =>
  new ConfigurationError({
    code: 'TOPIC_PARTITIONS_DIFFER',
    message: `Topic ${topic.name} has ${partitions} partitions and its definition ${topic.partitions}: define it with ${partitions} to load it.`,
    facts: { topic: topic.name, partitions, defined: topic.partitions },
  })

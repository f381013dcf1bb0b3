import {
  type ColumnRecord,
  type InputOf,
  type PartitionRecord,
  type Runtime,
  StockpipeError,
  systemRuntime,
  type TopicDefinition,
} from '@stockpipe/core'
import type { CompressionTypes, Kafka } from 'kafkajs'
import { BatchSender } from './batch-sender.ts'
import { partitionOfKey } from './murmur2.ts'
import { type BatchLimits, batchLimits, OutgoingBatch, type OutgoingRecord } from './outgoing-records.ts'
import { type RowToRecord, rowToRecord } from './row-records.ts'

export interface ProducerOptions<Columns extends ColumnRecord, Partitions extends PartitionRecord>
  extends Partial<BatchLimits> {
  readonly kafka: Kafka
  readonly topic: TopicDefinition<Columns, Partitions>
  /** Whether the broker sorts out what a retry sends twice. Default true. */
  readonly idempotent?: boolean
  /** A codec registered with kafkajs. Default none. */
  readonly compression?: CompressionTypes
  /** Rows waiting for their acknowledgement, above which `send` waits. Default 50,000. */
  readonly maxBufferedRows?: number
  readonly runtime?: Runtime
}

/** A producer of the rows of one topic. */
export interface TypedProducer<Row> extends AsyncDisposable {
  /** Connects and learns the topic's partitions. Throws when the topic is missing or has fewer than defined. */
  connect(): Promise<void>
  /**
   * Sends rows; resolves when every one of them is acknowledged by all in-sync replicas. Calls need not await each
   * other: rows of waiting calls share requests, in order.
   *
   * Rejects before any of its rows is sent with a `SchemaMismatchError` `ROW_INVALID` naming row and column, or
   * `RECORD_TOO_LARGE`; later with `DELIVERY_FAILED` or `DELIVERY_INCOMPLETE`: then some rows may have arrived.
   */
  send(rows: readonly Row[]): Promise<void>
  /** Resolves when every row passed so far is acknowledged; rejects with the first failure among them. */
  flush(): Promise<void>
  /** Takes no more rows, waits for those it has, and disconnects. */
  close(): Promise<void>
}

interface SendCall {
  readonly records: readonly OutgoingRecord[]
  next: number
  unacknowledged: number
  readonly done: Promise<void>
  readonly resolve: () => void
  readonly reject: (error: unknown) => void
}

/**
 * Makes a producer for a topic definition. A row goes to the partition that Kafka's Java client chooses for its key;
 * rows without a key are spread one by one.
 */
export const createProducer = <Columns extends ColumnRecord, Partitions extends PartitionRecord>(
  options: ProducerOptions<Columns, Partitions>,
): TypedProducer<InputOf<Columns>> => new TopicProducer(options)

class TopicProducer<Columns extends ColumnRecord, Partitions extends PartitionRecord>
  implements TypedProducer<InputOf<Columns>>
{
  readonly #topic: TopicDefinition
  readonly #recordOf: RowToRecord<InputOf<Columns>>
  readonly #limits: BatchLimits
  readonly #maxBufferedRows: number
  readonly #sender: BatchSender
  #partitions = 0
  #turn: number
  #closed = false
  #queue: SendCall[] = []
  #bufferedRows = 0
  #pumping = false
  /** Calls are let in one after another, so that a small one cannot overtake. */
  #admission: Promise<void> = Promise.resolve()
  #wake = () => {}

  constructor(options: ProducerOptions<Columns, Partitions>) {
    const { runtime = systemRuntime, topic } = options
    this.#topic = topic as unknown as TopicDefinition
    this.#limits = batchLimits(options)
    this.#recordOf = rowToRecord(topic, this.#limits)
    this.#maxBufferedRows = options.maxBufferedRows ?? 50_000
    this.#turn = Math.floor(runtime.random() * 2 ** 20)
    this.#sender = new BatchSender({
      kafka: options.kafka,
      topic: this.#topic,
      idempotent: options.idempotent ?? true,
      compression: options.compression,
      runtime,
    })
  }

  async connect(): Promise<void> {
    this.#partitions = await this.#sender.connect()
  }

  async send(rows: readonly InputOf<Columns>[]): Promise<void> {
    if (this.#closed || this.#partitions === 0) {
      throw new StockpipeError({
        code: this.#closed ? 'PRODUCER_CLOSED' : 'PRODUCER_NOT_CONNECTED',
        message: `The producer of topic ${this.#topic.name} is ${this.#closed ? 'closed' : 'not connected: await connect() first'}.`,
        facts: { topic: this.#topic.name },
      })
    }
    if (rows.length === 0) return
    this.#admission = this.#admission.then(() => this.#room(rows.length))
    await this.#admission
    const call = sendCall(
      rows.map((row, index) =>
        this.#recordOf(row, index, (key) =>
          key === null ? this.#turn++ % this.#partitions : partitionOfKey(key, this.#partitions),
        ),
      ),
    )
    this.#queue.push(call)
    this.#bufferedRows += call.unacknowledged
    void this.#pump()
    return call.done
  }

  async flush(): Promise<void> {
    await this.#admission
    await Promise.all(this.#queue.map(({ done }) => done))
  }

  async close(): Promise<void> {
    this.#closed = true
    await this.#admission
    await Promise.allSettled(this.#queue.map(({ done }) => done))
    await this.#sender.close()
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }

  async #room(rows: number): Promise<void> {
    while (this.#bufferedRows > 0 && this.#bufferedRows + rows > this.#maxBufferedRows) {
      await new Promise<void>((resolve) => {
        this.#wake = resolve
      })
    }
  }

  /** One request after another, each with as many waiting rows as the limits allow. */
  async #pump(): Promise<void> {
    if (this.#pumping) return
    this.#pumping = true
    while (this.#queue.length > 0) {
      const batch = new OutgoingBatch(this.#limits)
      const shares = new Map<SendCall, number>()
      fill: for (const call of this.#queue) {
        while (call.next < call.records.length) {
          if (!batch.add(call.records[call.next]!)) break fill
          call.next += 1
          shares.set(call, (shares.get(call) ?? 0) + 1)
        }
      }
      try {
        await this.#sender.send(batch)
        for (const [call, share] of shares) this.#settle(call, share)
      } catch (error) {
        for (const call of shares.keys()) this.#settle(call, call.unacknowledged, error)
      }
    }
    this.#pumping = false
  }

  #settle(call: SendCall, records: number, error?: unknown): void {
    call.unacknowledged -= records
    this.#bufferedRows -= records
    if (call.unacknowledged === 0) {
      this.#queue = this.#queue.filter((other) => other !== call)
      if (error === undefined) call.resolve()
      else call.reject(error)
    }
    this.#wake()
  }
}

const sendCall = (records: readonly OutgoingRecord[]): SendCall => {
  let resolve = () => {}
  let reject: (error: unknown) => void = () => {}
  const done = new Promise<void>((onDone, onFailed) => {
    resolve = onDone
    reject = onFailed
  })
  return { records, next: 0, unacknowledged: records.length, done, resolve, reject }
}

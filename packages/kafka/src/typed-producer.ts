import {
  type ColumnRecord,
  ConfigurationError,
  type InputOf,
  type PartitionRecord,
  type Runtime,
  StockpipeError,
  systemRuntime,
  type TopicDefinition,
} from '@stockpipe/core'
import { batchCompression } from './compression.ts'
import { type DeliveryReport, SendCall } from './delivery-report.ts'
import { noStatistics, type ProducerStatistics } from './delivery-settings.ts'
import { partitionOfKey } from './murmur2.ts'
import { batchLimits } from './outgoing-records.ts'
import { KafkajsProducerConnection } from './producer-connection.ts'
import {
  checkDeliveryNumbers,
  defaultDeliveryTimeoutMillis,
  type ProducerOptions,
} from './producer-options.ts'
import { RecordDelivery } from './record-delivery.ts'
import { type RowToRecord, rowToRecord } from './row-records.ts'
import { settledWithin } from './waiting.ts'

/** A producer of the rows of one topic. */
export interface TypedProducer<Row> extends AsyncDisposable {
  /**
   * Connects and learns the topic's partitions, once; again is no harm. Throws when the topic is missing or has fewer than
   * defined, and `PRODUCER_CLOSED`.
   */
  connect(): Promise<void>
  /**
   * Sends rows and tells where each one is; resolves when all are acknowledged by all in-sync replicas. None is lost and
   * none doubled, whatever happens to leaders and connections meanwhile. Calls need not await each other: rows keep
   * their order within a partition, and rows of waiting calls share requests.
   *
   * Rejects before any of its rows is sent with a `SchemaMismatchError` `ROW_INVALID` naming row and column,
   * `RECORD_TOO_LARGE` or `PARTITION_OUT_OF_RANGE`; later with a `DeliveryError` (`DELIVERY_FAILED`, `DELIVERY_TIMED_OUT`,
   * `DELIVERY_ABORTED`) that tells which rows are acknowledged, which are not written, and of which it is not known.
   */
  send(rows: readonly Row[], options?: SendOptions): Promise<DeliveryReport>
  /** Sends without waiting for company; resolves when every row passed so far is acknowledged, or rejects as the first failed call. */
  flush(): Promise<void>
  /**
   * Takes no more rows, waits for those it has, and disconnects. What is not acknowledged after `timeoutMillis` is given
   * up: its `send` rejects with `DELIVERY_ABORTED`. Default: each row has its `deliveryTimeoutMillis`.
   */
  close(options?: { readonly timeoutMillis?: number }): Promise<void>
  readonly statistics: ProducerStatistics
}

export interface SendOptions {
  /** The partition of all rows of the call, instead of the one their key chooses. */
  readonly partition?: number
}

/**
 * Makes a producer for a topic definition. A row goes to the partition that Kafka's Java client chooses for its key;
 * rows without a key are spread one by one. The number of partitions is the one at `connect`.
 */
export const createProducer = <Columns extends ColumnRecord, Partitions extends PartitionRecord>(
  options: ProducerOptions<Columns, Partitions>,
): TypedProducer<InputOf<Columns>> => new TopicProducer(options)

class TopicProducer<Columns extends ColumnRecord, Partitions extends PartitionRecord>
  implements TypedProducer<InputOf<Columns>>
{
  readonly #options: ProducerOptions<Columns, Partitions>
  readonly #runtime: Runtime
  readonly #topic: TopicDefinition
  readonly #recordOf: RowToRecord<InputOf<Columns>>
  readonly #bufferBytes: number
  readonly #connection: KafkajsProducerConnection
  readonly #calls = new Set<Promise<unknown>>()
  #delivery: RecordDelivery | undefined
  #partitions = 0
  #turn: number
  #closing: Promise<void> | undefined
  /** Calls are let in one after another, so that a small one cannot overtake. */
  #admission: Promise<void> = Promise.resolve()
  #wake = () => {}
  readonly #onAbort = () => this.#abandon('the signal of the producer aborted', this.#options.signal?.reason)

  constructor(options: ProducerOptions<Columns, Partitions>) {
    this.#options = options
    this.#runtime = options.runtime ?? systemRuntime
    this.#topic = options.topic as unknown as TopicDefinition
    checkDeliveryNumbers(options, this.#topic.name)
    this.#recordOf = rowToRecord(options.topic, batchLimits(options))
    this.#bufferBytes = options.bufferBytes ?? 32 * 1024 * 1024
    this.#turn = Math.floor(this.#runtime.random() * 2 ** 20)
    this.#connection = new KafkajsProducerConnection({
      kafka: options.kafka,
      topic: this.#topic,
      runtime: this.#runtime,
    })
  }

  get statistics(): ProducerStatistics {
    return this.#delivery?.statistics ?? noStatistics
  }

  async connect(): Promise<void> {
    const { signal, compression = 'zstd' } = this.#options
    if (this.#closing) throw this.#unusable('closed')
    if (this.#delivery) return
    const codec = await batchCompression(compression)
    const partitions = await this.#connection.connect(signal)
    if (this.#closing) throw this.#unusable('closed')
    // Connected twice at once: the partitions of the first one count.
    if (this.#delivery) return
    this.#partitions = partitions
    this.#delivery = new RecordDelivery({
      topic: this.#topic.name,
      partitions,
      connection: this.#connection,
      compression: codec,
      limits: batchLimits(this.#options),
      lingerMillis: this.#options.lingerMillis ?? 5,
      maxInFlightRequests: this.#options.maxInFlightRequests ?? 5,
      retries: this.#options.retries ?? Number.POSITIVE_INFINITY,
      deliveryTimeoutMillis: this.#options.deliveryTimeoutMillis ?? defaultDeliveryTimeoutMillis,
      runtime: this.#runtime,
      onRoom: () => this.#wake(),
    })
    signal?.addEventListener('abort', this.#onAbort, { once: true })
    if (signal?.aborted) this.#onAbort()
  }

  async send(rows: readonly InputOf<Columns>[], options: SendOptions = {}): Promise<DeliveryReport> {
    const delivery = this.#openDelivery()
    this.#admission = this.#admission.then(() => this.#room())
    await this.#admission
    const records = rows.map((row, index) =>
      this.#recordOf(row, index, (key) => this.#partitionOf(key, row, index, options)),
    )
    const call = new SendCall(this.#topic.name, rows.length)
    const forget = () => void this.#calls.delete(call.done)
    this.#calls.add(call.done)
    call.done.then(forget, forget)
    delivery.add(records, call)
    return call.done
  }

  async flush(): Promise<void> {
    await this.#sendAll()
    await Promise.all(this.#calls)
  }

  close({ timeoutMillis }: { readonly timeoutMillis?: number } = {}): Promise<void> {
    this.#closing ??= this.#drain(timeoutMillis)
    return this.#closing
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }

  async #drain(timeoutMillis: number | undefined): Promise<void> {
    const drained = this.#sendAll().then(() => Promise.allSettled(this.#calls))
    if (timeoutMillis === undefined) await drained
    else if (!(await settledWithin(this.#runtime, timeoutMillis, drained))) {
      this.#abandon(`the producer was closed and had ${timeoutMillis} ms for them`)
    }
    this.#options.signal?.removeEventListener('abort', this.#onAbort)
    await this.#connection.close()
  }

  /** Sends what waits for company, and what waits for room behind it. */
  async #sendAll(): Promise<void> {
    this.#delivery?.flush()
    await this.#admission
    this.#delivery?.flush()
  }

  #abandon(reason: string, cause?: unknown): void {
    this.#closing ??= this.#drain(undefined)
    this.#closing.catch(() => {})
    this.#delivery?.abandon({ code: 'DELIVERY_ABORTED', reason, passing: false, cause })
    this.#wake()
  }

  #openDelivery(): RecordDelivery {
    if (this.#delivery && !this.#closing) return this.#delivery
    throw this.#unusable(this.#closing ? 'closed' : 'not connected')
  }

  #unusable(state: 'closed' | 'not connected'): StockpipeError {
    return new StockpipeError({
      code: state === 'closed' ? 'PRODUCER_CLOSED' : 'PRODUCER_NOT_CONNECTED',
      message: `The producer of topic ${this.#topic.name} is ${state === 'closed' ? state : `${state}: await connect() first`}.`,
      facts: { topic: this.#topic.name },
    })
  }

  #partitionOf(key: string | null, row: InputOf<Columns>, index: number, options: SendOptions): number {
    const { partitionOf } = this.#options
    const chosen = options.partition ?? partitionOf?.(row, this.#partitions)
    if (chosen === undefined) {
      if (key === null) return this.#turn++ % this.#partitions
      return partitionOfKey(Buffer.from(key), this.#partitions)
    }
    if (Number.isInteger(chosen) && chosen >= 0 && chosen < this.#partitions) return chosen
    throw new ConfigurationError({
      code: 'PARTITION_OUT_OF_RANGE',
      message: `Row ${index}: topic ${this.#topic.name} has no partition ${chosen}, only 0 to ${this.#partitions - 1}.`,
      facts: { topic: this.#topic.name, row: index, partition: chosen, partitions: this.#partitions },
    })
  }

  async #room(): Promise<void> {
    while (!this.#options.signal?.aborted && (this.#delivery?.bufferedBytes ?? 0) >= this.#bufferBytes) {
      // No company comes while nobody is let in.
      this.#delivery?.flush()
      await new Promise<void>((resolve) => {
        this.#wake = resolve
      })
    }
  }
}

import { type Runtime, StockpipeError, type TopicDefinition } from '@stockpipe/core'
import type { CompressionTypes, Kafka, Producer } from 'kafkajs'
import { logRanges, withAdmin } from './admin-session.ts'
import { tooFewPartitions } from './ensure-topics.ts'
import { kafkaFailure } from './kafka-failure.ts'
import type { OutgoingBatch } from './outgoing-records.ts'
import { abortable, settledWithin } from './waiting.ts'

export interface BatchSenderOptions {
  readonly kafka: Kafka
  readonly topic: TopicDefinition
  readonly idempotent: boolean
  readonly compression: CompressionTypes | undefined
  readonly runtime: Runtime
}

const disconnectMillis = 2000

/** Sends batches over kafkajs and checks the answer of every partition, which kafkajs does not. */
export class BatchSender {
  readonly #options: BatchSenderOptions
  readonly #producer: Producer
  /** Calls kafkajs has not answered yet. */
  readonly #underWay = new Set<Promise<unknown>>()

  constructor(options: BatchSenderOptions) {
    this.#options = options
    this.#producer = options.kafka.producer({
      idempotent: options.idempotent,
      // Several requests at once could be reordered by a retry.
      maxInFlightRequests: 1,
      allowAutoTopicCreation: false,
      createPartitioner: () => (args) => args.message.partition!,
    })
  }

  /** Connects; answers how many partitions the topic has. Throws when there are fewer than defined. */
  async connect(signal?: AbortSignal): Promise<number> {
    const { kafka, topic, runtime } = this.#options
    const ranges = await withAdmin(kafka, { runtime, signal }, (admin) => logRanges(admin, topic.name))
    if (ranges.size < topic.partitions) throw tooFewPartitions(topic, ranges.size)
    try {
      await abortable(this.#track(this.#producer.connect()), signal)
    } catch (error) {
      signal?.throwIfAborted()
      throw kafkaFailure(error, {
        code: 'KAFKA_UNREACHABLE',
        doing: 'connecting a producer',
        retryable: true,
      })
    }
    return ranges.size
  }

  /**
   * Sends a batch and answers the offset of the first record of each partition.
   * Throws a `StockpipeError` `DELIVERY_FAILED`, or `DELIVERY_INCOMPLETE` naming the partitions nobody answered for.
   */
  async send(batch: OutgoingBatch): Promise<ReadonlyMap<number, bigint>> {
    const { topic, compression, runtime } = this.#options
    const timestamp = String(runtime.now())
    const facts = { topic: topic.name, records: batch.records.length }
    const sent = this.#producer.send({
      topic: topic.name,
      acks: -1,
      messages: batch.records.map(({ key, value, partition }) => ({ key, value, partition, timestamp })),
      ...(compression === undefined ? {} : { compression }),
    })
    const answers = await this.#track(sent).catch((error) => {
      const doing = `sending ${batch.records.length} records to topic ${topic.name}`
      throw kafkaFailure(error, { code: 'DELIVERY_FAILED', doing, facts })
    })
    const offsets = new Map<number, bigint>()
    for (const { partition, errorCode, baseOffset } of answers) {
      if (errorCode === 0 && baseOffset !== undefined) offsets.set(partition, BigInt(baseOffset))
    }
    const counts = batch.counts()
    const missing = [...counts.keys()].filter((partition) => !offsets.has(partition)).sort((a, b) => a - b)
    if (missing.length > 0) {
      const lost = missing.reduce((sum, partition) => sum + counts.get(partition)!, 0)
      throw new StockpipeError({
        code: 'DELIVERY_INCOMPLETE',
        message:
          `${lost} of ${batch.records.length} records for topic ${topic.name} were not acknowledged: no answer for ` +
          `partitions ${missing.join(', ')}, whose leader moved while they were sent. Whether they arrived is not known.`,
        facts: { ...facts, partitions: missing.join(','), unacknowledged: lost },
      })
    }
    return offsets
  }

  /**
   * Lets the calls under way end and disconnects, giving up on either after two seconds: kafkajs that is disconnected
   * beneath a call connects again for it.
   */
  async close(): Promise<void> {
    const { runtime } = this.#options
    await settledWithin(runtime, disconnectMillis, Promise.allSettled([...this.#underWay]))
    await settledWithin(runtime, disconnectMillis, this.#producer.disconnect())
  }

  #track<T>(call: Promise<T>): Promise<T> {
    this.#underWay.add(call)
    const forget = () => void this.#underWay.delete(call)
    call.then(forget, forget)
    return call
  }
}

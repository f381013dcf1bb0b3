import {
  type DeadLetter,
  type DeadLetterPublisher,
  type Runtime,
  StockpipeError,
  systemRuntime,
} from '@stockpipe/core'
import type { IHeaders, Kafka, Message, Producer } from 'kafkajs'
import { logRanges, requireTopic, withAdmin } from './admin-session.ts'
import { brokerErrorOf, kafkaFailure } from './kafka-failure.ts'
import { partitionOfKey } from './murmur2.ts'
import { abortable, settledWithin } from './waiting.ts'

/** Names of the headers that say where a dead letter comes from and why it is one. */
export const deadLetterHeaders = {
  /** `topic/partition/offset` of the record; the same each time it is sent, so that consumers can drop repeats. */
  record: 'stockpipe-dead-letter',
  /** Milliseconds since the epoch. */
  timestamp: 'stockpipe-dead-letter-timestamp',
  column: 'stockpipe-dead-letter-column',
  reason: 'stockpipe-dead-letter-reason',
} as const

const ours: ReadonlySet<string> = new Set(Object.values(deadLetterHeaders))

/** Failures that another attempt does not change. */
const lasting: ReadonlySet<string | undefined> = new Set([
  'MESSAGE_TOO_LARGE',
  'RECORD_LIST_TOO_LARGE',
  'INVALID_RECORD',
  'TOPIC_AUTHORIZATION_FAILED',
  'CLUSTER_AUTHORIZATION_FAILED',
])
const batchBytes = 500_000
const batchRecords = 1_000
const disconnectMillis = 2_000

export interface DeadLetterTopicOptions {
  /** Made by the program: brokers, TLS, SASL, logging and retries are its own. */
  readonly kafka: Kafka
  /** A topic that is there already. */
  readonly topic: string
  readonly runtime?: Runtime
}

/** Sends dead letters to one topic; `close()` disconnects, and is the program's to call after the sink's. */
export interface DeadLetterTopic extends DeadLetterPublisher, AsyncDisposable {
  close(): Promise<void>
}

class KafkaDeadLetterTopic implements DeadLetterTopic {
  readonly #options: DeadLetterTopicOptions
  readonly #runtime: Runtime
  readonly #producer: Producer
  #partitions: Promise<number> | undefined

  constructor(options: DeadLetterTopicOptions) {
    this.#options = options
    this.#runtime = options.runtime ?? systemRuntime
    this.#producer = options.kafka.producer({
      // Several requests at once could be reordered by a retry.
      maxInFlightRequests: 1,
      allowAutoTopicCreation: false,
      createPartitioner: () => (args) => args.message.partition!,
    })
  }

  async publish(
    deadLetters: readonly DeadLetter[],
    { signal }: { readonly signal?: AbortSignal } = {},
  ): Promise<void> {
    const partitions = await this.#connected(signal)
    let batch: Message[] = []
    let bytes = 0
    for (const deadLetter of deadLetters) {
      const message = messageOf(deadLetter, partitions)
      const size = sizeOf(message)
      if (batch.length > 0 && (bytes + size > batchBytes || batch.length === batchRecords)) {
        await this.#send(batch, signal)
        batch = []
        bytes = 0
      }
      batch.push(message)
      bytes += size
    }
    if (batch.length > 0) await this.#send(batch, signal)
  }

  async close(): Promise<void> {
    await settledWithin(this.#runtime, disconnectMillis, this.#producer.disconnect())
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }

  /** Answers how many partitions the topic has. */
  async #connected(signal: AbortSignal | undefined): Promise<number> {
    const partitions = (this.#partitions ??= this.#connect())
    try {
      return await abortable(partitions, signal)
    } catch (error) {
      if (this.#partitions === partitions) this.#partitions = undefined
      throw error
    }
  }

  async #connect(): Promise<number> {
    const { kafka, topic } = this.#options
    const ranges = await withAdmin(kafka, { runtime: this.#runtime }, async (admin) => {
      await requireTopic(admin, topic)
      return logRanges(admin, topic)
    })
    await this.#producer.connect().catch((error) => {
      throw kafkaFailure(error, {
        code: 'KAFKA_UNREACHABLE',
        doing: 'connecting a producer of dead letters',
        retryable: true,
      })
    })
    return ranges.size
  }

  async #send(messages: Message[], signal: AbortSignal | undefined): Promise<void> {
    const { topic } = this.#options
    const facts = { topic, records: messages.length }
    const timestamp = String(this.#runtime.now())
    const sending = this.#producer.send({
      topic,
      acks: -1,
      messages: messages.map((message) => ({ ...message, timestamp })),
    })
    const answers = await abortable(sending, signal).catch((error) => {
      signal?.throwIfAborted()
      throw kafkaFailure(error, {
        code: 'DEAD_LETTERS_UNDELIVERED',
        doing: `sending ${messages.length} dead letters to topic ${topic}`,
        retryable: !lasting.has(brokerErrorOf(error)),
        facts,
      })
    })
    // kafkajs leaves partitions out of its answer when their leader moves.
    const answered = new Set(
      answers.filter(({ errorCode }) => errorCode === 0).map(({ partition }) => partition),
    )
    const missing = [...new Set(messages.map(({ partition }) => partition!))].filter(
      (partition) => !answered.has(partition),
    )
    if (missing.length === 0) return
    throw new StockpipeError({
      code: 'DEAD_LETTERS_UNDELIVERED',
      message: `Nobody acknowledged dead letters for partitions ${missing.join(', ')} of topic ${topic}: their leader moved while they were sent. Send them again.`,
      retryable: true,
      facts: { ...facts, partitions: missing.join(',') },
    })
  }
}

const messageOf = (deadLetter: DeadLetter, partitions: number): Message => {
  const { topic, partition, offset, timestampMillis, key, value, column, reason } = deadLetter
  const headers: Record<string, (Buffer | string)[]> = Object.create(null)
  for (const [name, bytes] of deadLetter.headers) {
    // A record that was replayed before says anew where it comes from.
    if (!ours.has(name)) (headers[name] ??= []).push(bytes === null ? '' : Buffer.from(bytes))
  }
  headers[deadLetterHeaders.record] = [`${topic}/${partition}/${offset}`]
  headers[deadLetterHeaders.timestamp] = [String(timestampMillis)]
  if (column !== null) headers[deadLetterHeaders.column] = [column]
  headers[deadLetterHeaders.reason] = [reason]
  return {
    key: key && Buffer.from(key),
    value: value && Buffer.from(value),
    headers: headers as IHeaders,
    partition: key ? partitionOfKey(key, partitions) : partition % partitions,
  }
}

const sizeOf = ({ key, value, headers }: Message): number => {
  let size = 64 + (key?.length ?? 0) + (value?.length ?? 0)
  for (const [name, values] of Object.entries(headers ?? {})) {
    for (const one of values as (Buffer | string)[]) size += name.length + one.length + 10
  }
  return size
}

/**
 * A topic for dead letters: `deadLetters.publisher` of the sink, and what a replay sends to. Records keep key, value
 * and headers, and get `deadLetterHeaders`; a record with a key goes to the partition Java's client would choose, one
 * without to that of its own number. At least once: a batch nobody acknowledged is sent again by whoever called.
 *
 * kafkajs cannot send everything: headers of one name come together, and one without a value arrives with an empty one.
 *
 * `publish` rejects with a `StockpipeError`: `TOPIC_UNKNOWN`, `TOPIC_METADATA_FAILED`, `TOPIC_OFFSETS_FAILED`,
 * `KAFKA_UNREACHABLE`, or `DEAD_LETTERS_UNDELIVERED`.
 */
export const createDeadLetterTopic = (options: DeadLetterTopicOptions): DeadLetterTopic =>
  new KafkaDeadLetterTopic(options)

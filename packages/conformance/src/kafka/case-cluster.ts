import { randomBytes } from 'node:crypto'
import {
  type Admin,
  type Consumer,
  type ConsumerConfig,
  type EachMessagePayload,
  Kafka,
  type KafkaConfig,
  logLevel,
  type Producer,
  type ProducerConfig,
} from 'kafkajs'
import { it } from 'vitest'
import type { KafkaSubject } from './describe-kafka.ts'
import { type FetchAnswer, fetch, listOffset, produce } from './wire-api.ts'
import { WireClient } from './wire-client.ts'

/** What a client shows a broker that asks who it is. */
export type KafkaSecurity = Pick<KafkaConfig, 'ssl' | 'sasl'>

/** One case's view of the cluster: names nobody else uses, and clients that end with the case. */
export class CaseCluster {
  readonly #brokers: string[]
  readonly #security: KafkaSecurity
  readonly #cleanups: (() => unknown)[] = []

  constructor({ brokers }: Pick<KafkaSubject, 'brokers'>, security: KafkaSecurity = {}) {
    this.#brokers = brokers
    this.#security = security
  }

  /** A name for a topic, group or transactional id that no other case has. */
  name(prefix: string): string {
    return `${prefix}-${randomBytes(6).toString('hex')}`
  }

  kafka(retries = 8): Kafka {
    return new Kafka({
      clientId: 'conformance',
      brokers: this.#brokers,
      logLevel: logLevel.NOTHING,
      retry: { retries, initialRetryTime: 50 },
      ...this.#security,
    })
  }

  async admin(retries?: number): Promise<Admin> {
    return await this.#connected(this.kafka(retries).admin())
  }

  async producer(config?: ProducerConfig, retries?: number): Promise<Producer> {
    return await this.#connected(this.kafka(retries).producer(config))
  }

  async consumer(config: ConsumerConfig, retries?: number): Promise<Consumer> {
    const settings = { maxWaitTimeInMs: 100, heartbeatInterval: 200, ...config }
    return await this.#connected(this.kafka(retries).consumer(settings))
  }

  async wire(): Promise<WireClient> {
    const client = await WireClient.connect(this.#brokers[0]!)
    this.#cleanups.push(() => client.close())
    return client
  }

  /** Creates a topic, waits until its partitions can be written to, and gives back its name. */
  async topic(
    options: { name?: string; partitions?: number; configs?: Readonly<Record<string, string>> } = {},
  ): Promise<string> {
    const { name: topic = this.name('topic'), partitions = 1, configs = {} } = options
    const admin = await this.admin()
    const configEntries = Object.entries(configs).map(([name, value]) => ({ name, value }))
    const topics = [{ topic, numPartitions: partitions, configEntries }]
    await admin.createTopics({ waitForLeaders: false, topics })
    await this.ready(topic, partitions)
    return topic
  }

  /** Waits until the broker serves so many partitions of a topic. */
  async ready(topic: string, partitionCount: number): Promise<void> {
    type Answer = { topicMetadata: { partitionMetadata: { partitionErrorCode: number }[] }[] }
    const wire = await this.wire()
    await this.until(
      async () =>
        (await wire.ask('metadata', 6, { topics: [topic], allowAutoTopicCreation: false })) as Answer,
      ({ topicMetadata }) => {
        const served = topicMetadata[0]!.partitionMetadata.filter((each) => each.partitionErrorCode === 0)
        return served.length === partitionCount
      },
    )
    // Metadata and the leader itself learn of a partition one after the other.
    for (let partition = 0; partition < partitionCount; partition++) {
      await this.until(
        () => listOffset(wire, topic, -2, { partition }),
        ({ errorCode }) => errorCode === 0,
      )
    }
  }

  /** Writes each value as a batch of its own. */
  async write(topic: string, values: readonly string[], partition = 0): Promise<void> {
    const wire = await this.wire()
    for (const value of values) {
      const { errorCode } = await produce(wire, { topic, partition, messages: [{ value }] })
      if (errorCode !== 0) throw new Error(`Produce answered error ${errorCode}.`)
    }
  }

  /** Consumes as a group until `count` messages are there. */
  async consume(
    topic: string,
    count: number,
    options: { fromBeginning?: boolean; groupId?: string } = {},
  ): Promise<EachMessagePayload[]> {
    const consumer = await this.consumer({ groupId: options.groupId ?? this.name('group') })
    await consumer.subscribe({ topic, fromBeginning: options.fromBeginning ?? true })
    const received: EachMessagePayload[] = []
    await new Promise<void>((resolve, reject) => {
      consumer.on('consumer.crash', ({ payload }) => reject(payload.error))
      const eachMessage = async (payload: EachMessagePayload) => {
        received.push(payload)
        if (received.length >= count) resolve()
      }
      consumer.run({ eachMessage }).catch(reject)
    })
    return received
  }

  /** What a reader of committed records sees when every transaction of the partition has ended. */
  async readCommitted(topic: string, partition = 0): Promise<string[]> {
    const wire = await this.wire()
    const answer = await this.until(
      () => fetch(wire, { topic, partition, offset: 0, isolationLevel: 1 }),
      (found) => found.lastStableOffset === found.highWatermark,
    )
    return committedValues(answer)
  }

  /** Asks until the answer is the awaited one; a minute at most. */
  async until<Answer>(ask: () => Promise<Answer>, isAwaited: (answer: Answer) => boolean): Promise<Answer> {
    const deadlineMillis = performance.now() + 60_000
    for (;;) {
      const answer = await ask()
      if (isAwaited(answer)) return answer
      if (performance.now() > deadlineMillis) throw new Error(`In vain: ${JSON.stringify(answer)}`)
      await new Promise((resolve) => setTimeout(resolve, 50))
    }
  }

  async close(): Promise<void> {
    await Promise.all(this.#cleanups.splice(0).map((cleanup) => cleanup()))
  }

  async #connected<Client extends Admin | Producer | Consumer>(client: Client): Promise<Client> {
    this.#cleanups.push(() => client.disconnect())
    await client.connect()
    return client
  }
}

/** Values of records that belong to no aborted transaction, as a consumer filters them. */
const committedValues = (answer: FetchAnswer): string[] => {
  const pending = [...answer.abortedTransactions]
  const aborting = new Set<string>()
  const values: string[] = []
  for (const { offset, key, value, isControlRecord, batchContext } of answer.messages) {
    while (pending[0] !== undefined && BigInt(pending[0].firstOffset) <= BigInt(offset)) {
      aborting.add(pending.shift()!.producerId)
    }
    if (isControlRecord) {
      const isAbort = key?.readInt16BE(2) === 0
      if (isAbort) aborting.delete(String(batchContext.producerId))
    } else if (!aborting.has(String(batchContext.producerId))) values.push(String(value))
  }
  return values
}

/** Registers cases that run side by side, each with a view of the cluster of its own. */
export type KafkaCase = (
  sentence: string,
  run: (cluster: CaseCluster, subject: KafkaSubject) => Promise<void>,
) => void

export const casesOf =
  (subject: () => KafkaSubject): KafkaCase =>
  (sentence, run) => {
    it.concurrent(sentence, async () => {
      const cluster = new CaseCluster(subject())
      try {
        await run(cluster, subject())
      } finally {
        await cluster.close()
      }
    })
  }

export interface KafkaJsError extends Error {
  readonly type?: string
  readonly code?: number
  readonly retriable?: boolean
  readonly errors?: readonly { type: string }[]
  readonly groups?: readonly { error: { type: string } }[]
  readonly cause?: KafkaJsError
}

/** What kafkajs rejected with; fails when it resolved. */
export const refusal = async (promise: Promise<unknown>): Promise<KafkaJsError> => {
  const outcome = await promise.then(
    (value) => ({ value }),
    (error: KafkaJsError) => ({ error }),
  )
  if ('error' in outcome) return outcome.error
  throw new Error(`It was expected to be refused, but answered ${JSON.stringify(outcome.value)}.`)
}

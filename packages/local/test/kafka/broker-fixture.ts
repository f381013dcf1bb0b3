import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import {
  type Admin,
  type Consumer,
  type ConsumerConfig,
  Kafka,
  logLevel,
  type Producer,
  type ProducerConfig,
} from 'kafkajs'
import { onTestFinished } from 'vitest'
import { type KafkaBroker, type KafkaBrokerOptions, startKafkaBroker } from '../../src/kafka/kafka-broker.ts'

/** Runs `cleanup` when the test is over; the last one given runs first. */
export const afterTest = (cleanup: () => unknown): void =>
  onTestFinished(async () => {
    await cleanup()
  })

/** A new directory that goes when the test is over. */
export const temporaryDirectory = (): string => {
  const directory = mkdtempSync(join(tmpdir(), 'stockpipe-kafka-'))
  afterTest(() => rmSync(directory, { recursive: true, force: true }))
  return directory
}

/** A broker on any free port that ends with the test. */
export const startTestBroker = async (options: Partial<KafkaBrokerOptions> = {}): Promise<KafkaBroker> => {
  const dataDirectory = options.dataDirectory ?? temporaryDirectory()
  const broker = await startKafkaBroker({ port: 0, ...options, dataDirectory })
  afterTest(() => broker.close())
  return broker
}

/** An unmodified kafkajs client that keeps silent. */
export const kafkajsClient = (broker: KafkaBroker, retries = 1): Kafka =>
  new Kafka({
    clientId: 'test',
    brokers: broker.brokers,
    logLevel: logLevel.NOTHING,
    retry: { retries, initialRetryTime: 50 },
  })

interface KafkajsError extends Error {
  readonly type?: string
  readonly code?: number | string
  readonly errors?: readonly { type: string }[]
  readonly cause?: { type?: string }
}

/** What kafkajs rejected with; fails when it resolved. */
export const refusal = async (promise: Promise<unknown>): Promise<KafkajsError> => {
  try {
    await promise
  } catch (error) {
    return error as KafkajsError
  }
  throw new Error('It was expected to be refused, but it succeeded.')
}

export const connectedAdmin = async (kafka: Kafka): Promise<Admin> => {
  const admin = kafka.admin()
  await admin.connect()
  afterTest(() => admin.disconnect())
  return admin
}

export const connectedProducer = async (kafka: Kafka, config?: ProducerConfig): Promise<Producer> => {
  const producer = kafka.producer(config)
  await producer.connect()
  afterTest(() => producer.disconnect())
  return producer
}

/** A consumer that waits briefly in a fetch, so that it also ends soon. */
export const connectedConsumer = async (kafka: Kafka, config: ConsumerConfig): Promise<Consumer> => {
  const consumer = kafka.consumer({ maxWaitTimeInMs: 100, heartbeatInterval: 200, ...config })
  await consumer.connect()
  afterTest(() => consumer.disconnect())
  return consumer
}

/** Waits until `condition` holds; fails with `what` after ten seconds. */
export const until = async (what: string, condition: () => boolean): Promise<void> => {
  const deadlineMillis = performance.now() + 10_000
  while (!condition()) {
    if (performance.now() > deadlineMillis) throw new Error(`Waited 10 s in vain for: ${what}`)
    await new Promise((resolve) => setTimeout(resolve, 10))
  }
}

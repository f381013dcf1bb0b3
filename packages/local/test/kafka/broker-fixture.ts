import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Kafka, logLevel } from 'kafkajs'
import { afterEach } from 'vitest'
import { type KafkaBroker, type KafkaBrokerOptions, startKafkaBroker } from '../../src/kafka/kafka-broker.ts'

const cleanups: (() => unknown)[] = []

afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup()
})

/** Runs `cleanup` when the test is over; the last one given runs first. */
export const afterTest = (cleanup: () => unknown): void => {
  cleanups.push(cleanup)
}

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

import { readdirSync, statSync, truncateSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { defineTable, defineTopic, t } from '@stockpipe/core'
import { type Admin, Kafka, logLevel, type SASLOptions } from 'kafkajs'
import { afterAll } from 'vitest'
import type { KafkaFaults } from '../../local/src/kafka/faults/fault.ts'
import {
  type KafkaBroker,
  type KafkaBrokerOptions,
  startKafkaBroker,
} from '../../local/src/kafka/kafka-broker.ts'

const cleanups: (() => unknown)[] = []
// Not after each: tests of a file may run side by side.
afterAll(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup()
})

/** A broker on a free port with a client of its own; both end with the file's tests. */
export const startBroker = async (
  options: Partial<KafkaBrokerOptions> = {},
): Promise<{
  readonly kafka: Kafka
  readonly admin: Admin
  readonly brokers: string[]
  /** Those of the broker as it runs now. */
  readonly faults: KafkaFaults
  /** Ends the broker, and starts it again on the same port and directory after a while. */
  readonly restart: (awayMillis: number, whileAway?: () => unknown) => Promise<void>
  readonly dataDirectory: string
}> => {
  const dataDirectory = options.dataDirectory ?? (await mkdtemp(join(tmpdir(), 'stockpipe-kafka-')))
  cleanups.push(() => rm(dataDirectory, { recursive: true, force: true }))
  const start = (port: number): Promise<KafkaBroker> =>
    startKafkaBroker({ port, autoCreateTopics: false, ...options, dataDirectory })
  let broker = await start(0)
  cleanups.push(() => broker.close())
  const restart = async (awayMillis: number, whileAway = () => {}): Promise<void> => {
    const { port } = broker
    await broker.close()
    whileAway()
    await new Promise((resolve) => setTimeout(resolve, awayMillis))
    broker = await start(port)
  }
  const [user] = options.users ?? []
  const sasl = user && { mechanism: 'scram-sha-256' as const, username: user.name, password: user.password }
  // A certificate that signs itself is its own authority.
  const ssl = options.tls && { ca: [String(options.tls.cert)] }
  const kafka = clientOf(broker.brokers, 3, sasl, ssl)
  const admin = kafka.admin()
  await admin.connect()
  cleanups.push(() => admin.disconnect())
  return {
    kafka,
    admin,
    brokers: broker.brokers,
    get faults() {
      return broker.faults
    },
    restart,
    dataDirectory,
  }
}

/** Cuts the log of a partition while its broker is away, as a power loss without fsync or an unclean leader election does. */
export const cutLog = (dataDirectory: string, topic: string, partition: number, share: number): void => {
  const directory = join(dataDirectory, 'logs', `${topic}-${partition}`)
  const [segment] = readdirSync(directory).filter((name) => name.endsWith('.log'))
  const path = join(directory, segment!)
  truncateSync(path, Math.floor(statSync(path).size * share))
}

export const clientOf = (
  brokers: string[],
  retries = 3,
  sasl?: SASLOptions,
  ssl?: { readonly ca: string[] },
): Kafka =>
  new Kafka({
    ...(sasl ? { sasl } : {}),
    ...(ssl ? { ssl } : {}),
    clientId: 'test',
    brokers,
    logLevel: process.env['KAFKA_LOG'] ? logLevel.DEBUG : logLevel.NOTHING,
    retry: { retries, initialRetryTime: 50 },
  })

export const quotes = defineTable('quotes', {
  columns: { symbol: t.string(), price: t.decimal(18, 4), id: t.int64() },
})

export const quotesTopic = (name: string, partitions = 4) =>
  defineTopic(name, { table: quotes, key: 'symbol', partitions })

export interface Quote {
  readonly symbol: string
  readonly price: string
  readonly id: bigint
}

export const quotesFrom = (from: number, to: number): Quote[] =>
  Array.from({ length: to - from }, (_, index) => ({
    symbol: `S${(from + index) % 37}`,
    price: `${(from + index) % 1000}.25`,
    id: BigInt(from + index),
  }))

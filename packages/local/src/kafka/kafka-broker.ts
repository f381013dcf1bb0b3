import { randomBytes } from 'node:crypto'
import type { AddressInfo, Server, Socket } from 'node:net'
import { join } from 'node:path'
import type { TLSSocket } from 'node:tls'
import { StockpipeError } from '@stockpipe/core'
import { type Durability, withoutFsync } from '../durability.ts'
import type { BrokerServices } from './broker-services.ts'
import type { KafkaFaults } from './faults/fault.ts'
import { FaultInjector } from './faults/fault-injector.ts'
import { GroupCoordinator } from './groups/group-coordinator.ts'
import { OffsetStore } from './groups/offset-store.ts'
import { configHandlers } from './handlers/config-handlers.ts'
import { fetchHandlers } from './handlers/fetch-handlers.ts'
import { groupHandlers } from './handlers/group-handlers.ts'
import { offsetHandlers } from './handlers/offset-handlers.ts'
import { produceHandlers } from './handlers/produce-handlers.ts'
import { saslHandlers } from './handlers/sasl-handlers.ts'
import { topicHandlers } from './handlers/topic-handlers.ts'
import { transactionHandlers } from './handlers/transaction-handlers.ts'
import { Connection, type RequestLogEntry } from './network/connection.ts'
import { createDispatcher } from './network/dispatcher.ts'
import { createListener, failedHandshake, type KafkaTls } from './network/listener.ts'
import { type KafkaUser, KafkaUsers } from './sasl/kafka-users.ts'
import { DurableMap } from './storage/durable-map.ts'
import { TopicStore } from './topics/topic-store.ts'
import { ProducerIds } from './transactions/producer-ids.ts'
import { TransactionCoordinator } from './transactions/transaction-coordinator.ts'

export interface KafkaBrokerOptions {
  /** Where topics, messages and offsets are kept; made when it does not exist. */
  readonly dataDirectory: string
  /** What an answer waits for. Default: nothing beyond the operating system. */
  readonly durability?: Durability
  /** The address to listen on. Default 127.0.0.1. */
  readonly host?: string
  /** Default 9092; 0 takes any free port. */
  readonly port?: number
  /** Creates a topic of one partition when a client asks for one that is missing. Default true. */
  readonly autoCreateTopics?: boolean
  /** How long an empty group waits for further members. Default 0; Apache Kafka's is 3000. */
  readonly groupInitialRebalanceDelayMillis?: number
  /** How often retention is enforced. Default 300000, as in Apache Kafka. */
  readonly retentionCheckIntervalMillis?: number
  /** Who may use the broker, by SASL/PLAIN, SCRAM-SHA-256 or SCRAM-SHA-512. Default: everybody, without SASL. */
  readonly users?: readonly KafkaUser[]
  /** Speaks TLS only. Default: plaintext only. */
  readonly tls?: KafkaTls
  /** Told of every served request, of every connection closed for an error, and of every TLS handshake that failed. */
  readonly onRequest?: (entry: RequestLogEntry) => void
}

/** A Kafka broker inside this process, with its state in one directory. */
export interface KafkaBroker {
  readonly host: string
  readonly port: number
  /** What a client takes as its list of brokers. */
  readonly brokers: string[]
  /** Makes the broker fail on demand. */
  readonly faults: KafkaFaults
  /** Ends all connections, also waiting ones, and closes the logs. */
  close(): Promise<void>
  [Symbol.asyncDispose](): Promise<void>
}

/**
 * Starts a single-node Kafka broker that speaks the Kafka protocol over TCP.
 *
 * Throws a ConfigurationError for users or TLS settings it cannot take: `KAFKA_USERS_INVALID`, `KAFKA_TLS_INVALID`.
 * Throws a StockpipeError: `PORT_IN_USE` when the port is taken, `LISTEN_FAILED` when it cannot be listened on
 * for another reason, `DATA_DIRECTORY_DAMAGED` when what is on disk cannot be read.
 */
export const startKafkaBroker = async (options: KafkaBrokerOptions): Promise<KafkaBroker> => {
  const host = options.host ?? '127.0.0.1'
  const users = options.users && new KafkaUsers(options.users)
  const { server, socketEvent } = createListener(options.tls)
  // The port comes first: a broker that already owns it may be at work in the same directory.
  const port = await listen(server, host, options.port ?? 9092)
  let services: BrokerServices & { close(): void }
  try {
    services = openServices(options)
  } catch (error) {
    server.close()
    throw error
  }
  const faults = new FaultInjector(() => services.topics.all().map(({ name }) => name))
  const handlers = {
    ...topicHandlers(services),
    ...configHandlers(services),
    ...produceHandlers(services),
    ...fetchHandlers(services),
    ...offsetHandlers(services),
    ...groupHandlers(services),
    ...transactionHandlers(services),
    ...saslHandlers,
  }
  const dispatcher = createDispatcher(handlers, faults.intercept, options.durability)
  // Such as no file descriptor left for another connection: the others go on.
  server.on('error', () => undefined)
  const sockets = new Set<Socket>()
  const { onRequest } = options
  server.on('tlsClientError', (error: Error, socket: TLSSocket) => {
    try {
      onRequest?.(failedHandshake(error, socket))
    } catch {
      // A log that fails is no reason to end the broker.
    }
  })
  // Also those that are still shaking hands, so that `close` ends them.
  server.on('connection', (socket) => {
    sockets.add(socket)
    socket.on('close', () => sockets.delete(socket))
  })
  const connections = new Set<Connection>()
  server.on(socketEvent, (socket) => {
    const connection = new Connection(socket, dispatcher, { onRequest, users })
    connections.add(connection)
    socket.on('close', () => connections.delete(connection))
  })
  const retentionTimer = setInterval(
    () => services.topics.applyRetention(Date.now()),
    options.retentionCheckIntervalMillis ?? 300_000,
  ).unref()

  let closing: Promise<void> | undefined
  const close = () =>
    (closing ??= (async () => {
      clearInterval(retentionTimer)
      const closed = new Promise((resolve) => server.close(resolve))
      for (const connection of connections) connection.close()
      for (const socket of sockets) socket.destroy()
      await closed
      services.close()
    })())
  // Certificates are made for names.
  const advertisedHost = options.tls && ['127.0.0.1', '::1'].includes(host) ? 'localhost' : host
  const brokers = [`${bracketed(advertisedHost)}:${port}`]
  return { host, port, brokers, faults, close, [Symbol.asyncDispose]: close }
}

const openServices = (options: KafkaBrokerOptions): BrokerServices & { close(): void } => {
  const { dataDirectory, durability = withoutFsync } = options
  durability.makeDirectory(dataDirectory)
  const topics = new TopicStore(dataDirectory, durability)
  const offsets = new OffsetStore(dataDirectory, durability)
  const producerIds = new ProducerIds(dataDirectory, durability)
  const groups = new GroupCoordinator(offsets, options.groupInitialRebalanceDelayMillis ?? 0)
  const transactions = new TransactionCoordinator(dataDirectory, topics, offsets, producerIds, durability)
  topics.onDelete((topicName) => offsets.deleteTopic(topicName))
  return {
    clusterId: readClusterId(dataDirectory, durability),
    autoCreateTopics: options.autoCreateTopics ?? true,
    topics,
    offsets,
    groups,
    producerIds,
    transactions,
    close() {
      groups.close()
      transactions.close()
      producerIds.close()
      offsets.close()
      topics.close()
    },
  }
}

/** The id the cluster got with its directory. */
const readClusterId = (dataDirectory: string, durability: Durability): string => {
  const cluster = new DurableMap<string>(join(dataDirectory, 'cluster.jsonl'), durability)
  const clusterId = cluster.get('clusterId') ?? randomBytes(16).toString('base64url')
  if (cluster.get('clusterId') === undefined) cluster.set('clusterId', clusterId)
  cluster.close()
  return clusterId
}

const listen = (server: Server, host: string, port: number): Promise<number> =>
  new Promise((resolve, reject) => {
    server.once('error', (cause: NodeJS.ErrnoException) => {
      const isTaken = cause.code === 'EADDRINUSE'
      const message = isTaken
        ? `Port ${port} on ${host} is taken. Choose another port for Kafka, or any free one with --kafka-port 0.`
        : `Kafka cannot listen on ${host}:${port} (${cause.message}). Choose another host or port, such as --kafka-port 0.`
      const code = isTaken ? 'PORT_IN_USE' : 'LISTEN_FAILED'
      reject(new StockpipeError({ code, message, cause, facts: { host, port } }))
    })
    server.listen(port, host, () => resolve((server.address() as AddressInfo).port))
  })

const bracketed = (host: string): string => (host.includes(':') ? `[${host}]` : host)

import { rm } from 'node:fs/promises'
import path from 'node:path'
import { createAthenaService } from './athena/athena-service.ts'
import {
  dataDirectoryError,
  finishReset,
  makeDataDirectory,
  makeTemporaryDirectory,
  refuseForeignDirectory,
  resetDataDirectory,
} from './data-directory.ts'
import { lockDataDirectory } from './data-directory-lock.ts'
import { Durability } from './durability.ts'
import { createGlueService } from './glue/glue-service.ts'
import { type HttpPort, openHttpPort } from './http/http-port.ts'
import type { KafkaFaults } from './kafka/faults/fault.ts'
import { startKafkaBroker } from './kafka/kafka-broker.ts'
import type { KafkaTls } from './kafka/network/listener.ts'
import type { KafkaUser } from './kafka/sasl/kafka-users.ts'
import { isLoopback } from './loopback.ts'
import type { LocalRequest } from './request-log.ts'
import { FileObjectStorage } from './s3/file-object-storage.ts'
import { S3Faults } from './s3/s3-faults.ts'
import { createS3Service } from './s3/s3-service.ts'
import type { QueryEngine } from './sql/query-engine.ts'
import { TrinoEngine, trinoAddress } from './trino/trino-engine.ts'

export interface LocalStackOptions {
  /** Where everything is kept. Default: a temporary directory, removed on close. */
  readonly dataDir?: string
  /** Empties `dataDir` first, where it is a data directory and nobody else has it. Default false. */
  readonly reset?: boolean
  /**
   * Nothing is acknowledged before an fsync has put it, and the name of its file, on the disk: it survives a power loss
   * too. Each answer to a write then takes as long as the disk does. Default false: it survives the process, also
   * `kill -9`.
   */
  readonly fsync?: boolean
  /** Port of the HTTP services. Default 9000; 0: any free port. */
  readonly httpPort?: number
  /** Port of Kafka. Default 9092; 0: any free port. */
  readonly kafkaPort?: number
  /** Who may use Kafka, by SASL/PLAIN, SCRAM-SHA-256 or SCRAM-SHA-512. Default: everybody, without SASL. */
  readonly kafkaUsers?: readonly KafkaUser[]
  /** Kafka speaks TLS only. Default: plaintext only. */
  readonly kafkaTls?: KafkaTls
  /** Kafka creates a topic of one partition when a client asks for one that is missing. Default true. */
  readonly kafkaAutoCreateTopics?: boolean
  /**
   * `group.initial.rebalance.delay.ms`: how long a group without members waits for further ones once the first has come,
   * in milliseconds. Default 0; Apache Kafka's is 3000.
   */
  readonly kafkaGroupInitialRebalanceDelayMillis?: number
  /** `log.retention.check.interval.ms`: how often `retention.ms` and `retention.bytes` of topics are enforced. Default 300000. */
  readonly kafkaRetentionCheckIntervalMillis?: number
  /** The address both ports listen on. Default 127.0.0.1. */
  readonly host?: string
  /**
   * Glue jobs run although other machines can reach `host`: whoever can, and has the keys, then runs any program as this
   * process's user. Default false: they run where `host` is of this machine alone.
   */
  readonly allowJobs?: boolean
  /**
   * Who answers queries of Athena: a Trino of yours, as `http://host:port` or `http://user@host:port/catalog` (catalog
   * `awsdatacatalog` by default), whose Hive catalog has the Glue and S3 of this stack. Default: the embedded engine.
   */
  readonly athenaEngine?: { readonly trino: string }
  /** Default `stockpipe`. */
  readonly accessKeyId?: string
  /** Default `stockpipe-secret`. */
  readonly secretAccessKey?: string
  /** Told of every request of Kafka and of HTTP, once it is answered or its connection ended. What it throws is dropped. */
  readonly onRequest?: (request: LocalRequest) => void
}

/** Where the HTTP services are and what to sign requests with. */
export interface LocalAws {
  readonly endpoint: string
  readonly region: string
  readonly accessKeyId: string
  readonly secretAccessKey: string
}

/** Where the broker is. */
export interface LocalKafka {
  readonly host: string
  readonly port: number
  /** What a client takes as its list of brokers. */
  readonly brokers: string[]
  /** Makes the broker fail on demand. */
  readonly faults: KafkaFaults
}

/** What a test does to S3. */
export interface LocalS3 {
  /** Failures on demand. */
  readonly faults: S3Faults
}

/** A running local stack. */
export interface LocalStack {
  readonly kafka: LocalKafka
  readonly s3: LocalS3
  readonly aws: LocalAws
  readonly dataDir: string
  /** Ends every service, within 2 seconds; what was acknowledged stays in `dataDir`. */
  close(): Promise<void>
  [Symbol.asyncDispose](): Promise<void>
}

const region = 'us-east-1'

const endpointOf = ({ host, port }: HttpPort): string =>
  `http://${host.includes(':') ? `[${host}]` : host}:${port}`

const jobRefusal = (host: string): string =>
  `The local stack listens on ${host}, which other machines can reach: it runs jobs only with --allow-jobs (allowJobs), because a job is any program.`

/** Scripts run on this machine, which an address that means all of its addresses does not name. */
const requireStarted = (aws: LocalAws | undefined): LocalAws => {
  if (aws === undefined) throw new Error('The local stack has not started yet.')
  return { ...aws, endpoint: aws.endpoint.replace(/\/\/(?:0\.0\.0\.0|\[::\])(?=:\d+$)/, '//127.0.0.1') }
}

/** The Trino to pass queries to, or the embedded engine, opened at the first query. */
const queryEngineOf = (
  athenaEngine: LocalStackOptions['athenaEngine'],
  dataDir: string,
): QueryEngine | (() => Promise<QueryEngine>) =>
  athenaEngine === undefined
    ? () => openQueryEngine(dataDir)
    : new TrinoEngine(trinoAddress(athenaEngine.trino))

/** Loaded at the first query: the stack starts, and Kafka and S3 alone run, without DuckDB. */
const openQueryEngine = async (dataDir: string): Promise<QueryEngine> => {
  const { createQueryEngine } = await import('./sql/duckdb-query-engine.ts')
  return createQueryEngine({ dataDirectory: dataDir, allowedDirectories: [path.join(dataDir, 's3')] })
}

/** What is open so far, closed in the opposite order. */
class OpenParts {
  readonly #closers: (() => Promise<void>)[] = []
  #closed: Promise<void> | undefined

  add(close: () => Promise<void>): void {
    this.#closers.push(close)
  }

  /** Closes every part, also when one fails; rejects with the first failure. */
  close(): Promise<void> {
    this.#closed ??= (async () => {
      const failures: unknown[] = []
      for (const close of this.#closers.reverse()) {
        await close().catch((error: unknown) => failures.push(error))
      }
      if (failures.length > 0) throw failures[0]
    })()
    return this.#closed
  }
}

const openDataDirectory = async (
  options: LocalStackOptions,
  durability: Durability,
  parts: OpenParts,
): Promise<string> => {
  const { reset = false } = options
  const dataDir = await (options.dataDir === undefined
    ? makeTemporaryDirectory()
    : makeDataDirectory(options.dataDir, durability))
  if (options.dataDir === undefined) parts.add(() => rm(dataDir, { recursive: true, force: true }))
  // Before anything is put into a directory that may be somebody else's.
  if (reset) await refuseForeignDirectory(dataDir)
  const lock = await lockDataDirectory(dataDir)
  parts.add(() => lock.release())
  await (reset ? resetDataDirectory(dataDir, durability) : finishReset(dataDir, durability))
  return dataDir
}

/**
 * Starts the embedded services in this process, over one directory.
 * Throws `ConfigurationError`: `PORT_IN_USE`, `CANNOT_LISTEN`, `DATA_DIRECTORY_IN_USE` (by another stack, whose
 * pid it names), `DATA_DIRECTORY_UNUSABLE`, `NOT_A_DATA_DIRECTORY` (asked to reset a directory of somebody else), `INVALID_TRINO_URL`.
 */
export const startLocalStack = async (options: LocalStackOptions = {}): Promise<LocalStack> => {
  const { host = '127.0.0.1', accessKeyId = 'stockpipe', secretAccessKey = 'stockpipe-secret' } = options
  const { onRequest } = options
  const parts = new OpenParts()
  try {
    const durability = new Durability({ fsync: options.fsync ?? false })
    const dataDir = await openDataDirectory(options, durability, parts)
    parts.add(async () => durability.settled())
    const storage = await FileObjectStorage.open(dataDir, durability)
    let aws: LocalAws | undefined
    const glue = await createGlueService({
      dataDirectory: path.join(dataDir, 'glue'),
      storage,
      durability,
      jobs: {
        refusal: options.allowJobs || isLoopback(host) ? undefined : jobRefusal(host),
        endpoint: () => requireStarted(aws),
      },
    })
    parts.add(() => glue.close())
    const athena = await createAthenaService({
      dataDirectory: path.join(dataDir, 'athena'),
      storage,
      catalog: glue.catalog,
      durability,
      queryEngine: queryEngineOf(options.athenaEngine, dataDir),
    })
    parts.add(() => athena.close())
    const kafka = await startKafkaBroker({
      dataDirectory: path.join(dataDir, 'kafka'),
      durability,
      host,
      port: options.kafkaPort ?? 9_092,
      autoCreateTopics: options.kafkaAutoCreateTopics ?? true,
      groupInitialRebalanceDelayMillis: options.kafkaGroupInitialRebalanceDelayMillis ?? 0,
      retentionCheckIntervalMillis: options.kafkaRetentionCheckIntervalMillis ?? 300_000,
      ...(options.kafkaUsers && { users: options.kafkaUsers }),
      ...(options.kafkaTls && { tls: options.kafkaTls }),
      ...(onRequest && { onRequest: (entry) => onRequest({ service: 'kafka', ...entry }) }),
    })
    parts.add(() => kafka.close())
    const s3 = { faults: new S3Faults() }
    const http = await openHttpPort({
      host,
      port: options.httpPort ?? 9_000,
      credentials: { accessKeyId, secretAccessKey },
      s3: createS3Service(storage, s3.faults),
      jsonServices: [glue, athena],
      durability,
      ...(onRequest && { onRequest: (entry) => onRequest({ service: 'http', ...entry }) }),
    })
    parts.add(() => http.close())
    aws = { endpoint: endpointOf(http), region, accessKeyId, secretAccessKey }
    return {
      kafka: { host: kafka.host, port: kafka.port, brokers: kafka.brokers, faults: kafka.faults },
      s3,
      aws,
      dataDir,
      close: () => parts.close(),
      [Symbol.asyncDispose]: () => parts.close(),
    }
  } catch (error) {
    await parts.close().catch(() => undefined)
    throw dataDirectoryError(error, options.dataDir)
  }
}

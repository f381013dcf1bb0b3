import { mkdir, mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { ConfigurationError, StockpipeError } from '@stockpipe/core'
import { createAthenaService } from './athena/athena-service.ts'
import { lockDataDirectory } from './data-directory-lock.ts'
import { createGlueService } from './glue/glue-service.ts'
import { type HttpPort, openHttpPort } from './http/http-port.ts'
import { startKafkaBroker } from './kafka/kafka-broker.ts'
import { FileObjectStorage } from './s3/file-object-storage.ts'
import { createS3Service } from './s3/s3-service.ts'
import type { QueryEngine } from './sql/query-engine.ts'

export interface LocalStackOptions {
  /** Where everything is kept. Default: a temporary directory, removed on close. */
  readonly dataDir?: string
  /** Port of the HTTP services. Default 9000; 0: any free port. */
  readonly httpPort?: number
  /** Port of Kafka. Default 9092; 0: any free port. */
  readonly kafkaPort?: number
  /** The address both ports listen on. Default 127.0.0.1. */
  readonly host?: string
  /** Default `stockpipe`. */
  readonly accessKeyId?: string
  /** Default `stockpipe-secret`. */
  readonly secretAccessKey?: string
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
}

/** A running local stack. */
export interface LocalStack {
  readonly kafka: LocalKafka
  readonly aws: LocalAws
  readonly dataDir: string
  /** Ends every service, within 2 seconds; what was acknowledged stays in `dataDir`. */
  close(): Promise<void>
  [Symbol.asyncDispose](): Promise<void>
}

const region = 'us-east-1'

const endpointOf = ({ host, port }: HttpPort): string =>
  `http://${host.includes(':') ? `[${host}]` : host}:${port}`

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

const openDataDirectory = async (options: LocalStackOptions, parts: OpenParts): Promise<string> => {
  if (options.dataDir !== undefined) {
    const dataDir = path.resolve(options.dataDir)
    await mkdir(dataDir, { recursive: true })
    return dataDir
  }
  const dataDir = await mkdtemp(path.join(tmpdir(), 'stockpipe-local-'))
  parts.add(() => rm(dataDir, { recursive: true, force: true }))
  return dataDir
}

const unusableReasons: Readonly<Record<string, string>> = {
  EACCES: 'this user may not write to it',
  EPERM: 'this user may not write to it',
  EROFS: 'its file system is read-only',
  ENOSPC: 'no space is left on its file system',
  EDQUOT: "the user's quota of its file system is used up",
  ENOTDIR: 'a part of its path is a file',
  EEXIST: 'it is a file',
  ENOENT: 'it cannot be made there (is that file system read-only?)',
}

const startError = (error: unknown, options: LocalStackOptions): unknown => {
  const { code } = error as NodeJS.ErrnoException
  const reason = StockpipeError.isInstance(error) ? undefined : unusableReasons[code ?? '']
  if (!reason) return error
  const directory = path.resolve(options.dataDir ?? tmpdir())
  return new ConfigurationError({
    code: 'DATA_DIRECTORY_UNUSABLE',
    message: `The data directory ${directory} cannot be used, because ${reason}: pass another dataDir (--data-dir).`,
    cause: error,
    facts: { directory },
  })
}

/**
 * Starts the embedded services in this process, over one directory.
 * Throws `ConfigurationError`: `PORT_IN_USE`, `CANNOT_LISTEN`, `DATA_DIRECTORY_IN_USE` (by another stack, whose
 * pid it names), `DATA_DIRECTORY_UNUSABLE`.
 */
export const startLocalStack = async (options: LocalStackOptions = {}): Promise<LocalStack> => {
  const { host = '127.0.0.1', accessKeyId = 'stockpipe', secretAccessKey = 'stockpipe-secret' } = options
  const parts = new OpenParts()
  try {
    const dataDir = await openDataDirectory(options, parts)
    const lock = await lockDataDirectory(dataDir)
    parts.add(() => lock.release())
    const storage = await FileObjectStorage.open(dataDir)
    const glue = await createGlueService({ dataDirectory: path.join(dataDir, 'glue'), storage })
    parts.add(() => glue.close())
    const athena = await createAthenaService({
      dataDirectory: path.join(dataDir, 'athena'),
      storage,
      catalog: glue.catalog,
      queryEngine: () => openQueryEngine(dataDir),
    })
    parts.add(() => athena.close())
    const kafka = await startKafkaBroker({
      dataDirectory: path.join(dataDir, 'kafka'),
      host,
      port: options.kafkaPort ?? 9_092,
    })
    parts.add(() => kafka.close())
    const http = await openHttpPort({
      host,
      port: options.httpPort ?? 9_000,
      credentials: { accessKeyId, secretAccessKey },
      s3: createS3Service(storage),
      jsonServices: [glue, athena],
    })
    parts.add(() => http.close())
    return {
      kafka: { host: kafka.host, port: kafka.port, brokers: kafka.brokers },
      aws: { endpoint: endpointOf(http), region, accessKeyId, secretAccessKey },
      dataDir,
      close: () => parts.close(),
      [Symbol.asyncDispose]: () => parts.close(),
    }
  } catch (error) {
    await parts.close().catch(() => undefined)
    throw startError(error, options)
  }
}

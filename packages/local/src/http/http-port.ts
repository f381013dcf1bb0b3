import { randomUUID } from 'node:crypto'
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { ConfigurationError } from '@stockpipe/core'
import { type Durability, withoutFsync } from '../durability.ts'
import { writeS3Error } from '../s3/s3-error-response.ts'
import { type HttpRequest, isHeaderText, readHttpRequest } from './http-request.ts'
import { createHttpRequestLog, type HttpRequestLogEntry } from './http-request-log.ts'
import { handleJsonCall, writeJsonError } from './json-protocol.ts'
import { type JsonService, ServiceError } from './json-service.ts'
import { readStreamedBody, readWholeBody, unsignedPayload } from './request-body.ts'
import { type Credentials, readSignature, verifySignature } from './request-signature.ts'
import { sha256Hex } from './signature-v4.ts'
import type { StreamingService } from './verified-request.ts'

export interface HttpPortOptions {
  /** Default 127.0.0.1. */
  readonly host?: string
  /** 0: any free port. */
  readonly port: number
  readonly credentials: Credentials
  readonly s3: StreamingService
  readonly jsonServices: readonly JsonService[]
  /** What an answer waits for. Default: nothing beyond the operating system. */
  readonly durability?: Durability
  /** Wall clock, milliseconds since the epoch. Default `Date.now`. */
  readonly now?: () => number
  /** Told of every request, once it is answered or given up. */
  readonly onRequest?: (entry: HttpRequestLogEntry) => void
}

/** A listening HTTP port. */
export interface HttpPort {
  readonly host: string
  readonly port: number
  /** Lets requests under way end for `graceMillis` (default 1,000), then cuts them. */
  close(graceMillis?: number): Promise<void>
}

const maxJsonBytes = 16 * 1024 * 1024

const internalError = (error: unknown): ServiceError => {
  if (error instanceof ServiceError) return error
  const { code, message } = error as NodeJS.ErrnoException
  if (code === 'ENOSPC') {
    // A status the SDKs do not try again.
    return new ServiceError('InsufficientStorage', 'No space is left in the data directory.', {
      statusCode: 507,
    })
  }
  if (code === 'ENAMETOOLONG') {
    return new ServiceError('KeyTooLongError', 'The key is too long for a file of this file system.')
  }
  return new ServiceError('InternalError', `The embedded service failed: ${message ?? String(error)}`, {
    statusCode: 500,
    cause: error,
  })
}

/** S3 takes no notice of these in a query: presigning clients put the checksum of an empty body there. */
const ignoredInQuery = /^x-amz-(?:sdk-checksum-algorithm|checksum-(?!mode|algorithm|type))/

/** Headers as S3 sees them: a presigned URL may carry them in its query. */
const withQueryHeaders = (request: HttpRequest): ReadonlyMap<string, string> => {
  const headers = new Map(request.headers)
  for (const [name, value] of request.query) {
    const header = name.toLowerCase()
    if (!header.startsWith('x-amz-') || ignoredInQuery.test(header) || headers.has(header)) continue
    if (!isHeaderText(header, value)) {
      throw new ServiceError('InvalidArgument', `The parameter ${name} holds what no header can hold.`)
    }
    headers.set(header, value)
  }
  return headers
}

class RequestHandler {
  readonly #options: HttpPortOptions
  readonly #now: () => number
  readonly #durability: Durability
  readonly #jsonServices: ReadonlyMap<string, JsonService>

  constructor(options: HttpPortOptions) {
    this.#options = options
    this.#now = options.now ?? Date.now
    this.#durability = options.durability ?? withoutFsync
    this.#jsonServices = new Map(options.jsonServices.map((service) => [service.signingName, service]))
  }

  /** Answers a request; never rejects. */
  async answer(incoming: IncomingMessage, response: ServerResponse): Promise<void> {
    const requestId = randomUUID()
    const speaksJson = 'x-amz-target' in incoming.headers
    response.setHeader(speaksJson ? 'x-amzn-requestid' : 'x-amz-request-id', requestId)
    incoming.on('error', () => undefined)
    response.on('error', () => undefined)
    try {
      await this.#dispatch(incoming, response, requestId)
    } catch (error) {
      const failure = await this.#settled(error)
      this.#answerError(incoming, response, internalError(failure), requestId, speaksJson)
    }
    // What is left of a refused body is read and dropped, or the client could not read the answer.
    incoming.resume()
  }

  async #dispatch(incoming: IncomingMessage, response: ServerResponse, requestId: string): Promise<void> {
    const { origin, 'x-amz-target': target } = incoming.headers
    // A page of any site can have its own name point here, and the default keys are no secret: it must start no job.
    if (target !== undefined && origin !== undefined) {
      throw new ServiceError('AccessDeniedException', 'Web pages cannot call this service.')
    }
    const request = readHttpRequest(incoming)
    const signature = readSignature(request)
    if (!signature) {
      throw incoming.headers['x-amz-target'] === undefined
        ? new ServiceError('AccessDenied', 'Access Denied: the request is not signed.', { statusCode: 403 })
        : new ServiceError('MissingAuthenticationTokenException', 'Missing Authentication Token')
    }
    const { credentials, s3 } = this.#options
    const { service, region } = signature.scope
    const chunks = incoming.iterator({ destroyOnReturn: false }) as AsyncIterable<Uint8Array>
    if (service === s3.signingName) {
      const headers = signature.presigned ? withQueryHeaders(request) : request.headers
      const payloadHash =
        headers.get('x-amz-content-sha256') ?? (signature.presigned ? unsignedPayload : undefined)
      if (payloadHash === undefined) {
        throw new ServiceError(
          'InvalidRequest',
          'Missing required header for this request: x-amz-content-sha256',
        )
      }
      const context = verifySignature(request, signature, payloadHash, credentials, this.#now())
      const body = readStreamedBody(chunks, headers, payloadHash, context)
      return s3.handle({ ...request, headers, body, region, requestId }, response)
    }
    const body = await readWholeBody(chunks, maxJsonBytes, 'RequestEntityTooLargeException')
    verifySignature(request, signature, sha256Hex(body), credentials, this.#now())
    const jsonService = this.#jsonServices.get(service)
    if (!jsonService) throw unknownService(service, [s3.signingName, ...this.#jsonServices.keys()])
    return handleJsonCall(jsonService, request.headers.get('x-amz-target'), body, response, this.#durability)
  }

  /** The refusal, once what it may tell of is settled; or why that cannot be. */
  async #settled(refusal: unknown): Promise<unknown> {
    try {
      await this.#durability.settled()
      return refusal
    } catch (failure) {
      return failure
    }
  }

  #answerError(
    incoming: IncomingMessage,
    response: ServerResponse,
    error: ServiceError,
    requestId: string,
    speaksJson: boolean,
  ): void {
    if (response.headersSent) {
      // Half of an answer is out: only a torn connection tells the client that it is not whole.
      response.destroy()
      return
    }
    if (speaksJson) {
      writeJsonError(response, error)
    } else {
      const resource = (incoming.url ?? '/').split('?')[0]!
      writeS3Error(response, error, { method: incoming.method ?? 'GET', resource, requestId })
    }
  }
}

const unknownService = (service: string, known: readonly string[]) =>
  new ServiceError(
    'UnknownService',
    `The request was signed for the service "${service.slice(0, 40)}"; this stack has ${known.join(', ')}.`,
    { statusCode: 501 },
  )

const listenError = (error: NodeJS.ErrnoException, host: string, port: number): unknown => {
  const facts = { host, port }
  if (error.code === 'EADDRINUSE') {
    return new ConfigurationError({
      code: 'PORT_IN_USE',
      message: `Port ${port} on ${host} is taken by another program: pass another httpPort (--http-port), or 0 for any free port.`,
      cause: error,
      facts,
    })
  }
  return new ConfigurationError({
    code: 'CANNOT_LISTEN',
    message: `Cannot listen on ${host}:${port} for S3, Glue and Athena (${error.code ?? error.message}): pass another host or httpPort.`,
    cause: error,
    facts,
  })
}

const listen = (server: Server, host: string, port: number): Promise<number> =>
  new Promise((resolve, reject) => {
    server.once('error', (error) => reject(listenError(error, host, port)))
    server.listen(port, host, () => resolve((server.address() as AddressInfo).port))
  })

/**
 * Opens the one HTTP port of S3, Glue and Athena, told apart by the service each request is signed for.
 * Throws `ConfigurationError` `PORT_IN_USE` or `CANNOT_LISTEN`.
 */
export const openHttpPort = async (options: HttpPortOptions): Promise<HttpPort> => {
  const host = options.host ?? '127.0.0.1'
  const handler = new RequestHandler(options)
  const log = options.onRequest && createHttpRequestLog(options.onRequest)
  const underWay = new Set<Promise<void>>()
  // A pooled connection must outlive the client's own idea of idle, and a slow upload the default of 5 minutes.
  const server = createServer({ keepAliveTimeout: 75_000, requestTimeout: 0 }, (incoming, response) => {
    log?.(incoming, response)
    const answered = handler.answer(incoming, response)
    underWay.add(answered)
    void answered.finally(() => underWay.delete(answered))
  })
  server.on('clientError', (_error, socket) => {
    if (socket.writable) socket.end('HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\n')
    else socket.destroy()
  })
  const port = await listen(server, host, options.port)
  let closed: Promise<void> | undefined
  return {
    host,
    port,
    close(graceMillis = 1_000) {
      closed ??= new Promise((resolve) => {
        const cut = setTimeout(() => server.closeAllConnections(), graceMillis)
        server.close(() => {
          clearTimeout(cut)
          void Promise.allSettled(underWay).then(() => resolve())
        })
        void Promise.allSettled(underWay).then(() => server.closeIdleConnections())
      })
      return closed
    },
  }
}

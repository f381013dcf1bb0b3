import { once } from 'node:events'
import type { Socket } from 'node:net'
import type { TLSSocket } from 'node:tls'
import type { KafkaUsers } from '../sasl/kafka-users.ts'
import { SaslSession } from '../sasl/sasl-session.ts'
import { type Answer, type ConnectionFacts, type Dispatcher, readRequestHeader } from './dispatcher.ts'
import { FrameReader } from './frame-reader.ts'
import { errorCodesOf, topicsOf } from './request-facts.ts'

/** A client that sends more than this ahead of its answers is not read from until they are written. */
const maxQueuedFrames = 32

/** One served request, or the error that ended a connection. */
export interface RequestLogEntry {
  /** Name of the API, or its number when it is unknown; `TlsHandshake` for one that failed. */
  readonly api: string
  readonly apiVersion: number
  readonly clientId: string | null
  readonly remoteAddress: string
  readonly durationMillis: number
  readonly requestBytes: number
  /** 0 when nothing is answered. */
  readonly responseBytes: number
  /** Topics the request names, at most 20. */
  readonly topics?: readonly string[]
  /** The different error codes of the answer, without 0. */
  readonly errorCodes?: readonly number[]
  /** Why the connection was closed. */
  readonly error?: string
}

export interface ConnectionOptions {
  readonly onRequest?: ((entry: RequestLogEntry) => void) | undefined
  /** Who may use the connection, after authentication; everybody without it. */
  readonly users?: KafkaUsers | undefined
}

/** One client: its requests are served one after the other and answered in order, as Apache Kafka does. */
export class Connection {
  readonly #socket: Socket
  readonly #dispatcher: Dispatcher
  readonly #onRequest: ((entry: RequestLogEntry) => void) | undefined
  readonly #reader = new FrameReader()
  readonly #queue: Buffer[] = []
  readonly #closed = new AbortController()
  readonly #facts: ConnectionFacts
  readonly #remoteAddress: string
  #isServing = false
  /** What the log tells of the request being served. */
  #served: Pick<RequestLogEntry, 'topics' | 'errorCodes'> = {}

  constructor(socket: Socket | TLSSocket, dispatcher: Dispatcher, options: ConnectionOptions = {}) {
    const { onRequest, users } = options
    this.#socket = socket
    this.#dispatcher = dispatcher
    this.#onRequest = onRequest
    this.#facts = {
      // The name a TLS client connected to is the one its certificate check accepts.
      localHost: serverNameOf(socket) ?? withoutMapping(socket.localAddress ?? '127.0.0.1'),
      localPort: socket.localPort ?? 0,
      remoteHost: withoutMapping(socket.remoteAddress ?? ''),
      signal: this.#closed.signal,
      ...(users && { sasl: new SaslSession(users) }),
      ...(onRequest && {
        onServed: (request: unknown, response: unknown) => {
          this.#served = { topics: topicsOf(request), errorCodes: errorCodesOf(response) }
        },
      }),
    }
    this.#remoteAddress = `${this.#facts.remoteHost}:${socket.remotePort ?? 0}`
    socket.setNoDelay(true)
    socket.on('data', (chunk: Buffer) => this.#receive(chunk))
    socket.on('error', () => socket.destroy())
    socket.on('close', () => this.#closed.abort())
  }

  /** Ends the connection at once; a waiting request is given up. */
  close(): void {
    this.#closed.abort()
    this.#socket.destroy()
  }

  #receive(chunk: Buffer): void {
    try {
      this.#queue.push(...this.#reader.push(chunk))
    } catch (error) {
      this.#fail(error, Buffer.alloc(0))
      return
    }
    if (this.#queue.length > maxQueuedFrames) this.#socket.pause()
    if (!this.#isServing) void this.#serveQueue()
  }

  async #serveQueue(): Promise<void> {
    this.#isServing = true
    for (let frame = this.#queue.shift(); frame !== undefined; frame = this.#queue.shift()) {
      const startedMillis = performance.now()
      this.#served = {}
      // Such a message is a password, or part of one, and not for the log.
      const logged = this.#facts.sasl?.takesRawMessages ? Buffer.alloc(0) : frame
      try {
        const answer = await this.#dispatcher(frame, this.#facts)
        if (this.#closed.signal.aborted) return
        const responseBytes = this.#write(answer)
        if (this.#onRequest !== undefined) this.#log(logged, startedMillis, responseBytes)
        if (this.#facts.sasl?.hasFailed) {
          this.#socket.destroySoon()
          return
        }
        if (this.#socket.writableNeedDrain) {
          await once(this.#socket, 'drain', { signal: this.#closed.signal })
        }
      } catch (error) {
        if (!this.#closed.signal.aborted) this.#fail(error, logged, startedMillis)
        return
      }
      if (this.#queue.length === 0) this.#socket.resume()
    }
    this.#isServing = false
  }

  #write(answer: Answer): number {
    let responseBytes = 0
    this.#socket.cork()
    for (const chunk of answer) {
      this.#socket.write(chunk)
      responseBytes += chunk.length
    }
    this.#socket.uncork()
    return responseBytes
  }

  #fail(error: unknown, frame: Buffer, startedMillis = performance.now()): void {
    this.#log(frame, startedMillis, 0, error instanceof Error ? error.message : String(error))
    this.close()
  }

  #log(frame: Buffer, startedMillis: number, responseBytes: number, error?: string): void {
    const entry = {
      ...readRequestHeader(frame),
      ...this.#served,
      remoteAddress: this.#remoteAddress,
      durationMillis: performance.now() - startedMillis,
      requestBytes: frame.length,
      responseBytes,
    }
    try {
      this.#onRequest?.(error === undefined ? entry : { ...entry, error })
    } catch {
      // A log that fails is no reason to end a connection.
    }
  }
}

const serverNameOf = (socket: Socket | TLSSocket): string | undefined => {
  const name = 'servername' in socket ? socket.servername : undefined
  return typeof name === 'string' && name !== '' ? name : undefined
}

/** An IPv4 address without the prefix it has on a socket that listens on both families. */
const withoutMapping = (address: string): string => address.replace(/^::ffff:/, '')

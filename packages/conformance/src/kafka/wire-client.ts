import { once } from 'node:events'
import { createRequire } from 'node:module'
import { connect, type Socket } from 'node:net'

interface Encoded {
  readonly buffer: Buffer
}
interface WireRequest {
  readonly apiKey: number
  readonly apiVersion: number
  encode(): Promise<Encoded>
}
type RequestBuilder = (fields: object) => WireRequest
interface ResponseDecoder {
  decode(bytes: Buffer): Promise<unknown>
}

const require = createRequire(import.meta.url)
const folderOf = (api: string, version: number): string => `kafkajs/src/protocol/requests/${api}/v${version}`
const answerTimeoutMillis = 60_000

/**
 * A socket on which one version of one API is asked, and the whole answer seen, also where a client would
 * retry or throw. Requests are written and answers read by kafkajs's codecs, which nobody here wrote.
 */
export class WireClient {
  readonly #socket: Socket
  readonly #frames: Buffer[] = []
  #received = Buffer.alloc(0)
  #correlationId = 0

  private constructor(socket: Socket) {
    this.#socket = socket
    socket.on('error', () => undefined)
    socket.on('data', (chunk: Buffer) => this.#receive(chunk))
  }

  /** Connects to `host:port`. */
  static async connect(broker: string): Promise<WireClient> {
    const separator = broker.lastIndexOf(':')
    const socket = connect(Number(broker.slice(separator + 1)), broker.slice(0, separator))
    await once(socket, 'connect')
    return new WireClient(socket)
  }

  /** Asks an API by its folder and version in kafkajs; `change` may alter the request before it goes. */
  async ask(
    api: string,
    version: number,
    fields: object,
    change?: (bytes: Buffer) => void,
  ): Promise<unknown> {
    const answer = await this.askForBytes(api, version, fields, change)
    return await (require(`${folderOf(api, version)}/response`) as ResponseDecoder).decode(answer)
  }

  /** Asks the same, and gives back the bytes behind the correlation id. */
  async askForBytes(
    api: string,
    version: number,
    fields: object,
    change?: (bytes: Buffer) => void,
  ): Promise<Buffer> {
    const request = (require(`${folderOf(api, version)}/request`) as RequestBuilder)(fields)
    const payload = Buffer.from((await request.encode()).buffer)
    change?.(payload)
    return await this.exchange(request.apiKey, request.apiVersion, payload)
  }

  /** Sends a request of any kind and gives back the bytes behind the correlation id. */
  async exchange(apiKey: number, apiVersion: number, payload: Buffer): Promise<Buffer> {
    const header = Buffer.alloc(14)
    header.writeInt32BE(10 + payload.length, 0)
    header.writeInt16BE(apiKey, 4)
    header.writeInt16BE(apiVersion, 6)
    header.writeInt32BE(++this.#correlationId, 8)
    header.writeInt16BE(-1, 12)
    this.write(Buffer.concat([header, payload]))
    const frame = await this.nextFrame()
    if (frame.readInt32BE(0) !== this.#correlationId)
      throw new Error('The answer belongs to another request.')
    return frame.subarray(4)
  }

  /** Waits for the next answer and says which request it belongs to. */
  async nextCorrelationId(): Promise<number> {
    return (await this.nextFrame()).readInt32BE(0)
  }

  write(bytes: Buffer): void {
    this.#socket.write(bytes)
  }

  /** Resolves when the broker closes the connection. */
  async closed(): Promise<void> {
    if (this.#socket.destroyed) return
    await once(this.#socket, 'close', { signal: AbortSignal.timeout(answerTimeoutMillis) })
  }

  close(): void {
    this.#socket.destroy()
  }

  #receive(chunk: Buffer): void {
    this.#received = Buffer.concat([this.#received, chunk])
    while (this.#received.length >= 4) {
      const end = 4 + this.#received.readInt32BE(0)
      if (this.#received.length < end) return
      this.#frames.push(this.#received.subarray(4, end))
      this.#received = this.#received.subarray(end)
      this.#socket.emit('frame')
    }
  }

  /** The next frame of any kind, without its length. */
  async nextFrame(): Promise<Buffer> {
    const signal = AbortSignal.timeout(answerTimeoutMillis)
    const end = new AbortController()
    const wait = { signal: AbortSignal.any([signal, end.signal]) }
    if (this.#frames.length === 0) {
      const closed = once(this.#socket, 'close', wait).then(() => {
        throw new Error('The broker closed the connection instead of answering.')
      })
      await Promise.race([once(this.#socket, 'frame', wait), closed]).finally(() => {
        closed.catch(() => undefined)
        end.abort()
      })
    }
    return this.#frames.shift()!
  }
}

import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import type { KafkaBroker } from '../../src/kafka/kafka-broker.ts'
import { FrameReader } from '../../src/kafka/network/frame-reader.ts'
import {
  type ApiName,
  apiTable,
  isFlexible,
  type RequestOf,
  type ResponseOf,
} from '../../src/kafka/protocol/api-table.ts'
import { WireReader } from '../../src/kafka/protocol/wire-reader.ts'
import type { WireType } from '../../src/kafka/protocol/wire-types.ts'
import { WireWriter } from '../../src/kafka/protocol/wire-writer.ts'
import { afterTest } from './broker-fixture.ts'

/** A socket to the broker on which any version of any API can be asked, and any bytes be sent. */
export class RawClient {
  readonly #socket: Socket
  readonly #frames: Buffer[] = []
  #correlationId = 0

  private constructor(socket: Socket) {
    this.#socket = socket
    const reader = new FrameReader()
    socket.on('data', (chunk: Buffer) => {
      this.#frames.push(...reader.push(chunk))
      if (this.#frames.length > 0) socket.emit('frame')
    })
    socket.on('error', () => undefined)
  }

  static async connect(broker: Pick<KafkaBroker, 'host' | 'port'>): Promise<RawClient> {
    const socket = connect(broker.port, broker.host)
    await once(socket, 'connect')
    afterTest(() => socket.destroy())
    return new RawClient(socket)
  }

  async ask<Name extends ApiName>(
    name: Name,
    version: number,
    request: RequestOf<Name>,
  ): Promise<ResponseOf<Name>> {
    this.write(requestFrame(name, version, request, ++this.#correlationId))
    const reader = new WireReader(await this.nextFrame())
    if (reader.int32() !== this.#correlationId) throw new Error('The answer belongs to another request.')
    reader.isFlexible = isFlexible(apiTable[name], version)
    reader.skipTaggedFields()
    const response = (apiTable[name].response as WireType<unknown>).read(reader, version)
    if (reader.remaining > 0) throw new Error(`The answer has ${reader.remaining} bytes too many.`)
    return response as ResponseOf<Name>
  }

  write(bytes: Buffer): void {
    this.#socket.write(bytes)
  }

  async nextFrame(): Promise<Buffer> {
    if (this.#frames.length === 0) await once(this.#socket, 'frame', { signal: AbortSignal.timeout(30_000) })
    return this.#frames.shift()!
  }

  /** Takes the next answer; false when the connection is closed or the time is over before it comes. */
  async isAnsweredWithin(timeoutMillis: number): Promise<boolean> {
    if (this.#frames.length === 0 && !this.#socket.destroyed) {
      const end = new AbortController()
      const wait = { signal: AbortSignal.any([end.signal, AbortSignal.timeout(timeoutMillis)]) }
      await Promise.race([once(this.#socket, 'frame', wait), once(this.#socket, 'close', wait)]).catch(
        () => {},
      )
      end.abort()
    }
    return this.#frames.shift() !== undefined
  }

  /** Resolves when the broker has closed the connection; fails after five seconds. */
  async closed(): Promise<void> {
    if (!this.#socket.destroyed) await once(this.#socket, 'close', { signal: AbortSignal.timeout(5000) })
  }
}

/** A request as it goes over the wire, with its length. */
export const requestFrame = <Name extends ApiName>(
  name: Name,
  version: number,
  request: RequestOf<Name>,
  correlationId = 1,
): Buffer => {
  const writer = new WireWriter()
  writer.int32(0)
  writer.int16(apiTable[name].key)
  writer.int16(version)
  writer.int32(correlationId)
  writer.nullableString('raw')
  writer.isFlexible = isFlexible(apiTable[name], version)
  writer.taggedFields()
  const type = apiTable[name].request as WireType<unknown>
  type.write(writer, request, version)
  const frame = Buffer.concat(writer.finish())
  frame.writeInt32BE(frame.length - 4)
  return frame
}

import { createHash } from 'node:crypto'
import { ServiceError } from './json-service.ts'
import { type SigningContext, sameSignature } from './request-signature.ts'
import { chunkStringToSign, sha256Hex, signText } from './signature-v4.ts'

export interface AwsChunkedOptions {
  /** Given: every chunk, and the trailer, must be signed, each over the one before. */
  readonly context?: SigningContext
  /** Whether trailing headers may follow the last chunk. */
  readonly trailer: boolean
  /** Receives the trailing headers by lower-case name. */
  readonly trailers: Map<string, string>
}

const maxLineBytes = 8_192
const minChunkBytes = 8_192

const incomplete = () =>
  new ServiceError('IncompleteBody', 'The aws-chunked body ended before its last chunk, or is malformed.')

const mismatch = () =>
  new ServiceError(
    'SignatureDoesNotMatch',
    'The signature of a chunk of the body does not match the one we calculated.',
    { statusCode: 403 },
  )

const chunkTooSmall = (next: number, size: number) =>
  new ServiceError(
    'InvalidChunkSizeError',
    `Only the last chunk is allowed to have a size less than ${minChunkBytes} bytes`,
    { members: { Chunk: next, BadChunkSize: size } },
  )

/** Takes lines and runs of bytes from a stream without joining its chunks. */
class ByteReader {
  readonly #source: AsyncIterator<Uint8Array>
  #chunk: Buffer = Buffer.alloc(0)

  constructor(source: AsyncIterable<Uint8Array>) {
    this.#source = source[Symbol.asyncIterator]()
  }

  async #fill(): Promise<boolean> {
    while (this.#chunk.length === 0) {
      const next = await this.#source.next()
      if (next.done) return false
      this.#chunk = Buffer.from(next.value.buffer, next.value.byteOffset, next.value.byteLength)
    }
    return true
  }

  /** The next line without CRLF; undefined at the end of the stream. */
  async line(): Promise<string | undefined> {
    let line = ''
    while (await this.#fill()) {
      const end = this.#chunk.indexOf(10)
      line += this.#chunk.toString('latin1', 0, end < 0 ? this.#chunk.length : end)
      this.#chunk = this.#chunk.subarray(end < 0 ? this.#chunk.length : end + 1)
      if (line.length > maxLineBytes) throw incomplete()
      if (end >= 0) return line.replace(/\r$/, '')
    }
    return line === '' ? undefined : line
  }

  async take(atMost: number): Promise<Buffer> {
    if (!(await this.#fill())) throw incomplete()
    const taken = this.#chunk.subarray(0, atMost)
    this.#chunk = this.#chunk.subarray(taken.length)
    return taken
  }

  async drain(): Promise<void> {
    while (await this.#fill()) this.#chunk = Buffer.alloc(0)
  }

  /** Ends the stream beneath when the reader is left early. */
  async end(): Promise<void> {
    await this.#source.return?.()
  }
}

const readTrailers = async (reader: ByteReader, options: AwsChunkedOptions, signature: string) => {
  const { context, trailers } = options
  let trailerSignature: string | undefined
  let signed = ''
  for (let line = await reader.line(); line; line = await reader.line()) {
    const colon = line.indexOf(':')
    if (colon <= 0 || trailers.size > 32) throw incomplete()
    const name = line.slice(0, colon).trim().toLowerCase()
    const value = line.slice(colon + 1).trim()
    if (name === 'x-amz-trailer-signature') {
      trailerSignature = value
    } else {
      trailers.set(name, value)
      signed += `${name}:${value}\n`
    }
  }
  if (context && options.trailer) {
    const text = chunkStringToSign('TRAILER', context.timestamp, context.scope, signature, sha256Hex(signed))
    if (trailerSignature === undefined || !sameSignature(signText(context.key, text), trailerSignature)) {
      throw mismatch()
    }
  }
}

/**
 * Decodes an `aws-chunked` body as it streams. Throws a `ServiceError` `IncompleteBody` when it is torn and
 * `SignatureDoesNotMatch` when a chunk or the trailer is not signed as it must be.
 */
export async function* decodeAwsChunked(
  source: AsyncIterable<Uint8Array>,
  options: AwsChunkedOptions,
): AsyncGenerator<Uint8Array, void, undefined> {
  const { context } = options
  const reader = new ByteReader(source)
  let signature = context?.seedSignature ?? ''
  let previousSize = minChunkBytes
  try {
    for (let chunk = 1; ; chunk++) {
      const header = await reader.line()
      const match = /^([0-9a-fA-F]{1,12})(?:\s*;\s*chunk-signature=([0-9a-f]{64}))?\s*$/.exec(header ?? '')
      if (!match) throw incomplete()
      const size = Number.parseInt(match[1]!, 16)
      if (size > 0 && previousSize < minChunkBytes) throw chunkTooSmall(chunk, previousSize)
      previousSize = size
      const hash = context ? createHash('sha256') : undefined
      for (let left = size; left > 0; ) {
        const piece = await reader.take(left)
        left -= piece.length
        hash?.update(piece)
        yield piece
      }
      if (context) {
        const contentHash = hash!.digest('hex')
        const text = chunkStringToSign('PAYLOAD', context.timestamp, context.scope, signature, contentHash)
        signature = signText(context.key, text)
        if (!match[2] || !sameSignature(signature, match[2])) throw mismatch()
      }
      if (size === 0) break
      if ((await reader.line()) !== '') throw incomplete()
    }
    await readTrailers(reader, options, signature)
    await reader.drain()
  } finally {
    await reader.end()
  }
}

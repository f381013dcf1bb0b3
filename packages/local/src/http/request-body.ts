import { createHash } from 'node:crypto'
import { decodeAwsChunked } from './aws-chunked.ts'
import { ServiceError } from './json-service.ts'
import type { SigningContext } from './request-signature.ts'

/** A body as a service reads it: decoded, and verified by the time its last chunk was taken. */
export interface RequestBody {
  /** Throws a `ServiceError` at the end when length, hash or chunk signatures do not hold. */
  readonly chunks: AsyncIterable<Uint8Array>
  /** Decoded bytes, where the request states them. */
  readonly length: number | undefined
  /** Trailing headers by lower-case name; complete once `chunks` is read to its end. */
  readonly trailers: ReadonlyMap<string, string>
}

/** Values of `x-amz-content-sha256` that stand for something else than the hash of the whole body. */
export const unsignedPayload = 'UNSIGNED-PAYLOAD'
const streaming = new Map<string, { signed: boolean; trailer: boolean }>([
  ['STREAMING-UNSIGNED-PAYLOAD-TRAILER', { signed: false, trailer: true }],
  ['STREAMING-AWS4-HMAC-SHA256-PAYLOAD', { signed: true, trailer: false }],
  ['STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER', { signed: true, trailer: true }],
])

const parseLength = (text: string | undefined): number | undefined =>
  text !== undefined && /^\d{1,15}$/.test(text) ? Number(text) : undefined

async function* checkedLength(source: AsyncIterable<Uint8Array>, length: number | undefined) {
  let received = 0
  for await (const chunk of source) {
    received += chunk.byteLength
    yield chunk
  }
  if (length !== undefined && received !== length) {
    throw new ServiceError(
      'IncompleteBody',
      `You did not provide the number of bytes specified by the Content-Length HTTP header: ${received} came, ${length} were announced.`,
    )
  }
}

async function* checkedHash(source: AsyncIterable<Uint8Array>, expected: string) {
  const hash = createHash('sha256')
  for await (const chunk of source) {
    hash.update(chunk)
    yield chunk
  }
  const actual = hash.digest('hex')
  if (actual !== expected) {
    throw new ServiceError(
      'XAmzContentSHA256Mismatch',
      "The provided 'x-amz-content-sha256' header does not match what was computed.",
      { members: { ClientComputedContentSHA256: expected, S3ComputedContentSHA256: actual } },
    )
  }
}

/** The body of an S3 request, decoded by what its `x-amz-content-sha256` says. Nothing is read before `chunks` is. */
export const readStreamedBody = (
  source: AsyncIterable<Uint8Array>,
  headers: ReadonlyMap<string, string>,
  payloadHash: string,
  context: SigningContext,
): RequestBody => {
  const stream = streaming.get(payloadHash)
  if (stream) {
    const length = parseLength(headers.get('x-amz-decoded-content-length'))
    if (length === undefined) {
      throw new ServiceError(
        'MissingContentLength',
        'x-amz-decoded-content-length is missing or not a number.',
        {
          statusCode: 411,
        },
      )
    }
    const trailers = new Map<string, string>()
    const decoded = decodeAwsChunked(source, {
      ...(stream.signed ? { context } : {}),
      trailer: stream.trailer,
      trailers,
    })
    return { chunks: checkedLength(decoded, length), length, trailers }
  }
  const length = parseLength(headers.get('content-length'))
  const counted = checkedLength(source, length)
  if (payloadHash === unsignedPayload) return { chunks: counted, length, trailers: new Map() }
  if (/^[0-9a-f]{64}$/.test(payloadHash)) {
    return { chunks: checkedHash(counted, payloadHash), length, trailers: new Map() }
  }
  if (payloadHash.startsWith('STREAMING-')) {
    throw new ServiceError(
      'NotImplemented',
      `The embedded S3 does not know the payload kind ${payloadHash}.`,
      {
        statusCode: 501,
      },
    )
  }
  throw new ServiceError(
    'InvalidArgument',
    'x-amz-content-sha256 must be UNSIGNED-PAYLOAD, STREAMING-UNSIGNED-PAYLOAD-TRAILER, STREAMING-AWS4-HMAC-SHA256-PAYLOAD, STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER or a valid sha256 value.',
    { members: { ArgumentName: 'x-amz-content-sha256', ArgumentValue: payloadHash } },
  )
}

/** Reads a small body whole. Throws a `ServiceError` with `tooLargeName` above `limitBytes`. */
export const readWholeBody = async (
  chunks: AsyncIterable<Uint8Array>,
  limitBytes: number,
  tooLargeName: string,
): Promise<Buffer> => {
  const parts: Uint8Array[] = []
  let size = 0
  for await (const chunk of chunks) {
    size += chunk.byteLength
    if (size > limitBytes) {
      throw new ServiceError(tooLargeName, `The request body is over ${limitBytes} bytes.`, {
        statusCode: 413,
      })
    }
    parts.push(chunk)
  }
  return Buffer.concat(parts, size)
}

import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Socket } from 'node:net'
import { readAddress, readOperation } from '../s3/s3-operation.ts'
import { readHttpRequest } from './http-request.ts'

/** One answered HTTP request. Query and headers are left out: they hold signatures. */
export interface HttpRequestLogEntry {
  /** Such as `PutObject` or `GetTable`; undefined when the request asks for nothing known. */
  readonly operation?: string
  readonly method: string
  /** Of an S3 request; undefined where it names none. */
  readonly bucket?: string
  readonly key?: string
  /** Status of the answer; 0 when none was begun. */
  readonly statusCode: number
  readonly remoteAddress: string
  readonly durationMillis: number
  /** With the head. */
  readonly requestBytes: number
  /** With the head. */
  readonly responseBytes: number
  /** Why the connection was closed. */
  readonly error?: string
}

const operationOf = (incoming: IncomingMessage): { operation?: string; bucket?: string; key?: string } => {
  const target = incoming.headers['x-amz-target']
  if (typeof target === 'string') {
    const operation = /^\w+\.(\w{1,64})$/.exec(target)?.[1]
    return operation === undefined ? {} : { operation }
  }
  let asked: { bucket?: string; key?: string } = {}
  try {
    const { method, rawPath, query, headers } = readHttpRequest(incoming)
    const address = readAddress(rawPath, headers.get('host') ?? '')
    const { bucket, key } = address
    asked = { ...(bucket === '' ? {} : { bucket }), ...(key === '' ? {} : { key }) }
    return { ...asked, operation: readOperation(method, address, new Map(query), headers) }
  } catch {
    return asked
  }
}

/** Tells `onRequest` of every request that is passed to it, once its answer is out or its connection gone. */
export const createHttpRequestLog = (onRequest: (entry: HttpRequestLogEntry) => void) => {
  /** Bytes of the earlier requests of a connection. */
  const counted = new WeakMap<Socket, { read: number; written: number }>()
  return (incoming: IncomingMessage, response: ServerResponse): void => {
    const startedMillis = performance.now()
    const { socket } = incoming
    const remoteAddress = `${(socket.remoteAddress ?? '').replace(/^::ffff:/, '')}:${socket.remotePort ?? 0}`
    response.once('close', () => {
      const before = counted.get(socket) ?? { read: 0, written: 0 }
      const now = { read: socket.bytesRead, written: socket.bytesWritten }
      counted.set(socket, now)
      try {
        onRequest({
          ...operationOf(incoming),
          method: incoming.method ?? '',
          statusCode: response.headersSent ? response.statusCode : 0,
          remoteAddress,
          durationMillis: performance.now() - startedMillis,
          requestBytes: now.read - before.read,
          responseBytes: now.written - before.written,
          ...(response.writableFinished ? {} : { error: 'the connection ended before the answer was out' }),
        })
      } catch {
        // A log that fails is no reason to end a connection.
      }
    })
  }
}

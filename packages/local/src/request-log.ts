import type { HttpRequestLogEntry } from './http/http-request-log.ts'
import type { RequestLogEntry } from './kafka/network/connection.ts'

/** One request a local stack has served or refused. Holds no secret: neither headers, query nor body. */
export type LocalRequest =
  | ({ readonly service: 'kafka' } & RequestLogEntry)
  | ({ readonly service: 'http' } & HttpRequestLogEntry)

/** Nothing a client sends can begin a line of its own or pass for another field. */
const word = (value: unknown): string => {
  const text = String(value)
  return /^[\w./:,@+=-]+$/.test(text) ? text : JSON.stringify(text).replaceAll('\u007f', '\\u007f')
}

/** A request as one line of `name=value`, without its line end. */
export const formatRequest = (request: LocalRequest): string => {
  const fields: Record<string, unknown> =
    request.service === 'kafka'
      ? {
          api: request.api,
          version: request.apiVersion,
          client: request.clientId,
          topics: request.topics?.length ? request.topics.join(',') : undefined,
          errors: request.errorCodes?.length ? request.errorCodes.join(',') : undefined,
        }
      : {
          operation: request.operation,
          method: request.method,
          bucket: request.bucket,
          key: request.key,
          status: request.statusCode,
        }
  const all = {
    ...fields,
    remote: request.remoteAddress,
    millis: request.durationMillis.toFixed(1),
    bytesIn: request.requestBytes,
    bytesOut: request.responseBytes,
    failure: request.error,
  }
  const told = Object.entries(all).filter(([, value]) => value !== undefined && value !== null)
  return [request.service, ...told.map(([name, value]) => `${name}=${word(value)}`)].join(' ')
}

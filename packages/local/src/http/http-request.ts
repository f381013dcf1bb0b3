import { type IncomingMessage, validateHeaderName, validateHeaderValue } from 'node:http'
import { ServiceError } from './json-service.ts'

/** A request's head, taken apart but not interpreted. */
export interface HttpRequest {
  readonly method: string
  /** The path as sent, still percent-encoded. */
  readonly rawPath: string
  /** Decoded names and values in the order sent. */
  readonly query: readonly (readonly [name: string, value: string])[]
  /** Values by lower-case name; several headers of one name joined by a comma. */
  readonly headers: ReadonlyMap<string, string>
}

/** Whether a name and a value from elsewhere, such as a query, can stand in a header. */
export const isHeaderText = (name: string, value: string): boolean => {
  try {
    validateHeaderName(name)
    validateHeaderValue(name, value)
    return true
  } catch {
    return false
  }
}

const invalidUri = () =>
  new ServiceError('InvalidURI', "Couldn't parse the specified URI.", { statusCode: 400 })

const decode = (text: string): string => {
  try {
    return decodeURIComponent(text.replaceAll('+', ' '))
  } catch {
    throw invalidUri()
  }
}

const readHeaders = (rawHeaders: readonly string[]): Map<string, string> => {
  const headers = new Map<string, string>()
  for (let index = 0; index + 1 < rawHeaders.length; index += 2) {
    const name = rawHeaders[index]!.toLowerCase()
    const value = rawHeaders[index + 1]!.trim()
    const earlier = headers.get(name)
    headers.set(name, earlier === undefined ? value : `${earlier},${value}`)
  }
  return headers
}

/** Reads a request's head. Throws a `ServiceError` `InvalidURI` when the target is not percent-encoded UTF-8. */
export const readHttpRequest = (incoming: IncomingMessage): HttpRequest => {
  const target = (incoming.url ?? '/').replace(/^https?:\/\/[^/?]*/i, '')
  if (/[^\x21-\x7e]/.test(target)) throw invalidUri()
  const mark = target.indexOf('?')
  const rawPath = (mark < 0 ? target : target.slice(0, mark)) || '/'
  decode(rawPath)
  const query = (mark < 0 ? '' : target.slice(mark + 1))
    .split('&')
    .filter((part) => part !== '')
    .map((part) => {
      const equals = part.indexOf('=')
      return equals < 0
        ? ([decode(part), ''] as const)
        : ([decode(part.slice(0, equals)), decode(part.slice(equals + 1))] as const)
    })
  return { method: incoming.method ?? 'GET', rawPath, query, headers: readHeaders(incoming.rawHeaders) }
}

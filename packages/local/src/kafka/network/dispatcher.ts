import { type Durability, withoutFsync } from '../../durability.ts'
import { errorAnswers } from '../faults/error-answers.ts'
import {
  type Api,
  type ApiName,
  apiTable,
  isFlexible,
  type RequestOf,
  type ResponseOf,
} from '../protocol/api-table.ts'
import { ErrorCode } from '../protocol/error-code.ts'
import { MalformedFrameError, WireReader } from '../protocol/wire-reader.ts'
import { WireWriter } from '../protocol/wire-writer.ts'
import type { SaslSession } from '../sasl/sasl-session.ts'

/** What a connection knows of itself. */
export interface ConnectionFacts {
  /** The address the client connected to: what the broker advertises to it. */
  readonly localHost: string
  readonly localPort: number
  readonly remoteHost: string
  /** Aborts when the connection has ended. */
  readonly signal: AbortSignal
  /** Only on a listener with users. */
  readonly sasl?: SaslSession
  /** Told of each request and its answer, for the log. */
  readonly onServed?: (request: unknown, response: unknown) => void
}

export interface RequestContext extends ConnectionFacts {
  readonly apiVersion: number
  readonly clientId: string
}

type HandlerOf<Name extends ApiName> = (
  request: RequestOf<Name>,
  context: RequestContext,
) => ResponseOf<Name> | null | Promise<ResponseOf<Name> | null>

/** One handler for each API; null is a request that gets no answer. */
export type Handlers = { readonly [Name in ApiName]: HandlerOf<Name> }

/** Stands between a decoded request and its handler `serve`; throws when the connection has to be closed. */
export type Interceptor = (
  name: ApiName,
  request: unknown,
  context: RequestContext,
  serve: (request: unknown) => unknown,
) => unknown

/** The bytes of one answer with its length in front; empty when there is none. */
export type Answer = readonly Buffer[]
/** Serves one frame. Throws when the connection has to be closed. */
export type Dispatcher = (frame: Buffer, facts: ConnectionFacts) => Promise<Answer>

const apiEntries = Object.entries(apiTable) as unknown as [ApiName, Api<unknown, unknown>][]
const apisByKey = new Map(apiEntries.map(([name, api]) => [api.key, { name, api }]))

const servedVersions = apiEntries.map(([, { key, minVersion, maxVersion }]) => {
  return { apiKey: key, minVersion, maxVersion }
})

/** Answers ApiVersions; a client that asks in a newer version is told to step down (error 35, body of v0). */
export const answerApiVersions = (): ResponseOf<'apiVersions'> => ({
  errorCode: ErrorCode.NONE,
  apiKeys: servedVersions,
})

/**
 * Decodes each frame, calls its handler, and encodes the answer. No answer leaves before what it may tell of is
 * settled, others' writes included: what a consumer has read no power loss takes back.
 */
export const createDispatcher =
  (
    handlers: Handlers,
    intercept: Interceptor = (_name, request, _context, serve) => serve(request),
    durability: Durability = withoutFsync,
  ): Dispatcher =>
  async (frame, facts) => {
    if (facts.sasl?.takesRawMessages) {
      const writer = new WireWriter()
      writer.nullableBytes(await facts.sasl.authenticateRaw(frame))
      return writer.finish()
    }
    const reader = new WireReader(frame)
    const apiKey = reader.int16()
    const apiVersion = reader.int16()
    const correlationId = reader.int32()
    const clientId = reader.nullableString() ?? ''
    const { name, api } = apisByKey.get(apiKey) ?? {}
    if (name === undefined || api === undefined) {
      throw new MalformedFrameError(`API ${apiKey} is not served by the embedded broker.`)
    }
    const writer = new WireWriter()
    writer.int32(0)
    writer.int32(correlationId)
    if (name === 'apiVersions' && apiVersion > api.maxVersion) {
      api.response.write(writer, { ...answerApiVersions(), errorCode: ErrorCode.UNSUPPORTED_VERSION }, 0)
      return withLength(writer)
    }
    if (apiVersion < api.minVersion || apiVersion > api.maxVersion) {
      throw new MalformedFrameError(
        `${api.name} v${apiVersion} is not served; versions ${api.minVersion} to ${api.maxVersion} are.`,
      )
    }
    if (isFlexible(api, apiVersion)) {
      reader.isFlexible = true
      writer.isFlexible = true
      // Both headers end with them.
      reader.skipTaggedFields()
      writer.taggedFields()
    }
    const isAdmitted = facts.sasl?.admit(api.name) ?? true
    const handler = handlers[name] as (request: unknown, context: RequestContext) => unknown
    const request = api.request.read(reader, apiVersion)
    const context = { ...facts, apiVersion, clientId }
    const serve = (served: unknown) => handler(served, context)
    const response = isAdmitted
      ? await intercept(name, request, context, serve)
      : refuse(name, request, context)
    if (response !== null) {
      const settled = durability.settled()
      if (settled !== undefined) await settled
    }
    facts.onServed?.(request, response)
    if (response === null) return []
    api.response.write(writer, response, apiVersion)
    return withLength(writer)
  }

/** The answer to a request that came when credentials were expected. */
const refuse = (name: ApiName, request: unknown, context: RequestContext): unknown => {
  const answer = errorAnswers[name] as (
    request: unknown,
    errorCode: number,
    context: RequestContext,
  ) => unknown
  return answer(request, ErrorCode.ILLEGAL_SASL_STATE, context)
}

const withLength = (writer: WireWriter): Answer => {
  const chunks = writer.finish()
  const totalBytes = chunks.reduce((total, chunk) => total + chunk.length, 0)
  chunks[0]!.writeInt32BE(totalBytes - 4, 0)
  return chunks
}

/** What of a request can be told for the log, even when it is malformed. */
export const readRequestHeader = (
  frame: Buffer,
): { api: string; apiVersion: number; clientId: string | null } => {
  try {
    const reader = new WireReader(frame)
    const apiKey = reader.int16()
    const apiVersion = reader.int16()
    reader.int32()
    return {
      api: apisByKey.get(apiKey)?.api.name ?? String(apiKey),
      apiVersion,
      clientId: reader.nullableString(),
    }
  } catch {
    return { api: 'unreadable', apiVersion: -1, clientId: null }
  }
}

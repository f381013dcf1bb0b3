import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { StockpipeError } from '@stockpipe/core'
import { afterEach, describe, expect, it } from 'vitest'
import { createConfluentRegistry } from '../src/index.ts'

const trade = '{"type":"record","name":"a.Trade","fields":[{"name":"q","type":"a.Quote"}]}'
const quote = '{"type":"record","name":"a.Quote","fields":[{"name":"v","type":"a.Venue"}]}'
const venue = '{"type":"enum","name":"a.Venue","symbols":["X"]}'
const reference = (subject: string, version: number) => ({ name: `a.${subject}`, subject, version })

/** Paths and what a registry answers to them, as Confluent's does. */
const answers: Readonly<Record<string, unknown>> = {
  '/schemas/ids/7': { schema: '"string"' },
  '/schemas/ids/8': { schema: trade, references: [reference('Quote', 3), reference('Venue', 1)] },
  '/subjects/Quote/versions/3?deleted=true': {
    subject: 'Quote',
    version: 3,
    id: 5,
    schema: quote,
    references: [reference('Venue', 1)],
  },
  '/subjects/Venue/versions/1?deleted=true': { subject: 'Venue', version: 1, id: 4, schema: venue },
  '/schemas/ids/10': { schema: trade, references: [reference('Gone', 1)] },
  '/schemas/ids/9': { schemaType: 'PROTOBUF', schema: 'syntax = "proto3";' },
}

const servers: Server[] = []
const served = async (
  handle: (request: IncomingMessage, response: ServerResponse) => void,
): Promise<string> => {
  const server = createServer(handle)
  servers.push(server)
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`
}
afterEach(async () => {
  for (const server of servers.splice(0)) {
    server.closeAllConnections()
    await new Promise((resolve) => server.close(resolve))
  }
})

const answer = (response: ServerResponse, status: number, body: unknown) => {
  response.writeHead(status, { 'content-type': 'application/vnd.schemaregistry.v1+json' })
  response.end(JSON.stringify(body))
}
const registry = (request: IncomingMessage, response: ServerResponse): void => {
  const known = answers[request.url!]
  const missing = request.url!.startsWith('/subjects/')
    ? { error_code: 40401, message: "Subject 'Gone' not found." }
    : { error_code: 40403, message: 'Schema not found' }
  answer(response, known ? 200 : 404, known ?? missing)
}

const failureOf = async (promise: Promise<unknown>): Promise<StockpipeError> => {
  const error: unknown = await promise.then(
    () => undefined,
    (reason: unknown) => reason,
  )
  if (StockpipeError.isInstance(error)) return error
  throw new Error(`expected a StockpipeError, not ${String(error)}`)
}

describe('a Confluent registry', () => {
  it('gives the schema of an id, with those it refers to, each after its own', async () => {
    const of = createConfluentRegistry({ url: `${await served(registry)}/` })
    expect(await of.schemaOf('7', {})).toEqual({ schema: '"string"' })
    expect(await of.schemaOf('8', {})).toEqual({ schema: trade, references: [venue, quote] })
    expect(await of.schemaOf('9', {})).toEqual({ schema: 'syntax = "proto3";' })
  })

  it('has no schema only where the registry says so, not where something else answers 404', async () => {
    expect(await createConfluentRegistry({ url: await served(registry) }).schemaOf('99', {})).toBeNull()
    const proxy = await served((_, response) => response.writeHead(404).end('no such page'))
    const error = await failureOf(createConfluentRegistry({ url: proxy }).schemaOf('7', {}))
    expect(error).toMatchObject({ code: 'SCHEMA_REGISTRY_REFUSED', retryable: false })
    expect(error.message).toMatch(/did not give schema 7: it answers 404\.$/)
  })

  it('says what a schema refers to that is not there', async () => {
    const of = createConfluentRegistry({ url: await served(registry) })
    expect((await failureOf(of.schemaOf('10', {}))).message).toMatch(
      /refers to version 1 of Gone, which the registry/,
    )
  })

  it('sends user name and password, and shows them nowhere', async () => {
    const seen: (string | undefined)[] = []
    const url = await served((request, response) => {
      seen.push(request.headers.authorization, request.headers['x-tenant'] as string | undefined)
      answer(response, 401, { error_code: 401, message: 'Unauthorized' })
    })
    const of = createConfluentRegistry({
      url,
      username: 'key',
      password: 's3cret',
      headers: { 'x-tenant': 'a' },
    })
    const error = await failureOf(of.schemaOf('7', {}))
    expect(seen).toEqual([`Basic ${Buffer.from('key:s3cret').toString('base64')}`, 'a'])
    expect(error).toMatchObject({ code: 'SCHEMA_REGISTRY_REFUSED', retryable: false })
    expect(`${error.message}${JSON.stringify(of)}${JSON.stringify(error)}`).not.toMatch(/s3cret|czNjcmV0/)
    expect(() => createConfluentRegistry({ url: 'https://key:s3cret@example.com' })).toThrow(/^(?!.*s3cret)/)
  })

  it.each([
    ['fails itself', 500],
    ['is asked too often', 429],
  ])('may be asked again when it %s', async (_, status) => {
    const url = await served((_, response) =>
      answer(response, status, { error_code: 50001, message: 'Error in the backend' }),
    )
    const error = await failureOf(createConfluentRegistry({ url }).schemaOf('7', {}))
    expect(error).toMatchObject({ code: 'SCHEMA_REGISTRY_UNAVAILABLE', retryable: true })
    expect(error.message).toMatch(`it answers ${status}: Error in the backend.`)
  })

  it('may be asked again when nobody is there, or nothing comes in time', async () => {
    const url = await served(() => {})
    const silent = createConfluentRegistry({ url, requestTimeoutMillis: 20 })
    expect(await failureOf(silent.schemaOf('7', {}))).toMatchObject({
      retryable: true,
      message: expect.stringMatching(/no answer within 20 ms/) as string,
    })
    const gone = createConfluentRegistry({ url: 'http://127.0.0.1:1' })
    expect(await failureOf(gone.schemaOf('7', {}))).toMatchObject({ retryable: true })
  })

  it('is given up with the signal', async () => {
    const of = createConfluentRegistry({ url: await served(() => {}) })
    const abort = new AbortController()
    const asked = of.schemaOf('7', { signal: abort.signal })
    abort.abort(new Error('enough'))
    await expect(asked).rejects.toThrow('enough')
  })

  it('is told from what is none', async () => {
    const page = await served((_, response) => response.writeHead(200).end('<html>'))
    expect((await failureOf(createConfluentRegistry({ url: page }).schemaOf('7', {}))).message).toMatch(
      /is no schema registry/,
    )
    expect(() => createConfluentRegistry({ url: 'registry' })).toThrow(/no address/)
    expect(() => createConfluentRegistry({ url: 'ftp://registry' })).toThrow(/http:\/\/ or https:\/\//)
    expect(() => createConfluentRegistry({ url: 'http://a/?x=1' })).toThrow(/a query/)
    expect(() => createConfluentRegistry({ url: 'http://a', requestTimeoutMillis: 0 })).toThrow(/above 0/)
  })
})

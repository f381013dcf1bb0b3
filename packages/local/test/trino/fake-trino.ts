import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { text } from 'node:stream/consumers'

/** What a statement was sent with. */
export interface AskedStatement {
  readonly sql: string
  readonly headers: IncomingMessage['headers']
}

/** One answer as the raw text between the braces of its JSON, without id and nextUri. */
export type FakePages = readonly string[]

/**
 * Speaks the part of Trino's REST protocol that a client sees: POST of a statement, pages by `nextUri`, DELETE.
 * `answer` gives the pages of a statement; without any it is never done.
 */
export async function startFakeTrino(answer: (sql: string) => FakePages) {
  const asked: AskedStatement[] = []
  const cancelled: string[] = []
  const statements = new Map<string, FakePages>()
  /** Statuses to answer with before anything else. */
  const busy: number[] = []
  /** How long the answer to a statement is held back. */
  const held = { millis: 0 }
  let origin = ''

  const send = (response: ServerResponse, id: string, page: number): void => {
    const pages = statements.get(id) ?? []
    const isLast = pages.length > 0 && page >= pages.length
    const next = isLast ? '' : `,"nextUri":"${origin}/v1/statement/executing/${id}/${page + 1}"`
    const body = page === 0 ? undefined : pages[page - 1]
    response.setHeader('content-type', 'application/json')
    response.end(
      `{"id":"${id}"${next}${body ? `,${body}` : ''},"stats":{"state":"RUNNING","physicalInputBytes":42,"processedBytes":7}}`,
    )
  }

  const server = createServer(async (request, response) => {
    const status = busy.shift()
    if (status !== undefined) {
      response.statusCode = status
      response.end()
      return
    }
    if (request.method === 'POST' && request.url === '/v1/statement') {
      const sql = await text(request)
      const id = `20240101_000000_${asked.length}`
      asked.push({ sql, headers: request.headers })
      statements.set(id, answer(sql))
      setTimeout(() => send(response, id, 0), held.millis)
      return
    }
    const [, id = '', page = ''] =
      /^\/v1\/statement\/executing\/([^/]+)\/(\d+)$/.exec(request.url ?? '') ?? []
    if (request.method === 'DELETE') {
      cancelled.push(id)
      response.statusCode = 204
      response.end()
      return
    }
    // A statement that is not done yet is held for a while, as Trino does.
    setTimeout(() => send(response, id, Number(page)), statements.get(id)?.length ? 0 : 20)
  })
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve)
  })
  origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  return {
    origin,
    asked,
    cancelled,
    busy,
    held,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections()
      await new Promise((resolve) => {
        server.close(resolve)
      })
    },
  }
}

/** The JSON of a column. */
export const column = (name: string, type: string, signature: unknown = { rawType: type, arguments: [] }) =>
  JSON.stringify({ name, type, typeSignature: signature })

/** A page of columns and data; the data as JSON text, so that numbers stay as they are written. */
export const page = (columns: readonly string[], data?: string): string =>
  `"columns":[${columns.join(',')}]${data === undefined ? '' : `,"data":${data}`}`

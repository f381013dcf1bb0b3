import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo, Socket } from 'node:net'
import { S3Client } from '@aws-sdk/client-s3'
import { t } from '@stockpipe/core'
import { afterEach, describe, expect, it } from 'vitest'
import { createAthena } from '../src/index.ts'
import { s3ResultStore } from '../src/results/index.ts'
import { answering } from './fake-athena.ts'
import { virtualRuntime } from './virtual-runtime.ts'

type Answer = (request: IncomingMessage, response: ServerResponse) => void

const closing: (() => Promise<unknown>)[] = []
afterEach(async () => {
  for (const close of closing.splice(0)) await close()
})

/** An S3 that answers GETs so, over sockets. */
const serve = async (answer: Answer) => {
  const ranges: (string | undefined)[] = []
  const sockets = new Set<Socket>()
  const server = createServer((request, response) => {
    ranges.push(request.headers.range)
    answer(request, response)
  })
  server.on('connection', (socket) => {
    sockets.add(socket)
    socket.on('close', () => sockets.delete(socket))
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  const s3 = new S3Client({
    endpoint: `http://127.0.0.1:${port}`,
    region: 'eu-central-1',
    credentials: { accessKeyId: 'a', secretAccessKey: 'b' },
    forcePathStyle: true,
    maxAttempts: 1,
  })
  closing.push(async () => {
    s3.destroy()
    server.closeAllConnections()
    await new Promise((resolve) => server.close(resolve))
  })
  return { store: s3ResultStore(s3), ranges, sockets }
}

const count = 2000
const cells = Array.from({ length: count }, (_, n) => [String(n), `row ${n}, "quoted"\nand é`] as const)
const csv = Buffer.from(
  `"id","name"\n${cells.map(([id, name]) => `"${id}","${name.replaceAll('"', '""')}"\n`).join('')}`,
)
const expected = cells.map(([id, name]) => ({ id: BigInt(id), name }))

/** The query whose first page comes from Athena, and the rest from the store. */
const queryOf = ({ store }: Pick<Awaited<ReturnType<typeof serve>>, 'store'>) => {
  const fake = answering({
    columns: { id: 'bigint', name: 'varchar' },
    pages: [cells.slice(0, 2), cells.slice(2, 4)],
    execution: { ResultConfiguration: { OutputLocation: 's3://results/q-1.csv' } },
  })
  const athena = createAthena({
    client: fake.client,
    database: 'market',
    runtime: virtualRuntime(),
    resultStore: store,
  })
  return { athena, query: { sql: 'SELECT 1', columns: { id: t.int64(), name: t.string() } } }
}

/** Answers as S3 does, the range asked for and no more, to a point where the connection breaks. */
const answerRange = (request: IncomingMessage, response: ServerResponse, breaksAfter?: number) => {
  const start = Number(/^bytes=(\d+)-/.exec(request.headers.range ?? '')?.[1] ?? 0)
  const etag = { etag: '"e"', 'content-length': csv.length - start }
  if (start === 0) response.writeHead(200, etag)
  else response.writeHead(206, { ...etag, 'content-range': `bytes ${start}-${csv.length - 1}/${csv.length}` })
  if (breaksAfter === undefined) {
    response.end(csv.subarray(start))
    return
  }
  response.write(csv.subarray(start, start + breaksAfter), () => response.destroy())
}

const eventually = async (is: () => boolean) => {
  for (let turn = 0; turn < 500 && !is(); turn++) await new Promise((resolve) => setTimeout(resolve, 10))
  expect(is()).toBe(true)
}

describe('results over sockets', () => {
  it('are each there once when the connection breaks at any byte', async () => {
    for (let at = 1; at < csv.length; at += 9973) {
      let answers = 0
      const s3 = await serve((request, response) => {
        answers += 1
        answerRange(request, response, answers < 4 ? at : undefined)
      })
      const { athena, query } = queryOf(s3)
      expect((await athena.query(query)).rows).toEqual(expected)
      expect(s3.ranges.length).toBeGreaterThan(1)
    }
  })

  it('are refused from a server that answers all where a part is asked for', async () => {
    let answers = 0
    const s3 = await serve((_, response) => {
      answers += 1
      response.writeHead(200, { etag: '"e"', 'content-length': csv.length })
      if (answers === 1) response.write(csv.subarray(0, 50_000), () => response.destroy())
      else response.end(csv)
    })
    const { athena, query } = queryOf(s3)
    const ids: bigint[] = []
    const read = async () => {
      for await (const { id } of athena.stream(query)) ids.push(id)
    }
    await expect(read()).rejects.toMatchObject({
      code: 'RESULT_UNREADABLE',
      message: expect.stringMatching(/S3 answers all of it where bytes from \d+ on were asked for/),
    })
    expect(ids).toEqual(expected.slice(0, ids.length).map(({ id }) => id))
    expect(answers).toBe(2)
  })

  it('leave no socket behind when they are not read to their end', async () => {
    const endless: Answer = (_, response) => {
      response.writeHead(200, { etag: '"e"', 'content-length': 1e9, 'x-amz-checksum-crc32': 'AAAAAA==' })
      response.write(csv)
      const more = () => {
        while (response.write(csv.subarray(12)));
        response.once('drain', more)
      }
      more()
    }
    const s3 = await serve(endless)
    const { athena, query } = queryOf(s3)
    for await (const { id } of athena.stream(query)) if (id === 100n) break
    await eventually(() => s3.sockets.size === 0)

    const refused = { ...query, columns: { id: t.int64(), name: t.int64() } }
    await expect(athena.query(refused)).rejects.toThrow(/column 'name' is varchar/)
    const wrong = queryOf({ store: s3.store })
    const schema = {
      '~standard': {
        version: 1,
        vendor: 'test',
        validate: (row: unknown) =>
          (row as { id: bigint }).id < 100n ? { value: row } : { issues: [{ message: 'too large' }] },
      },
    } as const
    await expect(wrong.athena.query({ sql: 'SELECT 1', schema })).rejects.toThrow(/too large/)
    await eventually(() => s3.sockets.size === 0)

    const abort = new AbortController()
    const aborted = async () => {
      for await (const { id } of athena.stream({ ...query, signal: abort.signal })) {
        if (id === 100n) abort.abort(new Error('enough'))
      }
    }
    await expect(aborted()).rejects.toThrow('enough')
    await eventually(() => s3.sockets.size === 0)
  })

  it.each([
    ['NoSuchKey', 404],
    ['AccessDenied', 403],
  ])('come in pages where the object is not to be had: %s', async (code, status) => {
    const s3 = await serve((_, response) => {
      response.writeHead(status, { 'content-type': 'application/xml' })
      response.end(`<Error><Code>${code}</Code><Message>${code}</Message></Error>`)
    })
    const { athena, query } = queryOf(s3)
    expect((await athena.query(query)).rows).toEqual(expected.slice(0, 4))
    await expect(athena.query({ ...query, resultPath: 'csv' })).rejects.toMatchObject({
      code: 'RESULT_UNREADABLE',
      message: expect.stringMatching(/s3:\/\/results\/q-1\.csv cannot be read: .*Allow s3:GetObject on it/),
    })
  })

  it('are an error when the object ends in the middle of a row', async () => {
    const lastRow = csv.length - csv.lastIndexOf('"1999"')
    for (let cut = 1; cut < 40; cut++) {
      const s3 = await serve((_, response) => {
        response.writeHead(200, { etag: '"e"', 'content-length': csv.length - cut })
        response.end(csv.subarray(0, csv.length - cut))
      })
      const { athena, query } = queryOf(s3)
      const answer = athena.query(query)
      if (cut === lastRow) expect((await answer).rows.length).toBe(count - 1)
      else await expect(answer).rejects.toMatchObject({ code: 'RESULT_MALFORMED' })
    }
  })
})

import { once } from 'node:events'
import { type AddressInfo, createServer } from 'node:net'
import { type LocalStack, startLocalStack } from '@stockpipe/local'
import { type Lane, startLane } from './lane.ts'

/** A Trino that reads the catalog and the files of a local stack. */
export interface TrinoLane {
  /** Where Trino itself answers. */
  readonly endpoint: string
  /** The stack, whose Athena passes queries to Trino; once, and Trino answers. */
  startStack(): Promise<LocalStack>
}

/** Throws what the lane printed when Trino fails to start. Whoever gets one closes the stack, then the lane. */
export const startTrinoLane = async (): Promise<Lane<TrinoLane>> => {
  // Trino is told of the stack before there is one, and asks nothing of it before its first query.
  const probe = createServer().listen(0, '127.0.0.1')
  await once(probe, 'listening')
  const httpPort = (probe.address() as AddressInfo).port
  await new Promise((resolve) => probe.close(resolve))
  const stackEndpoint = `http://127.0.0.1:${httpPort}`
  return startLane<TrinoLane>(
    'trino',
    (line) => {
      const { endpoint, catalog } = (line as { trino: { endpoint: string; catalog: string } }).trino
      return {
        endpoint,
        async startStack() {
          await untilReady(endpoint)
          const athenaEngine = { trino: `${endpoint}/${catalog}` }
          return startLocalStack({ httpPort, kafkaPort: 0, athenaEngine })
        },
      }
    },
    [
      ...['--glue-endpoint', stackEndpoint, '--s3-endpoint', stackEndpoint],
      ...['--access-key', 'stockpipe', '--secret-key', 'stockpipe-secret'],
    ],
  )
}

/** Trino has started a moment before it knows itself as a node to run on. */
const untilReady = async (endpoint: string): Promise<void> => {
  const headers = { 'X-Trino-User': 'athena' }
  const answer = async (url: string, init?: RequestInit) =>
    (await (await fetch(url, { ...init, headers })).json()) as {
      nextUri?: string
      error?: { message: string }
    }
  for (let left = 300; ; left -= 1) {
    let page = await answer(`${endpoint}/v1/statement`, {
      method: 'POST',
      body: 'SELECT count(*) FROM UNNEST(sequence(1, 3))',
    })
    while (page.nextUri) page = await answer(page.nextUri)
    if (!page.error) return
    if (left === 0) throw new Error(`Trino answers no query: ${page.error.message}`)
    await new Promise((resolve) => setTimeout(resolve, 200))
  }
}

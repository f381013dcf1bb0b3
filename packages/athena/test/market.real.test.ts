import type { AddressInfo } from 'node:net'
import { createServer } from 'node:net'
import type { AthenaClient } from '@aws-sdk/client-athena'
import { type LocalStack, startLocalStack } from '@stockpipe/local'
import { afterAll, beforeAll, describe, it, vi } from 'vitest'
import { startLane } from '../../conformance/test/lane.ts'
import { type Athena, createAthena } from '../src/index.ts'
import { athenaClient, createBucket } from './create-bucket.ts'
import { marketHelperTests } from './market/helpers-suite.ts'

const httpPort = await new Promise<number>((resolve) => {
  const server = createServer().listen(0, '127.0.0.1', () => {
    const { port } = server.address() as AddressInfo
    server.close(() => resolve(port))
  })
})
const endpoint = `http://127.0.0.1:${httpPort}`
const keys = { accessKeyId: 'stockpipe', secretAccessKey: 'stockpipe-secret' }
const trino = await startLane(
  'trino',
  (line) => (line as { trino: { endpoint: string; catalog: string } }).trino,
  [
    ...['--glue-endpoint', endpoint, '--s3-endpoint', endpoint],
    ...['--access-key', keys.accessKeyId, '--secret-key', keys.secretAccessKey],
  ],
)

if ('skipped' in trino) {
  describe.skip('Market helpers by Trino', () => {
    it(trino.skipped, () => undefined)
  })
} else {
  describe('Market helpers by Trino', () => {
    let stack: LocalStack
    let client: AthenaClient
    let athena: Athena
    beforeAll(async () => {
      const url = `${trino.endpoint}/${trino.catalog}`
      stack = await startLocalStack({ httpPort, kafkaPort: 0, athenaEngine: { trino: url } })
      client = athenaClient(stack.aws)
      await createBucket(stack.aws, 'results')
      athena = createAthena({
        client,
        database: 'default',
        outputLocation: 's3://results/',
        poll: { initialMillis: 20, maximumMillis: 200 },
      })
      // Trino has started a moment before it knows itself as a node to run on.
      await vi.waitFor(() => athena.queryText({ sql: 'SELECT count(*) FROM (VALUES 1) AS one(n)' }), {
        timeout: 60_000,
        interval: 500,
      })
    }, 120_000)
    afterAll(async () => {
      client?.destroy()
      await stack?.close()
      await trino[Symbol.asyncDispose]()
    })

    marketHelperTests(() => athena, 4, 300_000)
  })
}

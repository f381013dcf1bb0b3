import type { AthenaClient } from '@aws-sdk/client-athena'
import type { LocalStack } from '@stockpipe/local'
import { afterAll, beforeAll, describe, it } from 'vitest'
import { startTrinoLane } from '../../../conformance/test/trino-stack.ts'
import { type Athena, createAthena } from '../../src/index.ts'
import { athenaClient, createBucket } from '../create-bucket.ts'
import { builtQueryTests } from './built-queries-suite.ts'
import { hiddenPartitionTests } from './hidden-partitions-suite.ts'

const trino = await startTrinoLane()

if ('skipped' in trino) {
  describe.skip('Built queries by Trino', () => {
    it(trino.skipped, () => undefined)
  })
} else {
  describe('Built queries by Trino', () => {
    let stack: LocalStack
    let client: AthenaClient
    let athena: Athena
    beforeAll(async () => {
      stack = await trino.startStack()
      client = athenaClient(stack.aws)
      for (const bucket of ['results', 'lake']) await createBucket(stack.aws, bucket)
      athena = createAthena({
        client,
        database: 'default',
        outputLocation: 's3://results/',
        poll: { initialMillis: 20, maximumMillis: 200 },
      })
    }, 120_000)
    afterAll(async () => {
      client?.destroy()
      await stack?.close()
      await trino[Symbol.asyncDispose]()
    })

    builtQueryTests(() => athena, 300_000, false)
    hiddenPartitionTests(() => athena, 40, 600_000)
  })
}

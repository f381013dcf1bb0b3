import { once } from 'node:events'
import { type AddressInfo, createServer } from 'node:net'
import { AthenaClient, GetQueryExecutionCommand, StartQueryExecutionCommand } from '@aws-sdk/client-athena'
import { CreateBucketCommand, S3Client } from '@aws-sdk/client-s3'
import { type LocalStack, startLocalStack } from '@stockpipe/local'
import { describe, it } from 'vitest'
import { describeAthena } from '../src/index.ts'
import { startLane } from './lane.ts'
import { trinoDifferences } from './trino-differences.ts'

// Trino is told of the stack before there is one, and asks nothing of it before its first query.
const probe = createServer().listen(0, '127.0.0.1')
await once(probe, 'listening')
const httpPort = (probe.address() as AddressInfo).port
await new Promise((resolve) => probe.close(resolve))
const endpoint = `http://127.0.0.1:${httpPort}`
const access = { accessKeyId: 'stockpipe', secretAccessKey: 'stockpipe-secret' }
const trino = await startLane(
  'trino',
  (line) => (line as { trino: { endpoint: string; catalog: string } }).trino,
  [
    ...['--glue-endpoint', endpoint, '--s3-endpoint', endpoint],
    ...['--access-key', access.accessKeyId, '--secret-key', access.secretAccessKey],
  ],
)

/** Trino has started a moment before it knows itself as a node to run on. */
const untilReady = async ({ aws }: LocalStack): Promise<void> => {
  const connection = { endpoint, region: aws.region, credentials: access }
  const s3 = new S3Client({ ...connection, forcePathStyle: true })
  await s3.send(new CreateBucketCommand({ Bucket: 'warm-up' }))
  s3.destroy()
  const athena = new AthenaClient(connection)
  for (let state = '', left = 300; state !== 'SUCCEEDED'; left -= 1) {
    if (left === 0) throw new Error('Trino answers no query.')
    const { QueryExecutionId } = await athena.send(
      new StartQueryExecutionCommand({
        QueryString: 'SELECT count(*) FROM UNNEST(sequence(1, 3))',
        ResultConfiguration: { OutputLocation: 's3://warm-up/' },
      }),
    )
    do {
      await new Promise((resolve) => setTimeout(resolve, 100))
      const { QueryExecution } = await athena.send(new GetQueryExecutionCommand({ QueryExecutionId }))
      state = QueryExecution?.Status?.State ?? ''
    } while (state === 'QUEUED' || state === 'RUNNING')
  }
  athena.destroy()
}

if ('skipped' in trino) {
  describe.skip('Athena by Trino over the local stack', () => {
    it(trino.skipped, () => undefined)
  })
} else {
  const start = async () => {
    const athenaEngine = { trino: `${trino.endpoint}/${trino.catalog}` }
    const stack = await startLocalStack({ httpPort, kafkaPort: 0, athenaEngine })
    await untilReady(stack)
    return {
      ...access,
      region: stack.aws.region,
      endpoints: { athena: endpoint, glue: endpoint, s3: endpoint },
      [Symbol.asyncDispose]: async () => {
        await stack.close()
        await trino[Symbol.asyncDispose]()
      },
    }
  }
  describeAthena('Trino over the local stack', start, {
    parts: ['sql', 'catalog'],
    differences: trinoDifferences,
  })
}

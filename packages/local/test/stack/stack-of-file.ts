import { CreateBucketCommand } from '@aws-sdk/client-s3'
import { afterAll } from 'vitest'
import { startLocalStack } from '../../src/local-stack.ts'
import { s3ClientFor } from './s3-client.ts'

/** A stack with these buckets, for all tests of the file that calls this while it is loaded; it closes after them. */
export const stackOfFile = async (...buckets: readonly string[]) => {
  const stack = await startLocalStack({ httpPort: 0, kafkaPort: 0 })
  const s3 = s3ClientFor(stack)
  afterAll(async () => {
    s3.destroy()
    await stack.close()
  })
  for (const Bucket of buckets) await s3.send(new CreateBucketCommand({ Bucket }))
  const { endpoint, region, accessKeyId, secretAccessKey } = stack.aws
  /** For clients of other services. */
  const connection = { endpoint, region, credentials: { accessKeyId, secretAccessKey } }
  return { stack, s3, connection }
}

import { describe, it } from 'vitest'
import { describeAthena } from '../src/index.ts'
import { trinoDifferences } from './trino-differences.ts'
import { startTrinoLane } from './trino-stack.ts'

const trino = await startTrinoLane()

if ('skipped' in trino) {
  describe.skip('Athena by Trino over the local stack', () => {
    it(trino.skipped, () => undefined)
  })
} else {
  const start = async () => {
    const stack = await trino.startStack()
    const { endpoint, region, accessKeyId, secretAccessKey } = stack.aws
    return {
      ...{ region, accessKeyId, secretAccessKey },
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

import { startLocalStack } from '@stockpipe/local'
import { describeAthena } from '../src/index.ts'

describeAthena('the local stack', async () => {
  const stack = await startLocalStack({ httpPort: 0, kafkaPort: 0 })
  const { endpoint, ...access } = stack.aws
  return {
    ...access,
    endpoints: { athena: endpoint, glue: endpoint, s3: endpoint },
    [Symbol.asyncDispose]: () => stack.close(),
  }
})

import { startLocalStack } from '@stockpipe/local'
import { describeGlue } from '../src/index.ts'

describeGlue('the local stack', async () => {
  const stack = await startLocalStack({ httpPort: 0, kafkaPort: 0 })
  return { ...stack.aws, [Symbol.asyncDispose]: () => stack.close() }
})

import { startLocalStack } from '@stockpipe/local'
import { describeKafka } from '../src/index.ts'

describeKafka('the local stack', async () => {
  const stack = await startLocalStack({ httpPort: 0, kafkaPort: 0 })
  return { ...stack.kafka, [Symbol.asyncDispose]: () => stack.close() }
})

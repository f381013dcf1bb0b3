import { startLocalStack } from '@stockpipe/local'
import { describeKafka } from '../src/index.ts'

const groupInitialRebalanceDelayMillis = 1000

describeKafka('the local stack', async () => {
  const stack = await startLocalStack({
    httpPort: 0,
    kafkaPort: 0,
    kafkaGroupInitialRebalanceDelayMillis: groupInitialRebalanceDelayMillis,
    kafkaRetentionCheckIntervalMillis: 500,
  })
  return {
    brokers: stack.kafka.brokers,
    groupInitialRebalanceDelayMillis,
    [Symbol.asyncDispose]: () => stack.close(),
  }
})

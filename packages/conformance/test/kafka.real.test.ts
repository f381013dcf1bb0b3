import { describe, it } from 'vitest'
import { describeKafka, type KafkaSubject } from '../src/index.ts'
import { startLane } from './lane.ts'

// Started before the cases are collected: a lane that cannot run here says so in the name of a skipped suite.
const groupInitialRebalanceDelayMillis = 1000
const kafka = await startLane<KafkaSubject>(
  'kafka',
  (line) => {
    const { brokers } = (line as { kafka: { brokers: string[] } }).kafka
    return { brokers, groupInitialRebalanceDelayMillis }
  },
  [
    `group.initial.rebalance.delay.ms=${groupInitialRebalanceDelayMillis}`,
    'log.retention.check.interval.ms=500',
    // Retention is not enforced in the first half minute otherwise.
    'log.initial.task.delay.ms=500',
  ],
)

if ('skipped' in kafka) {
  describe.skip('Kafka by Apache Kafka', () => {
    it(kafka.skipped, () => undefined)
  })
} else {
  describeKafka('Apache Kafka', async () => kafka)
}

import { describe, it } from 'vitest'
import { describeKafkaSecurity, type KafkaSecuritySubject } from '../src/index.ts'
import { startLane } from './lane.ts'

// Started before the cases are collected: a lane that cannot run here says so in the name of a skipped suite.
const kafka = await startLane(
  'kafka',
  (line) => (line as { kafka: { security: KafkaSecuritySubject } }).kafka.security,
  ['auto.create.topics.enable=false', 'group.initial.rebalance.delay.ms=0'],
)

if ('skipped' in kafka) {
  describe.skip('Kafka security by Apache Kafka', () => {
    it(kafka.skipped, () => undefined)
  })
} else {
  describeKafkaSecurity('Apache Kafka', async () => kafka)
}

import { describe, it } from 'vitest'
import { describeKafka, type KafkaSubject } from '../src/index.ts'
import { startLane } from './lane.ts'

// Started before the cases are collected: a lane that cannot run here says so in the name of a skipped suite.
const kafka = await startLane('kafka', (line) => (line as { kafka: KafkaSubject }).kafka)

if ('skipped' in kafka) {
  describe.skip('Kafka by Apache Kafka', () => {
    it(kafka.skipped, () => undefined)
  })
} else {
  describeKafka('Apache Kafka', async () => kafka)
}

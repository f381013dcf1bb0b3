import { describe, it } from 'vitest'
import { describeKafka } from '../src/index.ts'
import { startKafka } from './kafka-lane.ts'

// Started before the cases are collected: a lane that cannot run here says so in the name of a skipped suite.
const kafka = await startKafka()

if ('skipped' in kafka) {
  describe.skip('Kafka by Apache Kafka', () => {
    it(kafka.skipped, () => undefined)
  })
} else {
  describeKafka('Apache Kafka', async () => kafka)
}

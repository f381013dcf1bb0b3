import { describe } from 'vitest'

/** A Kafka cluster under test. */
export interface KafkaSubject {
  /** What a client takes as its list of brokers. */
  readonly brokers: string[]
}

/** What every Kafka must answer: the same cases for the embedded broker and for Apache Kafka. */
export const describeKafka = (name: string, start: () => Promise<KafkaSubject & AsyncDisposable>): void => {
  describe(`Kafka by ${name}`, () => {
    void start
  })
}

import { afterAll, beforeAll, describe } from 'vitest'
import { casesOf, type KafkaCase } from './case-cluster.ts'
import { configCases } from './configs.ts'
import { fetchCases } from './fetch.ts'
import { firstRebalanceCases } from './first-rebalance.ts'
import { groupCases } from './groups.ts'
import { idempotenceCases } from './idempotence.ts'
import { leaderEpochCases } from './leader-epochs.ts'
import { offsetCases } from './offsets.ts'
import { produceCases } from './produce.ts'
import { recordDeletionCases } from './record-deletion.ts'
import { retentionCases } from './retention.ts'
import { staticMemberCases } from './static-members.ts'
import { timeLookupCases } from './time-lookup.ts'
import { topicCases } from './topics.ts'
import { transactionRefusalCases } from './transaction-refusals.ts'
import { transactionCases } from './transactions.ts'
import { wireCases } from './wire.ts'
import { findCoordinator } from './wire-api.ts'
import { WireClient } from './wire-client.ts'

/** A Kafka cluster under test. */
export interface KafkaSubject {
  /** What a client takes as its list of brokers. */
  readonly brokers: string[]
  /** What the broker was started with as `group.initial.rebalance.delay.ms`; at least a second. */
  readonly groupInitialRebalanceDelayMillis: number
}

const concepts: Readonly<Record<string, (test: KafkaCase) => void>> = {
  topics: topicCases,
  configurations: configCases,
  produce: produceCases,
  idempotence: idempotenceCases,
  fetch: fetchCases,
  'leader epochs': leaderEpochCases,
  'look-up by time': timeLookupCases,
  'deleted records': recordDeletionCases,
  retention: retentionCases,
  groups: groupCases,
  'the first rebalance': firstRebalanceCases,
  'static members': staticMemberCases,
  offsets: offsetCases,
  transactions: transactionCases,
  'refused transactions': transactionRefusalCases,
  'the wire': wireCases,
}

/**
 * What every Kafka must answer: the same cases for the embedded broker and for Apache Kafka.
 *
 * `start` is called once and what it gave is disposed of at the end. One broker that creates topics by itself
 * (the default) and enforces retention every second is assumed. Cases run side by side and share nothing but the cluster.
 */
export const describeKafka = (name: string, start: () => Promise<KafkaSubject & AsyncDisposable>): void => {
  describe(`Kafka by ${name}`, () => {
    let subject: (KafkaSubject & AsyncDisposable) | undefined
    beforeAll(async () => {
      subject = await start()
      const wire = await WireClient.connect(subject.brokers[0]!)
      // A coordinator that was never asked for does not exist yet in Apache Kafka.
      for (const type of ['group', 'transaction'] as const) await findCoordinator(wire, 'warm-up', type)
      wire.close()
    })
    afterAll(() => subject?.[Symbol.asyncDispose]())
    const test = casesOf(() => subject!)
    for (const [concept, cases] of Object.entries(concepts)) describe.concurrent(concept, () => cases(test))
  })
}

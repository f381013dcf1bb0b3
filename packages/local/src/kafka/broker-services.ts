import type { GroupCoordinator } from './groups/group-coordinator.ts'
import type { OffsetStore } from './groups/offset-store.ts'
import type { TopicStore } from './topics/topic-store.ts'
import type { ProducerIds } from './transactions/producer-ids.ts'
import type { TransactionCoordinator } from './transactions/transaction-coordinator.ts'

/** The one broker of the cluster. */
export const brokerNodeId = 1

/** What the handlers of the broker share. */
export interface BrokerServices {
  readonly clusterId: string
  readonly autoCreateTopics: boolean
  readonly topics: TopicStore
  readonly offsets: OffsetStore
  readonly groups: GroupCoordinator
  readonly producerIds: ProducerIds
  readonly transactions: TransactionCoordinator
}

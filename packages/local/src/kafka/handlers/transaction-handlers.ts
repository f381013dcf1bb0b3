import type { BrokerServices } from '../broker-services.ts'
import type { Handlers } from '../network/dispatcher.ts'
import { ErrorCode } from '../protocol/error-code.ts'
import { checkCommits } from './group-handlers.ts'
import { outcomeOf } from './topic-handlers.ts'

/** AddPartitionsToTxn, AddOffsetsToTxn, TxnOffsetCommit and EndTxn. */
export const transactionHandlers = (
  broker: BrokerServices,
): Pick<
  Handlers,
  'addPartitionsToTransaction' | 'addOffsetsToTransaction' | 'transactionOffsetCommit' | 'endTransaction'
> => ({
  addPartitionsToTransaction(request) {
    const asked = request.topics.flatMap(({ name, partitions }) => {
      return partitions.map((partition) => ({ topicName: name, partition }))
    })
    const isUnknown = (topicName: string, partition: number) =>
      broker.topics.partition(topicName, partition) === undefined
    // All or nothing: one unknown partition keeps the others out too.
    const anyUnknown = asked.some(({ topicName, partition }) => isUnknown(topicName, partition))
    const common = anyUnknown
      ? ErrorCode.OPERATION_NOT_ATTEMPTED
      : outcomeOf(() => broker.transactions.addPartitions(request, asked)).errorCode
    return {
      topics: request.topics.map(({ name, partitions }) => ({
        name,
        partitions: partitions.map((partition) => {
          const errorCode = isUnknown(name, partition) ? ErrorCode.UNKNOWN_TOPIC_OR_PARTITION : common
          return { partition, errorCode }
        }),
      })),
    }
  },

  addOffsetsToTransaction(request) {
    if (request.groupId === '') return { errorCode: ErrorCode.INVALID_GROUP_ID }
    return outcomeOf(() => broker.transactions.addOffsets(request))
  },

  transactionOffsetCommit(request) {
    const checked = checkCommits(broker, request.topics, ErrorCode.NONE)
    const { errorCode } = outcomeOf(() =>
      broker.transactions.commitOffsets(request, request.groupId, checked.commits),
    )
    return errorCode === ErrorCode.NONE
      ? { topics: checked.topics }
      : { topics: checkCommits(broker, request.topics, errorCode).topics }
  },

  endTransaction: (request) => outcomeOf(() => broker.transactions.end(request, request.committed)),
})

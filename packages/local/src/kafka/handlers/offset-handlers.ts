import type { BrokerServices } from '../broker-services.ts'
import type { PartitionLog } from '../log/partition-log.ts'
import type { Handlers } from '../network/dispatcher.ts'
import { ErrorCode } from '../protocol/error-code.ts'

const timestampLatest = -1
const timestampEarliest = -2

/** ListOffsets, DeleteRecords and OffsetForLeaderEpoch: where the logs begin and end. */
export const offsetHandlers = (
  broker: BrokerServices,
): Pick<Handlers, 'listOffsets' | 'deleteRecords' | 'offsetForLeaderEpoch'> => ({
  listOffsets: (request) => ({
    topics: request.topics.map(({ name, partitions }) => ({
      name,
      partitions: partitions.map(({ partition, timestamp, currentLeaderEpoch }) => {
        const log = broker.topics.partition(name, partition)
        const errorCode = refusalOf(log, currentLeaderEpoch)
        if (log === undefined || errorCode !== ErrorCode.NONE) {
          return { partition, errorCode, timestamp: -1, offset: -1, leaderEpoch: -1 }
        }
        const found = findOffset(log, timestamp, request.isolationLevel === 1)
        const leaderEpoch = found.offset < 0 ? -1 : log.leaderEpochs.at(found.offset)
        return { partition, errorCode, ...found, leaderEpoch }
      }),
    })),
  }),

  deleteRecords: (request) => ({
    topics: request.topics.map(({ name, partitions }) => ({
      name,
      partitions: partitions.map(({ partition, offset }) => {
        const log = broker.topics.partition(name, partition)
        if (log === undefined) {
          return { partition, lowWatermark: -1, errorCode: ErrorCode.UNKNOWN_TOPIC_OR_PARTITION }
        }
        const target = offset === -1 ? log.logEndOffset : offset
        if (target < 0 || target > log.logEndOffset) {
          return { partition, lowWatermark: -1, errorCode: ErrorCode.OFFSET_OUT_OF_RANGE }
        }
        log.deleteRecordsBefore(target)
        return { partition, lowWatermark: log.logStartOffset, errorCode: ErrorCode.NONE }
      }),
    })),
  }),

  offsetForLeaderEpoch: (request) => ({
    topics: request.topics.map(({ name, partitions }) => ({
      name,
      partitions: partitions.map(({ partition, currentLeaderEpoch, leaderEpoch }) => {
        const log = broker.topics.partition(name, partition)
        const errorCode = refusalOf(log, currentLeaderEpoch)
        if (log === undefined || errorCode !== ErrorCode.NONE) {
          return { errorCode, partition, leaderEpoch: -1, endOffset: -1 }
        }
        return { errorCode, partition, ...log.leaderEpochs.endOf(leaderEpoch, log.logEndOffset) }
      }),
    })),
  }),
})

/** Why a request about a partition is refused; NONE when it is not. */
const refusalOf = (log: PartitionLog | undefined, currentLeaderEpoch: number): number =>
  log === undefined ? ErrorCode.UNKNOWN_TOPIC_OR_PARTITION : log.leaderEpochs.refusalOf(currentLeaderEpoch)

const findOffset = (
  log: PartitionLog,
  timestamp: number,
  readsCommitted: boolean,
): { offset: number; timestamp: number } => {
  const endOffset = readsCommitted ? log.lastStableOffset : log.logEndOffset
  if (timestamp === timestampLatest) return { offset: endOffset, timestamp: -1 }
  if (timestamp === timestampEarliest) return { offset: log.logStartOffset, timestamp: -1 }
  const found = log.findTimestamp(timestamp, endOffset)
  return { offset: found?.offset ?? -1, timestamp: found?.timestampMillis ?? -1 }
}

import { brokerNodeId } from '../broker-services.ts'
import type { RequestContext } from '../network/dispatcher.ts'
import type { ApiName, RequestOf, ResponseOf } from '../protocol/api-table.ts'
import { ErrorCode } from '../protocol/error-code.ts'

/** An answer that carries the error for everything the request asks; null closes the connection instead. */
type ErrorAnswer<Name extends ApiName> = (
  request: RequestOf<Name>,
  errorCode: number,
  context: RequestContext,
) => ResponseOf<Name> | null

type ErrorAnswers = { readonly [Name in ApiName]?: ErrorAnswer<Name> }

const errorMessage = null
const noBytes = Buffer.alloc(0)
const atTheTop = (_request: unknown, errorCode: number) => ({ errorCode })

interface TopicPartitions<Partition> {
  readonly name: string
  readonly partitions: readonly Partition[]
}

const eachPartition = <Asked, Answered>(
  topics: readonly TopicPartitions<Asked>[],
  answer: (asked: Asked) => Answered,
) => topics.map(({ name, partitions }) => ({ name, partitions: partitions.map(answer) }))

const eachResource = (
  { resources }: { resources: readonly { resourceType: number; resourceName: string }[] },
  errorCode: number,
) => ({
  resources: resources.map(({ resourceType, resourceName }) => ({
    errorCode,
    errorMessage,
    resourceType,
    resourceName,
  })),
})

const eachTopic = ({ topics }: { topics: readonly { name: string }[] }, errorCode: number) => ({
  topics: topics.map(({ name }) => ({ name, errorCode, errorMessage })),
})

/** Where each API has its error: what Apache Kafka answers when all a request asks fails the same way. */
export const errorAnswers: ErrorAnswers = {
  // A producer that wants no answer learns of an error by a closed connection, as from Apache Kafka.
  produce: ({ acks, topics }, errorCode) =>
    acks === 0
      ? null
      : {
          topics: eachPartition(topics, ({ partition }) => ({
            partition,
            errorCode,
            baseOffset: -1,
            logAppendTime: -1,
            logStartOffset: -1,
            errorMessage,
          })),
        },
  fetch: ({ topics }, errorCode) => {
    const isOfSession =
      errorCode === ErrorCode.FETCH_SESSION_ID_NOT_FOUND ||
      errorCode === ErrorCode.INVALID_FETCH_SESSION_EPOCH
    if (isOfSession) return { errorCode, topics: [] }
    const answered = eachPartition(topics, ({ partition }) => ({
      partition,
      errorCode,
      highWatermark: -1,
      lastStableOffset: -1,
      logStartOffset: -1,
      abortedTransactions: null,
      records: noBytes,
    }))
    return { errorCode: ErrorCode.NONE, topics: answered }
  },
  listOffsets: ({ topics }, errorCode) => ({
    topics: eachPartition(topics, ({ partition }) => ({
      partition,
      errorCode,
      timestamp: -1,
      offset: -1,
      leaderEpoch: -1,
    })),
  }),
  metadata: ({ topics }, errorCode, { localHost, localPort }) => ({
    brokers: [{ nodeId: brokerNodeId, host: localHost, port: localPort }],
    clusterId: null,
    controllerId: brokerNodeId,
    topics: (topics ?? []).map((name) => ({ errorCode, name, partitions: [] })),
  }),
  offsetCommit: ({ topics }, errorCode) => ({
    topics: eachPartition(topics, ({ partition }) => ({ partition, errorCode })),
  }),
  offsetFetch: ({ topics }, errorCode) => ({
    topics: eachPartition(topics ?? [], (partition) => ({
      partition,
      offset: -1,
      leaderEpoch: -1,
      metadata: '',
      errorCode,
    })),
    errorCode,
  }),
  findCoordinator: (_request, errorCode) => ({ errorCode, nodeId: -1, host: '', port: -1 }),
  joinGroup: ({ memberId }, errorCode) => ({
    errorCode,
    generationId: -1,
    protocolName: '',
    leaderId: '',
    memberId,
    members: [],
  }),
  heartbeat: atTheTop,
  leaveGroup: (_request, errorCode) => ({ errorCode, members: [] }),
  syncGroup: (_request, errorCode) => ({ errorCode, assignment: noBytes }),
  describeGroups: ({ groupIds }, errorCode) => ({
    groups: groupIds.map((groupId) => ({
      errorCode,
      groupId,
      state: '',
      protocolType: '',
      protocolName: '',
      members: [],
    })),
  }),
  listGroups: (_request, errorCode) => ({ errorCode, groups: [] }),
  deleteGroups: ({ groupIds }, errorCode) => ({
    groups: groupIds.map((groupId) => ({ groupId, errorCode })),
  }),
  saslHandshake: (_request, errorCode) => ({ errorCode, mechanisms: [] }),
  saslAuthenticate: (_request, errorCode) => ({ errorCode, errorMessage, authBytes: noBytes }),
  apiVersions: (_request, errorCode) => ({ errorCode, apiKeys: [] }),
  createTopics: eachTopic,
  createPartitions: eachTopic,
  deleteTopics: ({ topicNames }, errorCode) => ({ topics: topicNames.map((name) => ({ name, errorCode })) }),
  deleteRecords: ({ topics }, errorCode) => ({
    topics: eachPartition(topics, ({ partition }) => ({ partition, lowWatermark: -1, errorCode })),
  }),
  offsetForLeaderEpoch: ({ topics }, errorCode) => ({
    topics: eachPartition(topics, ({ partition }) => ({
      errorCode,
      partition,
      leaderEpoch: -1,
      endOffset: -1,
    })),
  }),
  initProducerId: (_request, errorCode) => ({ errorCode, producerId: -1, producerEpoch: -1 }),
  addPartitionsToTransaction: ({ topics }, errorCode) => ({
    topics: eachPartition(topics, (partition) => ({ partition, errorCode })),
  }),
  addOffsetsToTransaction: atTheTop,
  endTransaction: atTheTop,
  transactionOffsetCommit: ({ topics }, errorCode) => ({
    topics: eachPartition(topics, ({ partition }) => ({ partition, errorCode })),
  }),
  describeConfigs: (request, errorCode) => ({
    resources: eachResource(request, errorCode).resources.map((resource) => ({ ...resource, configs: [] })),
  }),
  alterConfigs: eachResource,
  incrementalAlterConfigs: eachResource,
}

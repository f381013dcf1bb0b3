import { type BrokerServices, brokerNodeId } from '../broker-services.ts'
import { answerApiVersions, type Handlers } from '../network/dispatcher.ts'
import type { ResponseOf } from '../protocol/api-table.ts'
import { ErrorCode, errorCodeOf, RefusedRequestError } from '../protocol/error-code.ts'

/** `num.partitions` of Apache Kafka. */
const defaultPartitionCount = 1

type TopicMetadata = ResponseOf<'metadata'>['topics'][number]

/** The code and sentence of a refusal; NONE when the work was done. */
export const outcomeOf = (work: () => void): { errorCode: number; errorMessage: string | null } => {
  try {
    work()
    return { errorCode: ErrorCode.NONE, errorMessage: null }
  } catch (error) {
    return { errorCode: errorCodeOf(error), errorMessage: (error as Error).message }
  }
}

/** ApiVersions, Metadata, CreateTopics, DeleteTopics and CreatePartitions. */
export const topicHandlers = (
  broker: BrokerServices,
): Pick<Handlers, 'apiVersions' | 'metadata' | 'createTopics' | 'deleteTopics' | 'createPartitions'> => ({
  apiVersions: () => answerApiVersions(),

  metadata(request, context) {
    const asksForAll = request.topics === null || (context.apiVersion === 0 && request.topics.length === 0)
    const names = asksForAll ? broker.topics.all().map(({ name }) => name) : (request.topics ?? [])
    const mayCreate = broker.autoCreateTopics && request.allowAutoTopicCreation
    return {
      brokers: [{ nodeId: brokerNodeId, host: context.localHost, port: context.localPort }],
      clusterId: broker.clusterId,
      controllerId: brokerNodeId,
      topics: names.map((name) => topicMetadata(broker, name, mayCreate)),
    }
  },

  createTopics: (request) => ({
    topics: request.topics.map((topic) => ({
      name: topic.name,
      ...outcomeOf(() => {
        const assignments = topic.assignments
        if (assignments.length > 0) checkAssignments(topic)
        else checkReplicationFactor(topic.replicationFactor)
        const partitionCount = topic.partitionCount === -1 ? defaultPartitionCount : topic.partitionCount
        broker.topics.create(topic.name, {
          partitionCount: assignments.length > 0 ? assignments.length : partitionCount,
          configs: Object.fromEntries(topic.configs.map(({ name, value }) => [name, value])),
          validateOnly: request.validateOnly,
        })
      }),
    })),
  }),

  deleteTopics: (request) => ({
    topics: request.topicNames.map((name) => ({ name, ...outcomeOf(() => broker.topics.delete(name)) })),
  }),

  createPartitions: (request) => ({
    topics: request.topics.map(({ name, partitionCount, assignments }) => ({
      name,
      ...outcomeOf(() => {
        for (const { brokerIds } of assignments ?? []) checkReplicas(brokerIds)
        broker.topics.addPartitions(name, partitionCount, request.validateOnly)
      }),
    })),
  }),
})

const topicMetadata = (broker: BrokerServices, name: string, mayCreate: boolean): TopicMetadata => {
  let errorCode: number = ErrorCode.NONE
  if (broker.topics.get(name) === undefined) {
    errorCode = ErrorCode.UNKNOWN_TOPIC_OR_PARTITION
    if (mayCreate) {
      const create = () => broker.topics.create(name, { partitionCount: defaultPartitionCount })
      errorCode = outcomeOf(create).errorCode
    }
  }
  const topic = broker.topics.get(name)
  return {
    errorCode,
    name,
    topicId: topic?.id,
    partitions: (topic?.partitions ?? []).map(({ leaderEpoch }, partition) => ({
      errorCode: ErrorCode.NONE,
      partition,
      leaderId: brokerNodeId,
      leaderEpoch,
      replicas: [brokerNodeId],
      inSyncReplicas: [brokerNodeId],
    })),
  }
}

const checkReplicationFactor = (replicationFactor: number): void => {
  if (replicationFactor !== 1 && replicationFactor !== -1) {
    throw new RefusedRequestError(
      'INVALID_REPLICATION_FACTOR',
      `Unable to replicate the partition ${replicationFactor} time(s): this cluster has one broker.`,
    )
  }
}

const checkAssignments = (topic: {
  partitionCount: number
  assignments: readonly { partition: number; brokerIds: readonly number[] }[]
}): void => {
  const partitions = topic.assignments.map(({ partition }) => partition).sort((left, right) => left - right)
  if (partitions.some((partition, index) => partition !== index)) {
    throw new RefusedRequestError(
      'INVALID_REPLICA_ASSIGNMENT',
      'Partitions of an assignment are numbered from 0 without a gap.',
    )
  }
  for (const { brokerIds } of topic.assignments) checkReplicas(brokerIds)
}

const checkReplicas = (brokerIds: readonly number[]): void => {
  if (brokerIds.length !== 1 || brokerIds[0] !== brokerNodeId) {
    throw new RefusedRequestError(
      'INVALID_REPLICA_ASSIGNMENT',
      `Replicas [${brokerIds.slice(0, 10).join(', ')}] are not on broker ${brokerNodeId}, the only one.`,
    )
  }
}

import { type BrokerServices, brokerNodeId } from '../broker-services.ts'
import type { Group } from '../groups/group.ts'
import type { OffsetCommit } from '../groups/offset-store.ts'
import type { Handlers } from '../network/dispatcher.ts'
import type { ResponseOf } from '../protocol/api-table.ts'
import { ErrorCode } from '../protocol/error-code.ts'
import { outcomeOf } from './topic-handlers.ts'

/** `offset.metadata.max.bytes` of Apache Kafka. */
const maxOffsetMetadataBytes = 4096

/** The APIs of consumer groups and their offsets. */
export const groupHandlers = (
  broker: BrokerServices,
): Pick<
  Handlers,
  | 'findCoordinator'
  | 'joinGroup'
  | 'syncGroup'
  | 'heartbeat'
  | 'leaveGroup'
  | 'describeGroups'
  | 'listGroups'
  | 'deleteGroups'
  | 'offsetCommit'
  | 'offsetFetch'
> => ({
  findCoordinator(request, { localHost, localPort }) {
    if (request.key === '' && request.keyType === 0) {
      return { errorCode: ErrorCode.INVALID_GROUP_ID, nodeId: -1, host: '', port: -1 }
    }
    return { errorCode: ErrorCode.NONE, nodeId: brokerNodeId, host: localHost, port: localPort }
  },

  joinGroup: (request, { apiVersion, clientId, remoteHost }) =>
    broker.groups.join({
      ...request,
      clientId,
      clientHost: `/${remoteHost}`,
      requiresMemberId: apiVersion >= 4,
    }),

  syncGroup: (request) => broker.groups.sync(request),

  heartbeat: (request) => ({ errorCode: broker.groups.heartbeat(request) }),

  leaveGroup(request, { apiVersion }) {
    const { groupId, memberId } = request
    if (apiVersion < 3) {
      return { errorCode: broker.groups.leave({ groupId, memberId, groupInstanceId: null }), members: [] }
    }
    const members = request.members.map((member) => {
      return { ...member, errorCode: broker.groups.leave({ groupId, ...member }) }
    })
    return { errorCode: ErrorCode.NONE, members }
  },

  describeGroups: (request) => ({
    groups: request.groupIds.map((groupId) => describeGroup(groupId, broker.groups.group(groupId))),
  }),

  listGroups: () => ({
    errorCode: ErrorCode.NONE,
    groups: broker.groups.all().map(({ id, protocolType }) => ({ groupId: id, protocolType })),
  }),

  deleteGroups: (request) => ({
    groups: request.groupIds.map((groupId) => ({ groupId, errorCode: broker.groups.delete(groupId) })),
  }),

  offsetCommit(request) {
    const groupError = broker.groups.checkCommit(request)
    const { topics, commits } = checkCommits(broker, request.topics, groupError)
    const { errorCode } = outcomeOf(() => broker.offsets.commit(request.groupId, commits))
    if (errorCode !== ErrorCode.NONE)
      return { topics: checkCommits(broker, request.topics, errorCode).topics }
    if (commits.length > 0) broker.groups.committed(request.groupId)
    return { topics }
  },

  offsetFetch(request) {
    const asked = request.topics ?? committedPartitions(broker, request.groupId)
    return {
      topics: asked.map(({ name, partitions }) => ({
        name,
        partitions: partitions.map((partition) => {
          const committed = broker.offsets.get(request.groupId, name, partition)
          const { offset, leaderEpoch, metadata } = committed ?? { offset: -1, leaderEpoch: -1, metadata: '' }
          return { partition, offset, leaderEpoch, metadata, errorCode: ErrorCode.NONE }
        }),
      })),
    }
  },
})

/** Every partition the group has committed an offset for, by topic. */
const committedPartitions = (
  broker: BrokerServices,
  groupId: string,
): { name: string; partitions: number[] }[] => {
  const partitionsByTopic = new Map<string, number[]>()
  for (const { topicName, partition } of broker.offsets.all(groupId)) {
    const partitions = partitionsByTopic.get(topicName) ?? []
    partitionsByTopic.set(topicName, [...partitions, partition])
  }
  return [...partitionsByTopic].map(([name, partitions]) => ({ name, partitions }))
}

interface AskedCommits {
  readonly name: string
  readonly partitions: readonly {
    readonly partition: number
    readonly offset: number
    readonly leaderEpoch: number
    readonly metadata: string | null
  }[]
}

/** Tells each partition's error, and the commits that may be made. */
export const checkCommits = (
  broker: BrokerServices,
  topics: readonly AskedCommits[],
  commonError: number,
): { topics: ResponseOf<'offsetCommit'>['topics']; commits: OffsetCommit[] } => {
  const commits: OffsetCommit[] = []
  const answered = topics.map(({ name, partitions }) => ({
    name,
    partitions: partitions.map(({ partition, offset, leaderEpoch, metadata }) => {
      let errorCode = commonError
      if (errorCode === ErrorCode.NONE && broker.topics.partition(name, partition) === undefined) {
        errorCode = ErrorCode.UNKNOWN_TOPIC_OR_PARTITION
      }
      if (errorCode === ErrorCode.NONE && Buffer.byteLength(metadata ?? '') > maxOffsetMetadataBytes) {
        errorCode = ErrorCode.OFFSET_METADATA_TOO_LARGE
      }
      if (errorCode === ErrorCode.NONE) {
        commits.push({ topicName: name, partition, offset, leaderEpoch, metadata: metadata ?? '' })
      }
      return { partition, errorCode }
    }),
  }))
  return { topics: answered, commits }
}

const describeGroup = (
  groupId: string,
  group: Group | undefined,
): ResponseOf<'describeGroups'>['groups'][number] => {
  if (group === undefined) {
    const nothing = { state: 'Dead', protocolType: '', protocolName: '', members: [] }
    return { errorCode: ErrorCode.NONE, groupId, ...nothing }
  }
  const isStable = group.state === 'Stable'
  return {
    errorCode: ErrorCode.NONE,
    groupId,
    state: group.state,
    protocolType: group.protocolType,
    protocolName: isStable ? group.protocolName : '',
    members: [...group.members.values()].map((member) => ({
      memberId: member.id,
      groupInstanceId: member.groupInstanceId,
      clientId: member.clientId,
      clientHost: member.clientHost,
      metadata: member.metadataFor(group.protocolName),
      assignment: member.assignment,
    })),
  }
}

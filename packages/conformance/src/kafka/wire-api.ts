import type { WireClient } from './wire-client.ts'

/** The coordinator is being loaded, made, or still at work with what was asked before: the same may be asked again. */
const isTemporary = (errorCode: number): boolean => [14, 15, 16, 51].includes(errorCode)

const settled = async <Answer>(
  ask: () => Promise<Answer>,
  errorOf: (answer: Answer) => number,
): Promise<Answer> => {
  const deadlineMillis = performance.now() + 60_000
  for (;;) {
    const answer = await ask()
    if (!isTemporary(errorOf(answer)) || performance.now() > deadlineMillis) return answer
    await new Promise((resolve) => setTimeout(resolve, 20))
  }
}

export interface WireMessage {
  readonly offset: string
  readonly key: Buffer | null
  readonly value: Buffer | null
  readonly timestamp: string
  readonly isControlRecord: boolean
  readonly batchContext: { readonly producerId: string; readonly codec?: number }
}

export interface ProduceOptions {
  readonly topic: string
  readonly partition?: number
  readonly messages: readonly { value: string | Buffer | null; key?: string; timestamp?: number }[]
  readonly acks?: number
  readonly producerId?: string
  readonly producerEpoch?: number
  readonly firstSequence?: number
  readonly transactionalId?: string | null
  readonly compression?: number
}

export interface ProduceAnswer {
  readonly errorCode: number
  readonly baseOffset: string
  readonly logAppendTime: string
  readonly logStartOffset: string
}

/** Produce v7, one batch to one partition. */
export const produce = async (
  wire: WireClient,
  { topic, partition = 0, messages, firstSequence = 0, acks = -1, ...producer }: ProduceOptions,
  change?: (bytes: Buffer) => void,
): Promise<ProduceAnswer> => {
  const full = messages.map((message) => ({ key: null, headers: {}, ...message }))
  const topicData = [{ topic, partitions: [{ partition, firstSequence, messages: full }] }]
  const answer = await wire.ask('produce', 7, { acks, timeout: 10_000, ...producer, topicData }, change)
  return (answer as { topics: { partitions: ProduceAnswer[] }[] }).topics[0]!.partitions[0]!
}

export interface FetchOptions {
  readonly topic: string
  readonly partition?: number
  readonly offset: number | string
  readonly isolationLevel?: 0 | 1
  readonly maxWaitMillis?: number
  readonly minBytes?: number
  readonly maxBytes?: number
  readonly currentLeaderEpoch?: number
}

export interface FetchAnswer {
  readonly errorCode: number
  readonly highWatermark: string
  readonly lastStableOffset: string
  /** So kafkajs calls the log start offset. */
  readonly lastStartOffset: string
  readonly abortedTransactions: readonly { producerId: string; firstOffset: string }[]
  readonly messages: readonly WireMessage[]
}

const fetchFields = (options: FetchOptions): object => {
  const maxBytes = options.maxBytes ?? 10_000_000
  const asked = {
    partition: options.partition ?? 0,
    fetchOffset: String(options.offset),
    maxBytes,
    currentLeaderEpoch: options.currentLeaderEpoch ?? -1,
  }
  return {
    replicaId: -1,
    maxWaitTime: options.maxWaitMillis ?? 0,
    minBytes: options.minBytes ?? 0,
    maxBytes,
    isolationLevel: options.isolationLevel ?? 0,
    topics: [{ topic: options.topic, partitions: [asked] }],
  }
}

/** Fetch v11 of one partition; without a session, and without waiting unless told. */
export const fetch = async (wire: WireClient, options: FetchOptions): Promise<FetchAnswer> => {
  const answer = await wire.ask('fetch', 11, fetchFields(options))
  return (answer as { responses: { partitions: FetchAnswer[] }[] }).responses[0]!.partitions[0]!
}

/** The codec of the batch that holds an offset, as the broker keeps it: 0 none, 1 gzip, 2 snappy, 3 lz4, 4 zstd. */
export const storedCodec = async (wire: WireClient, topic: string, offset: number): Promise<number> => {
  const answer = await wire.askForBytes('fetch', 11, fetchFields({ topic, offset }))
  // What comes before the records of the one partition has the same length always, but for the topic's name.
  const batch = answer.subarray(62 + Buffer.byteLength(topic))
  return batch.readInt16BE(21) & 7
}

/** The leader epoch in the batch that holds an offset. */
export const leaderEpochOfBatch = async (
  wire: WireClient,
  topic: string,
  offset: number,
): Promise<number> => {
  const answer = await wire.askForBytes('fetch', 11, fetchFields({ topic, offset }))
  return answer.subarray(62 + Buffer.byteLength(topic)).readInt32BE(12)
}

const int32 = (...values: number[]): Buffer => {
  const bytes = Buffer.alloc(4 * values.length)
  for (const [index, value] of values.entries()) bytes.writeInt32BE(value, 4 * index)
  return bytes
}

/** OffsetForLeaderEpoch v3 of one partition, which kafkajs does not know. */
export const endOfLeaderEpoch = async (
  wire: WireClient,
  topic: string,
  asked: { readonly partition?: number; readonly leaderEpoch: number; readonly currentLeaderEpoch?: number },
): Promise<{ readonly errorCode: number; readonly leaderEpoch: number; readonly endOffset: bigint }> => {
  const { partition = 0, leaderEpoch, currentLeaderEpoch = -1 } = asked
  const name = Buffer.from(topic)
  const length = Buffer.from([name.length >> 8, name.length & 255])
  const body = [int32(-1, 1), length, name, int32(1, partition, currentLeaderEpoch, leaderEpoch)]
  const answer = (await wire.exchange(23, 3, Buffer.concat(body))).subarray(-18)
  return {
    errorCode: answer.readInt16BE(0),
    leaderEpoch: answer.readInt32BE(6),
    endOffset: answer.readBigInt64BE(10),
  }
}

/** The id of a topic in hexadecimal, by Metadata v10, which kafkajs does not know; zeros where there is no topic. */
export const topicIdOf = async (wire: WireClient, topic: string): Promise<string> => {
  const name = Buffer.from(topic)
  // Compact: lengths are one byte, and one more than they are; the zeros between are tagged fields, and no id.
  const asked = [Buffer.alloc(1), Buffer.from([2]), Buffer.alloc(16), Buffer.from([name.length + 1]), name]
  const answer = await wire.exchange(3, 10, Buffer.concat([...asked, Buffer.alloc(5)]))
  const at = answer.indexOf(name) + name.length
  return answer.subarray(at, at + 16).toString('hex')
}

export interface ListedOffset {
  readonly errorCode: number
  readonly offset: string
  readonly timestamp: string
}

/** ListOffsets v2 of one partition: -1 the latest, -2 the earliest, or a time. */
export const listOffset = async (
  wire: WireClient,
  topic: string,
  timestamp: number,
  { partition = 0, isolationLevel = 0 } = {},
): Promise<ListedOffset> => {
  const topics = [{ topic, partitions: [{ partition, timestamp }] }]
  const answer = await wire.ask('listOffsets', 2, { replicaId: -1, isolationLevel, topics })
  return (answer as { responses: { partitions: ListedOffset[] }[] }).responses[0]!.partitions[0]!
}

/** FindCoordinator v1; the first one makes Apache Kafka create the topic the coordinator keeps its state in. */
export const findCoordinator = (
  wire: WireClient,
  coordinatorKey: string,
  type: 'group' | 'transaction',
): Promise<{ errorCode: number; coordinator: { nodeId: number } }> =>
  settled(
    async () => {
      const fields = { coordinatorKey, coordinatorType: type === 'group' ? 0 : 1 }
      const answer = await wire.ask('findCoordinator', 1, fields)
      return answer as { errorCode: number; coordinator: { nodeId: number } }
    },
    (answer) => answer.errorCode,
  )

export interface JoinAnswer {
  readonly errorCode: number
  readonly generationId: number
  readonly groupProtocol: string
  readonly leaderId: string
  readonly memberId: string
  readonly members: readonly { memberId: string; groupInstanceId: string | null }[]
}

/** JoinGroup v5. */
export const joinGroup = (
  wire: WireClient,
  groupId: string,
  options: {
    memberId?: string
    groupInstanceId?: string
    sessionTimeout?: number
    rebalanceTimeout?: number
    protocolType?: string
    protocols?: string[]
  } = {},
): Promise<JoinAnswer> => {
  const { protocols = ['range'], ...others } = options
  const defaults = {
    memberId: '',
    sessionTimeout: 30_000,
    rebalanceTimeout: 30_000,
    protocolType: 'consumer',
  }
  const groupProtocols = protocols.map((name) => ({ name, metadata: Buffer.from(name) }))
  const fields = { ...defaults, ...others, groupId, groupProtocols }
  return settled(
    async () => (await wire.ask('joinGroup', 5, fields)) as JoinAnswer,
    (answer) => answer.errorCode,
  )
}

export interface GroupMember {
  readonly groupId: string
  readonly memberId: string
  readonly generationId: number
  readonly groupInstanceId?: string | null
}

/** SyncGroup v3; the leader brings `assignments` by member. */
export const syncGroup = async (
  wire: WireClient,
  member: GroupMember,
  assignments: Readonly<Record<string, string>> = {},
): Promise<{ errorCode: number; assignment: string }> => {
  const groupAssignment = Object.entries(assignments).map(([memberId, text]) => {
    return { memberId, memberAssignment: Buffer.from(text) }
  })
  const answer = await wire.ask('syncGroup', 3, { ...member, groupAssignment })
  const { errorCode, memberAssignment } = answer as { errorCode: number; memberAssignment: Buffer | null }
  return { errorCode, assignment: String(memberAssignment ?? '') }
}

/** Heartbeat v3: its error code. */
export const heartbeat = async (wire: WireClient, member: GroupMember): Promise<number> => {
  const fields = { groupInstanceId: null, ...member, groupGenerationId: member.generationId }
  return ((await wire.ask('heartbeat', 3, fields)) as { errorCode: number }).errorCode
}

/** LeaveGroup v3: the error code of each member. */
export const leaveGroup = async (
  wire: WireClient,
  groupId: string,
  members: readonly { memberId: string; groupInstanceId?: string }[],
): Promise<number[]> => {
  const answer = await wire.ask('leaveGroup', 3, { groupId, members })
  return (answer as { members: { errorCode: number }[] }).members.map(({ errorCode }) => errorCode)
}

/** OffsetCommit v5 of one partition: its error code. */
export const commitOffset = (
  wire: WireClient,
  member: GroupMember,
  commit: { topic: string; partition?: number; offset: number; metadata?: string },
): Promise<number> => {
  const partitions = [{ partition: 0, ...commit }]
  const topics = [{ topic: commit.topic, partitions }]
  const fields = { ...member, groupGenerationId: member.generationId, topics }
  type Answer = { responses: { partitions: { errorCode: number }[] }[] }
  const ask = async () =>
    ((await wire.ask('offsetCommit', 5, fields)) as Answer).responses[0]!.partitions[0]!.errorCode
  return settled(ask, (errorCode) => errorCode)
}

/** Who may commit for a group without being a member. */
export const outsider = (groupId: string): GroupMember => ({ groupId, memberId: '', generationId: -1 })

/** OffsetFetch v4 of one partition. */
export const committedOffset = (
  wire: WireClient,
  groupId: string,
  topic: string,
  partition = 0,
): Promise<{ offset: string; metadata: string | null; errorCode: number }> => {
  type Partition = { offset: string; metadata: string | null; errorCode: number }
  type Answer = { errorCode: number; responses: { partitions: Partition[] }[] }
  const topics = [{ topic, partitions: [{ partition }] }]
  return settled(
    async () => (await wire.ask('offsetFetch', 4, { groupId, topics })) as Answer,
    (answer) => answer.errorCode,
  ).then((answer) => answer.responses[0]!.partitions[0]!)
}

/** InitProducerId v1. */
export const initProducerId = (
  wire: WireClient,
  transactionalId: string | null = null,
  transactionTimeout = 60_000,
): Promise<{ errorCode: number; producerId: string; producerEpoch: number }> =>
  settled(
    async () => {
      const answer = await wire.ask('initProducerId', 1, { transactionalId, transactionTimeout })
      return answer as { errorCode: number; producerId: string; producerEpoch: number }
    },
    (answer) => answer.errorCode,
  )

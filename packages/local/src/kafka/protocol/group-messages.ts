import {
  arrayOf,
  between,
  boolean,
  bytes,
  int8,
  int16,
  int32,
  int64,
  nullableArrayOf,
  nullableString,
  optional,
  since,
  string,
  struct,
} from './wire-types.ts'

const throttleTimeMillis = (firstVersion: number) => since(firstVersion, optional(int32, 0), undefined)

export const findCoordinator = {
  request: struct({ key: string, keyType: since(1, int8, 0) }),
  response: struct({
    throttleTimeMillis: throttleTimeMillis(1),
    errorCode: int16,
    errorMessage: since(1, optional(nullableString, null), undefined),
    nodeId: int32,
    host: string,
    port: int32,
  }),
}

export const joinGroup = {
  request: struct({
    groupId: string,
    sessionTimeoutMillis: int32,
    rebalanceTimeoutMillis: since(1, int32, -1),
    memberId: string,
    groupInstanceId: since(5, nullableString, null),
    protocolType: string,
    protocols: arrayOf(struct({ name: string, metadata: bytes })),
  }),
  response: struct({
    throttleTimeMillis: throttleTimeMillis(2),
    errorCode: int16,
    generationId: int32,
    protocolName: string,
    leaderId: string,
    memberId: string,
    members: arrayOf(
      struct({ memberId: string, groupInstanceId: since(5, nullableString, null), metadata: bytes }),
    ),
  }),
}

export const syncGroup = {
  request: struct({
    groupId: string,
    generationId: int32,
    memberId: string,
    groupInstanceId: since(3, nullableString, null),
    assignments: arrayOf(struct({ memberId: string, assignment: bytes })),
  }),
  response: struct({ throttleTimeMillis: throttleTimeMillis(1), errorCode: int16, assignment: bytes }),
}

export const heartbeat = {
  request: struct({
    groupId: string,
    generationId: int32,
    memberId: string,
    groupInstanceId: since(3, nullableString, null),
  }),
  response: struct({ throttleTimeMillis: throttleTimeMillis(1), errorCode: int16 }),
}

export const leaveGroup = {
  request: struct({
    groupId: string,
    memberId: between(0, 2, string, ''),
    members: since(3, arrayOf(struct({ memberId: string, groupInstanceId: nullableString })), []),
  }),
  response: struct({
    throttleTimeMillis: throttleTimeMillis(1),
    errorCode: int16,
    members: since(
      3,
      arrayOf(struct({ memberId: string, groupInstanceId: nullableString, errorCode: int16 })),
      [],
    ),
  }),
}

export const describeGroups = {
  request: struct({ groupIds: arrayOf(string), includeAuthorizedOperations: since(3, boolean, false) }),
  response: struct({
    throttleTimeMillis: throttleTimeMillis(1),
    groups: arrayOf(
      struct({
        errorCode: int16,
        groupId: string,
        state: string,
        protocolType: string,
        protocolName: string,
        members: arrayOf(
          struct({
            memberId: string,
            groupInstanceId: since(4, nullableString, null),
            clientId: string,
            clientHost: string,
            metadata: bytes,
            assignment: bytes,
          }),
        ),
        authorizedOperations: since(3, optional(int32, -2147483648), undefined),
      }),
    ),
  }),
}

export const listGroups = {
  request: struct({}),
  response: struct({
    throttleTimeMillis: throttleTimeMillis(1),
    errorCode: int16,
    groups: arrayOf(struct({ groupId: string, protocolType: string })),
  }),
}

export const deleteGroups = {
  request: struct({ groupIds: arrayOf(string) }),
  response: struct({
    throttleTimeMillis: throttleTimeMillis(0),
    groups: arrayOf(struct({ groupId: string, errorCode: int16 })),
  }),
}

const offsetCommitErrors = arrayOf(
  struct({ name: string, partitions: arrayOf(struct({ partition: int32, errorCode: int16 })) }),
)

export const offsetCommit = {
  request: struct({
    groupId: string,
    generationId: int32,
    memberId: string,
    groupInstanceId: since(7, nullableString, null),
    retentionMillis: between(2, 4, int64, -1),
    topics: arrayOf(
      struct({
        name: string,
        partitions: arrayOf(
          struct({
            partition: int32,
            offset: int64,
            leaderEpoch: since(6, int32, -1),
            metadata: nullableString,
          }),
        ),
      }),
    ),
  }),
  response: struct({ throttleTimeMillis: throttleTimeMillis(3), topics: offsetCommitErrors }),
}

export const offsetFetch = {
  request: struct({
    groupId: string,
    topics: nullableArrayOf(struct({ name: string, partitions: arrayOf(int32) })),
  }),
  response: struct({
    throttleTimeMillis: throttleTimeMillis(3),
    topics: arrayOf(
      struct({
        name: string,
        partitions: arrayOf(
          struct({
            partition: int32,
            offset: int64,
            leaderEpoch: since(5, int32, -1),
            metadata: nullableString,
            errorCode: int16,
          }),
        ),
      }),
    ),
    errorCode: since(2, optional(int16, 0), undefined),
  }),
}

const producerFields = { producerId: int64, producerEpoch: int16 }
const errorResponse = struct({ throttleTimeMillis: throttleTimeMillis(0), errorCode: int16 })

export const initProducerId = {
  request: struct({ transactionalId: nullableString, transactionTimeoutMillis: int32 }),
  response: struct({ throttleTimeMillis: throttleTimeMillis(0), errorCode: int16, ...producerFields }),
}

export const addPartitionsToTransaction = {
  request: struct({
    transactionalId: string,
    ...producerFields,
    topics: arrayOf(struct({ name: string, partitions: arrayOf(int32) })),
  }),
  response: struct({ throttleTimeMillis: throttleTimeMillis(0), topics: offsetCommitErrors }),
}

export const addOffsetsToTransaction = {
  request: struct({ transactionalId: string, ...producerFields, groupId: string }),
  response: errorResponse,
}

export const endTransaction = {
  request: struct({ transactionalId: string, ...producerFields, committed: boolean }),
  response: errorResponse,
}

export const transactionOffsetCommit = {
  request: struct({
    transactionalId: string,
    groupId: string,
    ...producerFields,
    topics: arrayOf(
      struct({
        name: string,
        partitions: arrayOf(
          struct({
            partition: int32,
            offset: int64,
            leaderEpoch: since(2, int32, -1),
            metadata: nullableString,
          }),
        ),
      }),
    ),
  }),
  response: struct({ throttleTimeMillis: throttleTimeMillis(0), topics: offsetCommitErrors }),
}

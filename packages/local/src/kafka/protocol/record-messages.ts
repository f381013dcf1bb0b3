import {
  arrayOf,
  int8,
  int16,
  int32,
  int64,
  nullableArrayOf,
  nullableBytes,
  nullableString,
  optional,
  since,
  string,
  struct,
} from './wire-types.ts'

const throttleTimeMillis = (firstVersion: number) => since(firstVersion, optional(int32, 0), undefined)

export const produce = {
  request: struct({
    transactionalId: since(3, nullableString, null),
    acks: int16,
    timeoutMillis: int32,
    topics: arrayOf(
      struct({ name: string, partitions: arrayOf(struct({ partition: int32, records: nullableBytes })) }),
    ),
  }),
  response: struct({
    topics: arrayOf(
      struct({
        name: string,
        partitions: arrayOf(
          struct({
            partition: int32,
            errorCode: int16,
            baseOffset: int64,
            logAppendTime: since(2, int64, -1),
            logStartOffset: since(5, int64, -1),
            recordErrors: since(
              8,
              optional(arrayOf(struct({ batchIndex: int32, errorMessage: nullableString })), []),
              undefined,
            ),
            errorMessage: since(8, nullableString, null),
          }),
        ),
      }),
    ),
    throttleTimeMillis: throttleTimeMillis(1),
  }),
}

export const fetch = {
  request: struct({
    replicaId: int32,
    maxWaitMillis: int32,
    minBytes: int32,
    maxBytes: int32,
    isolationLevel: int8,
    sessionId: since(7, int32, 0),
    sessionEpoch: since(7, int32, -1),
    topics: arrayOf(
      struct({
        name: string,
        partitions: arrayOf(
          struct({
            partition: int32,
            currentLeaderEpoch: since(9, int32, -1),
            fetchOffset: int64,
            logStartOffset: since(5, int64, -1),
            maxBytes: int32,
          }),
        ),
      }),
    ),
    forgottenTopics: since(7, arrayOf(struct({ name: string, partitions: arrayOf(int32) })), []),
    rackId: since(11, string, ''),
  }),
  response: struct({
    throttleTimeMillis: throttleTimeMillis(1),
    errorCode: since(7, int16, 0),
    sessionId: since(7, optional(int32, 0), undefined),
    topics: arrayOf(
      struct({
        name: string,
        partitions: arrayOf(
          struct({
            partition: int32,
            errorCode: int16,
            highWatermark: int64,
            lastStableOffset: int64,
            logStartOffset: since(5, int64, -1),
            abortedTransactions: nullableArrayOf(struct({ producerId: int64, firstOffset: int64 })),
            preferredReadReplica: since(11, optional(int32, -1), undefined),
            records: nullableBytes,
          }),
        ),
      }),
    ),
  }),
}

export const listOffsets = {
  request: struct({
    replicaId: int32,
    isolationLevel: since(2, int8, 0),
    topics: arrayOf(
      struct({
        name: string,
        partitions: arrayOf(
          struct({ partition: int32, currentLeaderEpoch: since(4, int32, -1), timestamp: int64 }),
        ),
      }),
    ),
  }),
  response: struct({
    throttleTimeMillis: throttleTimeMillis(2),
    topics: arrayOf(
      struct({
        name: string,
        partitions: arrayOf(
          struct({
            partition: int32,
            errorCode: int16,
            timestamp: int64,
            offset: int64,
            leaderEpoch: since(4, int32, -1),
          }),
        ),
      }),
    ),
  }),
}

export const deleteRecords = {
  request: struct({
    topics: arrayOf(
      struct({ name: string, partitions: arrayOf(struct({ partition: int32, offset: int64 })) }),
    ),
    timeoutMillis: int32,
  }),
  response: struct({
    throttleTimeMillis: throttleTimeMillis(0),
    topics: arrayOf(
      struct({
        name: string,
        partitions: arrayOf(struct({ partition: int32, lowWatermark: int64, errorCode: int16 })),
      }),
    ),
  }),
}

export const offsetForLeaderEpoch = {
  request: struct({
    replicaId: since(3, int32, -2),
    topics: arrayOf(
      struct({
        name: string,
        partitions: arrayOf(struct({ partition: int32, currentLeaderEpoch: int32, leaderEpoch: int32 })),
      }),
    ),
  }),
  response: struct({
    throttleTimeMillis: throttleTimeMillis(2),
    topics: arrayOf(
      struct({
        name: string,
        partitions: arrayOf(
          struct({ errorCode: int16, partition: int32, leaderEpoch: int32, endOffset: int64 }),
        ),
      }),
    ),
  }),
}

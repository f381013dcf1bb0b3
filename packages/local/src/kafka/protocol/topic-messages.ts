import {
  arrayOf,
  between,
  boolean,
  int8,
  int16,
  int32,
  nullableArrayOf,
  nullableString,
  optional,
  since,
  string,
  struct,
  uuid,
  type WireType,
} from './wire-types.ts'

const throttleTimeMillis = (firstVersion: number) => since(firstVersion, optional(int32, 0), undefined)
/** "Not asked for": the broker keeps no access lists. */
const authorizedOperations = (first: number) => since(first, optional(int32, -2147483648), undefined)

export const apiVersions = {
  request: struct({}),
  response: struct({
    errorCode: int16,
    apiKeys: arrayOf(struct({ apiKey: int16, minVersion: int16, maxVersion: int16 })),
    throttleTimeMillis: throttleTimeMillis(1),
  }),
}

/** The id of no topic. */
export const noTopicId = 'AAAAAAAAAAAAAAAAAAAAAA'

/** A topic that Metadata is asked for: a name, which from v9 on is a structure, and from v10 on has an id before it. */
const askedTopic: WireType<string> = {
  read(reader, version) {
    if (version >= 10) uuid.read(reader, version)
    const name = string.read(reader, version)
    reader.skipTaggedFields()
    return name
  },
  write(writer, name, version) {
    if (version >= 10) uuid.write(writer, noTopicId, version)
    string.write(writer, name, version)
    writer.taggedFields()
  },
}

export const metadata = {
  request: struct({
    topics: nullableArrayOf(askedTopic),
    allowAutoTopicCreation: since(4, boolean, true),
    includeClusterAuthorizedOperations: since(8, boolean, false),
    includeTopicAuthorizedOperations: since(8, boolean, false),
  }),
  response: struct({
    throttleTimeMillis: throttleTimeMillis(3),
    brokers: arrayOf(
      struct({
        nodeId: int32,
        host: string,
        port: int32,
        rack: since(1, optional(nullableString, null), undefined),
      }),
    ),
    clusterId: since(2, nullableString, null),
    controllerId: since(1, int32, -1),
    topics: arrayOf(
      struct({
        errorCode: int16,
        name: string,
        topicId: since(10, optional(uuid, noTopicId), undefined),
        isInternal: since(1, optional(boolean, false), undefined),
        partitions: arrayOf(
          struct({
            errorCode: int16,
            partition: int32,
            leaderId: int32,
            leaderEpoch: since(7, int32, -1),
            replicas: arrayOf(int32),
            inSyncReplicas: arrayOf(int32),
            offlineReplicas: since(5, optional(arrayOf(int32), []), undefined),
          }),
        ),
        authorizedOperations: authorizedOperations(8),
      }),
    ),
    authorizedOperations: authorizedOperations(8),
  }),
}

export const createTopics = {
  request: struct({
    topics: arrayOf(
      struct({
        name: string,
        partitionCount: int32,
        replicationFactor: int16,
        assignments: arrayOf(struct({ partition: int32, brokerIds: arrayOf(int32) })),
        configs: arrayOf(struct({ name: string, value: nullableString })),
      }),
    ),
    timeoutMillis: int32,
    validateOnly: since(1, boolean, false),
  }),
  response: struct({
    throttleTimeMillis: throttleTimeMillis(2),
    topics: arrayOf(struct({ name: string, errorCode: int16, errorMessage: since(1, nullableString, null) })),
  }),
}

export const deleteTopics = {
  request: struct({ topicNames: arrayOf(string), timeoutMillis: int32 }),
  response: struct({
    throttleTimeMillis: throttleTimeMillis(1),
    topics: arrayOf(struct({ name: string, errorCode: int16 })),
  }),
}

export const createPartitions = {
  request: struct({
    topics: arrayOf(
      struct({
        name: string,
        partitionCount: int32,
        assignments: nullableArrayOf(struct({ brokerIds: arrayOf(int32) })),
      }),
    ),
    timeoutMillis: int32,
    validateOnly: boolean,
  }),
  response: struct({
    throttleTimeMillis: throttleTimeMillis(0),
    topics: arrayOf(struct({ name: string, errorCode: int16, errorMessage: nullableString })),
  }),
}

export const describeConfigs = {
  request: struct({
    resources: arrayOf(
      struct({ resourceType: int8, resourceName: string, configNames: nullableArrayOf(string) }),
    ),
    includeSynonyms: since(1, boolean, false),
  }),
  response: struct({
    throttleTimeMillis: throttleTimeMillis(0),
    resources: arrayOf(
      struct({
        errorCode: int16,
        errorMessage: nullableString,
        resourceType: int8,
        resourceName: string,
        configs: arrayOf(
          struct({
            name: string,
            value: nullableString,
            readOnly: boolean,
            isDefault: between(0, 0, boolean, false),
            source: since(1, int8, -1),
            isSensitive: optional(boolean, false),
            synonyms: since(1, arrayOf(struct({ name: string, value: nullableString, source: int8 })), []),
          }),
        ),
      }),
    ),
  }),
}

const alterConfigsResponse = struct({
  throttleTimeMillis: throttleTimeMillis(0),
  resources: arrayOf(
    struct({ errorCode: int16, errorMessage: nullableString, resourceType: int8, resourceName: string }),
  ),
})

export const alterConfigs = {
  request: struct({
    resources: arrayOf(
      struct({
        resourceType: int8,
        resourceName: string,
        configs: arrayOf(struct({ name: string, value: nullableString })),
      }),
    ),
    validateOnly: boolean,
  }),
  response: alterConfigsResponse,
}

export const incrementalAlterConfigs = {
  request: struct({
    resources: arrayOf(
      struct({
        resourceType: int8,
        resourceName: string,
        configs: arrayOf(struct({ name: string, operation: int8, value: nullableString })),
      }),
    ),
    validateOnly: boolean,
  }),
  response: alterConfigsResponse,
}

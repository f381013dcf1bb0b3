import type { KafkajsBroker } from './kafkajs-cluster.ts'

/** Metadata v10, of Kafka 2.8 and newer, is the first that tells the ids of topics; kafkajs asks v6. */
const topicIdApi = { key: 3, version: 10 } as const
const noTopicId = Buffer.alloc(16).toString('base64url')

/** What tells a topic from another one of its name, and its leaders from those before them. */
export interface TopicIdentity {
  /** As Kafka shows it; undefined where a cluster has none. */
  readonly topicId: string | undefined
  /** Of the present leaders, by partition. */
  readonly leaderEpochs: ReadonlyMap<number, number>
  /** Partitions that nobody leads. */
  readonly leaderless: readonly number[]
}

/**
 * Asks a broker which topics have these names now; those that it does not know are left out. Undefined when it is older
 * than Kafka 2.8. Rejects as kafkajs does when it does not answer.
 */
export const askTopicIdentities = async (
  broker: KafkajsBroker,
  topics: readonly string[],
): Promise<ReadonlyMap<string, TopicIdentity> | undefined> => {
  const newest = broker.versions?.[topicIdApi.key]?.maxVersion ?? 0
  if (newest < topicIdApi.version) return undefined
  const { answer } = await broker.connectionPool.send({
    request: {
      apiKey: topicIdApi.key,
      apiVersion: topicIdApi.version,
      apiName: 'Metadata with topic ids',
      expectResponse: () => true,
      encode: async () => {
        const body = encodeAskedTopics(topics)
        return { buf: body, buffer: body }
      },
    },
    response: {
      decode: async (payload) => ({ ...decodeIdentities(payload) }),
      parse: async (answer) => answer,
    },
  })
  return answer
}

/** It is a flexible version: lengths are varints and one larger, and a count of tagged fields ends what has fields. */
const encodeAskedTopics = (topics: readonly string[]): Buffer => {
  const none = Buffer.alloc(1)
  const unknownId = Buffer.alloc(16)
  const asked = topics.flatMap((topic) => {
    const name = Buffer.from(topic)
    return [unknownId, unsignedVarint(name.length + 1), name, none]
  })
  // The end of the header, the topics; no topic is created, nothing is said of rights, no tagged fields.
  return Buffer.concat([none, unsignedVarint(topics.length + 1), ...asked, Buffer.alloc(4)])
}

const unsignedVarint = (value: number): Buffer => {
  const bytes: number[] = []
  let rest = value
  for (; rest > 0x7f; rest >>>= 7) bytes.push((rest & 0x7f) | 0x80)
  return Buffer.from([...bytes, rest])
}

const decodeIdentities = (
  payload: Buffer,
): {
  readonly answer: ReadonlyMap<string, TopicIdentity>
  readonly clientSideThrottleTime: number
} => {
  let at = 0
  const varint = (): number => {
    let value = 0
    for (let shift = 0; ; shift += 7) {
      const byte = payload.readUInt8(at++)
      value += (byte & 0x7f) * 2 ** shift
      if (byte < 0x80) return value
    }
  }
  const int32 = (): number => payload.readInt32BE((at += 4) - 4)
  const int16 = (): number => payload.readInt16BE((at += 2) - 2)
  const take = (length: number): Buffer => payload.subarray(at, (at += Math.max(0, length)))
  const text = (): string => take(varint() - 1).toString()
  const each = (read: () => void): void => {
    for (let left = varint() - 1; left > 0; left--) read()
  }
  const skipTags = (): void => {
    for (let left = varint(); left > 0; left--) {
      varint()
      take(varint())
    }
  }
  const answer = new Map<string, TopicIdentity>()
  skipTags()
  const clientSideThrottleTime = int32()
  each(() => {
    int32()
    text()
    int32()
    text()
    skipTags()
  })
  text()
  int32()
  each(() => {
    const errorCode = int16()
    const name = text()
    const id = take(16).toString('base64url')
    take(1)
    const leaderEpochs = new Map<number, number>()
    const leaderless: number[] = []
    each(() => {
      int16()
      const partition = int32()
      if (int32() < 0) leaderless.push(partition)
      leaderEpochs.set(partition, int32())
      for (let list = 0; list < 3; list++) each(int32)
      skipTags()
    })
    int32()
    skipTags()
    if (errorCode === 0)
      answer.set(name, { topicId: id === noTopicId ? undefined : id, leaderEpochs, leaderless })
  })
  return { answer, clientSideThrottleTime }
}

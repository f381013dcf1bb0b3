import { type FetchedBatch, fetchedBatches } from './fetched-batch.ts'
import { ResponseLease } from './response-lease.ts'

/** The version of Fetch whose answers are read here: Kafka 2.3 and newer, the newest that kafkajs knows. */
export const rawFetchApi = { key: 1, version: 11 } as const

/** What kafkajs makes of the answer to a fetch, for one partition. */
export interface FetchedPartition<Message> {
  readonly partition: number
  readonly errorCode: number
  readonly highWatermark: string
  readonly lastStableOffset: string
  readonly lastStartOffset: string
  readonly abortedTransactions: readonly { readonly producerId: string; readonly firstOffset: string }[]
  readonly preferredReadReplica: number
  readonly messages: readonly Message[]
}

/** What kafkajs makes of the answer to a fetch. */
export interface FetchAnswer<Message> {
  readonly throttleTime: number
  readonly clientSideThrottleTime: number
  readonly errorCode: number
  readonly sessionId: number
  readonly responses: readonly {
    readonly topicName: string
    readonly partitions: readonly FetchedPartition<Message>[]
  }[]
}

/** From where partitions were fetched. */
export type FetchOffsets = readonly {
  readonly topic: string
  readonly partitions: readonly {
    readonly partition: number
    readonly fetchOffset: string
    readonly currentLeaderEpoch?: number
  }[]
}[]

/**
 * Reads the answer to a fetch as kafkajs does, with whole record batches in the place of messages, and without those
 * that a reader of committed records is not shown. The bytes are shared.
 * @returns undefined when a partition has message sets as before Kafka 0.11
 */
export const decodeRawFetch = (
  payload: Buffer,
  fetchOffsets: FetchOffsets,
): FetchAnswer<FetchedBatch> | undefined => {
  let at = 0
  const int16 = (): number => payload.readInt16BE((at += 2) - 2)
  const int32 = (): number => payload.readInt32BE((at += 4) - 4)
  const int64 = (): bigint => payload.readBigInt64BE((at += 8) - 8)
  const bytes = (length: number): Buffer => {
    if (length <= 0) return payload.subarray(at, at)
    if (at + length > payload.length) throw new RangeError('The answer to a fetch is cut off.')
    at += length
    return payload.subarray(at - length, at)
  }
  const arrayOf = <T>(read: () => T): T[] => {
    const length = int32()
    const items: T[] = []
    for (let index = 0; index < length; index++) items.push(read())
    return items
  }
  let isOld = false
  const lease = new ResponseLease(payload)
  const partitionOf = (topic: string): FetchedPartition<FetchedBatch> => {
    const partition = int32()
    const errorCode = int16()
    const highWatermark = int64().toString()
    const lastStableOffset = int64().toString()
    const lastStartOffset = int64().toString()
    const aborted = arrayOf(() => ({ producerId: int64(), firstOffset: int64() }))
    const preferredReadReplica = int32()
    const records = bytes(int32())
    const asked = fetchOffsets
      .filter((one) => one.topic === topic)
      .flatMap(({ partitions }) => partitions)
      .find((one) => one.partition === partition)
    const messages = fetchedBatches({ topic, partition }, records, BigInt(asked?.fetchOffset ?? 0), aborted)
    if (messages === undefined) isOld = true
    else lease.share(messages)
    return {
      partition,
      errorCode,
      highWatermark,
      lastStableOffset,
      lastStartOffset,
      // What they tell is done: kafkajs has nothing to leave out.
      abortedTransactions: [],
      preferredReadReplica,
      messages: messages ?? [],
    }
  }
  const clientSideThrottleTime = int32()
  const errorCode = int16()
  const sessionId = int32()
  const responses = arrayOf(() => {
    const topicName = bytes(int16()).toString()
    return { topicName, partitions: arrayOf(() => partitionOf(topicName)) }
  })
  if (isOld) return undefined
  lease.begin()
  return { throttleTime: 0, clientSideThrottleTime, errorCode, sessionId, responses }
}

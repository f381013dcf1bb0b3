import type { TopicPartition } from '@stockpipe/core'
import type { KafkajsBroker } from './kafkajs-cluster.ts'

/** OffsetForLeaderEpoch v3, of Kafka 2.3 and newer; kafkajs does not know it. */
const leaderEpochApi = { key: 23, version: 3 } as const
const consumerReplica = -1

/** An epoch of which it is asked where it ended. */
export interface AskedEpoch extends TopicPartition {
  readonly leaderEpoch: number
  /** The present leader's, as far as is known: a broker that knows of another one refuses. -1 when it is not known. */
  readonly currentLeaderEpoch: number
}

/** Where an epoch ended. */
export interface EpochEnd {
  readonly errorCode: number
  /** The largest epoch up to the one asked for that the log has records of; -1 when there is none. */
  readonly leaderEpoch: number
  /** The offset after its last record; -1 when there is none. */
  readonly endOffset: bigint
}

/** Whether a broker is as new as Kafka 2.3. */
export const knowsEpochEnds = ({ versions }: KafkajsBroker): boolean =>
  (versions?.[leaderEpochApi.key]?.maxVersion ?? 0) >= leaderEpochApi.version

/** Asks the leader of a partition where an epoch ended. Rejects as kafkajs does when it does not answer. */
export const askEpochEnd = async (broker: KafkajsBroker, asked: AskedEpoch): Promise<EpochEnd> => {
  let end: EpochEnd | undefined
  await broker.connectionPool.send({
    request: {
      apiKey: leaderEpochApi.key,
      apiVersion: leaderEpochApi.version,
      apiName: 'OffsetForLeaderEpoch',
      expectResponse: () => true,
      encode: async () => {
        const body = encodeAskedEpoch(asked)
        return { buf: body, buffer: body }
      },
    },
    response: {
      decode: async (payload) => {
        // Not in the answer, which kafkajs logs as JSON when it is to debug: offsets cannot be in that.
        end = decodeEpochEnd(payload)
        return { clientSideThrottleTime: payload.readInt32BE(0) }
      },
      parse: async (answer) => answer,
    },
  })
  return end!
}

const encodeAskedEpoch = ({ topic, partition, currentLeaderEpoch, leaderEpoch }: AskedEpoch): Buffer => {
  const name = Buffer.from(topic)
  const body = Buffer.allocUnsafe(26 + name.length)
  body.writeInt32BE(consumerReplica, 0)
  body.writeInt32BE(1, 4)
  body.writeInt16BE(name.length, 8)
  name.copy(body, 10)
  const at = 10 + name.length
  body.writeInt32BE(1, at)
  body.writeInt32BE(partition, at + 4)
  body.writeInt32BE(currentLeaderEpoch, at + 8)
  body.writeInt32BE(leaderEpoch, at + 12)
  return body
}

/** The answer about the one partition of the one topic that was asked for. */
const decodeEpochEnd = (payload: Buffer): EpochEnd => {
  const at = 4 + 4 + 2 + payload.readInt16BE(8) + 4
  return {
    errorCode: payload.readInt16BE(at),
    leaderEpoch: payload.readInt32BE(at + 6),
    endOffset: payload.readBigInt64BE(at + 10),
  }
}

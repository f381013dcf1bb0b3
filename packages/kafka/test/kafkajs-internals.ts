import { createRequire } from 'node:module'
import type { Producer } from 'kafkajs'
import type { FakeCluster } from './fake-cluster.ts'

const require = createRequire(import.meta.url)
const createKafkajsProducer = require('kafkajs/src/producer') as (options: object) => Producer
const { createErrorFromCode } = require('kafkajs/src/protocol/error') as {
  createErrorFromCode: (code: number) => Error
}

interface KafkajsTopicData {
  readonly topic: string
  readonly partitions: readonly {
    readonly partition: number
    readonly firstSequence: number
    readonly messages: readonly { readonly value: string }[]
  }[]
}

/** kafkajs's own producer, as it is installed, over a cluster in memory whose requests `fault` decides about. */
export const kafkajsProducerOver = (cluster: FakeCluster, retries = 5): Producer => {
  const log = () => {}
  const logger = { info: log, warn: log, error: log, debug: log, namespace: () => logger }
  const retry = { retries, initialRetryTime: 1, maxRetryTime: 2 }
  const brokers = Array.from({ length: cluster.nodes }, (_, nodeId) => ({
    nodeId,
    initProducerId: async () => ({ producerId: '7', producerEpoch: 0 }),
    produce: async ({ topicData }: { readonly topicData: readonly KafkajsTopicData[] }) => {
      const { partitions } = topicData[0]!
      const fault = cluster.fault(
        nodeId,
        partitions.map(({ partition }) => partition),
      )
      const answered = partitions.map(({ partition, firstSequence, messages }) => {
        if (fault !== 'none' && fault !== 'lose-answer') return { partition, errorCode: 0, baseOffset: '-1' }
        const replica = cluster.partitions[partition]!
        const records = messages.map(({ value }) => ({ key: null, value, timestamp: 0 }))
        const { errorCode, baseOffset } =
          replica.leader === nodeId
            ? replica.append('kafkajs', firstSequence, records)
            : { errorCode: 6, baseOffset: -1 }
        return { partition, errorCode, baseOffset: String(baseOffset) }
      })
      if (fault !== 'none') {
        throw Object.assign(new Error('Closed connection'), { name: 'KafkaJSConnectionClosedError' })
      }
      const failed = answered.find(({ errorCode }) => errorCode !== 0)
      if (failed) throw createErrorFromCode(failed.errorCode)
      return { topics: [{ topicName: 'trades', partitions: answered }] }
    },
  }))
  const metadata = () =>
    cluster.partitions.map((_, partitionId) => ({ partitionId, leader: cluster.leaderOf(partitionId)! }))
  return createKafkajsProducer({
    logger,
    retry,
    idempotent: true,
    createPartitioner: () => (args: { readonly message: { readonly partition: number } }) =>
      args.message.partition,
    cluster: {
      retry,
      connect: async () => {},
      disconnect: async () => {},
      isConnected: () => true,
      removeBroker: () => {},
      addMultipleTargetTopics: async () => {},
      refreshMetadata: () => cluster.refreshLeaders(),
      refreshMetadataIfNecessary: async () => {},
      findTopicPartitionMetadata: metadata,
      findLeaderForPartitions: (_topic: string, partitions: readonly string[]) => {
        const byLeader: Record<number, number[]> = {}
        for (const id of partitions) {
          const known = cluster.leaderOf(Number(id))
          if (known !== undefined) (byLeader[known] ??= []).push(Number(id))
        }
        return byLeader
      },
      findBroker: async ({ nodeId }: { readonly nodeId: string | number }) => brokers[Number(nodeId)],
      findControllerBroker: async () => brokers[0],
    },
  })
}

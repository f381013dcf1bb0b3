import type { TopicPartition } from '@stockpipe/core'
import { expect, it } from 'vitest'
import type { KafkajsBroker, KafkajsCluster } from '../src/kafkajs-cluster.ts'
import { LeaderLookup } from '../src/leader-lookup.ts'
import { LogValidation } from '../src/log-validation.ts'
import { ManualRuntime } from './manual-runtime.ts'

/** The answer to Metadata v10 about a topic whose partitions have these leaders. */
const metadataOf = (leaders: readonly number[]): Buffer => {
  const partitions = leaders.map((leader, partition) => {
    const bytes = Buffer.alloc(18)
    bytes.writeInt32BE(partition, 2)
    bytes.writeInt32BE(leader, 6)
    bytes.set([1, 1, 1, 0], 14)
    return bytes
  })
  return Buffer.concat([
    Buffer.from([0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1, 2, 0, 0, 6]),
    Buffer.from('topic'),
    Buffer.alloc(16, 1),
    Buffer.from([0, leaders.length + 1]),
    ...partitions,
    Buffer.alloc(10),
  ])
}

it('a partition that nobody leads is told of once, and again when it has lost another leader', async () => {
  let leaders: readonly number[] = [1, 1]
  const broker = {
    versions: { 3: { maxVersion: 12 } },
    connectionPool: {
      send: async ({ response }: Parameters<KafkajsBroker['connectionPool']['send']>[0]) =>
        response.parse(await response.decode(metadataOf(leaders))),
    },
  }
  const cluster = {
    addMultipleTargetTopics: async () => {},
    refreshMetadata: async () => {},
    findTopicPartitionMetadata: () => leaders.map((leader, partitionId) => ({ partitionId, leader })),
    findBroker: async () => broker,
  }
  const told: TopicPartition[] = []
  const runtime = new ManualRuntime()
  const lookup = new LeaderLookup({
    cluster: cluster as unknown as KafkajsCluster,
    validation: new LogValidation(runtime),
    runtime,
    onLeaderless: (log) => told.push(log),
  })
  const after = async (now: readonly number[]) => {
    leaders = now
    await lookup.identify('topic', new AbortController().signal, 1).catch(() => {})
    return told.splice(0).map(({ topic, partition }) => `${topic}/${partition}`)
  }
  expect(await after([1, 1])).toEqual([])
  expect(await after([1, -1])).toEqual(['topic/1'])
  expect(await after([1, -1])).toEqual([])
  expect(await after([-1, -1])).toEqual(['topic/0'])
  expect(await after([1, 2])).toEqual([])
  expect(await after([1, -1])).toEqual(['topic/1'])
})

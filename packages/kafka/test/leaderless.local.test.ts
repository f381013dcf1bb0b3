import type { Kafka } from 'kafkajs'
import { describe, expect, it } from 'vitest'
import { createProducer, ensureTopics } from '../src/index.ts'
import { clusterFactory } from '../src/kafkajs-cluster.ts'
import { quotesFrom, quotesTopic, startBroker } from './local-broker.ts'

const leaderNotAvailable = 5

interface Connections {
  send(call: {
    readonly request: { readonly apiName: string }
    readonly response: { decode(payload: Buffer): Promise<unknown> }
  }): Promise<unknown>
}
interface Cluster {
  readonly brokerPool: {
    readonly connectionPoolBuilder: { build(...place: unknown[]): Promise<Connections> }
  }
}
interface Metadata {
  readonly topicMetadata: {
    partitionMetadata: { partitionId: number; leader: number; partitionErrorCode: number }[]
  }[]
}

/** The same client, whose brokers say of some partitions that they have no leader. */
const withLeaderless = (kafka: Kafka, leaderless: ReadonlySet<number>): Kafka => {
  const factory = clusterFactory(kafka)!
  const create = (options: unknown) => {
    const cluster = factory.create(options) as Cluster
    const { connectionPoolBuilder } = cluster.brokerPool
    const build = connectionPoolBuilder.build.bind(connectionPoolBuilder)
    connectionPoolBuilder.build = async (...place) => {
      const pool = await build(...place)
      const send = pool.send.bind(pool)
      pool.send = ({ request, response }) => {
        if (request.apiName !== 'Metadata') return send({ request, response })
        const decode = async (payload: Buffer) => {
          const answer = (await response.decode(payload)) as Metadata
          for (const partition of answer.topicMetadata.flatMap(
            ({ partitionMetadata }) => partitionMetadata,
          )) {
            if (!leaderless.has(partition.partitionId)) continue
            partition.leader = -1
            partition.partitionErrorCode = leaderNotAvailable
          }
          return answer
        }
        return send({ request, response: { ...response, decode } })
      }
      return pool
    }
    return cluster
  }
  return Object.create(kafka, { [factory.name]: { value: create } }) as Kafka
}

describe('a topic of which one partition has no leader', () => {
  it('takes rows for the others, and for that one once it has a leader', async () => {
    const { kafka } = await startBroker()
    const topic = quotesTopic('topic', 2)
    await ensureTopics(kafka, [topic])
    const leaderless = new Set([0])
    await using producer = createProducer({ kafka: withLeaderless(kafka, leaderless), topic })
    await producer.connect()
    const waiting = producer.send(quotesFrom(0, 1), { partition: 0 })
    expect((await producer.send(quotesFrom(1, 2), { partition: 1 })).offsets[0]).toBe(0n)
    leaderless.clear()
    expect((await waiting).offsets[0]).toBe(0n)
  })

  it('is told as such by ensureTopics', async () => {
    const { kafka } = await startBroker()
    const topic = quotesTopic('topic', 2)
    await ensureTopics(kafka, [topic])
    const leaderless = withLeaderless(kafka, new Set([0]))
    await expect(ensureTopics(leaderless, [topic], { timeoutMillis: 100 })).rejects.toMatchObject({
      code: 'TOPIC_LEADERS_MISSING',
      retryable: true,
    })
  })
})

import { ConfigurationError, type Runtime, StockpipeError, type TopicDefinition } from '@stockpipe/core'
import type { Kafka } from 'kafkajs'
import { tooFewPartitions } from './ensure-topics.ts'
import { brokerErrorOf, kafkaFailure } from './kafka-failure.ts'
import { type KafkajsBroker, type KafkajsCluster, openCluster } from './kafkajs-cluster.ts'
import {
  decodeProduce,
  encodeProduce,
  type PartitionBatch,
  type ProduceAnswer,
  produceApi,
} from './produce-request.ts'
import type { ProducerIdentity } from './record-batch.ts'
import { abortable, settledWithin } from './waiting.ts'

/** A leader that is connected. */
export interface ReachedLeader {
  /**
   * Sends a batch a partition and answers by partition, leaving out those the leader said nothing about.
   * Rejects when no answer came: whether anything was written is then not known.
   */
  produce(batches: readonly PartitionBatch[]): Promise<ReadonlyMap<number, ProduceAnswer>>
  newIdentity(): Promise<ProducerIdentity>
}

/** What a producer needs of the cluster that holds its topic. */
export interface ProducerConnection {
  /** Connects; answers how many partitions the topic has. */
  connect(signal?: AbortSignal): Promise<number>
  /** The node that leads a partition as far as is known; undefined when there is none. */
  leaderOf(partition: number): number | undefined
  refreshLeaders(): Promise<void>
  /** Connects to a node when it has to; when it rejects, nothing was sent. */
  reach(leader: number): Promise<ReachedLeader>
  /** Lets the calls under way end and disconnects, giving up on either after two seconds. */
  close(): Promise<void>
}

export interface ProducerConnectionOptions {
  readonly kafka: Kafka
  readonly topic: TopicDefinition
  readonly runtime: Runtime
}

const disconnectMillis = 2000
/** How long a leader waits for its replicas, as in Kafka's own client. */
const replicationMillis = 30_000

/** Any other asker is answered where the log ends for readers. */
const debuggingReplica = -2
const readUncommitted = 0
const latest = '-1'

/** Connections, SASL, TLS and metadata by kafkajs; what is written over them is ours. */
export class KafkajsProducerConnection implements ProducerConnection {
  readonly #options: ProducerConnectionOptions
  readonly #cluster: KafkajsCluster
  /** Calls kafkajs has not answered yet: disconnected beneath one it would connect again for it. */
  readonly #underWay = new Set<Promise<unknown>>()
  #leaders: ReadonlyMap<number, number> = new Map()

  constructor(options: ProducerConnectionOptions) {
    this.#options = options
    this.#cluster = openCluster(options.kafka)
  }

  async connect(signal?: AbortSignal): Promise<number> {
    const { topic } = this.#options
    signal?.throwIfAborted()
    const connecting = async (): Promise<void> => {
      await this.#cluster.connect()
      await this.#cluster.addMultipleTargetTopics([topic.name])
    }
    try {
      await abortable(this.#track(connecting()), signal)
    } catch (error) {
      signal?.throwIfAborted()
      if (brokerErrorOf(error) === 'UNKNOWN_TOPIC_OR_PARTITION') throw unknownTopic(topic, error)
      throw kafkaFailure(error, {
        code: 'KAFKA_UNREACHABLE',
        doing: 'connecting a producer',
        retryable: true,
        facts: { topic: topic.name },
      })
    }
    const partitions = this.#readLeaders()
    if (partitions < topic.partitions) throw tooFewPartitions(topic, partitions)
    return partitions
  }

  leaderOf(partition: number): number | undefined {
    return this.#leaders.get(partition)
  }

  async refreshLeaders(): Promise<void> {
    await this.#track(this.#cluster.refreshMetadata())
    this.#readLeaders()
  }

  async reach(leader: number): Promise<ReachedLeader> {
    const broker = await this.#track(this.#cluster.findBroker({ nodeId: leader }))
    const newest = broker.versions?.[produceApi.key]?.maxVersion ?? 0
    if (newest < produceApi.version) {
      throw new ConfigurationError({
        code: 'KAFKA_TOO_OLD',
        message: `A producer needs Kafka 2.1 or newer: broker ${leader} takes Produce up to version ${newest}.`,
        facts: { broker: leader, version: newest },
      })
    }
    return {
      produce: (batches) => this.#track(this.#produce(broker, batches)),
      newIdentity: async () => {
        const answered = await this.#track(broker.initProducerId({ transactionTimeout: 60_000 }))
        return { id: BigInt(answered.producerId), epoch: answered.producerEpoch }
      },
    }
  }

  /**
   * Where the logs end by what their leaders have written, which in-sync replicas need not have yet, by partition.
   * Rejects when a partition has no leader or its leader does not answer.
   */
  async writtenEnds(): Promise<ReadonlyMap<number, bigint>> {
    const topic = this.#options.topic.name
    const byLeader = new Map<number, number[]>()
    for (const [partition, leader] of this.#leaders) {
      byLeader.set(leader, [...(byLeader.get(leader) ?? []), partition])
    }
    const ends = new Map<number, bigint>()
    const ask = async ([nodeId, partitions]: [number, readonly number[]]): Promise<void> => {
      const broker = await this.#cluster.findBroker({ nodeId })
      const asked = partitions.map((partition) => ({ partition, timestamp: latest }))
      const { responses } = await broker.listOffsets({
        replicaId: debuggingReplica,
        isolationLevel: readUncommitted,
        topics: [{ topic, partitions: asked }],
      })
      for (const { partition, offset } of responses[0]?.partitions ?? []) ends.set(partition, BigInt(offset))
    }
    await this.#track(Promise.all([...byLeader].map(ask)))
    return ends
  }

  async close(): Promise<void> {
    const { runtime } = this.#options
    await settledWithin(runtime, disconnectMillis, Promise.allSettled([...this.#underWay]))
    await settledWithin(runtime, disconnectMillis, this.#cluster.disconnect())
  }

  async #produce(
    broker: KafkajsBroker,
    batches: readonly PartitionBatch[],
  ): Promise<ReadonlyMap<number, ProduceAnswer>> {
    const { name } = this.#options.topic
    const { answers } = await broker.connectionPool.send({
      request: {
        apiKey: produceApi.key,
        apiVersion: produceApi.version,
        apiName: 'Produce',
        expectResponse: () => true,
        encode: async () => {
          const body = encodeProduce(name, batches, replicationMillis)
          return { buf: body, buffer: body }
        },
      },
      response: {
        decode: async (payload) => {
          const { answers, throttleMillis } = decodeProduce(payload, name)
          return { answers, clientSideThrottleTime: throttleMillis }
        },
        parse: async (answer) => answer,
      },
    })
    return answers
  }

  #readLeaders(): number {
    const partitions = this.#cluster.findTopicPartitionMetadata(this.#options.topic.name)
    this.#leaders = new Map(
      partitions.filter(({ leader }) => leader >= 0).map(({ partitionId, leader }) => [partitionId, leader]),
    )
    return partitions.length
  }

  #track<T>(call: Promise<T>): Promise<T> {
    this.#underWay.add(call)
    const forget = () => void this.#underWay.delete(call)
    call.then(forget, forget)
    return call
  }
}

const unknownTopic = (topic: TopicDefinition, cause: unknown): StockpipeError =>
  new StockpipeError({
    code: 'TOPIC_UNKNOWN',
    message: `There is no topic ${topic.name}; create it with ensureTopics.`,
    cause,
    facts: { topic: topic.name },
  })

import { ConfigurationError } from '@stockpipe/core'
import type { Admin, Kafka } from 'kafkajs'

/** A request as kafkajs's connections take it: they add the header, find the answer to it and time it out. */
export interface ProtocolRequest<Answer> {
  readonly request: {
    readonly apiKey: number
    readonly apiVersion: number
    readonly apiName: string
    expectResponse(): boolean
    encode(): Promise<{ readonly buf: Buffer; readonly buffer: Buffer }>
  }
  readonly response: {
    decode(payload: Buffer): Promise<Answer & { readonly clientSideThrottleTime: number }>
    parse(answer: Answer): Promise<Answer>
  }
}

/** The connections kafkajs keeps to one node. */
interface ConnectionPool {
  send<Answer>(request: ProtocolRequest<Answer>): Promise<Answer>
}

/** A node of the cluster, with the connections kafkajs keeps to it. */
export interface KafkajsBroker {
  readonly versions: Readonly<Record<number, { readonly maxVersion: number }>> | null
  readonly connectionPool: ConnectionPool
  initProducerId(options: { transactionTimeout: number }): Promise<{
    readonly producerId: string
    readonly producerEpoch: number
  }>
  listOffsets(options: {
    readonly replicaId: number
    readonly isolationLevel: number
    readonly topics: readonly {
      readonly topic: string
      readonly partitions: readonly { readonly partition: number; readonly timestamp: string }[]
    }[]
  }): Promise<{
    readonly responses: readonly {
      readonly partitions: readonly { readonly partition: number; readonly offset: string }[]
    }[]
  }>
}

/** What every client of kafkajs is made of: connections, SASL, TLS and metadata, with the settings of its `Kafka`. */
export interface KafkajsCluster {
  readonly brokerPool?: {
    readonly connectionPoolBuilder: { build(...place: unknown[]): Promise<ConnectionPool> }
  }
  connect(): Promise<void>
  disconnect(): Promise<void>
  addMultipleTargetTopics(topics: readonly string[]): Promise<void>
  refreshMetadata(): Promise<void>
  findTopicPartitionMetadata(
    topic: string,
  ): readonly { readonly partitionId: number; readonly leader: number }[]
  /** Connects when it has to. */
  findBroker(node: { readonly nodeId: number }): Promise<KafkajsBroker>
}

const methods = [
  'connect',
  'disconnect',
  'addMultipleTargetTopics',
  'refreshMetadata',
  'findTopicPartitionMetadata',
  'findBroker',
] as const satisfies readonly (keyof KafkajsCluster)[]

/** What a `Kafka` makes the clusters of its clients with, and the name it has it under; undefined when there is none. */
export const clusterFactory = (
  kafka: Kafka,
): { readonly name: symbol; create(options: unknown): unknown } | undefined => {
  for (let owner: object | null = kafka; owner !== null; owner = Object.getPrototypeOf(owner)) {
    const name = Object.getOwnPropertySymbols(owner).find(
      ({ description }) => description === 'private:Kafka:createCluster',
    )
    const create: unknown = name && Reflect.get(owner, name)
    if (name && typeof create === 'function') return { name, create: (options) => create(options) }
  }
  return undefined
}

/** An admin client, and the cluster that kafkajs makes it of; without one when this is not a `Kafka` of kafkajs 2. */
export const adminWithCluster = (
  kafka: Kafka,
): { readonly admin: Admin; readonly cluster: KafkajsCluster | undefined } => {
  const factory = clusterFactory(kafka)
  if (!factory) return { admin: kafka.admin(), cluster: undefined }
  let made: unknown
  const create = (options: unknown): unknown => {
    made = factory.create(options)
    return made
  }
  const own = Object.create(kafka, { [factory.name]: { value: create } }) as Kafka
  const admin = takingLeaderless(own).admin()
  return { admin, cluster: isCluster(made) ? made : undefined }
}

/**
 * A cluster of its own for one client, as `kafka.producer()` makes one inside. Nothing of kafkajs is changed by it.
 *
 * Throws a `ConfigurationError` `KAFKAJS_UNSUPPORTED` when this is not a `Kafka` of kafkajs 2.
 */
export const openCluster = (kafka: Kafka): KafkajsCluster => {
  const cluster = clusterFactory(takingLeaderless(kafka))?.create({
    metadataMaxAge: 300_000,
    allowAutoTopicCreation: false,
    maxInFlightRequests: null,
  })
  if (isCluster(cluster)) return cluster
  throw new ConfigurationError({
    code: 'KAFKAJS_UNSUPPORTED',
    message:
      'A producer needs a Kafka instance of kafkajs 2.0 to 2.2: this one cannot open connections for it.',
  })
}

interface Metadata {
  readonly topicMetadata: readonly {
    readonly partitionMetadata: readonly { readonly partitionErrorCode: number }[]
  }[]
}

/**
 * The same client, whose clusters take metadata in which a partition has no leader: kafkajs refuses all of it then, so
 * that nobody hears of other topics, nor where the other partitions have moved.
 */
export const takingLeaderless = (kafka: Kafka): Kafka => {
  const factory = clusterFactory(kafka)
  if (!factory) return kafka
  const create = (options: unknown): unknown => {
    const cluster = factory.create(options)
    takeLeaderless(cluster as Pick<KafkajsCluster, 'brokerPool'>)
    return cluster
  }
  return Object.create(kafka, { [factory.name]: { value: create } }) as Kafka
}

const takeLeaderless = ({ brokerPool }: Pick<KafkajsCluster, 'brokerPool'>): void => {
  if (!brokerPool) return
  const { connectionPoolBuilder } = brokerPool
  const build = connectionPoolBuilder.build.bind(connectionPoolBuilder)
  connectionPoolBuilder.build = async (...place) => {
    const pool = await build(...place)
    const send = pool.send.bind(pool)
    pool.send = (call) => {
      if (call.request.apiName !== 'Metadata') return send(call)
      const { request, response } = call
      return send({
        request,
        response: { ...response, parse: (answer) => response.parse(withoutPartitionErrors(answer)) },
      })
    }
    return pool
  }
}

const withoutPartitionErrors = <Answer>(answer: Answer): Answer => {
  const { topicMetadata } = answer as Answer & Metadata
  return {
    ...answer,
    topicMetadata: topicMetadata.map((topic) => ({
      ...topic,
      partitionMetadata: topic.partitionMetadata.map((partition) => ({
        ...partition,
        partitionErrorCode: 0,
      })),
    })),
  }
}

const isCluster = (value: unknown): value is KafkajsCluster =>
  typeof value === 'object' &&
  value !== null &&
  methods.every((method) => typeof Reflect.get(value, method) === 'function')

import {
  ConfigurationError,
  type Runtime,
  StockpipeError,
  sleep,
  systemRuntime,
  type TopicDefinition,
} from '@stockpipe/core'
import type { Admin, Kafka } from 'kafkajs'
import { withAdmin } from './admin-session.ts'
import { kafkaFailure } from './kafka-failure.ts'

export interface EnsureTopicsOptions {
  readonly signal?: AbortSignal
  /** How long to wait until every partition has a leader. Default 30,000. */
  readonly timeoutMillis?: number
  readonly runtime?: Runtime
}

/** What became of a topic. */
export interface EnsuredTopic {
  readonly topic: string
  readonly created: boolean
  /** Partitions it has now: at least those defined. */
  readonly partitions: number
}

const pollMillis = 100

/**
 * Creates the topics that are missing and waits until every partition has a leader.
 *
 * A topic that exists is left as it is. Throws a `ConfigurationError` `TOPIC_PARTITIONS_TOO_FEW` when it has fewer
 * partitions than defined, and a `StockpipeError` `TOPIC_CREATION_FAILED`, `TOPIC_METADATA_FAILED`,
 * `TOPIC_LEADERS_MISSING` or `KAFKA_UNREACHABLE`, each naming its topic.
 */
export const ensureTopics = (
  kafka: Kafka,
  topics: readonly TopicDefinition[],
  options: EnsureTopicsOptions = {},
): Promise<readonly EnsuredTopic[]> => {
  const { runtime = systemRuntime, signal, timeoutMillis = 30_000 } = options
  return withAdmin(kafka, { runtime, signal }, async (admin) => {
    const existing = new Set(
      await admin.listTopics().catch((error) => {
        throw kafkaFailure(error, { code: 'TOPIC_METADATA_FAILED', doing: 'listing topics', retryable: true })
      }),
    )
    const created = new Set<string>()
    for (const topic of topics) {
      signal?.throwIfAborted()
      if (!existing.has(topic.name) && (await createTopic(admin, topic))) created.add(topic.name)
    }
    const deadline = runtime.monotonic() + timeoutMillis
    const ensured: EnsuredTopic[] = []
    for (const topic of topics) {
      const partitions = await partitionsWithLeaders(admin, topic, { runtime, signal, deadline })
      if (partitions < topic.partitions) throw tooFewPartitions(topic, partitions)
      ensured.push({ topic: topic.name, created: created.has(topic.name), partitions })
    }
    return ensured
  })
}

/** Why a topic with fewer partitions than its definition cannot be used. */
export const tooFewPartitions = (topic: TopicDefinition, partitions: number): ConfigurationError =>
  new ConfigurationError({
    code: 'TOPIC_PARTITIONS_TOO_FEW',
    message:
      `Topic ${topic.name} has ${partitions} partitions and its definition ${topic.partitions}: add partitions to the topic ` +
      '(keys then move between partitions), or define it with what it has.',
    facts: { topic: topic.name, partitions, defined: topic.partitions },
  })

/** False when somebody else created it in the meantime. */
const createTopic = async (admin: Admin, topic: TopicDefinition): Promise<boolean> => {
  try {
    return await admin.createTopics({
      // Leaders are awaited afterwards, with a deadline of our own.
      waitForLeaders: false,
      topics: [
        {
          topic: topic.name,
          numPartitions: topic.partitions,
          replicationFactor: topic.replicationFactor ?? -1,
        },
      ],
    })
  } catch (error) {
    throw kafkaFailure(error, {
      code: 'TOPIC_CREATION_FAILED',
      doing: `creating topic ${topic.name} with ${topic.partitions} partitions`,
      retryable: true,
      facts: { topic: topic.name, partitions: topic.partitions, replicationFactor: topic.replicationFactor },
    })
  }
}

const partitionsWithLeaders = async (
  admin: Admin,
  topic: TopicDefinition,
  waiting: { readonly runtime: Runtime; readonly signal: AbortSignal | undefined; readonly deadline: number },
): Promise<number> => {
  for (;;) {
    let failure: unknown
    let leaderless = topic.partitions
    try {
      const { topics } = await admin.fetchTopicMetadata({ topics: [topic.name] })
      const partitions = topics[0]?.partitions ?? []
      leaderless = partitions.filter(({ leader }) => leader < 0).length
      if (partitions.length > 0 && leaderless === 0) return partitions.length
    } catch (error) {
      // A topic just created may be unknown to some brokers for a while.
      failure = error
    }
    waiting.signal?.throwIfAborted()
    if (waiting.runtime.monotonic() >= waiting.deadline) {
      if (failure) {
        throw kafkaFailure(failure, {
          code: 'TOPIC_METADATA_FAILED',
          doing: `asking for the partitions of topic ${topic.name}`,
          retryable: true,
          facts: { topic: topic.name },
        })
      }
      throw new StockpipeError({
        code: 'TOPIC_LEADERS_MISSING',
        message: `${leaderless} partitions of topic ${topic.name} still have no leader: is a broker down?`,
        retryable: true,
        facts: { topic: topic.name, leaderless },
      })
    }
    await sleep(waiting.runtime, pollMillis, waiting.signal)
  }
}

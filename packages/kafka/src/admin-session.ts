import { type Runtime, StockpipeError, sleep } from '@stockpipe/core'
import type { Admin, Kafka } from 'kafkajs'
import { brokerErrorOf, kafkaFailure } from './kafka-failure.ts'
import { takingLeaderless } from './kafkajs-cluster.ts'
import { partitionKey } from './partition-cursor.ts'
import { abortable, settledWithin } from './waiting.ts'

/** First offset and end of a partition log; the end leaves out transactions that are still open. */
export interface LogRange {
  readonly logStart: bigint
  readonly logEnd: bigint
}

const disconnectMillis = 2000

/**
 * Connects an admin client, runs `work` with it, and disconnects whatever happens.
 *
 * When the signal aborts, the call under way is let end first (for two seconds at most): kafkajs that is disconnected
 * beneath a call connects again for it, and goes on trying long after the broker has gone.
 */
export const withAdmin = async <T>(
  kafka: Kafka,
  options: { readonly runtime: Runtime; readonly signal?: AbortSignal | undefined },
  work: (admin: Admin) => Promise<T>,
): Promise<T> => {
  const { runtime, signal } = options
  const admin = takingLeaderless(kafka).admin()
  const connectAndWork = async (): Promise<T> => {
    await admin.connect().catch((error) => {
      throw kafkaFailure(error, { code: 'KAFKA_UNREACHABLE', doing: 'connecting', retryable: true })
    })
    signal?.throwIfAborted()
    return work(admin)
  }
  signal?.throwIfAborted()
  const running = connectAndWork()
  try {
    return await abortable(running, signal)
  } finally {
    await settledWithin(runtime, disconnectMillis, running)
    await settledWithin(runtime, disconnectMillis, admin.disconnect())
  }
}

const unknownTopic = (topic: string, cause?: unknown): StockpipeError =>
  new StockpipeError({
    code: 'TOPIC_UNKNOWN',
    message: `There is no topic ${topic}; create it with ensureTopics.`,
    cause,
    facts: { topic },
  })

/**
 * Says at once that there is no such topic: asked for the offsets of one, kafkajs tries for ten seconds.
 * Throws a `StockpipeError` `TOPIC_UNKNOWN`, or `TOPIC_METADATA_FAILED`.
 */
export const requireTopic = async (admin: Pick<Admin, 'listTopics'>, topic: string): Promise<void> => {
  const topics = await admin.listTopics().catch((error) => {
    throw kafkaFailure(error, {
      code: 'TOPIC_METADATA_FAILED',
      doing: 'listing topics',
      retryable: true,
      facts: { topic },
    })
  })
  if (!topics.includes(topic)) throw unknownTopic(topic)
}

/**
 * Log ranges of a topic, by partition.
 * Throws a `StockpipeError` `TOPIC_UNKNOWN`, or `TOPIC_OFFSETS_FAILED`.
 */
export const logRanges = async (
  admin: Pick<Admin, 'fetchTopicOffsets'>,
  topic: string,
): Promise<ReadonlyMap<number, LogRange>> => {
  try {
    const ranges = await admin.fetchTopicOffsets(topic)
    return new Map(
      ranges.map(({ partition, low, high }) => [partition, { logStart: BigInt(low), logEnd: BigInt(high) }]),
    )
  } catch (error) {
    if (brokerErrorOf(error) === 'UNKNOWN_TOPIC_OR_PARTITION') throw unknownTopic(topic, error)
    throw kafkaFailure(error, {
      code: 'TOPIC_OFFSETS_FAILED',
      doing: `asking where topic ${topic} begins and ends`,
      retryable: true,
      facts: { topic },
    })
  }
}

/** What a group has committed of topics, by topic and partition. Throws a `StockpipeError` `GROUP_OFFSETS_FAILED`. */
export const committedOffsets = async (
  admin: Pick<Admin, 'fetchOffsets'>,
  groupId: string,
  topics: readonly string[],
): Promise<ReadonlyMap<string, bigint>> => {
  const committed = new Map<string, bigint>()
  if (topics.length === 0) return committed
  const fetched = await admin.fetchOffsets({ groupId, topics: [...topics] }).catch((error) => {
    throw kafkaFailure(error, {
      code: 'GROUP_OFFSETS_FAILED',
      doing: `asking what group ${groupId} has committed`,
      retryable: true,
      facts: { groupId },
    })
  })
  for (const { topic, partitions } of fetched) {
    for (const { partition, offset } of partitions) {
      if (BigInt(offset) >= 0n) committed.set(partitionKey(topic, partition), BigInt(offset))
    }
  }
  return committed
}

/** Within 20 seconds. */
const someAttempts = 8
const firstPauseMillis = 250
const longestPauseMillis = 5000

/** Asks again while the failure is a passing one, such as a leader election: for up to 20 seconds unless told otherwise. */
export const patiently = async <T>(
  runtime: Runtime,
  signal: AbortSignal | undefined,
  ask: () => Promise<T>,
  attempts = someAttempts,
): Promise<T> => {
  for (let attempt = 1; ; attempt++) {
    try {
      return await ask()
    } catch (error) {
      if (attempt === attempts || !StockpipeError.isInstance(error) || !error.retryable) throw error
      await sleep(runtime, Math.min(longestPauseMillis, firstPauseMillis * 2 ** (attempt - 1)), signal)
    }
  }
}

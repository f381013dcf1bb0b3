import { type PartitionPosition, type Runtime, sleep, type TopicPartition } from '@stockpipe/core'
import { topicMadeAnew, truncationProblem } from './changed-log.ts'
import { EpochHistory } from './epoch-history.ts'
import { FetchedBatch } from './fetched-batch.ts'
import type { KafkajsBroker } from './kafkajs-cluster.ts'
import { askEpochEnd } from './leader-epoch-request.ts'
import { partitionKey } from './partition-cursor.ts'
import type { FetchAnswer, FetchedPartition, FetchOffsets } from './raw-fetch-response.ts'
import { askTopicIdentities, type TopicIdentity } from './topic-identity.ts'

const fencedLeaderEpoch = 74
const unknownLeaderEpoch = 75
/** A broker that refuses and tells of no other leader has not heard of it yet: it is asked again after so long. */
const behindMillis = 100
/**
 * A fetch under way hears of it when its topic is deleted. Between two of them nobody would: after so long, and after a
 * fetch that failed, it is asked whether the topic is the same one before anything of it is handed over.
 */
const unwatchedMillis = 20

type Answer = FetchAnswer<FetchedBatch>
type Partition = FetchedPartition<FetchedBatch>

/** What is known of a log that is read. */
interface ReadLog {
  readonly topic: string
  history: EpochHistory
  /** The leader's, as far as is known; -1 when it is not. */
  currentLeaderEpoch: number
  /** When a fetch of it was answered last; long ago while one is under way, after one that failed, and before the first. */
  answeredMillis: number
  /** Its topic may have been made anew since it was compared. */
  isUnwatched: boolean
  /** There is something before its position that another topic of the name would not have. */
  isPastStart: boolean
  /** It is here, and not by kafkajs, that answers are read: leaders may refuse. */
  isRead: boolean
}

/** What a fetch has brought of one log. */
interface FetchedLog {
  readonly topic: string
  readonly partition: Partition
  readonly from: bigint
  readonly log: ReadLog
}

/**
 * Makes sure that what is fetched follows on from what was fetched before, and is not of a log that was cut and has grown
 * again, or of another topic of the same name (KIP-320, and KIP-516 for the latter).
 *
 * Each fetch says which leader it is meant for. A leader that is another one by now refuses, and is asked where it ends
 * what was read, before anything of its records is handed over.
 */
export class LogValidation {
  readonly #runtime: Runtime
  readonly #logs = new Map<string, ReadLog>()
  /** The ids of the topics that are read. */
  readonly #topicIds = new Map<string, string>()

  constructor(runtime: Runtime) {
    this.#runtime = runtime
  }

  /** Reading of a log begins where its sink has answered. */
  begin(at: PartitionPosition): void {
    const log = this.#log(at)
    log.history = new EpochHistory(at.lastRecord)
    log.isPastStart = at.offset > 0n
  }

  /** The leader's epoch as far as is known; -1 when it is not. */
  currentLeaderEpoch(log: TopicPartition): number {
    return this.#log(log).currentLeaderEpoch
  }

  /** Takes note of a topic's id and leaders. Throws a `LogChangedError` when another topic of that name was read. */
  learn(topic: string, identity: TopicIdentity): void {
    const { topicId } = identity
    // Epochs begin anew with a topic, which could not be told without its id.
    if (topicId === undefined) return
    const ids = this.#madeAnew(topic, topicId)
    if (ids) {
      if (this.#isPastStart(topic)) throw topicMadeAnew(topic, ids)
      for (const log of this.#logs.values()) if (log.topic === topic) log.currentLeaderEpoch = -1
    }
    this.#topicIds.set(topic, topicId)
    for (const [partition, leaderEpoch] of identity.leaderEpochs) {
      const log = this.#log({ topic, partition })
      // Brokers hear of it one after the other.
      if (leaderEpoch > log.currentLeaderEpoch) log.currentLeaderEpoch = leaderEpoch
    }
  }

  /** The same request, which says of each partition which leader it is meant for. */
  asked(topics: FetchOffsets): FetchOffsets {
    return topics.map(({ topic, partitions }) => ({
      topic,
      partitions: partitions.map((partition) => {
        const log = this.#log({ topic, partition: partition.partition })
        return log.isRead && log.currentLeaderEpoch >= 0
          ? { ...partition, currentLeaderEpoch: log.currentLeaderEpoch }
          : partition
      }),
    }))
  }

  /** To be called as a fetch is sent; answers what its answer is to be passed through. */
  beforeFetch(broker: KafkajsBroker, asked: FetchOffsets): (answer: Answer) => Promise<Answer> {
    const now = this.#runtime.monotonic()
    for (const { topic, partitions } of asked) {
      for (const { partition } of partitions) {
        const log = this.#log({ topic, partition })
        if (now - log.answeredMillis > unwatchedMillis) log.isUnwatched = true
        log.answeredMillis = Number.NEGATIVE_INFINITY
      }
    }
    return (answer) => this.#validated(broker, asked, answer)
  }

  /**
   * The answer without partitions that have to be fetched again. What does not follow on from what was read fails when
   * it is handed over.
   */
  async #validated(broker: KafkajsBroker, asked: FetchOffsets, answer: Answer): Promise<Answer> {
    const fetched = answer.responses.flatMap(({ topicName: topic, partitions }) =>
      partitions.map((partition) => this.#fetched(topic, partition, asked)),
    )
    const meantFor = fetched.map(({ log }) => log.currentLeaderEpoch)
    const unsure = fetched.filter((one) => this.#isRefused(one) || this.#isToCompare(one))
    const topics = [...new Set(unsure.map(({ topic }) => topic))]
    const identities = topics.length > 0 ? await askTopicIdentities(broker, topics) : undefined
    const outcomes = await Promise.all(fetched.map((one) => this.#outcome(one, identities, broker)))
    const isBehind = fetched.some(
      (one, index) => this.#isRefused(one) && one.log.currentLeaderEpoch === meantFor[index],
    )
    if (isBehind) await sleep(this.#runtime, behindMillis)
    let next = 0
    return {
      ...answer,
      responses: answer.responses.map(({ topicName, partitions }) => ({
        topicName,
        partitions: partitions.flatMap(() => outcomes[next++] ?? []),
      })),
    }
  }

  #fetched(topic: string, partition: Partition, asked: FetchOffsets): FetchedLog {
    const of = asked.find((one) => one.topic === topic && one.partitions.some(isOf(partition)))
    const from = BigInt(of?.partitions.find(isOf(partition))?.fetchOffset ?? 0)
    return { topic, partition, from, log: this.#log({ topic, partition: partition.partition }) }
  }

  #isRefused({ partition: { errorCode } }: FetchedLog): boolean {
    return errorCode === fencedLeaderEpoch || errorCode === unknownLeaderEpoch
  }

  #isToCompare({ topic, partition, log }: FetchedLog): boolean {
    return log.isUnwatched && partition.messages.length > 0 && this.#topicIds.has(topic)
  }

  /** What becomes of a partition's answer; undefined when it is left out. */
  async #outcome(
    one: FetchedLog,
    identities: ReadonlyMap<string, TopicIdentity> | undefined,
    broker: KafkajsBroker,
  ): Promise<Partition | undefined> {
    const { topic, partition, from, log } = one
    const { messages } = partition
    log.isRead = true
    const identity = identities?.get(topic)
    const ids = identity && this.#madeAnew(topic, identity.topicId)
    if (ids && (from > 0n || this.#isPastStart(topic))) {
      return failing(
        partition,
        from,
        topicMadeAnew(topic, ids, { partition: partition.partition, position: from }),
      )
    }
    if (identity) {
      this.learn(topic, identity)
      log.isUnwatched = false
    }
    if (this.#isRefused(one)) return undefined
    if (partition.errorCode !== 0) return partition
    const { leaderEpoch: fetchedEpoch = -1 } = messages[0] ?? {}
    const leaderEpoch = log.history.before(from)
    if (leaderEpoch !== undefined && fetchedEpoch >= 0 && fetchedEpoch !== leaderEpoch) {
      const place = { topic, partition: partition.partition }
      const { currentLeaderEpoch } = log
      const end = await askEpochEnd(broker, { ...place, leaderEpoch, currentLeaderEpoch })
      // It is no leader any more, or another one than was known of: the next fetch will hear of it.
      if (end.errorCode !== 0) return undefined
      const problem = truncationProblem(place, { position: from, leaderEpoch }, end)
      if (problem) return failing(partition, from, problem)
    }
    log.answeredMillis = this.#runtime.monotonic()
    log.history.fetched(from, messages)
    if (messages.length > 0) log.isPastStart = true
    return partition
  }

  /** The id of the topic that was read, and that of the one which has its name now; undefined when they are one. */
  #madeAnew(
    topic: string,
    topicId: string | undefined,
  ): { readonly readId: string; readonly topicId: string } | undefined {
    const readId = this.#topicIds.get(topic)
    if (readId === undefined || topicId === undefined || readId === topicId) return undefined
    return { readId, topicId }
  }

  #isPastStart(topic: string): boolean {
    return [...this.#logs.values()].some((log) => log.topic === topic && log.isPastStart)
  }

  #log({ topic, partition }: TopicPartition): ReadLog {
    const key = partitionKey(topic, partition)
    const known = this.#logs.get(key)
    if (known) return known
    const log = {
      topic,
      history: new EpochHistory(),
      currentLeaderEpoch: -1,
      answeredMillis: Number.NEGATIVE_INFINITY,
      isUnwatched: true,
      isPastStart: false,
      isRead: false,
    }
    this.#logs.set(key, log)
    return log
  }
}

const isOf =
  ({ partition }: Partition) =>
  (asked: { readonly partition: number }): boolean =>
    asked.partition === partition

const failing = (partition: Partition, from: bigint, problem: unknown): Partition => ({
  ...partition,
  errorCode: 0,
  messages: [FetchedBatch.unreadable(from, problem)],
})

import {
  type PartitionPosition,
  type Runtime,
  StockpipeError,
  sleep,
  type TopicPartition,
} from '@stockpipe/core'
import { patiently } from './admin-session.ts'
import { truncationProblem } from './changed-log.ts'
import { kafkaFailure } from './kafka-failure.ts'
import type { KafkajsBroker, KafkajsCluster } from './kafkajs-cluster.ts'
import { askEpochEnd, type EpochEnd, knowsEpochEnds } from './leader-epoch-request.ts'
import type { LogValidation } from './log-validation.ts'
import { secondLookMillis } from './position-check.ts'
import { askTopicIdentities } from './topic-identity.ts'

const untilAnswered = Number.POSITIVE_INFINITY

/** What leaders are asked beside fetches: which topic they have, and whether a log is still the one that was read. */
export class LeaderLookup {
  readonly #cluster: KafkajsCluster
  readonly #validation: LogValidation
  readonly #runtime: Runtime
  readonly #onLeaderless: (log: TopicPartition) => void
  /** Those told of, until they have a leader again. */
  readonly #leaderless = new Map<string, readonly number[]>()

  constructor(options: {
    readonly cluster: KafkajsCluster
    readonly validation: LogValidation
    readonly runtime: Runtime
    /** Told once of a partition that has lost its leader, or has none yet: nothing of it is read until it has. */
    readonly onLeaderless: (log: TopicPartition) => void
  }) {
    this.#onLeaderless = options.onLeaderless
    this.#cluster = options.cluster
    this.#validation = options.validation
    this.#runtime = options.runtime
  }

  /**
   * Asks which topic has the name now, and for the epochs of its leaders. Throws a `LogChangedError` when another topic
   * of that name was read.
   */
  identify(topic: string, signal: AbortSignal, attempts = untilAnswered): Promise<void> {
    return patiently(this.#runtime, signal, () => this.#learn(topic), attempts)
  }

  /**
   * Begins to read a log where its sink has answered. Throws a `LogChangedError` when the last record that the sink has
   * taken of it is not there any more.
   */
  async begin(at: PartitionPosition, signal: AbortSignal): Promise<void> {
    const { lastRecord } = at
    this.#validation.begin(at)
    if (!lastRecord) return
    const read = { position: lastRecord.offset + 1n, leaderEpoch: lastRecord.leaderEpoch }
    const problem = async () => {
      const ask = () => this.#epochEnd(at, lastRecord.leaderEpoch)
      const end = await patiently(this.#runtime, signal, ask, untilAnswered)
      return end && truncationProblem(at, read, end)
    }
    if (!(await problem())) return
    // As of the end of a log: a leader that has just taken over may be behind for a moment.
    await sleep(this.#runtime, secondLookMillis, signal)
    const confirmed = await problem()
    if (confirmed) throw confirmed
  }

  async #learn(topic: string): Promise<void> {
    const identities = await asked(topic, async () => askTopicIdentities(await this.#leader(topic), [topic]))
    const identity = identities?.get(topic)
    if (!identity) return
    this.#tellLeaderless(topic, identity.leaderless)
    this.#validation.learn(topic, identity)
  }

  #tellLeaderless(topic: string, leaderless: readonly number[]): void {
    const told = this.#leaderless.get(topic) ?? []
    this.#leaderless.set(topic, leaderless)
    for (const partition of leaderless)
      if (!told.includes(partition)) this.#onLeaderless({ topic, partition })
  }

  async #epochEnd(log: TopicPartition, leaderEpoch: number): Promise<EpochEnd | undefined> {
    const { topic, partition } = log
    const currentLeaderEpoch = this.#validation.currentLeaderEpoch(log)
    const end = await asked(topic, async () => {
      const broker = await this.#leader(topic, partition)
      if (!knowsEpochEnds(broker)) return undefined
      return askEpochEnd(broker, { topic, partition, leaderEpoch, currentLeaderEpoch })
    })
    if (!end || end.errorCode === 0) return end
    // Another one leads it by now.
    await asked(topic, () => this.#cluster.refreshMetadata())
    await this.#learn(topic)
    throw notAnswered(log, `error ${end.errorCode}`)
  }

  /** The leader of a partition, or of any one. */
  async #leader(topic: string, partition?: number): Promise<KafkajsBroker> {
    await this.#cluster.addMultipleTargetTopics([topic])
    const asked = this.#cluster
      .findTopicPartitionMetadata(topic)
      .filter(({ partitionId }) => partitionId === (partition ?? partitionId))
    const led = asked.find(({ leader }) => leader >= 0)
    if (led) return this.#cluster.findBroker({ nodeId: led.leader })
    if (partition === undefined) {
      this.#tellLeaderless(
        topic,
        asked.map(({ partitionId }) => partitionId),
      )
    }
    await this.#cluster.refreshMetadata()
    throw notAnswered({ topic, partition }, 'it has no leader')
  }
}

const asked = <T>(topic: string, ask: () => Promise<T>): Promise<T> =>
  ask().catch((error: unknown) => {
    throw kafkaFailure(error, {
      code: 'LEADER_NOT_ANSWERED',
      doing: `asking the leaders of topic ${topic}`,
      retryable: true,
      facts: { topic },
    })
  })

const notAnswered = (
  { topic, partition }: { readonly topic: string; readonly partition: number | undefined },
  reason: string,
): StockpipeError =>
  new StockpipeError({
    code: 'LEADER_NOT_ANSWERED',
    message: `The leader of ${topic}${partition === undefined ? '' : `-${partition}`} did not answer: ${reason}.`,
    retryable: true,
    facts: { topic, partition },
  })

import { type PartitionPosition, type Runtime, sleep } from '@stockpipe/core'
import type { Admin } from 'kafkajs'
import { committedOffsets, type LogRange, logRanges, patiently } from './admin-session.ts'
import { secondLookMillis, verifiedRange } from './position-check.ts'

const untilAnswered = Number.POSITIVE_INFINITY

/** What brokers say of logs and of what the group has committed, asked until they answer or the signal aborts. */
export class LogLookup {
  readonly #admin: Pick<Admin, 'fetchTopicOffsets' | 'fetchOffsets'>
  readonly #groupId: string
  readonly #runtime: Runtime

  constructor(options: {
    readonly admin: Pick<Admin, 'fetchTopicOffsets' | 'fetchOffsets'>
    readonly groupId: string
    readonly runtime: Runtime
  }) {
    this.#admin = options.admin
    this.#groupId = options.groupId
    this.#runtime = options.runtime
  }

  /** Log ranges of a topic, by partition. */
  ranges(
    topic: string,
    signal: AbortSignal,
    attempts = untilAnswered,
  ): Promise<ReadonlyMap<number, LogRange>> {
    return patiently(this.#runtime, signal, () => logRanges(this.#admin, topic), attempts)
  }

  /** Waits until what brokers were asked before is worth asking again. */
  secondLook(signal: AbortSignal): Promise<void> {
    return sleep(this.#runtime, secondLookMillis, signal)
  }

  /** What the group has committed of topics, by `partitionKey`. */
  committed(topics: Iterable<string>, signal: AbortSignal): Promise<ReadonlyMap<string, bigint>> {
    const names = [...new Set(topics)]
    const ask = () => committedOffsets(this.#admin, this.#groupId, names)
    return patiently(this.#runtime, signal, ask, untilAnswered)
  }

  /** Throws a `LostPositionError` or `LogChangedError` when Kafka does not have the position any more. */
  verify(at: PartitionPosition, signal: AbortSignal): Promise<LogRange> {
    const look = async () => (await this.ranges(at.topic, signal)).get(at.partition) ?? noLog
    return verifiedRange(at, look, { runtime: this.#runtime, signal })
  }
}

/** The range of a partition that is not there. */
export const noLog: LogRange = { logStart: 0n, logEnd: 0n }

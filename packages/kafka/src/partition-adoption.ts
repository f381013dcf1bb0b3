import {
  type PartitionedSink,
  type PartitionPosition,
  StockpipeError,
  type TopicPartition,
} from '@stockpipe/core'
import type { LogRange } from './admin-session.ts'
import type { LeaderLookup } from './leader-lookup.ts'
import { type LogLookup, noLog } from './log-lookup.ts'
import { type PartitionCursor, partitionKey } from './partition-cursor.ts'
import { positionProblem } from './position-check.ts'

export interface AdoptionOptions {
  readonly lookup: LogLookup
  readonly leaders?: LeaderLookup | undefined
  readonly generation: number
  readonly signal: AbortSignal
  /** The sink has the partition: it has to be revoked, whatever becomes of this. */
  readonly onAssigned: (cursor: PartitionCursor) => void
  /** The cursor has a position that Kafka still has. */
  readonly onPlaced: (cursor: PartitionCursor) => void
}

/**
 * Assigns partitions to their sinks and places each cursor where its sink wants to read from. Stops where it is once
 * the signal aborts. Throws what a sink throws, a `LostPositionError` or `LogChangedError`, or `POSITION_MISSING`.
 */
export const adoptPartitions = async (
  cursors: readonly PartitionCursor[],
  options: AdoptionOptions,
): Promise<void> => {
  const { lookup, leaders, generation, signal, onAssigned, onPlaced } = options
  const topics = new Set(cursors.map(({ topic }) => topic))
  const ranges = new Map<string, LogRange>()
  const lookUp = async (names: Iterable<string>): Promise<void> => {
    for (const topic of names) {
      for (const [partition, range] of await lookup.ranges(topic, signal)) {
        ranges.set(partitionKey(topic, partition), range)
      }
    }
  }
  for (const topic of topics) await leaders?.identify(topic, signal)
  await lookUp(topics)
  const committed = await lookup.committed(topics, signal)
  if (signal.aborted) return
  await Promise.all(
    [...bySink(cursors)].map(async ([sink, own]) => {
      const assign = (): Promise<readonly PartitionPosition[]> =>
        sink.assign(
          own.map(({ topic, partition }) => {
            const key = partitionKey(topic, partition)
            const offset = committed.get(key)
            const range = ranges.get(key) ?? noLog
            return { topic, partition, ...range, ...(offset === undefined ? {} : { committed: offset }) }
          }),
          { generation, signal },
        )
      const positions = await assign().catch(async (error: unknown) => {
        const changed = StockpipeError.isInstance(error) && error.name === 'LogChangedError'
        if (!changed || signal.aborted) throw error
        // The end was asked for before the journal was read: another owner may have read on in between, and a leader
        // that has just taken over may have answered one that is behind.
        await lookup.secondLook(signal)
        await lookUp(new Set(own.map(({ topic }) => topic)))
        return assign()
      })
      for (const cursor of own) onAssigned(cursor)
      for (const cursor of own) {
        if (signal.aborted) return
        const answered = positions.find(
          ({ topic, partition }) => topic === cursor.topic && partition === cursor.partition,
        )
        if (!answered) throw positionMissing(cursor)
        const key = partitionKey(cursor.topic, cursor.partition)
        const known = ranges.get(key)
        const sound = known && positionProblem(answered, known) === undefined
        const { logEnd } = sound ? known : await lookup.verify(answered, signal)
        await leaders?.begin(answered, signal)
        if (signal.aborted) return
        cursor.place(answered, { logEnd, committed: committed.get(key) ?? 0n })
        onPlaced(cursor)
      }
    }),
  )
}

/** Cursors by the sink that has them. */
export const bySink = (
  cursors: readonly PartitionCursor[],
): ReadonlyMap<PartitionedSink, PartitionCursor[]> => {
  const groups = new Map<PartitionedSink, PartitionCursor[]>()
  for (const cursor of cursors) groups.set(cursor.sink, [...(groups.get(cursor.sink) ?? []), cursor])
  return groups
}

const positionMissing = ({ topic, partition }: TopicPartition): StockpipeError =>
  new StockpipeError({
    code: 'POSITION_MISSING',
    message: `The sink of topic ${topic} did not answer where to read partition ${partition} from.`,
    facts: { topic, partition },
  })

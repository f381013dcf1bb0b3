import { type Runtime, systemRuntime } from '@stockpipe/core'
import type { EachBatchPayload, KafkaMessage } from 'kafkajs'
import type { ConsumerLag } from '../src/consumer-lag.ts'
import { ConsumerLoop } from '../src/consumer-loop.ts'
import { type FetchedBatch, fetchedBatches } from '../src/fetched-batch.ts'
import { loadInflate } from '../src/inflate.ts'
import { OffsetCommitter } from '../src/offset-committer.ts'
import { PartitionOwnership } from '../src/partition-ownership.ts'
import { encodeBatch } from './encoded-batch.ts'
import { MemorySink } from './memory-sink.ts'
import { consuming } from './record-batch-mode.ts'

const inflate = await loadInflate()

const message = (offset: number): KafkaMessage => ({
  key: null,
  value: Buffer.from(String(offset)),
  timestamp: '0',
  attributes: 0,
  offset: String(offset),
  headers: {},
})

/** A record batch of such records, as it is fetched. */
const batchOf = (
  partition: number,
  from: number,
  offsets: readonly number[],
  last: number,
): FetchedBatch[] => {
  const baseOffset = offsets[0] ?? last
  const records = encodeBatch({
    baseOffset,
    records: offsets.map((offset) => ({
      offsetDelta: offset - baseOffset,
      value: Buffer.from(String(offset)),
    })),
    lastOffsetDelta: last - baseOffset,
  })
  return fetchedBatches({ topic: 'topic', partition }, records, BigInt(from), [])!
}

export interface OneMemberOptions {
  readonly log?: { start: number; end: number }
  /** Of partition 0. */
  readonly target?: bigint
  readonly onRebalance?: 'keep' | 'drain'
  readonly sink?: MemorySink
  readonly runtime?: Runtime
  readonly heartbeatIntervalMillis?: number
}

export interface FetchedOptions {
  readonly lastOffset?: number
  readonly stale?: boolean
  readonly heartbeat?: () => Promise<void>
  readonly partition?: number
}

/** The loop of one member of a topic with three equal partitions, and what kafkajs and the broker would do, by hand. */
export const oneMember = ({
  log = { start: 0, end: 1000 },
  target,
  onRebalance = 'keep',
  sink = new MemorySink(),
  runtime = systemRuntime,
  heartbeatIntervalMillis = 20,
}: OneMemberOptions = {}) => {
  const kafkajs: string[] = []
  const failures: unknown[] = []
  const group = { committed: -1 }
  const partitions = [0, 1, 2]
  const commits: string[] = []
  const requests: string[] = []
  const lags: ConsumerLag[] = []
  let reached = 0
  const consumer = {
    pause: () => void kafkajs.push('pause'),
    resume: () => void kafkajs.push('resume'),
    seek: ({ offset }: { offset: string }) => void kafkajs.push(`seek ${offset}`),
    commitOffsets: async (offsets: { partition: number; offset: string }[]) => {
      for (const { partition, offset } of offsets) commits.push(`${partition}:${offset}`)
    },
  }
  const admin = {
    fetchTopicOffsets: async () => {
      requests.push('log ends')
      return partitions.map((partition) => ({
        partition,
        offset: String(log.end),
        high: String(log.end),
        low: String(log.start),
      }))
    },
    fetchOffsets: async () => {
      requests.push('committed')
      const offset = String(group.committed)
      return [
        {
          topic: 'topic',
          partitions: partitions.map((partition) => ({ partition, offset, metadata: null })),
        },
      ]
    },
  }
  const ownership = new PartitionOwnership({
    consumer,
    admin,
    groupId: 'group',
    sinks: new Map([['topic', sink]]),
    targets: target === undefined ? undefined : new Map([['topic/0', target]]),
    committer: new OffsetCommitter(consumer, runtime, 10),
    onRebalance,
    drainMillis: 1000,
    rebalanceDrainMillis: 1000,
    runtime,
    onSettled: () => loop.checkReached(),
    onFailure: (error) => failures.push(error),
  })
  const loop = new ConsumerLoop({
    ownership,
    sinks: new Set([sink]),
    runtime,
    unpackedBy: undefined,
    blockLimits: { maxBlockRecords: 10, maxBlockBytes: 1_000_000 },
    inflate,
    heartbeatIntervalMillis,
    onProgress: undefined,
    onLag: (lag) => lags.push(lag),
    onReached: () => {
      reached += 1
    },
    onFailure: (error) => failures.push(error),
  })
  const fetched = async (
    from: number,
    offsets: readonly number[],
    over: FetchedOptions = {},
  ): Promise<string | undefined> => {
    let resolved: string | undefined
    const { partition = 0, lastOffset = offsets.at(-1)! } = over
    const payload = {
      batch: {
        topic: 'topic',
        partition,
        fetchedOffset: String(from),
        highWatermark: String(log.end),
        messages:
          consuming.recordBatches === 'raw'
            ? batchOf(partition, from, offsets, lastOffset)
            : offsets.map(message),
        lastOffset: () => String(lastOffset),
      },
      resolveOffset: (offset: string) => {
        resolved = offset
      },
      heartbeat: over.heartbeat ?? (async () => {}),
      isStale: () => over.stale ?? false,
      isRunning: () => true,
    }
    await loop.eachBatch(payload as unknown as EachBatchPayload)
    return resolved
  }
  const steppedOver = (first: number | null, last: number) =>
    loop.batchStarted({
      topic: 'topic',
      partition: 0,
      batchSize: 0,
      highWatermark: String(log.end),
      offsetLag: '0',
      offsetLagLow: '0',
      firstOffset: first === null ? (null as unknown as string) : String(first),
      lastOffset: String(last),
    })
  const settled = async () => {
    for (let turn = 0; turn < 50 && !ownership.settled; turn++)
      await new Promise((resolve) => setTimeout(resolve, 2))
  }
  const offsets = (partition = 0) =>
    (sink.buffered.get(`topic/${partition}`) ?? []).map(({ offset }) => Number(offset))
  return {
    sink,
    consumer,
    kafkajs,
    admin,
    failures,
    ownership,
    loop,
    group,
    commits,
    requests,
    lags,
    fetched,
    steppedOver,
    settled,
    offsets,
    reached: () => reached,
    log,
  }
}

/** A heartbeat that hears of a rebalance. */
export const rebalancing = () =>
  Promise.reject(Object.assign(new Error('rebalance'), { type: 'REBALANCE_IN_PROGRESS' }))

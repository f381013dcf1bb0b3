import { systemRuntime } from '@stockpipe/core'
import type { EachBatchPayload, KafkaMessage } from 'kafkajs'
import { describe, expect, it } from 'vitest'
import { ConsumerLoop } from '../src/consumer-loop.ts'
import { OffsetCommitter } from '../src/offset-committer.ts'
import { PartitionOwnership } from '../src/partition-ownership.ts'
import { MemorySink } from './memory-sink.ts'

const message = (offset: number): KafkaMessage => ({
  key: null,
  value: Buffer.from(String(offset)),
  timestamp: '0',
  attributes: 0,
  offset: String(offset),
  headers: {},
})

/** The loop of one member with one partition, and everything kafkajs and the broker would do, by hand. */
const setUp = (
  log: { start: number; end: number } = { start: 0, end: 1000 },
  { target, onRebalance = 'keep' }: { target?: bigint; onRebalance?: 'keep' | 'drain' } = {},
) => {
  const sink = new MemorySink()
  const kafkajs: string[] = []
  const failures: unknown[] = []
  const group = { committed: -1 }
  let reached = 0
  const consumer = {
    pause: () => void kafkajs.push('pause'),
    resume: () => void kafkajs.push('resume'),
    seek: ({ offset }: { offset: string }) => void kafkajs.push(`seek ${offset}`),
    commitOffsets: async () => void kafkajs.push('commit'),
  }
  const admin = {
    fetchTopicOffsets: async () => [
      { partition: 0, offset: String(log.end), high: String(log.end), low: String(log.start) },
    ],
    fetchOffsets: async () => [
      { topic: 'topic', partitions: [{ partition: 0, offset: String(group.committed), metadata: null }] },
    ],
  }
  const ownership = new PartitionOwnership({
    consumer,
    admin,
    groupId: 'group',
    sinks: new Map([['topic', sink]]),
    targets: target === undefined ? undefined : new Map([['topic/0', target]]),
    committer: new OffsetCommitter(consumer, systemRuntime, 10),
    onRebalance,
    drainMillis: 1000,
    rebalanceDrainMillis: 1000,
    runtime: systemRuntime,
    onSettled: () => loop.checkReached(),
    onFailure: (error) => failures.push(error),
  })
  const loop = new ConsumerLoop({
    ownership,
    sinks: new Set([sink]),
    runtime: systemRuntime,
    blockLimits: { maxBlockRecords: 10, maxBlockBytes: 1_000_000 },
    heartbeatIntervalMillis: 20,
    onProgress: undefined,
    onLag: undefined,
    onReached: () => {
      reached += 1
    },
    onFailure: (error) => failures.push(error),
  })
  const fetched = async (
    from: number,
    offsets: readonly number[],
    over: { lastOffset?: number; stale?: boolean; heartbeat?: () => Promise<void> } = {},
  ): Promise<string | undefined> => {
    let resolved: string | undefined
    const payload = {
      batch: {
        topic: 'topic',
        partition: 0,
        fetchedOffset: String(from),
        highWatermark: String(log.end),
        messages: offsets.map(message),
        lastOffset: () => String(over.lastOffset ?? offsets.at(-1)),
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
  const offsets = () => (sink.buffered.get('topic/0') ?? []).map(({ offset }) => Number(offset))
  return {
    sink,
    kafkajs,
    failures,
    ownership,
    loop,
    group,
    fetched,
    steppedOver,
    settled,
    offsets,
    reached: () => reached,
    log,
  }
}

const rebalancing = () =>
  Promise.reject(Object.assign(new Error('rebalance'), { type: 'REBALANCE_IN_PROGRESS' }))

describe('the consumer loop', () => {
  it('pauses within the join, seeks, and only then lets kafkajs fetch', async () => {
    const { ownership, kafkajs, settled, fetched, offsets, sink } = setUp()
    sink.journal.next.set('topic/0', 7n)
    ownership.joined('member', { topic: [0] })
    expect(kafkajs).toEqual(['pause'])
    // A fetch that was already on its way.
    expect(await fetched(0, [0, 1, 2])).toBeUndefined()
    await settled()
    expect(kafkajs).toEqual(['pause', 'seek 7', 'resume'])
    expect(await fetched(0, [0, 1, 2])).toBeUndefined()
    expect(kafkajs.at(-1)).toBe('seek 7')
    expect(await fetched(7, [7, 8], { stale: true })).toBeUndefined()
    expect(offsets()).toEqual([])
    expect(await fetched(7, [7, 8])).toBe('8')
    expect(offsets()).toEqual([7, 8])
    expect(sink.violations).toEqual([])
  })

  it('takes holes inside a fetch, and goes back when a fetch began elsewhere', async () => {
    const { ownership, kafkajs, settled, fetched, offsets, failures, sink } = setUp()
    ownership.joined('member', { topic: [0] })
    await settled()
    expect(await fetched(0, [3, 5, 9], { lastOffset: 11 })).toBe('11')
    expect(await fetched(12, [12])).toBe('12')
    expect(await fetched(40, [40, 41])).toBeUndefined()
    expect(kafkajs.at(-1)).toBe('seek 13')
    expect(
      await fetched(
        13,
        Array.from({ length: 27 }, (_, index) => index + 13),
      ),
    ).toBe('39')
    expect(offsets()).toEqual([3, 5, 9, 12, ...Array.from({ length: 27 }, (_, index) => index + 13)])
    expect([...failures, ...sink.violations]).toEqual([])
  })

  it('fails when a fetch began elsewhere because the position is gone', async () => {
    const { ownership, settled, fetched, offsets, failures, log } = setUp()
    ownership.joined('member', { topic: [0] })
    await settled()
    await fetched(0, [0, 1])
    log.start = 500
    expect(await fetched(500, [500])).toBeUndefined()
    expect(failures).toMatchObject([{ code: 'LOST_POSITION', facts: { position: 2n, logStart: 500n } }])
    expect(offsets()).toEqual([0, 1])
  })

  it('follows kafkajs over what it does not hand over, beyond a hole only when nothing was deleted', async () => {
    const first = setUp()
    first.ownership.joined('member', { topic: [0] })
    await first.settled()
    first.steppedOver(0, 4)
    expect(await first.fetched(5, [5])).toBe('5')
    first.steppedOver(8, 9)
    first.steppedOver(null, 10)
    expect(await first.fetched(11, [11])).toBe('11')
    expect(first.offsets()).toEqual([5, 11])
    expect(first.failures).toEqual([])
    const second = setUp()
    second.ownership.joined('member', { topic: [0] })
    await second.settled()
    second.steppedOver(500, 509)
    second.log.start = 500
    expect(await second.fetched(510, [510])).toBeUndefined()
    expect(second.failures).toMatchObject([{ code: 'LOST_POSITION', facts: { position: 0n } }])
  })

  it('reaches its end over markers behind a hole, by the check of positions that stand still', async () => {
    const { ownership, loop, settled, fetched, steppedOver, reached, sink } = setUp(
      { start: 0, end: 10 },
      { target: 10n },
    )
    ownership.joined('member', { topic: [0] })
    await settled()
    await fetched(0, [0, 1])
    steppedOver(5, 9)
    expect(reached()).toBe(0)
    const cursor = ownership.cursor({ topic: 'topic', partition: 0 })!
    await loop.checkPositions(new Map([[cursor, 2n]]))
    await new Promise((resolve) => setTimeout(resolve, 5))
    expect(reached()).toBe(1)
    expect(sink.calls).toContain('flush')
  })

  it('fetches again from a position that stands still behind the end', async () => {
    const { ownership, loop, settled, kafkajs } = setUp()
    ownership.joined('member', { topic: [0] })
    await settled()
    const cursor = ownership.cursor({ topic: 'topic', partition: 0 })!
    await loop.checkPositions(new Map([[cursor, 0n]]))
    expect(kafkajs.slice(3)).toEqual(['seek 0'])
  })

  it('drains before kafkajs hears of a rebalance when told to, and drops what it had fetched', async () => {
    const { ownership, settled, fetched, sink } = setUp(undefined, { onRebalance: 'drain' })
    ownership.joined('member', { topic: [0] })
    await settled()
    await expect(fetched(0, [0, 1], { heartbeat: rebalancing })).rejects.toThrow('rebalance')
    expect(sink.calls).toEqual(['assign topic/0', 'revoke topic/0 drain'])
    expect(sink.journal.next.get('topic/0')).toBe(2n)
    expect(await fetched(2, [2])).toBeUndefined()
    ownership.joined('member', { topic: [0] })
    await settled()
    expect(await fetched(2, [2])).toBe('2')
    expect(sink.violations).toEqual([])
  })

  it('does not wait for room when a rebalance comes, but for the drain', async () => {
    const { ownership, settled, fetched, sink, failures } = setUp(undefined, { onRebalance: 'drain' })
    sink.beforeRoom = () => new Promise(() => {})
    let drained = false
    sink.beforeDrain = async () => {
      await new Promise((resolve) => setTimeout(resolve, 50))
      drained = true
    }
    ownership.joined('member', { topic: [0] })
    await settled()
    expect(await fetched(0, [0, 1], { heartbeat: rebalancing })).toBeUndefined()
    expect(drained).toBe(true)
    expect(failures).toEqual([])
  })

  it('calls an assignment off when the group goes on before the sink has answered', async () => {
    const { ownership, settled, sink, failures, fetched, kafkajs } = setUp()
    let calls = 0
    sink.beforeAssign = (signal) =>
      calls++ > 0
        ? Promise.resolve()
        : new Promise((_, reject) => signal!.addEventListener('abort', () => reject(signal!.reason)))
    ownership.joined('member', { topic: [0] })
    await new Promise((resolve) => setTimeout(resolve, 5))
    void ownership.interrupt({ expelled: false })
    ownership.joined('member', { topic: [0] })
    await settled()
    expect(sink.calls).toEqual(['assign topic/0', 'assign topic/0'])
    expect(kafkajs.filter((call) => call.startsWith('seek'))).toHaveLength(1)
    expect(await fetched(0, [0])).toBe('0')
    expect([...failures, ...sink.violations]).toEqual([])
  })

  it('flushes at the end and is not done when a partition was lost meanwhile', async () => {
    const { ownership, settled, fetched, sink, reached } = setUp({ start: 0, end: 3 }, { target: 3n })
    let flushes = 0
    sink.flush = async () => {
      flushes += 1
      if (flushes > 1) return
      void ownership.leave({ drain: false })
      ownership.joined('member', { topic: [0] })
    }
    ownership.joined('member', { topic: [0] })
    await settled()
    expect(await fetched(0, [0, 1, 2])).toBe('2')
    await settled()
    expect(reached()).toBe(0)
    expect(await fetched(0, [0, 1, 2])).toBe('2')
    await new Promise((resolve) => setTimeout(resolve, 5))
    expect(flushes).toBe(2)
    expect(reached()).toBe(1)
  })
})

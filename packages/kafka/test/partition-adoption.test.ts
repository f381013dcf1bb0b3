import { type AssignedPartition, LogChangedError } from '@stockpipe/core'
import { describe, expect, it } from 'vitest'
import { LogLookup } from '../src/log-lookup.ts'
import { adoptPartitions } from '../src/partition-adoption.ts'
import { PartitionCursor } from '../src/partition-cursor.ts'
import { ManualRuntime } from './manual-runtime.ts'
import { MemorySink } from './memory-sink.ts'

/** A sink whose journal goes on at `next`, as another owner left it, and the ends of the log as the broker tells them. */
const adopt = async (next: bigint, ends: readonly number[]) => {
  const runtime = new ManualRuntime()
  const asked: AssignedPartition[] = []
  const sink = new MemorySink()
  const assign = sink.assign.bind(sink)
  sink.assign = async (partitions, options) => {
    asked.push(...partitions)
    if (partitions[0]!.logEnd < next)
      throw new LogChangedError({ code: 'LOG_CHANGED', message: 'ends below' })
    await assign(partitions, options)
    return partitions.map(({ topic, partition }) => ({ topic, partition, offset: next }))
  }
  let looks = 0
  const lookup = new LogLookup({
    groupId: 'lake',
    runtime,
    admin: {
      fetchTopicOffsets: async () => {
        const end = String(ends[Math.min(looks, ends.length - 1)])
        looks += 1
        return [{ partition: 0, offset: end, high: end, low: '0' }]
      },
      fetchOffsets: async () => [],
    },
  })
  const cursor = new PartitionCursor('trades', 0, sink, undefined)
  const adopted = adoptPartitions([cursor], {
    lookup,
    generation: 1,
    signal: new AbortController().signal,
    onAssigned: () => {},
    onPlaced: () => {},
  })
  adopted.catch(() => {})
  await runtime.pass(10_000)
  return { adopted, cursor, asked }
}

describe('a partition that is adopted', () => {
  it('is looked up again when the journal is ahead of the log: another owner may have read on since it was asked for', async () => {
    const { adopted, cursor, asked } = await adopt(7n, [5, 9])
    await adopted
    expect(asked.map(({ logEnd }) => logEnd)).toEqual([5n, 9n])
    expect([cursor.position, cursor.logEnd]).toEqual([7n, 9n])
  })

  it('is refused when the log still ends before the journal at the second look', async () => {
    const { adopted, asked } = await adopt(7n, [5])
    await expect(adopted).rejects.toMatchObject({ code: 'LOG_CHANGED' })
    expect(asked.length).toBe(2)
  })
})

import { sleep } from '@stockpipe/core'
import { describe, expect, it } from 'vitest'
import { MemorySink } from './memory-sink.ts'
import { oneMember } from './one-member.ts'
import { VirtualRuntime } from './virtual-runtime.ts'

const heartbeatIntervalMillis = 3000
const minute = 60_000

/** One member by a virtual clock, with kafkajs's heartbeat: one that comes before its interval is over is left out. */
const beating = async () => {
  const runtime = new VirtualRuntime()
  const sink = new MemorySink()
  const member = oneMember({ runtime, sink, heartbeatIntervalMillis, log: { start: 0, end: 5000 } })
  // A moment after the loop begins to count: what comes a moment too soon is left out.
  let last = runtime.now() + 1
  let longest = 0
  const heartbeat = async (): Promise<void> => {
    const now = runtime.now()
    if (now < last + heartbeatIntervalMillis) return
    longest = Math.max(longest, now - last)
    last = now
  }
  member.ownership.joined('member', { topic: [0] })
  await member.settled()
  return {
    ...member,
    runtime,
    heartbeat,
    longestGap: () => Math.max(longest, runtime.now() - last),
  }
}
const numbers = (count: number) => Array.from({ length: count }, (_, index) => index)

describe('heartbeats', () => {
  it('go on while the sink has no room for twenty minutes', async () => {
    const { runtime, sink, heartbeat, longestGap, fetched } = await beating()
    const began = runtime.now()
    sink.beforeRoom = () => sleep(runtime, 20 * minute)
    expect(await runtime.passUntil(fetched(0, [0, 1, 2], { heartbeat }))).toBe('2')
    expect(runtime.now() - began).toBeGreaterThanOrEqual(20 * minute)
    expect(longestGap()).toBeLessThanOrEqual(heartbeatIntervalMillis * 1.5)
  })

  it('go on over many blocks that each take less than an interval', async () => {
    const { runtime, sink, heartbeat, longestGap, fetched, offsets } = await beating()
    const began = runtime.now()
    sink.beforeRoom = () => sleep(runtime, heartbeatIntervalMillis * 0.3)
    expect(await runtime.passUntil(fetched(0, numbers(4000), { heartbeat }))).toBe('3999')
    expect(offsets()).toHaveLength(4000)
    expect(runtime.now() - began).toBeGreaterThan(5 * minute)
    expect(longestGap()).toBeLessThanOrEqual(heartbeatIntervalMillis * 1.5)
  })

  it('go on while a position is compared with a log that does not answer', async () => {
    const { runtime, heartbeat, longestGap, fetched, admin } = await beating()
    const ask = admin.fetchTopicOffsets
    admin.fetchTopicOffsets = async () => {
      await sleep(runtime, 2 * minute)
      return ask()
    }
    expect(await runtime.passUntil(fetched(40, [40], { heartbeat }))).toBeUndefined()
    expect(longestGap()).toBeLessThanOrEqual(heartbeatIntervalMillis * 1.5)
  })

  it('one that fails for another reason than a rebalance has the next batch wait for the block under way', async () => {
    const { runtime, sink, heartbeat, fetched, offsets, kafkajs, loop } = await beating()
    sink.beforeRoom = () => sleep(runtime, minute)
    const disconnected = () => Promise.reject(new Error('broker away'))
    await expect(runtime.passUntil(fetched(0, [0, 1, 2], { heartbeat: disconnected }))).rejects.toThrow(
      'away',
    )
    expect(loop.records).toBe(0)
    kafkajs.splice(0)
    // kafkajs fetches the same again; by then the sink has the block.
    expect(await runtime.passUntil(fetched(0, [0, 1, 2], { heartbeat }))).toBeUndefined()
    expect(kafkajs).toEqual(['seek 3'])
    expect(await runtime.passUntil(fetched(3, [3], { heartbeat }))).toBe('3')
    expect(offsets()).toEqual([0, 1, 2, 3])
    expect(sink.violations).toEqual([])
  })
})

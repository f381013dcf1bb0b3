import type { AssignedPartition, AssignOptions, PartitionPosition, RecordBlock } from '@stockpipe/core'
import { describe, expect, it } from 'vitest'
import { MemorySink } from './memory-sink.ts'
import { oneMember, rebalancing } from './one-member.ts'

const expelled = () =>
  Promise.reject(Object.assign(new Error('unknown member'), { type: 'UNKNOWN_MEMBER_ID' }))
const turns = () => new Promise((resolve) => setTimeout(resolve, 10))

/** A sink that takes blocks only as the test lets it. */
const reluctantSink = () => {
  const sink = new MemorySink()
  const answers: { take: () => void; fail: (error: Error) => void }[] = []
  const write = sink.write.bind(sink)
  sink.write = async (block: RecordBlock) => {
    await new Promise<void>((take, fail) => answers.push({ take, fail }))
    await write(block)
  }
  return { sink, answers }
}

describe('a rebalance', () => {
  it('goes on where the sink stands, without assigning or reading again what stays', async () => {
    const { ownership, settled, fetched, offsets, sink, kafkajs } = oneMember()
    ownership.joined('member', { topic: [0] })
    await settled()
    await expect(fetched(0, [0, 1, 2], { heartbeat: rebalancing })).rejects.toThrow('rebalance')
    expect(await fetched(3, [3])).toBeUndefined()
    kafkajs.splice(0)
    ownership.joined('member', { topic: [0] })
    expect(kafkajs).toEqual(['pause', 'seek 3', 'resume'])
    // What the old generation had fetched from elsewhere.
    expect(await fetched(0, [0, 1, 2])).toBeUndefined()
    expect(await fetched(3, [3, 4])).toBe('4')
    await settled()
    expect(offsets()).toEqual([0, 1, 2, 3, 4])
    expect(sink.calls).toEqual(['assign topic/0'])
    expect(sink.violations).toEqual([])
  })

  it('waits for a block the sink has not taken yet before it goes on behind it', async () => {
    const { sink, answers } = reluctantSink()
    const { ownership, settled, fetched, offsets, kafkajs, loop } = oneMember({ sink })
    ownership.joined('member', { topic: [0] })
    await settled()
    const stopped = fetched(0, [0, 1, 2], { heartbeat: rebalancing })
    await expect(stopped).rejects.toThrow('rebalance')
    kafkajs.splice(0)
    ownership.joined('member', { topic: [0] })
    await settled()
    expect(await fetched(0, [0, 1, 2])).toBeUndefined()
    // Another generation, and the block is still on its way.
    ownership.joined('member', { topic: [0] })
    await settled()
    expect(kafkajs).toEqual(['pause', 'pause'])
    answers[0]!.take()
    await turns()
    expect(kafkajs.slice(2)).toEqual(['seek 3', 'resume'])
    expect(loop.records).toBe(3)
    const next = fetched(3, [3])
    answers[1]!.take()
    expect(await next).toBe('3')
    expect(offsets()).toEqual([0, 1, 2, 3])
    expect(sink.calls).toEqual(['assign topic/0'])
    expect(sink.violations).toEqual([])
  })

  it('stops what is being handed over when a join comes without a rebalance before it, as for new metadata', async () => {
    const { sink, answers } = reluctantSink()
    const { ownership, settled, fetched, offsets, kafkajs } = oneMember({ sink })
    ownership.joined('member', { topic: [0] })
    await settled()
    const stopped = fetched(
      0,
      Array.from({ length: 25 }, (_, offset) => offset),
    )
    await turns()
    kafkajs.splice(0)
    ownership.joined('member', { topic: [0] })
    expect(await stopped).toBeUndefined()
    answers[0]!.take()
    await turns()
    expect(kafkajs.slice(-2)).toEqual(['seek 10', 'resume'])
    const next = fetched(10, [10, 11])
    await turns()
    answers[1]!.take()
    expect(await next).toBe('11')
    expect(offsets()).toEqual(Array.from({ length: 12 }, (_, offset) => offset))
    expect(sink.violations).toEqual([])
  })

  it('keeps the position behind markers that the sink is never shown', async () => {
    const { ownership, settled, fetched, steppedOver, kafkajs, sink } = oneMember()
    ownership.joined('member', { topic: [0] })
    await settled()
    expect(await fetched(0, [0, 1])).toBe('1')
    steppedOver(2, 5)
    steppedOver(9, 9)
    void ownership.interrupt({ expelled: false })
    steppedOver(6, 20)
    kafkajs.splice(0)
    ownership.joined('member', { topic: [0] })
    expect(kafkajs).toEqual(['pause', 'seek 6', 'resume'])
    expect(await fetched(6, [6])).toBe('6')
    expect(sink.violations).toEqual([])
  })

  it('gives up what leaves after the join, and assigns it anew when it comes back', async () => {
    const { ownership, settled, fetched, offsets, sink } = oneMember()
    ownership.joined('member', { topic: [0, 1] })
    await settled()
    await fetched(0, [0, 1])
    await fetched(0, [0, 1, 2], { partition: 1 })
    void ownership.interrupt({ expelled: false })
    expect(sink.calls).toEqual(['assign topic/0 topic/1'])
    ownership.joined('member', { topic: [0] })
    await settled()
    expect(sink.calls.slice(1)).toEqual(['revoke topic/1 give up'])
    expect(await fetched(2, [2])).toBe('2')
    ownership.joined('member', { topic: [0, 1, 2] })
    await settled()
    expect(sink.calls.slice(2)).toEqual(['assign topic/1 topic/2'])
    expect(await fetched(0, [0], { partition: 1 })).toBe('0')
    expect([offsets(0), offsets(1)]).toEqual([[0, 1, 2], [0]])
    expect(sink.violations).toEqual([])
  })

  it('does not keep what was away for a generation it had no time to give it up in', async () => {
    const { ownership, settled, fetched, sink } = oneMember()
    ownership.joined('member', { topic: [0, 1] })
    await settled()
    await fetched(0, [0, 1], { partition: 1 })
    ownership.joined('member', { topic: [0] })
    ownership.joined('member', { topic: [0, 1] })
    await settled()
    expect(sink.calls).toEqual(['assign topic/0 topic/1', 'revoke topic/1 give up', 'assign topic/1'])
    expect(sink.violations).toEqual([])
  })

  it('takes anew what the group has committed beyond it while it was expelled, and keeps the rest', async () => {
    const { ownership, settled, fetched, offsets, sink, group, kafkajs } = oneMember()
    ownership.joined('one', { topic: [0] })
    await settled()
    await expect(fetched(0, [0, 1, 2], { heartbeat: expelled })).rejects.toThrow('unknown')
    ownership.joined('two', { topic: [0] })
    await settled()
    expect(await fetched(3, [3])).toBe('3')
    expect(sink.calls).toEqual(['assign topic/0'])
    void ownership.interrupt({ expelled: true })
    group.committed = 2
    sink.journal.next.set('topic/0', 2n)
    kafkajs.splice(0)
    ownership.joined('three', { topic: [0] })
    // Nothing is read before it is known whose turn it is.
    expect(kafkajs).toEqual(['pause'])
    await settled()
    expect(sink.calls.slice(1)).toEqual(['revoke topic/0 give up', 'assign topic/0'])
    expect(await fetched(2, [2])).toBe('2')
    // Its own commits do not count as somebody else's.
    void ownership.interrupt({ expelled: true })
    ownership.joined('four', { topic: [0] })
    await settled()
    expect(sink.calls).toHaveLength(3)
    expect(offsets()).toEqual([2])
    expect(sink.violations).toEqual([])
  })

  it('takes anew what was fenced between two generations', async () => {
    const { ownership, settled, fetched, sink, failures } = oneMember()
    ownership.joined('member', { topic: [0] })
    await settled()
    await fetched(0, [0, 1])
    void ownership.interrupt({ expelled: false })
    const cursor = ownership.cursor({ topic: 'topic', partition: 0 })!
    ownership.fenced(cursor)
    ownership.fenced(cursor)
    sink.journal.next.set('topic/0', 1n)
    ownership.joined('member', { topic: [0] })
    await settled()
    expect(sink.calls).toEqual(['assign topic/0', 'revoke topic/0 give up', 'assign topic/0'])
    expect(await fetched(1, [1])).toBe('1')
    expect([...failures, ...sink.violations]).toEqual([])
  })

  it('ends when the sink fails a block it was still taking', async () => {
    const { sink, answers } = reluctantSink()
    const { ownership, settled, fetched, failures } = oneMember({ sink })
    ownership.joined('member', { topic: [0] })
    await settled()
    await expect(fetched(0, [0], { heartbeat: rebalancing })).rejects.toThrow('rebalance')
    ownership.joined('member', { topic: [0] })
    answers[0]!.fail(new Error('disk on fire'))
    await turns()
    expect(failures).toMatchObject([{ message: 'disk on fire' }])
  })

  it('does not hear what a block it has given up comes to', async () => {
    const { sink, answers } = reluctantSink()
    const { ownership, settled, fetched, failures, loop } = oneMember({ sink })
    ownership.joined('member', { topic: [0] })
    await settled()
    await expect(fetched(0, [0], { heartbeat: rebalancing })).rejects.toThrow('rebalance')
    ownership.joined('member', { topic: [1] })
    await settled()
    answers[0]!.fail(new Error('not assigned'))
    await turns()
    expect(failures).toEqual([])
    expect(loop.records).toBe(0)
  })

  it('keeps what stays while the rest hangs in its assignment, which is then called off', async () => {
    const { ownership, settled, fetched, offsets, sink, failures } = oneMember()
    ownership.joined('member', { topic: [0] })
    await settled()
    await fetched(0, [0, 1])
    sink.beforeAssign = (signal) =>
      new Promise((_, reject) => signal!.addEventListener('abort', () => reject(signal!.reason)))
    ownership.joined('member', { topic: [0, 1] })
    await turns()
    expect(await fetched(2, [2])).toBe('2')
    expect(await fetched(0, [0], { partition: 1 })).toBeUndefined()
    sink.beforeAssign = async () => {}
    ownership.joined('member', { topic: [0, 1] })
    await settled()
    expect(await fetched(3, [3])).toBe('3')
    expect(await fetched(0, [0], { partition: 1 })).toBe('0')
    expect([offsets(0), offsets(1)]).toEqual([[0, 1, 2, 3], [0]])
    expect(sink.calls).toEqual(['assign topic/0', 'assign topic/1', 'assign topic/1'])
    expect([...failures, ...sink.violations]).toEqual([])
  })

  it('gives back and takes anew what was assigned too late for its generation', async () => {
    const sink = new MemorySink()
    let answer = () => {}
    const assign = sink.assign.bind(sink)
    sink.assign = async (partitions: readonly AssignedPartition[], options: AssignOptions) => {
      const positions: readonly PartitionPosition[] = await assign(partitions, {
        generation: options.generation,
      })
      if (sink.calls.length === 1) await new Promise<void>((resolve) => (answer = resolve))
      return positions
    }
    const { ownership, settled, fetched, failures } = oneMember({ sink })
    ownership.joined('member', { topic: [0] })
    await turns()
    void ownership.interrupt({ expelled: false })
    ownership.joined('member', { topic: [0] })
    answer()
    await settled()
    expect(sink.calls).toEqual(['assign topic/0', 'revoke topic/0 give up', 'assign topic/0'])
    expect(await fetched(0, [0])).toBe('0')
    expect([...failures, ...sink.violations]).toEqual([])
  })

  it('commits again what was published while the group had no generation, but nothing of what left', async () => {
    const { ownership, settled, fetched, sink, commits } = oneMember()
    ownership.joined('member', { topic: [0, 1] })
    await settled()
    await fetched(0, [0, 1])
    sink.emit('committable', { topic: 'topic', partition: 0, offset: 2n })
    ownership.published({ topic: 'topic', partition: 0, offset: 2n })
    await new Promise((resolve) => setTimeout(resolve, 30))
    expect(commits).toEqual(['0:2'])
    ownership.published({ topic: 'topic', partition: 1, offset: 2n })
    ownership.joined('member', { topic: [0] })
    await settled()
    ownership.published({ topic: 'topic', partition: 1, offset: 3n })
    await new Promise((resolve) => setTimeout(resolve, 30))
    expect(commits).toEqual(['0:2', '0:2'])
  })

  it('drains what it kept when the run ends before the group has another generation', async () => {
    const { ownership, settled, fetched, sink } = oneMember()
    ownership.joined('member', { topic: [0] })
    await settled()
    await fetched(0, [0, 1])
    void ownership.interrupt({ expelled: false })
    await ownership.end({ drain: true })
    ownership.joined('member', { topic: [0] })
    await turns()
    expect(sink.calls).toEqual(['assign topic/0', 'revoke topic/0 drain'])
    expect(sink.journal.next.get('topic/0')).toBe(2n)
  })
})

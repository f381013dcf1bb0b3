import { sleep } from '@stockpipe/core'
import { describe, expect, it } from 'vitest'
import { oneMember, rebalancing } from './one-member.ts'
import { VirtualRuntime } from './virtual-runtime.ts'

describe('the consumer loop', () => {
  it('pauses within the join, seeks, and only then lets kafkajs fetch', async () => {
    const { ownership, kafkajs, settled, fetched, offsets, sink } = oneMember()
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
    const { ownership, kafkajs, settled, fetched, offsets, failures, sink } = oneMember()
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
    const { ownership, settled, fetched, offsets, failures, log } = oneMember()
    ownership.joined('member', { topic: [0] })
    await settled()
    await fetched(0, [0, 1])
    log.start = 500
    expect(await fetched(500, [500])).toBeUndefined()
    expect(failures).toMatchObject([{ code: 'LOST_POSITION', facts: { position: 2n, logStart: 500n } }])
    expect(offsets()).toEqual([0, 1])
  })

  it('follows kafkajs over what it does not hand over, beyond a hole only when nothing was deleted', async () => {
    const first = oneMember()
    first.ownership.joined('member', { topic: [0] })
    await first.settled()
    first.steppedOver(0, 4)
    expect(await first.fetched(5, [5])).toBe('5')
    first.steppedOver(8, 9)
    first.steppedOver(null, 10)
    expect(await first.fetched(11, [11])).toBe('11')
    expect(first.offsets()).toEqual([5, 11])
    expect(first.failures).toEqual([])
    const second = oneMember()
    second.ownership.joined('member', { topic: [0] })
    await second.settled()
    second.steppedOver(500, 509)
    second.log.start = 500
    expect(await second.fetched(510, [510])).toBeUndefined()
    expect(second.failures).toMatchObject([{ code: 'LOST_POSITION', facts: { position: 0n } }])
  })

  it('reaches its end over markers behind a hole, by the check of positions that stand still', async () => {
    const { ownership, loop, settled, fetched, steppedOver, reached, sink } = oneMember({
      log: { start: 0, end: 10 },
      target: 10n,
    })
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
    const { ownership, loop, settled, kafkajs } = oneMember()
    ownership.joined('member', { topic: [0] })
    await settled()
    const cursor = ownership.cursor({ topic: 'topic', partition: 0 })!
    await loop.checkPositions(new Map([[cursor, 0n]]))
    expect(kafkajs.slice(3)).toEqual(['seek 0'])
  })

  it('drains before kafkajs hears of a rebalance when told to, and drops what it had fetched', async () => {
    const { ownership, settled, fetched, sink } = oneMember({ onRebalance: 'drain' })
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
    const { ownership, settled, fetched, sink, failures } = oneMember({ onRebalance: 'drain' })
    sink.beforeRoom = () => new Promise(() => {})
    let drained = false
    sink.beforeDrain = async () => {
      await new Promise((resolve) => setTimeout(resolve, 50))
      drained = true
    }
    ownership.joined('member', { topic: [0] })
    await settled()
    await expect(fetched(0, [0, 1], { heartbeat: rebalancing })).rejects.toThrow('rebalance')
    expect(drained).toBe(true)
    expect(failures).toEqual([])
  })

  it('calls an assignment off when the group goes on before the sink has answered', async () => {
    const { ownership, settled, sink, failures, fetched, kafkajs } = oneMember()
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

  it('waits for no block of its own once it ends, whatever another sink call hangs in', async () => {
    const { ownership, loop, settled, fetched, sink, failures } = oneMember({ runtime: new VirtualRuntime() })
    ownership.joined('member', { topic: [0] })
    await settled()
    sink.beforeAssign = () => new Promise(() => {})
    sink.beforeRoom = () => new Promise(() => {})
    ownership.joined('member', { topic: [0, 1] })
    const handedOver = fetched(0, [0])
    await new Promise((resolve) => setTimeout(resolve, 5))
    loop.end()
    void ownership.end({ drain: true })
    expect(await handedOver).toBeUndefined()
    expect(failures).toEqual([])
  })

  it('is not ended by a seek that kafkajs refuses because it has stopped', async () => {
    const { ownership, consumer, settled, fetched, failures, offsets } = oneMember()
    ownership.joined('member', { topic: [0] })
    await settled()
    const { seek } = consumer
    consumer.seek = () => {
      throw new Error('Consumer group was not initialized, consumer#run must be called first')
    }
    expect(await fetched(40, [40])).toBeUndefined()
    ownership.joined('member', { topic: [0, 1] })
    await settled()
    expect(failures).toEqual([])
    // kafkajs has come back.
    consumer.seek = seek
    ownership.joined('again', { topic: [0, 1] })
    await settled()
    expect(await fetched(0, [0])).toBe('0')
    expect(offsets()).toEqual([0])
  })

  it('asks where logs begin and end until brokers answer, however long a partition has no leader', async () => {
    const runtime = new VirtualRuntime()
    const { ownership, admin, failures, fetched } = oneMember({ runtime })
    const ask = admin.fetchTopicOffsets
    const away = { leader: true, rights: false }
    const notAvailable = (type: string) => Object.assign(new Error(type), { type })
    admin.fetchTopicOffsets = async () => {
      if (away.rights) throw notAvailable('TOPIC_AUTHORIZATION_FAILED')
      if (away.leader) throw notAvailable('LEADER_NOT_AVAILABLE')
      return ask()
    }
    ownership.joined('member', { topic: [0] })
    await runtime.passUntil(sleep(runtime, 10 * 60_000))
    expect(failures).toEqual([])
    away.leader = false
    await runtime.passUntil(sleep(runtime, 10_000))
    expect(ownership.settled).toBe(true)
    expect(await fetched(0, [0])).toBe('0')
    // A lack of rights does not pass.
    away.rights = true
    ownership.joined('member', { topic: [0, 1] })
    await runtime.passUntil(sleep(runtime, 1000))
    expect(failures).toMatchObject([{ code: 'TOPIC_OFFSETS_FAILED', retryable: false }])
  })

  it('flushes at the end and is not done when a partition was lost meanwhile', async () => {
    const { ownership, settled, fetched, sink, reached } = oneMember({
      log: { start: 0, end: 3 },
      target: 3n,
    })
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

  it('has not reached its end while a fenced partition is between its two assignments', async () => {
    const { ownership, loop, settled, fetched, sink, reached, failures } = oneMember({
      log: { start: 0, end: 3 },
      target: 3n,
    })
    ownership.joined('member', { topic: [0] })
    await settled()
    await fetched(0, [0])
    let revoked = () => {}
    const revoking = new Promise<void>((isRevoking) => {
      const revoke = sink.revoke.bind(sink)
      sink.revoke = async (...call) => {
        isRevoking()
        await new Promise<void>((resolve) => {
          revoked = resolve
        })
        return revoke(...call)
      }
    })
    // As the sink does while it still has the log.
    sink.flush = async () => {
      throw new Error('fenced')
    }
    ownership.fenced(ownership.cursor({ topic: 'topic', partition: 0 })!)
    await revoking
    await loop.checkPositions(new Map())
    await new Promise((resolve) => setTimeout(resolve, 5))
    expect([reached(), failures]).toEqual([0, []])
    sink.flush = async () => {}
    revoked()
    while (ownership.cursor({ topic: 'topic', partition: 0 })?.position === undefined) {
      await new Promise((resolve) => setTimeout(resolve, 2))
    }
    expect(await fetched(0, [0, 1, 2])).toBe('2')
    await new Promise((resolve) => setTimeout(resolve, 5))
    expect([reached(), failures]).toEqual([1, []])
  })

  it('does not take the fencing of a former assignment for a failure of its last flush', async () => {
    const { ownership, settled, fetched, sink, reached, failures } = oneMember({
      log: { start: 0, end: 3 },
      target: 3n,
    })
    ownership.joined('member', { topic: [0] })
    await settled()
    let fail = (_: Error) => {}
    let flushes = 0
    sink.flush = () => (flushes++ > 0 ? Promise.resolve() : new Promise((_, reject) => (fail = reject)))
    await fetched(0, [0, 1, 2])
    sink.journal.next.set('topic/0', 3n)
    const former = ownership.cursor({ topic: 'topic', partition: 0 })!
    ownership.fenced(former)
    while ([former, undefined].includes(ownership.cursor(former)) || !ownership.cursor(former)!.reached) {
      await new Promise((resolve) => setTimeout(resolve, 2))
    }
    fail(new Error('fenced'))
    await new Promise((resolve) => setTimeout(resolve, 5))
    expect([reached(), failures]).toEqual([1, []])
  })
})

describe('the check of positions', () => {
  it('asks for log ends once a topic, and only when a position stands still', async () => {
    const { ownership, loop, settled, fetched, requests, lags } = oneMember({ log: { start: 0, end: 5 } })
    ownership.joined('member', { topic: [0, 1, 2] })
    await settled()
    await fetched(0, [0, 1])
    const cursors = [...ownership.cursors.values()]
    requests.splice(0)
    await loop.checkPositions(new Map(cursors.map((cursor) => [cursor, cursor.position!])))
    expect(requests).toEqual(['log ends'])
    expect(lags.at(-1)).toMatchObject({ records: 13 })
    await loop.checkPositions(new Map(cursors.map((cursor) => [cursor, 99n])))
    expect(requests).toEqual(['log ends'])
  })

  it('ends the run when a partition has lost its position, whoever else stands still', async () => {
    const { ownership, loop, settled, log } = oneMember({ log: { start: 0, end: 5 } })
    ownership.joined('member', { topic: [0, 1] })
    await settled()
    log.start = 3
    const cursors = [...ownership.cursors.values()]
    const check = loop.checkPositions(new Map(cursors.map((cursor) => [cursor, 0n])))
    await expect(check).rejects.toMatchObject({ code: 'LOST_POSITION', facts: { logStart: 3n } })
  })
})

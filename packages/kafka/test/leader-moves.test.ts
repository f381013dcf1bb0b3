import { describe, expect, it } from 'vitest'
import { deliveryUnderTest, settled } from './delivery-fixture.ts'
import { FakeCluster } from './fake-cluster.ts'
import { kafkajsProducerOver } from './kafkajs-internals.ts'

/** Partition `i` is led by node `i`; a send writes one record to each. */
const cluster = () => new FakeCluster({ partitions: 3, nodes: 3 })
const held = ({ partitions }: FakeCluster) =>
  partitions.map(({ records }) => records.map(({ value }) => value))
const oneEach = ['a', 'b', 'c'].map((value, partition) => [partition, value] as const)
const messages = oneEach.map(([partition, value]) => ({ partition, value }))

/** Node 0 dies under its first request, and what it led goes to node 1, which has answered. */
const moveToOneThatAnswered = (over: FakeCluster) => {
  let isDead = false
  over.fault = (leader) => {
    if (leader !== 0 || isDead) return 'none'
    isDead = true
    over.partitions[0]!.leader = 1
    return 'cut'
  }
}

/** Node 0 answers, nodes 1 and 2 do not; then what node 0 led goes to node 1. */
const moveToOneThatHasNot = (over: FakeCluster) => {
  const failed = new Set<number>()
  over.fault = (leader) => {
    if (leader === 0 || failed.has(leader)) return 'none'
    failed.add(leader)
    if (failed.size === 2) over.partitions[0]!.leader = 1
    return 'cut'
  }
}

/** The first request is done, and nobody hears of it for as long as the client tries. */
const loseAnswers = (over: FakeCluster, times: number) => {
  let left = times
  over.fault = () => (left-- > 0 ? 'lose-answer' : 'none')
}

// kafkajs's own code over a cluster in memory: why no record goes through its producer.
describe("kafkajs's idempotent producer", () => {
  it('loses the partitions that move to a broker that has answered', async () => {
    const over = cluster()
    moveToOneThatAnswered(over)
    const producer = kafkajsProducerOver(over)
    await producer.connect()
    const answered = await producer.send({ topic: 'trades', messages })
    expect(answered.map(({ partition }) => partition).sort()).toEqual([1, 2])
    expect(held(over)).toEqual([[], ['b'], ['c']])
  })

  it('doubles the partitions that move to a broker that has not answered', async () => {
    const over = cluster()
    moveToOneThatHasNot(over)
    const producer = kafkajsProducerOver(over)
    await producer.connect()
    await producer.send({ topic: 'trades', messages })
    expect(held(over)).toEqual([['a', 'a'], ['b'], ['c']])
  })

  it('holds with one partition a request, until it gives one up: then the next one is swallowed as its repeat', async () => {
    const over = cluster()
    moveToOneThatHasNot(over)
    const producer = kafkajsProducerOver(over, 2)
    await producer.connect()
    await Promise.all(messages.map((message) => producer.send({ topic: 'trades', messages: [message] })))
    expect(held(over)).toEqual([['a'], ['b'], ['c']])
    loseAnswers(over, 3)
    const send = (value: string) => producer.send({ topic: 'trades', messages: [{ partition: 0, value }] })
    await expect(send('given up')).rejects.toThrow('Closed connection')
    expect(await send('swallowed')).toMatchObject([{ partition: 0, errorCode: 0, baseOffset: '1' }])
    expect(held(over)[0]).toEqual(['a', 'given up'])
  })
})

describe('sequence numbers of our own', () => {
  it.each([
    ['that has answered', moveToOneThatAnswered],
    ['that has not answered', moveToOneThatHasNot],
  ])('neither lose nor double a partition that moves to a broker %s', async (_, move) => {
    const over = cluster()
    move(over)
    const { send, runtime, delivery } = await deliveryUnderTest({ cluster: over })
    const sent = send(oneEach)
    await runtime.pass(5000)
    expect([...(await sent).offsets]).toEqual([0n, 0n, 0n])
    expect(held(over)).toEqual([['a'], ['b'], ['c']])
    expect(delivery.statistics).toMatchObject({ acknowledgedRows: 3, failedBatches: 0 })
  })

  it('write the next batch after one that was given up, whether that one was written or not', async () => {
    for (const fault of ['lose-answer', 'cut'] as const) {
      const over = cluster()
      let left = 3
      over.fault = () => (left-- > 0 ? fault : 'none')
      const { send, runtime } = await deliveryUnderTest({ cluster: over, retries: 2 })
      const givenUp = send([[0, 'given up']])
      await runtime.pass(5000)
      await expect(givenUp).rejects.toMatchObject({ code: 'DELIVERY_FAILED', facts: { unknown: 1 } })
      const next = send([[0, 'next']])
      await settled()
      expect((await next).offsets[0]).toBe(fault === 'cut' ? 0n : 1n)
      expect(held(over)[0]).toEqual(fault === 'cut' ? ['next'] : ['given up', 'next'])
    }
  })
})

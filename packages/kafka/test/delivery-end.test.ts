import { describe, expect, it } from 'vitest'
import { batchCompression } from '../src/compression.ts'
import type { DeliveryError } from '../src/delivery-report.ts'
import { deliveryUnderTest, settled } from './delivery-fixture.ts'
import { FakeCluster } from './fake-cluster.ts'

const failureOf = (sent: Promise<unknown>): Promise<DeliveryError> =>
  sent.then(
    () => expect.fail('was delivered'),
    (error) => error,
  )

describe('a delivery at its end', () => {
  it('sends nothing more once a program that is told of a failure abandons it', async () => {
    const { send, cluster, delivery, runtime } = await deliveryUnderTest({
      cluster: new FakeCluster({ nodes: 2 }),
      maxInFlightRequests: 1,
      deliveryTimeoutMillis: 1000,
      onFailed: () => delivery.abandon({ code: 'DELIVERY_ABORTED', reason: 'one failed', passing: false }),
    })
    cluster.delay = () => new Promise(() => {})
    const underWay = failureOf(send([[3, 'under way']]))
    await settled()
    const overdue = failureOf(send([[1, 'behind it']]))
    await runtime.pass(1500)
    // Partition 0 could be sent; partition 1, looked at after it, is overdue.
    const fresh = failureOf(send([[0, 'fresh']]))
    await settled()
    expect(cluster.requests).toHaveLength(1)
    expect((await underWay).facts).toMatchObject({ unknown: 1 })
    expect((await overdue).facts).toMatchObject({ notWritten: 1 })
    expect((await fresh).facts).toMatchObject({ notWritten: 1 })
  })

  it('leaves no timer behind', async () => {
    const { send, cluster, delivery, runtime } = await deliveryUnderTest()
    for (const node of [0, 1, 2]) cluster.unreachable.add(node)
    const sent = failureOf(send([[0, 'a']]))
    await settled()
    expect(runtime.timers).toBe(1)
    delivery.abandon({ code: 'DELIVERY_ABORTED', reason: 'enough', passing: false })
    expect((await sent).code).toBe('DELIVERY_ABORTED')
    expect(runtime.timers).toBe(0)
  })

  it('does not send what it has given up while a leader was being connected to', async () => {
    const cluster = new FakeCluster()
    let connected = () => {}
    const reach = cluster.reach.bind(cluster)
    cluster.reach = async (leader) => {
      await new Promise<void>((resolve) => {
        connected = resolve
      })
      return reach(leader)
    }
    const { send, delivery } = await deliveryUnderTest({ cluster })
    const sent = failureOf(send([[0, 'a']]))
    await settled()
    delivery.abandon({ code: 'DELIVERY_ABORTED', reason: 'enough', passing: false })
    connected()
    await settled()
    expect((await sent).code).toBe('DELIVERY_ABORTED')
    expect(cluster.requests).toEqual([])
  })

  it('gives up a batch that is never answered, and goes on', async () => {
    const { send, cluster, runtime, held } = await deliveryUnderTest({ deliveryTimeoutMillis: 10_000 })
    let answer = () => {}
    cluster.delay = () =>
      new Promise<void>((resolve) => {
        answer = resolve
      })
    const sent = failureOf(send([[0, 'a']]))
    await runtime.pass(39_000)
    const next = send([[0, 'b']])
    cluster.delay = async () => {}
    await runtime.pass(2000)
    expect(await sent).toMatchObject({
      code: 'DELIVERY_TIMED_OUT',
      retryable: false,
      facts: { unknown: 1 },
      message: expect.stringContaining('has not answered for 40000 ms'),
    })
    expect((await next).offsets[0]).toBe(0n)
    answer()
    await settled()
    // What was given up as unknown may come late, and is no repeat of what came after it.
    expect(held()[0]).toEqual(['b', 'a'])
  })

  it('gives up a batch that cannot be compressed at once, and none beside it', async () => {
    const compress = async (records: Buffer) => {
      if (records.includes('poison')) throw new Error('the codec fails')
      return records
    }
    const { send, cluster } = await deliveryUnderTest({
      cluster: new FakeCluster({ nodes: 1 }),
      compression: { ...(await batchCompression('gzip')), compress },
    })
    const sent = send([
      [0, 'a'],
      [1, 'poison'],
      [2, 'c'],
    ])
    const error = await failureOf(sent)
    expect(error).toMatchObject({ code: 'DELIVERY_FAILED', retryable: false })
    expect(error.message).toContain('the batch for partition 1 could not be compressed: the codec fails')
    expect(error.rows('not-written')).toEqual([1])
    expect((await send([[1, 'd']])).offsets[0]).toBe(0n)
    expect(cluster.requests).toHaveLength(2)
  })

  it.each([[[0, 1]], [[1, 0]]])(
    'is not retryable when one of its failures does not pass (order %j)',
    async (order) => {
      const { send, cluster, runtime } = await deliveryUnderTest({
        cluster: new FakeCluster({ partitions: 2, nodes: 2 }),
        deliveryTimeoutMillis: 1000,
      })
      // One leader is away until the deadline, the other refuses: at once, or only after it was away longer.
      cluster.unreachable.add(0)
      if (order[0] === 0) cluster.delay = () => new Promise((resolve) => runtime.setTimer(resolve, 5000))
      cluster.fault = () => ({ error: 10 })
      const sent = failureOf(
        send([
          [0, 'a'],
          [1, 'b'],
        ]),
      )
      await runtime.pass(10_000)
      const error = await sent
      expect(error).toMatchObject({ code: 'DELIVERY_FAILED', retryable: false, facts: { notWritten: 2 } })
      expect(error.message).toContain('MESSAGE_TOO_LARGE')
    },
  )
})

import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { DeliveryError, type DeliveryReport } from '../src/delivery-report.ts'
import { deliveryUnderTest, settled } from './delivery-fixture.ts'
import { FakeCluster, type RequestFault } from './fake-cluster.ts'

const faults: readonly RequestFault[] = [
  'cut',
  'lose-answer',
  'late',
  'leave-out',
  { error: 6 },
  { error: 6, done: true },
  { error: 3 },
  { error: 3, done: true },
  { error: 12345, done: true },
  { error: 7, done: true },
  { error: 7 },
  { error: 19 },
  { error: 20, done: true },
  { error: 56 },
]

const step = fc.oneof(
  fc.record({
    kind: fc.constant('send' as const),
    partition: fc.nat(3),
    rows: fc.integer({ min: 1, max: 5 }),
  }),
  fc.record({ kind: fc.constant('move' as const), partition: fc.nat(3), leader: fc.nat(2) }),
  fc.record({ kind: fc.constant('toggle' as const), node: fc.nat(2) }),
  fc.record({ kind: fc.constant('pass' as const), millis: fc.integer({ min: 1, max: 3000 }) }),
  fc.record({ kind: fc.constant('late' as const) }),
  fc.record({ kind: fc.constant('flush' as const) }),
)
const history = fc.record({
  seed: fc.nat(),
  steps: fc.array(step, { minLength: 5, maxLength: 60 }),
  /** What happens to the requests, one after another; none after the last one. */
  fates: fc.array(fc.option(fc.constantFrom(...faults), { nil: undefined, freq: 2 }), { maxLength: 60 }),
})

type History = typeof history extends fc.Arbitrary<infer One> ? One : never

/** Plays a history to its end; answers what became of each value and what the partitions hold. */
const play = async (
  { seed, steps, fates }: History,
  options: { readonly deliveryTimeoutMillis?: number; readonly retries?: number },
) => {
  const cluster = new FakeCluster()
  const fate = fates[Symbol.iterator]()
  cluster.fault = () => fate.next().value ?? 'none'
  const { send, runtime, delivery, held } = await deliveryUnderTest({
    cluster,
    seed,
    lingerMillis: 5,
    ...options,
    limits: { batchRows: 4, batchBytes: 1_000_000 },
  })
  let rows = 0
  const calls: { values: string[]; partition: number; done: Promise<DeliveryReport | DeliveryError> }[] = []
  for (const action of steps) {
    if (action.kind === 'send') {
      const { partition } = action
      const values = Array.from({ length: action.rows }, () => String(rows++))
      const done = send(values.map((value) => [partition, value])).catch((error) => {
        if (error instanceof DeliveryError) return error
        throw error
      })
      calls.push({ values, partition, done })
    } else if (action.kind === 'move') cluster.partitions[action.partition]!.leader = action.leader
    else if (action.kind === 'toggle') {
      if (!cluster.unreachable.delete(action.node)) cluster.unreachable.add(action.node)
    } else if (action.kind === 'pass') await runtime.pass(action.millis)
    else if (action.kind === 'flush') delivery.flush()
    else cluster.late.shift()?.()
  }
  cluster.unreachable.clear()
  await runtime.pass(300_000)
  for (const work of cluster.late.splice(0)) work()
  const outcomes = []
  for (const { values, partition, done } of calls) {
    const settledAs = await done
    const report = settledAs instanceof DeliveryError ? settledAs.report : settledAs
    for (const [row, value] of values.entries()) {
      const outcome = !(settledAs instanceof DeliveryError)
        ? 'acknowledged'
        : (['acknowledged', 'not-written', 'unknown'] as const).find((name) =>
            settledAs.rows(name).includes(row),
          )
      outcomes.push({ value, partition, outcome, offset: report.offsets[row]! })
    }
  }
  return { outcomes, held: held(), delivery }
}

describe('a delivery', () => {
  it('loses and doubles nothing and keeps the order, whatever happens to requests and leaders', async () => {
    await fc.assert(
      fc.asyncProperty(history, async (one) => {
        const { outcomes, held, delivery } = await play(one, {})
        for (const [partition, values] of held.entries()) {
          expect(values).toEqual(
            outcomes.filter((row) => row.partition === partition).map(({ value }) => value),
          )
        }
        for (const { value, partition, outcome, offset } of outcomes) {
          expect(outcome).toBe('acknowledged')
          expect(held[partition]![Number(offset)]).toBe(value)
        }
        expect(delivery.bufferedBytes).toBe(0)
        expect(delivery.isIdle).toBe(true)
      }),
      { numRuns: 300 },
    )
  })

  it('tells the truth about every row when it gives some up, and never doubles the rest', async () => {
    let [notWritten, unknown] = [0, 0]
    await fc.assert(
      fc.asyncProperty(
        history,
        fc.constantFrom({ retries: 0 }, { retries: 2 }, { deliveryTimeoutMillis: 400 }),
        async (one, options) => {
          const { outcomes, held, delivery } = await play(one, options)
          for (const { value, partition, outcome, offset } of outcomes) {
            const times = held[partition]!.filter((other) => other === value).length
            if (outcome === 'acknowledged') {
              expect(times).toBe(1)
              expect(held[partition]![Number(offset)]).toBe(value)
            } else if (outcome === 'not-written') expect(times).toBe(0)
            else expect(times).toBeLessThanOrEqual(1)
            expect(outcome).toBeDefined()
            if (outcome === 'not-written') notWritten += 1
            if (outcome === 'unknown') unknown += 1
          }
          expect(delivery.bufferedBytes).toBe(0)
        },
      ),
      { numRuns: 300 },
    )
    expect(Math.min(notWritten, unknown)).toBeGreaterThan(20)
  })

  it('never lets a partition have two requests under way, nor a leader more than allowed', async () => {
    const cluster = new FakeCluster({ partitions: 8, nodes: 2 })
    const [open, mostOf] = [new Map<number, number>(), { partition: 0, leader: 0 }]
    const waiting: (() => void)[] = []
    cluster.delay = async () => {
      const { leader, batches } = cluster.requests.at(-1)!
      const keys = [leader, ...batches.map(({ partition }) => 100 + partition)]
      for (const key of keys) open.set(key, (open.get(key) ?? 0) + 1)
      mostOf.leader = Math.max(mostOf.leader, open.get(leader)!)
      for (const { partition } of batches) {
        mostOf.partition = Math.max(mostOf.partition, open.get(100 + partition)!)
      }
      await new Promise<void>((resolve) => waiting.push(resolve))
      for (const key of keys) open.set(key, open.get(key)! - 1)
    }
    const { send, held } = await deliveryUnderTest({ cluster, maxInFlightRequests: 2 })
    const sent = []
    for (let row = 0; row < 200; row++) {
      sent.push(send([[row % 8, String(row)]]))
      await settled()
      if (row % 3 === 0) waiting.shift()?.()
    }
    const done = Promise.all(sent)
    while (cluster.partitions.reduce((sum, { records }) => sum + records.length, 0) < 200) {
      waiting.shift()?.()
      await settled()
    }
    for (const resolve of waiting.splice(0)) resolve()
    await done
    expect(mostOf).toEqual({ partition: 1, leader: 2 })
    expect(held().map((values) => values.length)).toEqual(new Array(8).fill(25))
  })

  it('waits lingerMillis for company, and not for a full batch nor a flush', async () => {
    const { send, runtime, cluster, delivery } = await deliveryUnderTest({
      lingerMillis: 50,
      limits: { batchRows: 3, batchBytes: 1_000_000 },
    })
    void send([[0, 'a']])
    await runtime.pass(49)
    expect(cluster.requests).toHaveLength(0)
    void send([[0, 'b']])
    await runtime.pass(2)
    expect(cluster.requests).toHaveLength(1)
    expect(cluster.partitions[0]!.records).toHaveLength(2)
    await send(['c', 'd', 'e'].map((value) => [0, value]))
    expect(cluster.requests).toHaveLength(2)
    const last = send([[1, 'f']])
    delivery.flush()
    await last
    expect(cluster.requests).toHaveLength(3)
  })

  it('sends every partition of a leader in one request', async () => {
    const { send, cluster, runtime } = await deliveryUnderTest({
      cluster: new FakeCluster({ partitions: 6, nodes: 2 }),
      lingerMillis: 5,
    })
    const sent = send(Array.from({ length: 60 }, (_, row) => [row % 6, String(row)]))
    await runtime.pass(5)
    await sent
    expect(cluster.requests.map(({ batches }) => batches.length)).toEqual([3, 3])
  })

  it('serves the partitions that a full request had no place for before the others again', async () => {
    const { send, cluster } = await deliveryUnderTest({
      cluster: new FakeCluster({ partitions: 20, nodes: 1 }),
      maxInFlightRequests: 1,
    })
    const value = 'x'.repeat(1_000_000)
    await send(Array.from({ length: 40 }, (_, row) => [row % 20, value]))
    const served = new Map<number, number>()
    for (const { batches } of cluster.requests.slice(0, 2)) {
      for (const { partition } of batches) served.set(partition, (served.get(partition) ?? 0) + 1)
    }
    expect(served.size).toBe(20)
  })

  it('takes a row for written when the broker only remembers that it is', async () => {
    const { send, cluster, runtime, held } = await deliveryUnderTest()
    let requests = 0
    cluster.fault = () => (requests++ === 0 ? 'lose-answer' : requests === 2 ? { error: 46 } : 'none')
    const sent = send([[0, 'a']])
    await runtime.pass(5000)
    expect(await sent).toMatchObject({ offsets: new BigInt64Array([-1n]) })
    expect((await send([[0, 'b']])).offsets[0]).toBe(1n)
    expect(held()[0]).toEqual(['a', 'b'])
  })

  it('goes on as another producer when the leader has lost what came before', async () => {
    const { send, cluster, runtime, held } = await deliveryUnderTest()
    await send([[0, 'a']])
    await send([[0, 'b']])
    cluster.partitions[0]!.truncate(1)
    const sent = send([[0, 'c']])
    await runtime.pass(5000)
    expect((await sent).offsets[0]).toBe(1n)
    expect(held()[0]).toEqual(['a', 'c'])
  })

  it('does not repeat as another producer what may have been written', async () => {
    const { send, cluster, runtime, held } = await deliveryUnderTest()
    await send([[0, 'a']])
    let requests = 0
    cluster.fault = () => (requests++ === 0 ? 'lose-answer' : requests === 2 ? { error: 45 } : 'none')
    const sent = send([[0, 'b']])
    await runtime.pass(5000)
    await expect(sent).rejects.toMatchObject({
      code: 'DELIVERY_FAILED',
      retryable: false,
      facts: { kafkaError: 'OUT_OF_ORDER_SEQUENCE_NUMBER', unknown: 1 },
    })
    await send([[0, 'c']])
    expect(held()[0]).toEqual(['a', 'b', 'c'])
  })

  it('does not take a batch for unwritten because its leader is none any more when it answers', async () => {
    // A leader appends first and waits for its replicas; resigned meanwhile, it answers so, and its successor has the batch.
    const { send, cluster, runtime, held } = await deliveryUnderTest()
    let isFirst = true
    cluster.fault = () => {
      if (!isFirst) return 'none'
      isFirst = false
      for (const node of [0, 1, 2]) cluster.unreachable.add(node)
      return { error: 6, done: true }
    }
    const givenUp = send([[0, 'a']])
    await runtime.pass(119_000)
    const other = send([[0, 'b']])
    await runtime.pass(2000)
    cluster.unreachable.clear()
    await runtime.pass(5000)
    await expect(givenUp).rejects.toMatchObject({
      code: 'DELIVERY_TIMED_OUT',
      retryable: false,
      facts: { unknown: 1, notWritten: 0 },
    })
    expect((await other).offsets[0]).toBe(1n)
    expect(held()[0]).toEqual(['a', 'b'])
  })

  it('refuses one batch and delivers the others', async () => {
    const { send, cluster, held } = await deliveryUnderTest({ cluster: new FakeCluster({ nodes: 4 }) })
    cluster.fault = (leader) => (leader === 2 ? { error: 10 } : 'none')
    const sent = send(Array.from({ length: 8 }, (_, row) => [row % 4, String(row)]))
    const error: DeliveryError = await sent.then(
      () => expect.fail(),
      (failure) => failure,
    )
    expect(error).toMatchObject({
      code: 'DELIVERY_FAILED',
      retryable: false,
      message:
        '2 of 8 rows for topic trades were not acknowledged: Kafka answers MESSAGE_TOO_LARGE for partition 2: the batch is ' +
        'larger than max.message.bytes of the topic, so lower batchBytes. 6 are acknowledged, 2 are not written, of 0 it is not known.',
    })
    expect(error.rows('not-written')).toEqual([2, 6])
    expect(error.rows('acknowledged')).toEqual([0, 1, 3, 4, 5, 7])
    expect([...error.report.offsets]).toEqual([0n, 0n, -1n, 0n, 1n, 1n, -1n, 1n])
    cluster.fault = () => 'none'
    expect((await send([[2, 'later']])).offsets[0]).toBe(0n)
    expect(held()[2]).toEqual(['later'])
  })

  it('gives up after deliveryTimeoutMillis: retryable when nothing was sent', async () => {
    const { send, cluster, runtime } = await deliveryUnderTest({ deliveryTimeoutMillis: 10_000 })
    for (const node of [0, 1, 2]) cluster.unreachable.add(node)
    const sent = send([[0, 'a']])
    await runtime.pass(9000)
    const later = send([[0, 'b']])
    await runtime.pass(3000)
    await expect(sent).rejects.toMatchObject({
      code: 'DELIVERY_TIMED_OUT',
      retryable: true,
      message: expect.stringMatching(/partition 0 took none for 10000 ms .*ECONNREFUSED/),
    })
    cluster.unreachable.clear()
    await runtime.pass(2000)
    expect((await later).offsets[0]).toBe(0n)
  })

  it('gives up everything when told to, and takes nothing more', async () => {
    const { send, cluster, delivery } = await deliveryUnderTest()
    cluster.delay = () => new Promise(() => {})
    const underWay = send([[0, 'a']])
    await settled()
    const waiting = send([
      [0, 'b'],
      [0, 'c'],
    ])
    delivery.abandon({ code: 'DELIVERY_ABORTED', reason: 'enough', passing: false })
    await expect(underWay).rejects.toMatchObject({ code: 'DELIVERY_ABORTED', facts: { unknown: 1 } })
    await expect(waiting).rejects.toMatchObject({ facts: { notWritten: 2, unknown: 0 } })
    await expect(send([[1, 'd']])).rejects.toMatchObject({ facts: { notWritten: 1 } })
    expect(delivery.bufferedBytes).toBe(0)
    expect(cluster.requests).toHaveLength(1)
  })
})

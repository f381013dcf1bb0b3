import { channels } from '@stockpipe/core'
import { describe, expect, it, onTestFinished } from 'vitest'
import { type ConsumerLag, ensureTopics } from '../src/index.ts'
import { quotesTopic, startBroker } from './local-broker.ts'
import { MemorySink } from './memory-sink.ts'
import { runConsumer } from './record-batch-mode.ts'

const at = Date.UTC(2026, 0, 2, 15)

/** A topic of four partitions with records `[partition, milliseconds after `at`]`. */
const written = async (records: readonly (readonly [partition: number, millis: number])[]) => {
  const { kafka, admin } = await startBroker()
  const topic = quotesTopic('topic', 4)
  await ensureTopics(kafka, [topic])
  const producer = kafka.producer()
  await producer.connect()
  const send = (more: typeof records) =>
    producer.send({
      topic: 'topic',
      messages: more.map(([partition, millis]) => ({
        partition,
        timestamp: String(at + millis),
        value: String(millis),
      })),
    })
  await send(records)
  const run = (over: Partial<Parameters<typeof runConsumer>[0]> & { readonly sink: MemorySink }) =>
    runConsumer({ kafka, groupId: 'group', topics: [topic], maxWaitMillis: 100, ...over })
  return { admin, producer, send, run }
}

const millisOf = (sink: MemorySink, partition: number): number[] =>
  (sink.journal.records.get(`topic/${partition}`) ?? []).map(({ value }) => Number(value))

describe('runConsumer until a timestamp', () => {
  it('ends before the first record at or after it, and at the end where there is none', async () => {
    const { producer, run } = await written([
      ...[0, 10, 20, 30].map((millis) => [0, millis] as const),
      ...[0, 10].map((millis) => [1, millis] as const),
      // Out of order: what is older behind the first that is not is left out.
      ...[0, 50, 10, 60].map((millis) => [2, millis] as const),
    ])
    await producer.disconnect()
    const sink = new MemorySink()
    const summary = await run({ sink, until: new Date(at + 20) })
    expect(summary).toMatchObject({ reason: 'reached', records: 5 })
    expect([0, 1, 2, 3].map((partition) => millisOf(sink, partition))).toEqual([[0, 10], [0, 10], [0], []])
    const positions = summary.positions.map(({ partition, offset }) => `${partition}:${offset}`)
    expect(positions.sort()).toEqual(['0:2', '1:2', '2:1', '3:0'])
    // Further on, from where the sink stands; by number.
    expect(await run({ sink, until: at + 60 })).toMatchObject({ reason: 'reached', records: 4 })
    expect([0, 1, 2].map((partition) => millisOf(sink, partition))).toEqual([
      [0, 10, 20, 30],
      [0, 10],
      [0, 50, 10],
    ])
    // Behind where the sink stands there is nothing to do.
    expect(await run({ sink, until: at })).toMatchObject({ reason: 'reached', records: 0 })
    expect(sink.violations).toEqual([])
  })

  it('does not wait for a time that is still to come, nor take what is written meanwhile', async () => {
    const { producer, send, run } = await written([
      [0, 0],
      [0, 10],
    ])
    const sink = new MemorySink()
    sink.beforeAssign = async () => void (await send([[0, 15]]))
    expect(await run({ sink, until: Date.now() + 3_600_000 })).toMatchObject({ records: 2 })
    expect(millisOf(sink, 0)).toEqual([0, 10])
    await producer.disconnect()
  })
})

describe('the lag of a consumer', () => {
  it('is told in records and seconds, by partition and together', async () => {
    const { producer, run, send } = await written([
      [0, 0],
      [0, 10],
      [1, 10],
    ])
    const sink = new MemorySink()
    const lags: ConsumerLag[] = []
    const told = new Map<number, number | null>()
    onTestFinished(
      channels.kafka.lag.subscribe(({ partition, seconds }) => void told.set(partition, seconds)),
    )
    const controller = new AbortController()
    const until = async (fits: (lag: ConsumerLag) => boolean): Promise<ConsumerLag> => {
      lags.splice(0)
      for (;;) {
        const found = lags.find(fits)
        if (found) return found
        await new Promise((resolve) => setTimeout(resolve, 20))
      }
    }
    const running = run({
      sink,
      signal: controller.signal,
      positionCheckMillis: 50,
      onLag: (lag) => void lags.push(lag),
    })
    const caughtUp = await until(({ partitions, records }) => partitions.length === 4 && records === 0)
    expect(caughtUp.seconds).toBe(0)
    expect(caughtUp.partitions).toContainEqual({
      topic: 'topic',
      partition: 0,
      position: 2n,
      end: 2n,
      records: 0,
      seconds: 0,
    })
    // Full: what comes from now on is seen by the check of positions alone.
    sink.emit('full')
    const old = (Date.now() - at - 10) / 1000
    await send([
      [0, 20],
      [0, 30],
      [2, 40],
    ])
    const behind = await until(({ records }) => records === 3)
    const [zero, one, two] = [0, 1, 2].map(
      (partition) => behind.partitions.find((lag) => lag.partition === partition)!,
    )
    expect(zero).toMatchObject({ position: 2n, end: 4n, records: 2 })
    expect(zero!.seconds).toBeGreaterThanOrEqual(old)
    expect(zero!.seconds).toBeLessThan(old + 60)
    expect(one).toMatchObject({ records: 0, seconds: 0 })
    // Behind, and nothing of it was ever handed over: nobody knows how old it is.
    expect(two).toEqual({ topic: 'topic', partition: 2, position: 0n, end: 1n, records: 1 })
    expect(behind).not.toHaveProperty('seconds')
    expect([...told].sort()).toEqual([
      [0, expect.any(Number)],
      [1, 0],
      [2, null],
      [3, 0],
    ])
    sink.emit('room')
    expect(await until(({ records }) => records === 0)).toMatchObject({ seconds: 0 })
    controller.abort()
    await running
    await producer.disconnect()
  })
})

import { describe, expect, it } from 'vitest'
import { WorkerEngine } from '../src/worker-engine.ts'
import { FakeLog } from './sink/fake-log.ts'
import { InProcessThread } from './sink/in-process-thread.ts'
import { LineEngine } from './sink/line-engine.ts'
import { ticksTopic } from './sink/sink-fixture.ts'

/** Workers whose engines say that they hold `bytes.held` outside the heap. */
const workers = (leastGroups = 2) => {
  const bytes = { held: 0 }
  const lost: string[] = []
  const threads: InProcessThread[] = []
  const makeEngine = () => {
    const engine = new LineEngine()
    return Object.defineProperty(engine, 'encoderBytes', { get: () => bytes.held })
  }
  const engine = new WorkerEngine({
    workers: 1,
    start: () => {
      const thread = new InProcessThread({ topic: ticksTopic.toJSON() }, makeEngine)
      threads.push(thread)
      return thread
    },
    onLost: ({ partition }, error) => lost.push(`${partition} ${error.name}`),
    onTaking() {},
    maxEncoderBytes: 1_000,
    leastGroups,
  })
  const take = (log: FakeLog) =>
    engine.take(
      { kind: 'block', block: log.block(0n), from: 0n },
      new AbortController().signal,
      async () => {},
    )
  const cut = async ({ topic, partition, logEnd: next }: FakeLog) => {
    let files = 0
    for await (const { kind } of engine.cut({ kind: 'cut', log: { topic, partition }, start: 0n, next })) {
      if (kind === 'file') files += 1
    }
    return files
  }
  return { bytes, lost, threads, engine, take, cut }
}
const logOf = (partition: number) => new FakeLog(partition).appendMany(4)

describe('a worker whose memory outside the heap has grown past the limit', () => {
  it('is replaced at once where it holds no rows', async () => {
    const { bytes, threads, engine, take, cut } = workers()
    bytes.held = 2_000
    // Not before it has cut two groups: a limit too low must not cost a thread a group.
    for (const held of [1, 1, 2]) {
      await take(logOf(0))
      expect(threads.length).toBe(held)
      expect(await cut(logOf(0))).toBe(2)
    }
    expect(threads.map(({ ended }) => ended)).toEqual([true, false])
    await engine.close()
    expect(threads.map(({ ended }) => ended)).toEqual([true, true])
  })

  it('keeps what it holds until that is cut or discarded, while new groups begin in another', async () => {
    const { bytes, lost, threads, engine, take, cut } = workers(1)
    const logs = [logOf(0), logOf(1), logOf(2)] as const
    for (const log of logs) await take(log)
    bytes.held = 1_001
    expect(await cut(logs[0])).toBe(2)
    expect(threads.map(({ ended }) => ended)).toEqual([false])
    await take(logs[0])
    expect(threads.map(({ ended }) => ended)).toEqual([false, false])
    // Both are counted: both are there.
    expect(engine.encoders.map(({ encoderBytes }) => encoderBytes)).toEqual([1_001, 1_001])
    expect(new Set(engine.encoders.map(({ thread }) => thread)).size).toBe(2)
    await take(logs[1])
    expect(await cut(logs[1])).toBe(2)
    expect(threads.map(({ ended }) => ended)).toEqual([false, false])
    engine.discard(logs[2])
    await expect.poll(() => threads.map(({ ended }) => ended)).toEqual([true, false])
    expect(await cut(logs[0])).toBe(2)
    expect(lost).toEqual([])
    await engine.close()
  })

  it('loses what it still holds when it crashes, and nothing of its successor', async () => {
    const { bytes, lost, threads, engine, take, cut } = workers(1)
    await take(logOf(0))
    await take(logOf(1))
    bytes.held = 1_001
    await cut(logOf(0))
    await take(logOf(0))
    threads[0]!.crash(new Error('out of memory'))
    expect(lost).toEqual(['1 EngineLostError'])
    await expect(take(logOf(1))).rejects.toMatchObject({ code: 'ENGINE_WORKER_LOST' })
    engine.discard({ topic: 'ticks', partition: 1 })
    await take(logOf(1))
    expect([await cut(logOf(0)), await cut(logOf(1))]).toEqual([2, 2])
    // Each was replaced in its turn, once it held nothing.
    expect(threads.at(-1)!.ended).toBe(true)
    await engine.close()
  })

  it('stays as long as it is below', async () => {
    const { bytes, threads, engine, take, cut } = workers(1)
    bytes.held = 1_000
    for (let group = 0; group < 5; group += 1) {
      await take(logOf(0))
      await cut(logOf(0))
    }
    expect(threads.length).toBe(1)
    await engine.close()
  })
})

describe('blocks on their way into a worker', () => {
  it('are counted until they are taken, discarded or lost', async () => {
    const { threads, engine, take } = workers()
    expect(engine.takingBytes).toBe(0)
    const taking = [take(logOf(0)), take(logOf(1)), take(logOf(2))]
    const all = engine.takingBytes
    expect(all).toBeGreaterThan(100)
    await taking[0]
    expect(engine.takingBytes).toBeLessThan(all)
    engine.discard({ topic: 'ticks', partition: 2 })
    threads[0]!.crash(new Error('gone'))
    await Promise.allSettled(taking)
    expect(engine.takingBytes).toBe(0)
    await engine.close()
  })
})

import { describe, expect, it } from 'vitest'
import { byteSize } from '../src/byte-size.ts'
import { createMemoryBudget } from '../src/memory-budget.ts'
import { consume, FakeLog } from './sink/fake-log.ts'
import { settle } from './sink/manual-runtime.ts'
import { expectedLines, publishedLines, sinkUnderTest } from './sink/sink-fixture.ts'

const neverRotate = { rows: 1e9, bytes: 1e9, ageMillis: 1e12 }

describe('a memory budget', () => {
  it('cuts the largest group first, and more until what leaves brings it down to 50 percent', () => {
    const budget = createMemoryBudget(1_000)
    const asked: number[] = []
    const holders = [360, 250, 140, 60].map((bufferedBytes) => ({
      bufferedBytes,
      isBeingCut: false,
      cutForMemory() {
        asked.push(bufferedBytes)
        this.isBeingCut = true
      },
    }))
    for (const holder of holders) budget.add(holder)
    const told: boolean[] = []
    budget.join({
      encoders: () => [],
      takingBytes: () => 0,
      onPressure: (full) => told.push(full),
      onChange() {},
    })
    budget.changed()
    expect([asked, budget.isFull, told]).toEqual([[360], true, [true]])
    holders[0]!.bufferedBytes = 0
    budget.changed()
    expect([asked, budget.isFull, told]).toEqual([[360], false, [true, false]])
  })

  it('is charged once a thread with what encoders hold, and with what is on its way to each of them', () => {
    const budget = createMemoryBudget(1_000)
    const [one, other] = [{}, {}]
    const join = (...encoders: [thread: object, encoderBytes: number][]) =>
      budget.join({
        encoders: () => encoders.map(([thread, encoderBytes]) => ({ thread, encoderBytes })),
        takingBytes: () => 7,
        onPressure() {},
        onChange() {},
      })
    // Two of a thread, of which one has not answered for a while.
    join([one, 30], [other, 5])
    const leave = join([one, 20])
    expect(budget.snapshot()).toMatchObject({ encodingBytes: 35, takingBytes: 14, usedBytes: 49 })
    leave()
    expect(budget.snapshot()).toMatchObject({ encodingBytes: 35, takingBytes: 7, usedBytes: 42 })
  })

  it('is one for several sinks: the largest group of all is cut, and both are told', async () => {
    const memory = createMemoryBudget(800)
    const small = sinkUnderTest({ memory, name: 'small', rotation: neverRotate })
    const large = sinkUnderTest({ memory, name: 'large', rotation: neverRotate })
    const [few, many] = [new FakeLog(0).appendMany(5), new FakeLog(0).appendMany(200)]
    await consume(small.sink, [few])
    await consume(large.sink, [many], 10)
    await settle()
    expect(large.store.count('putIfAbsent', 'groups/ticks/0')).toBeGreaterThan(0)
    expect(small.store.count('putIfAbsent', 'groups/ticks/0')).toBe(0)
    expect(small.events.full.length).toBe(large.events.full.length)
    expect(small.events.full.length).toBeGreaterThan(0)
    await Promise.all([small.sink.close(), large.sink.close()])
    expect(publishedLines(large.bucket)).toEqual(expectedLines(many))
    expect(memory.snapshot()).toMatchObject({ bufferedBytes: 0, uploadingBytes: 0, full: false })
  })

  it('goes on when one block alone is more than all of it, and when the encoder alone is', async () => {
    for (const encoderBytes of [0, 10_000]) {
      const test = sinkUnderTest({ memory: 200, rotation: neverRotate })
      Object.assign(test.engine, { encoderBytes })
      const log = new FakeLog(0).appendMany(300)
      await consume(test.sink, [log, new FakeLog(1).appendMany(3)], 100)
      await test.sink.close()
      expect(publishedLines(test.bucket).filter((line) => line.startsWith('0'))).toEqual(expectedLines(log))
    }
  })

  it('holds what it held while the store is away, and goes on by itself', async () => {
    const test = sinkUnderTest({ memory: 2_000, rotation: neverRotate })
    let away = true
    const waiting: (() => void)[] = []
    test.store.intercept = (call, apply) => {
      if (!away || call.operation !== 'uploadPart') return apply()
      return new Promise((resolve) => waiting.push(() => resolve(apply())))
    }
    const logs = [0, 1, 2].map((partition) => new FakeLog(partition).appendMany(300, 'abcdef'))
    let done = false
    const consumed = consume(test.sink, logs, 5).then(() => {
      done = true
    })
    for (let round = 0; round < 5; round += 1) await settle()
    const held = test.sink.memory()
    for (let round = 0; round < 5; round += 1) await settle()
    expect(test.sink.memory()).toEqual(held)
    expect(held).toMatchObject({ full: true, limitBytes: 2_000 })
    expect(held.uploadingBytes).toBeGreaterThan(0)
    expect(held.uploadingBytes).toBeLessThanOrEqual(600)
    // The high-water mark, and the block of each partition log that was on its way.
    expect(held.bufferedBytes).toBeLessThan(1_400 + 5 * 20)
    expect([done, test.events.room.length]).toEqual([false, 0])
    away = false
    for (const resolve of waiting) resolve()
    await consumed
    await test.sink.close()
    expect(publishedLines(test.bucket)).toEqual(expectedLines(...logs))
    expect(test.events.failed).toEqual([])
  })
})

it('sizes are numbers of bytes or text with a unit', () => {
  expect([1, '1', '2 kB', '1.5MiB', '1GiB'].map((size) => byteSize(size, 'It'))).toEqual([
    1,
    1,
    2_000,
    1_572_864,
    1024 ** 3,
  ])
  for (const size of ['', '0', 'MiB', '-1', '1 mb', '1e9', '1MiBs', Number.NaN, 2 ** 60])
    expect(() => byteSize(size, 'A memory budget')).toThrow(/A memory budget is a number of bytes/)
})

import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { consume, FakeLog } from './sink/fake-log.ts'
import { MemoryBucket } from './sink/memory-object-store.ts'
import { type Death, dieAt } from './sink/mortal-process.ts'
import { deadLetterLines, expectedLines, publishedLines, sinkUnderTest } from './sink/sink-fixture.ts'

const rotation = { rows: 5 }

/** Two partition logs with holes and records that are no rows, read in small blocks, several groups each. */
const logs = () => [
  new FakeLog(0).appendMany(7).skip(2).append('bad#0').appendMany(5, 'abc'),
  new FakeLog(1).append('bad#1').appendMany(3).skip(1).append('bad#2', 'bad#3'),
]

/** Every good record is in exactly one data file, every other in exactly one dead-letter file. */
const expectEachOnce = (bucket: MemoryBucket, all: readonly FakeLog[], when?: string): void => {
  const split = (bad: boolean) =>
    all.map(({ partition, records }) => ({
      partition,
      records: records.filter(({ value }) => value.startsWith('bad') === bad),
    }))
  expect(publishedLines(bucket), when).toEqual(expectedLines(...split(false)))
  expect(deadLetterLines(bucket), when).toEqual(expectedLines(...split(true)))
  expect(bucket.partsSentTwice).toEqual([])
}

const runToEnd = async (bucket: MemoryBucket, all: readonly FakeLog[]): Promise<void> => {
  const { sink } = sinkUnderTest({ bucket, rotation })
  await consume(sink, all, 3)
  await sink.close()
}

/** Calls an undisturbed run makes. */
const callsOf = async (): Promise<number> => {
  const { sink, store } = sinkUnderTest({ rotation })
  await consume(sink, logs(), 3)
  await sink.close()
  return store.calls.length
}

describe('a process that dies', () => {
  it.each<Death>(['before', 'after', 'late'])(
    'at any call (%s it takes effect) leaves every record in exactly one published data or dead-letter file',
    async (death) => {
      const calls = await callsOf()
      expect(calls).toBeGreaterThan(40)
      for (let at = 1; at <= calls; at += 1) {
        const all = logs()
        const { sink, store, bucket } = sinkUnderTest({ rotation })
        const { died, late } = dieAt(store, at, death)
        const run = consume(sink, all, 3).then(() => sink.close())
        await Promise.race([died, run])
        await runToEnd(bucket, all)
        late()
        await runToEnd(bucket, all)
        expectEachOnce(bucket, all, `died at call ${at}`)
      }
    },
  )

  it('again and again, while others take over early and late calls arrive, doubles and loses nothing', async () => {
    const schedule = fc.array(
      fc.record({
        at: fc.integer({ min: 1, max: 90 }),
        death: fc.constantFrom<Death>('before', 'after', 'late'),
        arrives: fc.integer({ min: 1, max: 4 }),
        more: fc.integer({ min: 0, max: 9 }),
        bad: fc.integer({ min: 0, max: 2 }),
        block: fc.integer({ min: 1, max: 8 }),
      }),
      { minLength: 1, maxLength: 6 },
    )
    await fc.assert(
      fc.asyncProperty(schedule, async (steps) => {
        const bucket = new MemoryBucket()
        const all = logs()
        const arriving: { step: number; late: () => void }[] = []
        for (const [step, { at, death, arrives, more, bad, block }] of steps.entries()) {
          const { sink, store } = sinkUnderTest({ bucket, rotation })
          const { died, late } = dieAt(store, at, death)
          arriving.push({ step: step + arrives, late })
          for (const due of arriving.filter((one) => one.step === step)) due.late()
          all[step % 2]!.appendMany(more).append(...['bad#4', 'bad#5'].slice(0, bad))
          await Promise.race([died, consume(sink, all, block).then(() => sink.close())])
        }
        for (const { late } of arriving) late()
        await runToEnd(bucket, all)
        expectEachOnce(bucket, all)
      }),
      { numRuns: 80 },
    )
  })
})

import { describe, expect, it } from 'vitest'
import { formatVerifyReport } from '../src/index.ts'
import { CompactionWorld, dayMillis } from './sink/compaction-fixture.ts'
import { MemoryObjectStore } from './sink/memory-object-store.ts'
import { type Death, dieAt } from './sink/mortal-process.ts'

const isApple = ([, ticker]: readonly (string | null)[]) => ticker === 'AAPL'

const world = async (): Promise<CompactionWorld> => {
  const made = new CompactionWorld().trade(12)
  await made.sink()
  made.runtime.pass(2 * dayMillis)
  return made
}

describe('a partition that is retired', () => {
  it.each([
    ['as the sink left it', false],
    ['after it was compacted', true],
  ])(
    '%s leaves the catalog, loses its files after the grace time, and verify holds',
    async (_, compacted) => {
      const made = await world()
      if (compacted) {
        await made.compact()
        made.runtime.pass(2 * dayMillis)
      }
      const files = made.bucket.keys('.parquet').filter((key) => key.includes('AAPL'))
      expect((await made.retire({ partitions: isApple, dryRun: true })).partitions).toMatchObject([
        { partition: 'trade_date=2024-03-08/ticker=AAPL', outcome: 'planned', rows: 6 },
      ])
      expect((await made.retire({ partitions: isApple })).partitions).toMatchObject([
        { outcome: 'retired', rows: 6 },
      ])
      expect(await made.seen()).toEqual(made.traded.filter((size) => size % 2 === 1))
      expect(files.length).toBeGreaterThan(0)
      expect((await made.verify()).problems).toEqual([])
      made.runtime.pass(2 * dayMillis)
      const again = await made.retire({ partitions: isApple })
      expect(again.partitions[0]).toMatchObject({ outcome: 'unchanged' })
      expect(again.partitions[0]!.removedFiles).toBeGreaterThan(0)
      expect(made.bucket.keys('.parquet').filter((key) => key.includes('AAPL'))).toEqual([])
      const report = await made.verify(true)
      expect(report.problems).toEqual([])
      expect(formatVerifyReport(report)).toContain('1 retirements of')
      expect(report.totals.rows).toBe(12)
    },
  )

  it('is made anew by rows that come later, and they are compacted as any', async () => {
    const made = await world()
    await made.retire({ partitions: isApple })
    made.runtime.pass(2 * dayMillis)
    await made.retire({ partitions: isApple })
    made.trade(6, 0, '2024-03-08', ['AAPL'])
    await made.sink(2)
    const expected = made.traded.filter((size) => size > 12 || size % 2 === 1)
    expect(await made.seen()).toEqual(expected)
    expect((await made.verify()).unreadFiles).toEqual([])
    made.runtime.pass(2 * dayMillis)
    expect((await made.compact()).partitions[0]).toMatchObject({ outcome: 'compacted', after: { rows: 6 } })
    expect(await made.seen()).toEqual(expected)
    expect((await made.verify(true)).problems).toEqual([])
  })

  it('is there whole or not at all, whenever whoever retires it dies', async () => {
    const counted = await world()
    const store = new MemoryObjectStore(counted.bucket)
    await counted.retire({ ...counted.options(store), partitions: isApple })
    for (const death of ['before', 'after', 'late'] as const satisfies Death[]) {
      for (let at = 1; at <= store.calls.length; at += 1) {
        const when = `died ${death} call ${at}, ${store.calls[at - 1]!.operation}`
        const made = await world()
        const left = made.traded.filter((size) => size % 2 === 1)
        const mortal = new MemoryObjectStore(made.bucket)
        const { died, late } = dieAt(mortal, at, death)
        const run = made.retire({ ...made.options(mortal), partitions: isApple })
        run.catch(() => {})
        await Promise.race([died, run])
        expect([left, made.traded], when).toContainEqual(await made.seen())
        expect((await made.verify()).problems, when).toEqual([])
        await made.retire({ partitions: isApple })
        late()
        expect(await made.seen(), when).toEqual(left)
        made.runtime.pass(2 * dayMillis)
        await made.retire({ partitions: isApple })
        expect(
          made.bucket.keys('.parquet').some((key) => key.includes('AAPL')),
          when,
        ).toBe(false)
        expect((await made.verify()).problems, when).toEqual([])
      }
    }
  }, 300_000)
})

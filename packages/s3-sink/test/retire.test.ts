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
    '%s is read no more, loses its files and leaves the catalog after the grace time, and verify holds',
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
      expect([...made.partitions.partitions.keys()]).toEqual(['["2024-03-08","MSFT"]'])
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

  it('shows none of its former rows when others come within the grace time, and these once they are compacted', async () => {
    const made = await world()
    await made.retire({ partitions: isApple })
    const left = made.traded.filter((size) => size % 2 === 1)
    made.trade(6, 0, '2024-03-08', ['AAPL'])
    await made.sink(2)
    expect(await made.seen()).toEqual(left)
    const report = await made.verify()
    expect(report.problems).toEqual([])
    expect(report.unreadFiles.reduce((sum, { rows }) => sum + rows, 0)).toBe(6)
    // An hour after the switch is enough: nobody waits a day for rows that nobody reads.
    made.runtime.pass(60 * 60_000)
    expect((await made.compact()).partitions[0]).toMatchObject({ outcome: 'compacted', after: { rows: 6 } })
    const expected = made.traded.filter((size) => size > 12 || size % 2 === 1)
    expect(await made.seen()).toEqual(expected)
    made.runtime.pass(2 * dayMillis)
    await made.compact()
    expect(await made.seen()).toEqual(expected)
    expect(made.bucket.keys('.parquet').filter((key) => key.includes('AAPL'))).toHaveLength(1)
    expect(await made.verify(true)).toMatchObject({ problems: [], unreadFiles: [] })
  })

  it('is in the catalog again with the next compaction, when rows came while it left', async () => {
    const made = await world()
    await made.retire({ partitions: isApple })
    made.runtime.pass(2 * dayMillis)
    await made.retire({ partitions: isApple })
    made.trade(1, 0, '2024-03-08', ['AAPL'])
    await made.sink(2)
    // As if the sink had looked just before.
    made.partitions.partitions.delete('["2024-03-08","AAPL"]')
    expect((await made.compact()).ok).toBe(true)
    expect(await made.seen()).toEqual(made.traded.filter((size) => size > 12 || size % 2 === 1))
    expect(await made.verify(true)).toMatchObject({ problems: [], unreadFiles: [] })
  })

  it('that the catalog does not have shows none of its former rows either', async () => {
    const made = await world()
    made.partitions.partitions.delete('["2024-03-08","AAPL"]')
    expect((await made.retire({ partitions: isApple })).partitions).toMatchObject([{ outcome: 'retired' }])
    made.trade(1, 0, '2024-03-08', ['AAPL'])
    await made.sink(2)
    expect(await made.seen()).toEqual(made.traded.filter((size) => size < 13 && size % 2 === 1))
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

  it.each([
    ['without rows since', 0],
    ['with rows since', 3],
  ])(
    '%s never shows its former rows again, whenever whoever removes it dies',
    async (_, count) => {
      const retired = async () => {
        const made = await world()
        await made.retire({ partitions: isApple })
        made.trade(count, 0, '2024-03-08', ['AAPL'])
        if (count > 0) await made.sink(2)
        made.runtime.pass(2 * dayMillis)
        return made
      }
      const counted = await retired()
      const store = new MemoryObjectStore(counted.bucket)
      await counted.compact(counted.options(store))
      expect(store.calls.some(({ operation }) => (operation as string) === 'DeletePartition')).toBe(
        count === 0,
      )
      for (const death of ['before', 'after', 'late'] as const satisfies Death[]) {
        for (let at = 1; at <= store.calls.length; at += 1) {
          const when = `died ${death} call ${at}, ${store.calls[at - 1]!.operation}`
          const made = await retired()
          const kept = made.traded.filter((size) => size > 12 || size % 2 === 1)
          const mortal = new MemoryObjectStore(made.bucket)
          const { died, late } = dieAt(mortal, at, death)
          const run = made.compact(made.options(mortal))
          run.catch(() => {})
          await Promise.race([died, run])
          expect([kept.slice(0, 6), kept], when).toContainEqual(await made.seen())
          expect((await made.verify()).problems, when).toEqual([])
          made.trade(2, 0, '2024-03-08', ['AAPL'])
          await made.sink(2)
          await made.compact()
          late()
          made.runtime.pass(2 * dayMillis)
          await made.compact()
          made.runtime.pass(2 * dayMillis)
          await made.compact()
          expect(await made.seen(), when).toEqual([...kept, made.tradeCount - 1, made.tradeCount])
          expect(await made.verify(true), when).toMatchObject({ problems: [], unreadFiles: [] })
          expect(
            made.bucket.keys('.parquet').filter((key) => key.includes('AAPL')),
            when,
          ).toHaveLength(1)
        }
      }
    },
    300_000,
  )
})

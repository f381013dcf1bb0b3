import { describe, expect, it } from 'vitest'
import { CompactionWorld, dayMillis } from './sink/compaction-fixture.ts'
import { MemoryObjectStore, refusal } from './sink/memory-object-store.ts'
import { type Death, dieAt } from './sink/mortal-process.ts'

/** A closed partition of three files. */
const closed = async (): Promise<CompactionWorld> => {
  const world = new CompactionWorld().trade(7, 0, '2024-03-08', ['AAPL'])
  await world.sink(3)
  world.runtime.pass(2 * dayMillis)
  return world
}

/** One that was compacted, has late rows, and whose former files may be removed. */
const compactedWithLateRows = async (): Promise<CompactionWorld> => {
  const world = await closed()
  await world.compact()
  world.trade(5, 1, '2024-03-08', ['AAPL'])
  await world.sink(3)
  world.runtime.pass(3 * dayMillis)
  return world
}

/** Queries see one of these, and the journal agrees. */
const expectSound = async (world: CompactionWorld, when: string, ...seen: readonly (readonly number[])[]) => {
  expect(seen, when).toContainEqual(await world.seen())
  expect((await world.verify()).problems, when).toEqual([])
}

describe('a compactor that dies', () => {
  it.each<[string, () => Promise<CompactionWorld>, number]>([
    ['at its first compaction', closed, 0],
    ['with late rows and former files to remove', compactedWithLateRows, 5],
  ])(
    '%s, at any call, leaves every row to be read once, and the next one finishes',
    async (_, make, lateRows) => {
      const made = await make()
      const counted = made.copy()
      const store = new MemoryObjectStore(counted.bucket)
      await counted.compact(counted.options(store))
      const calls = store.calls.length
      expect(calls).toBeGreaterThan(15)
      for (const death of ['before', 'after', 'late'] as const satisfies Death[]) {
        for (let at = 1; at <= calls; at += 1) {
          const when = `died ${death} call ${at}, ${store.calls[at - 1]!.operation} ${store.calls[at - 1]!.key}`
          const world = made.copy()
          const before = world.traded.slice(0, world.tradeCount - lateRows)
          const mortal = new MemoryObjectStore(world.bucket)
          const { died, late } = dieAt(mortal, at, death)
          const run = world.compact(world.options(mortal))
          // A process that is dead does not complain.
          run.catch(() => {})
          await Promise.race([died, run])
          // Old or new, never a part or both.
          await expectSound(world, when, before, world.traded)
          await world.compact()
          await expectSound(world, when, world.traded)
          late()
          await expectSound(world, when, world.traded)
          world.runtime.pass(2 * dayMillis)
          await world.compact()
          await expectSound(world, when, world.traded)
          world.runtime.pass(2 * dayMillis)
          await world.compact()
          await expectSound(world, when, world.traded)
          expect((await world.verify(true)).problems, when).toEqual([])
          // Nothing is left of the dead one, and nothing of the former files.
          expect(world.bucket.keys('.parquet'), when).toHaveLength(1)
        }
      }
    },
    600_000,
  )
})

describe('a run that ends on its own', () => {
  it('when it is aborted at any call, leaves nothing unclaimed, and the next one goes on', async () => {
    const counted = await closed()
    const store = new MemoryObjectStore(counted.bucket)
    await counted.compact(counted.options(store))
    for (let at = 1; at <= store.calls.length; at += 1) {
      const when = `aborted at call ${at}, ${store.calls[at - 1]!.operation} ${store.calls[at - 1]!.key}`
      const world = await closed()
      const handle = new MemoryObjectStore(world.bucket)
      const aborting = new AbortController()
      const reason = new Error('interrupted')
      handle.intercept = async (call, apply) => {
        if (call.number === at) aborting.abort(reason)
        return apply()
      }
      const run = world.compact({ ...world.options(handle), signal: aborting.signal })
      await run.catch((error: unknown) => expect(error, when).toBe(reason))
      const [record] = world.bucket.keys('compactions/')
      if (record === undefined) {
        expect(world.bucket.keys('stockpipe-compacted'), when).toEqual([])
        expect([...world.bucket.uploads.values()], when).toEqual([])
      }
      await expectSound(world, when, world.traded)
      await world.compact()
      await expectSound(world, when, world.traded)
      expect(world.bucket.keys('stockpipe-compacted'), when).toHaveLength(1)
    }
  }, 300_000)

  it.each(['createUpload', 'uploadPart', 'completeUpload', 'putIfAbsent'] as const)(
    'when the store has no room for %s, says so, and the next one goes on',
    async (operation) => {
      const world = await closed()
      const store = new MemoryObjectStore(world.bucket)
      store.intercept = (call, apply) =>
        call.operation === operation ? Promise.reject(refusal(507)) : apply()
      await expect(world.compact(world.options(store))).rejects.toThrow('refused (507)')
      expect([...world.bucket.uploads.values()]).toEqual([])
      await expectSound(world, operation, world.traded)
      await world.compact()
      await expectSound(world, operation, world.traded)
      world.runtime.pass(2 * dayMillis)
      await world.compact()
      expect(world.bucket.keys('.parquet')).toHaveLength(1)
    },
  )
})

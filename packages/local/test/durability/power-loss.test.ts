import path from 'node:path'
import fc from 'fast-check'
import { describe, it, vi } from 'vitest'
import { AppendLog } from '../../src/glue/append-log.ts'
import { DurableMap } from '../../src/kafka/storage/durable-map.ts'
import { ObjectMetadataLog } from '../../src/s3/object-metadata-log.ts'
import { KeptLog, type LogAction } from './kept-log.ts'
import { KeptObjects, type ObjectAction } from './kept-objects.ts'
import { KeptTransactions } from './kept-transactions.ts'
import { type Life, livesOf, liveThrough, type Storage } from './machine.ts'
import { type Changes, OrderedLog } from './ordered-log.ts'

vi.mock('node:fs', async (original) => (await import('./volatile-disk.ts')).watchFs(await original()))
vi.mock('node:fs/promises', async (original) =>
  (await import('./volatile-disk.ts')).watchFsPromises(await original()),
)

const timeoutMillis = 300_000

const survives = <Action>(action: fc.Arbitrary<Action>, storage: () => Storage<Action>, runs: number) =>
  fc.assert(
    fc.asyncProperty(livesOf(action), (lives: Life<Action>[]) => liveThrough(storage(), lives)),
    { numRuns: runs },
  )

/** What a kill leaves does not depend on chance. */
const seedsOf = (end: Life<unknown>['end'], count: number): number[] =>
  end === 'kill' ? [1] : Array.from({ length: count }, (_, index) => index + 1)

const key = fc.constantFrom('a', 'b', 'c')
const change = fc.tuple(key, fc.option(fc.nat({ max: 1_000_000 })))
/** Enough at once that a log is soon written anew. */
const manyChanges = fc
  .tuple(key, fc.nat({ max: 1_000_000 }))
  .map(([name, value]): Changes => Array.from({ length: 900 }, (_, index) => [name, value + index]))

describe('what was acknowledged survives a power loss, and nothing half-written is there', () => {
  it('in the log of a partition', { timeout: timeoutMillis }, async () => {
    const action: fc.Arbitrary<LogAction> = fc.oneof(
      {
        weight: 8,
        arbitrary: fc.record({
          kind: fc.constant('append' as const),
          records: fc.integer({ min: 1, max: 5 }),
          isIdempotent: fc.boolean(),
        }),
      },
      {
        weight: 1,
        arbitrary: fc.record({
          kind: fc.constant('delete' as const),
          share: fc.double({ min: 0, max: 1, noNaN: true }),
        }),
      },
      {
        weight: 2,
        arbitrary: fc.record({
          kind: fc.constantFrom('retention' as const, 'read' as const, 'reopen' as const),
        }),
      },
    )
    await survives(action, () => new KeptLog(), 80)
  })

  it('in a map of the broker', { timeout: timeoutMillis }, async () => {
    const action: fc.Arbitrary<Changes> = fc.oneof(
      { weight: 3, arbitrary: fc.array(change, { minLength: 1, maxLength: 4 }) },
      { weight: 1, arbitrary: manyChanges },
    )
    const open = (directory: string, durability: ConstructorParameters<typeof DurableMap>[1]) =>
      new DurableMap<number>(path.join(directory, 'kafka/map.jsonl'), durability)
    await survives(action, () => new OrderedLog(open), 80)
  })

  it("in the metadata of a bucket's objects", { timeout: timeoutMillis }, async () => {
    // One change a time: an object has one line.
    const action: fc.Arbitrary<Changes> = change.map((one) => [one])
    await survives(
      action,
      () =>
        new OrderedLog((directory, durability) => {
          const log = new ObjectMetadataLog(path.join(directory, 's3-meta/metadata.log'), durability)
          return {
            apply: (changes) => {
              for (const [name, value] of changes) {
                if (value === null) log.delete(name)
                else log.set(name, value)
              }
            },
            entries: () =>
              ['a', 'b', 'c'].flatMap((name) => {
                const value = log.get(name) as number | undefined
                return value === undefined ? [] : [[name, value] as const]
              }),
          }
        }),
      80,
    )
  })

  it('in the log of a catalog', { timeout: timeoutMillis }, async () => {
    const action: fc.Arbitrary<Changes> = fc.array(change, { minLength: 1, maxLength: 3 })
    await survives(
      action,
      () =>
        new OrderedLog((directory, durability) => {
          const state = new Map<string, number>()
          const take = (changes: Changes) => {
            for (const [name, value] of changes) {
              if (value === null) state.delete(name)
              else state.set(name, value)
            }
          }
          const log = AppendLog.open<Changes>(path.join(directory, 'glue/catalog.log'), take, durability)
          let applied = 0
          return {
            apply(changes) {
              log.append(changes)
              take(changes)
              if (++applied % 5 === 0) log.compact([...state].map((entry) => [entry]))
            },
            entries: () => state.entries(),
          }
        }),
      80,
    )
  })

  it('in the objects and uploads of a bucket', { timeout: timeoutMillis }, async () => {
    const name = fc.constantFrom('a', 'b/c', 'b/d', 'b/e/f', 'g/h/i')
    const bytes = fc.integer({ min: 1, max: 400 })
    const action: fc.Arbitrary<ObjectAction> = fc.oneof(
      { weight: 6, arbitrary: fc.record({ kind: fc.constant('put' as const), key: name, bytes }) },
      { weight: 3, arbitrary: fc.record({ kind: fc.constant('delete' as const), key: name }) },
      { weight: 1, arbitrary: fc.record({ kind: fc.constant('list' as const) }) },
      { weight: 2, arbitrary: fc.record({ kind: fc.constant('createUpload' as const), key: name }) },
      {
        weight: 3,
        arbitrary: fc.record({
          kind: fc.constant('putPart' as const),
          partNumber: fc.integer({ min: 1, max: 3 }),
          bytes,
        }),
      },
      { weight: 1, arbitrary: fc.record({ kind: fc.constantFrom('complete' as const, 'abort' as const) }) },
    )
    await survives(action, () => new KeptObjects(), 80)
  })

  it('in the objects and uploads of a bucket, at each step of a short history', {
    timeout: timeoutMillis,
  }, async () => {
    const put = (key: string): ObjectAction => ({ kind: 'put', key, bytes: 100 })
    const putPart: ObjectAction = { kind: 'putPart', partNumber: 1, bytes: 100 }
    const histories: Life<ObjectAction>['actions'][] = [
      [put('b/c'), 'wait', put('b/c'), 'wait', { kind: 'delete', key: 'b/c' }, 'wait', put('b/d')],
      [{ kind: 'createUpload', key: 'a' }, putPart, 'wait', putPart, 'wait', { kind: 'complete' }],
    ]
    for (const actions of histories) {
      for (let steps = 1; steps < 90; steps++) {
        for (const end of ['kill', 'power loss'] as const) {
          for (const seed of seedsOf(end, 2)) {
            // The second process does nothing but tell what it has found.
            const lives = [
              { actions, steps, end, seed },
              { actions: [], steps: 10_000, end: 'power loss' as const, seed: -seed },
            ]
            await liveThrough(new KeptObjects(), lives).catch((cause: unknown) => {
              throw new Error(`after step ${steps}, ${end}, seed ${seed}`, { cause })
            })
          }
        }
      }
    }
  })

  it('in transactions over two partitions, at each step', { timeout: timeoutMillis }, async () => {
    const actions = ['transaction', 'transaction'] as const
    for (let steps = 1; steps < 110; steps++) {
      for (const end of ['kill', 'power loss'] as const) {
        for (const seed of seedsOf(end, 2)) {
          const lives = [
            { actions, steps, end, seed },
            { actions, steps: 10_000, end: 'power loss' as const, seed: -seed },
          ]
          await liveThrough(new KeptTransactions(), lives).catch((cause: unknown) => {
            throw new Error(`after step ${steps}, ${end}, seed ${seed}`, { cause })
          })
        }
      }
    }
  })
})

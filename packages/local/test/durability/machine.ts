import { existsSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { setImmediate as nextTurn } from 'node:timers/promises'
import fc from 'fast-check'
import { Durability } from '../../src/durability.ts'
import { mountDisk, VolatileDisk } from './volatile-disk.ts'

/** Something kept on a disk, with what a test remembers of it. */
export interface Storage<Action> {
  /** Opens what is in the directory. */
  open(directory: string, durability: Durability): Promise<void> | void
  /** Throws when something acknowledged is missing or something half-written is there. */
  verify(): Promise<void> | void
  /** Does the work; `acknowledged` resolves when a client would be told, having taken note of that. */
  begin(action: Action): Promise<{ readonly acknowledged: Promise<void> }>
}

/** From the start of a process to its end. */
export interface Life<Action> {
  /** `wait`: until everything begun is acknowledged; `turn`: others get their turn. */
  readonly actions: readonly (Action | 'wait' | 'turn')[]
  /** The operation of the file system at which it ends, unless the actions end before. */
  readonly steps: number
  readonly end: 'kill' | 'power loss'
  readonly seed: number
}

/** Some lives of a storage whose clients do such actions. */
export const livesOf = <Action>(action: fc.Arbitrary<Action>): fc.Arbitrary<Life<Action>[]> => {
  const step = fc.oneof(
    { weight: 6, arbitrary: action },
    { weight: 1, arbitrary: fc.constantFrom<('wait' | 'turn')[]>('wait', 'turn') },
  )
  return fc.array(
    fc.record({
      actions: fc.array(step, { maxLength: 25 }),
      steps: fc.oneof(fc.integer({ min: 1, max: 60 }), fc.integer({ min: 1, max: 600 })),
      end: fc.oneof(
        { weight: 3, arbitrary: fc.constant('power loss' as const) },
        { weight: 1, arbitrary: fc.constant('kill' as const) },
      ),
      seed: fc.integer(),
    }),
    { minLength: 1, maxLength: 5 },
  )
}

/** The model is of a disk, not the disk: where there is a file system in memory it is quicker. */
const inMemory = existsSync('/dev/shm') ? '/dev/shm' : tmpdir()

/** Lives through them one after the other and looks at what each has left. */
export const liveThrough = async <Action>(
  storage: Storage<Action>,
  lives: readonly Life<Action>[],
): Promise<void> => {
  const base = mkdtempSync(path.join(inMemory, 'stockpipe-power-'))
  const disk = new VolatileDisk(base)
  mountDisk(disk)
  try {
    for (const life of lives) {
      disk.failAfter(life.steps)
      await unlessOff(disk, () => live(storage, life, disk))
      disk.switchOff()
      // What the process was in the middle of comes to its end without a disk.
      for (let turn = 0; turn < 20; turn++) await nextTurn()
      if (life.end === 'kill') disk.restartProcess()
      else disk.restartMachine(chanceFrom(life.seed))
    }
    await storage.open(disk.root, new Durability({ fsync: true }))
    await storage.verify()
  } finally {
    disk.unplug()
    mountDisk(undefined)
    rmSync(base, { recursive: true, force: true })
  }
}

const live = async <Action>(storage: Storage<Action>, life: Life<Action>, disk: VolatileDisk) => {
  await storage.open(disk.root, new Durability({ fsync: true }))
  await storage.verify()
  const begun: Promise<void>[] = []
  for (const action of life.actions) {
    if (action === 'wait') await Promise.all(begun)
    else if (action === 'turn') await nextTurn()
    else {
      const { acknowledged } = await storage.begin(action)
      acknowledged.catch(() => undefined)
      begun.push(acknowledged)
    }
  }
  await Promise.all(begun)
}

/** An error is expected of a process whose disk is gone, and of no other. */
const unlessOff = async (disk: VolatileDisk, work: () => Promise<void>): Promise<void> => {
  try {
    await work()
  } catch (error) {
    if (!disk.isOff) throw error
  }
}

/** Numbers from 0 to 1, the same for the same seed (mulberry32). */
export const chanceFrom = (seed: number): (() => number) => {
  let state = seed | 0
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4294967296
  }
}

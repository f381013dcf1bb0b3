import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { setImmediate as nextTurn } from 'node:timers/promises'
import { afterEach, beforeEach, expect, it, vi } from 'vitest'
import { Durability, withoutFsync } from '../../src/durability.ts'
import { mountDisk, VolatileDisk } from './volatile-disk.ts'

vi.mock('node:fs', async (original) => (await import('./volatile-disk.ts')).watchFs(await original()))
vi.mock('node:fs/promises', async (original) =>
  (await import('./volatile-disk.ts')).watchFsPromises(await original()),
)

let base: string
let disk: VolatileDisk
let durability: Durability
beforeEach(() => {
  base = mkdtempSync(path.join(tmpdir(), 'stockpipe-durability-'))
  disk = new VolatileDisk(base)
  mountDisk(disk)
  durability = new Durability({ fsync: true })
})
afterEach(() => {
  mountDisk(undefined)
  rmSync(base, { recursive: true, force: true })
})

const write = (name: string): void => {
  writeFileSync(path.join(disk.root, name), name)
  durability.fileChanged(path.join(disk.root, name))
}
const fsyncs = () => disk.events.filter(({ kind }) => kind === 'fsync').map((event) => event.path)

it('nothing is waited for when nothing has changed, and never without fsync', () => {
  expect(durability.settled()).toBeUndefined()
  withoutFsync.fileChanged(path.join(disk.root, 'a'))
  withoutFsync.settleNow()
  expect(withoutFsync.settled()).toBeUndefined()
  expect(fsyncs()).toEqual([])
})

it('one fsync serves all who changed a file before it, and whoever comes later waits for another', async () => {
  write('a')
  const first = durability.settled()
  write('b')
  write('a')
  const second = durability.settled()
  // The round has begun: what is written now is not in it.
  for (let turn = 0; turn < 2; turn++) await nextTurn()
  expect(fsyncs()).toEqual([])
  write('a')
  const third = durability.settled()
  await Promise.all([first, second])
  expect(fsyncs().slice(0, 2).sort()).toEqual(['a', 'b'])
  await third
  expect(fsyncs()).toHaveLength(3)
  expect(fsyncs()[2]).toBe('a')
})

it('a file takes the place of another only when it is on the disk, and before anything else happens', () => {
  mkdirSync(path.join(disk.root, 'd'))
  writeFileSync(path.join(disk.root, 'd/index.tmp'), 'new')
  durability.replace(path.join(disk.root, 'd/index.tmp'), path.join(disk.root, 'd/index'))
  expect(disk.events.slice(-3)).toEqual([
    { kind: 'fsync', path: 'd/index.tmp' },
    { kind: 'rename', path: 'd/index' },
    { kind: 'fsync', path: 'd' },
  ])
})

it('what has gone meanwhile needs no fsync', async () => {
  write('a')
  rmSync(path.join(disk.root, 'a'))
  await durability.settled()
  expect(fsyncs()).toEqual([])
})

it('after an fsync that failed nothing is settled any more', async () => {
  write('a')
  disk.failAfter(1)
  const refused = expect.objectContaining({ code: 'FSYNC_FAILED' })
  await expect(durability.settled()).rejects.toEqual(refused)
  disk.restartProcess()
  await expect(durability.settled()).rejects.toEqual(refused)
  expect(() => durability.settleNow()).toThrow(refused)
})

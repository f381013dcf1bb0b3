import { randomBytes } from 'node:crypto'
import { readdir, readFile, rename, rm, writeFile } from 'node:fs/promises'
import path from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { ConfigurationError } from '@stockpipe/core'
import { processFacts } from './process-facts.ts'

interface Owner {
  readonly pid: number
  /** When the process was started, in the kernel's ticks, where /proc tells: a pid may be used again. */
  readonly startTicks?: string | undefined
}

interface Rival {
  readonly name: string
  readonly owner: Owner
  readonly holds: boolean
}

/** Holds a data directory for one stack. */
export interface DataDirectoryLock {
  release(): Promise<void>
}

/** The name of the file by which a process lays claim to a directory. */
export const claimPattern = /^(stockpipe-[0-9a-f]{16})\.claim$/

const isAlive = async (owner: Owner): Promise<boolean> => {
  try {
    process.kill(owner.pid, 0)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ESRCH') return false
  }
  const { state, startTicks } = await processFacts(owner.pid)
  // Killed, and nobody has taken notice yet: in containers the process above often never does.
  if (state === 'Z' || state === 'X') return false
  return owner.startTicks === undefined || startTicks === undefined || startTicks === owner.startTicks
}

const parseOwner = (text: string): Owner | undefined => {
  try {
    const owner = JSON.parse(text) as Owner
    return Number.isInteger(owner.pid) && owner.pid > 0 ? owner : undefined
  } catch {
    return undefined
  }
}

const inUse = (directory: string, { pid }: Owner) =>
  new ConfigurationError({
    code: 'DATA_DIRECTORY_IN_USE',
    message: `The data directory ${directory} is in use by the local stack of process ${pid}${
      pid === process.pid ? ' (this process)' : ''
    }: close that one, or pass another dataDir.`,
    facts: { directory, pid },
  })

/** The other claims whose processes live; what dead ones left is removed, which no two names can confuse. */
const findRivals = async (directory: string, ownName: string): Promise<Rival[]> => {
  const files = await readdir(directory)
  const names = files.map((file) => claimPattern.exec(file)?.[1]).filter((name) => name !== undefined)
  const rivals: Rival[] = []
  for (const name of names) {
    if (name === ownName) continue
    const text = await readFile(path.join(directory, `${name}.claim`), 'utf8').catch(() => undefined)
    if (text === undefined) continue
    const owner = parseOwner(text)
    if (owner && (await isAlive(owner))) rivals.push({ name, owner, holds: files.includes(`${name}.lock`) })
    else await removeClaim(directory, name)
  }
  return rivals
}

const removeClaim = async (directory: string, name: string): Promise<void> => {
  for (const ending of ['lock', 'claim', 'new']) {
    await rm(path.join(directory, `${name}.${ending}`), { force: true })
  }
}

/**
 * Takes a data directory for this process, also after one that died without giving it back.
 * Throws `ConfigurationError` `DATA_DIRECTORY_IN_USE`, naming the owner's pid.
 *
 * Everybody first puts down a claim of their own (`stockpipe-<random>.claim`) and then looks for others', so of
 * two at least one sees the other. A claim gives way to one that holds (it has a `.lock` beside it), and to one
 * of a lower name; with no other left, it holds. No file is ever taken over, so a slow look at a dead owner's
 * claim can do no harm.
 */
export const lockDataDirectory = async (directory: string): Promise<DataDirectoryLock> => {
  const name = `stockpipe-${randomBytes(8).toString('hex')}`
  const owner: Owner = { pid: process.pid, startTicks: (await processFacts(process.pid)).startTicks }
  const claim = path.join(directory, name)
  const release = () => removeClaim(directory, name)
  try {
    await writeFile(`${claim}.new`, JSON.stringify(owner))
    await rename(`${claim}.new`, `${claim}.claim`)
    for (;;) {
      const rivals = await findRivals(directory, name)
      const first = rivals.find((rival) => rival.holds || rival.name < name)
      if (first) throw inUse(directory, first.owner)
      if (rivals.length === 0) break
      await sleep(5)
    }
    await writeFile(`${claim}.lock`, '')
    return { release }
  } catch (error) {
    await release().catch(() => undefined)
    throw error
  }
}

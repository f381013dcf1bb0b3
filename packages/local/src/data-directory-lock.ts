import { randomUUID } from 'node:crypto'
import { link, readFile, rename, rm, writeFile } from 'node:fs/promises'
import path from 'node:path'
import { ConfigurationError } from '@stockpipe/core'

interface LockOwner {
  readonly pid: number
  /** When the process was started, in the kernel's ticks, where /proc tells: a pid may be used again. */
  readonly startTicks?: string | undefined
}

/** Holds a data directory for one stack. */
export interface DataDirectoryLock {
  release(): Promise<void>
}

const lockName = 'stockpipe.lock'

/** The start time of a process, field 22 of its stat; undefined where there is no /proc or no such process. */
const startTicksOf = async (pid: number): Promise<string | undefined> => {
  const text = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => '')
  // The command's name stands in parentheses and may hold spaces and parentheses itself.
  return text.slice(text.lastIndexOf(')') + 2).split(' ')[19]
}

const isAlive = async (owner: LockOwner): Promise<boolean> => {
  try {
    process.kill(owner.pid, 0)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ESRCH') return false
  }
  const startTicks = await startTicksOf(owner.pid)
  return owner.startTicks === undefined || startTicks === undefined || startTicks === owner.startTicks
}

const parseOwner = (text: string): LockOwner | undefined => {
  try {
    const owner = JSON.parse(text) as LockOwner
    return Number.isInteger(owner.pid) && owner.pid > 0 ? owner : undefined
  } catch {
    return undefined
  }
}

const inUse = (directory: string, owner: LockOwner) =>
  new ConfigurationError({
    code: 'DATA_DIRECTORY_IN_USE',
    message:
      `The data directory ${directory} is in use by the local stack of process ${owner.pid}` +
      `${owner.pid === process.pid ? ' (this process)' : ''}: close that one, or pass another dataDir.`,
    facts: { directory, pid: owner.pid },
  })

/**
 * Takes a data directory for this process, also from a process that died without giving it back.
 * Throws `ConfigurationError` `DATA_DIRECTORY_IN_USE`, naming the owner's pid.
 */
export const lockDataDirectory = async (directory: string): Promise<DataDirectoryLock> => {
  const lockPath = path.join(directory, lockName)
  const ownPath = path.join(directory, `${lockName}.${randomUUID()}`)
  const owner: LockOwner = { pid: process.pid, startTicks: await startTicksOf(process.pid) }
  // The nonce tells two locks of one process apart.
  const text = JSON.stringify({ ...owner, nonce: randomUUID() })
  await writeFile(ownPath, text)
  try {
    while (!(await linkIfAbsent(ownPath, lockPath))) await removeIfStale(directory, lockPath)
  } finally {
    await rm(ownPath, { force: true })
  }
  return {
    async release() {
      const current = await readFile(lockPath, 'utf8').catch(() => '')
      if (current === text) await rm(lockPath, { force: true })
    },
  }
}

/** A link makes the lock appear with its content, whole, or not at all. */
const linkIfAbsent = async (from: string, to: string): Promise<boolean> => {
  try {
    await link(from, to)
    return true
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    if (code === 'EEXIST') return false
    if (code !== 'EPERM' && code !== 'ENOTSUP' && code !== 'ENOSYS') throw error
  }
  // A file system without links.
  return writeFile(to, await readFile(from), { flag: 'wx' }).then(
    () => true,
    (error: NodeJS.ErrnoException) => {
      if (error.code === 'EEXIST') return false
      throw error
    },
  )
}

const removeIfStale = async (directory: string, lockPath: string): Promise<void> => {
  const text = await readFile(lockPath, 'utf8').catch(() => undefined)
  if (text === undefined) return
  const owner = parseOwner(text)
  if (owner && (await isAlive(owner))) throw inUse(directory, owner)
  // Moved aside and read again: between the look and the move somebody else may have taken the lock over.
  const aside = `${lockPath}.${randomUUID()}`
  const moved = await rename(lockPath, aside).then(
    () => true,
    () => false,
  )
  if (!moved) return
  const movedText = await readFile(aside, 'utf8').catch(() => '')
  if (movedText !== text) await linkIfAbsent(aside, lockPath)
  await rm(aside, { force: true })
}

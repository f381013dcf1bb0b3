import { mkdir, mkdtemp, readdir, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { ConfigurationError, StockpipeError } from '@stockpipe/core'
import { claimPattern } from './data-directory-lock.ts'
import type { Durability } from './durability.ts'

/** All that the services keep at the top of a data directory. */
const serviceDirectories = new Set(['athena', 'athena-spill', 'glue', 'kafka', 's3', 's3-meta'])
/** Stands in a directory while it is emptied: whoever starts next finishes what a killed process began. */
const resetFileName = 'stockpipe-reset'
const lockFilePattern = /^stockpipe-[0-9a-f]{16}\.(?:claim|lock|new)$/

const codeOf = (error: unknown): string | undefined => (error as NodeJS.ErrnoException).code

const isDirectory = async (directory: string): Promise<boolean> =>
  (await stat(directory).catch(() => undefined))?.isDirectory() ?? false

const makeDirectory = async (directory: string, durability: Durability): Promise<void> => {
  try {
    await mkdir(directory)
    durability.directoryChanged(path.dirname(directory))
  } catch (error) {
    if (!(await isDirectory(directory))) throw error
  }
}

/** Makes a directory and those above it. Node's own recursive mkdir never ends below /proc. */
const makeDirectories = async (directory: string, durability: Durability): Promise<void> => {
  try {
    await makeDirectory(directory, durability)
  } catch (error) {
    const above = path.dirname(directory)
    if (codeOf(error) !== 'ENOENT' || above === directory) throw error
    await makeDirectories(above, durability)
    await makeDirectory(directory, durability)
  }
}

/** Makes a data directory, with those above it. */
export const makeDataDirectory = async (dataDir: string, durability: Durability): Promise<string> => {
  const directory = path.resolve(dataDir)
  await makeDirectories(directory, durability)
  return directory
}

/** Makes an empty directory below the system's temporary one. */
export const makeTemporaryDirectory = (): Promise<string> => mkdtemp(path.join(tmpdir(), 'stockpipe-local-'))

/** Refuses to empty a directory that holds anything but what local stacks keep, or nothing that proves one. */
export const refuseForeignDirectory = async (directory: string): Promise<void> => {
  const names = await readdir(directory)
  const refuse = (reason: string): never => {
    throw new ConfigurationError({
      code: 'NOT_A_DATA_DIRECTORY',
      message: `The directory ${directory} is not emptied, because ${reason}: pass the data directory of a local stack, or empty it yourself.`,
      facts: { directory },
    })
  }
  const foreign = names.find(
    (name) => !serviceDirectories.has(name) && name !== resetFileName && !lockFilePattern.test(name),
  )
  if (foreign !== undefined) refuse(`it holds ${foreign}, which no local stack has put there`)
  const isOurs =
    names.length === 0 ||
    names.some((name) => name === resetFileName || claimPattern.test(name)) ||
    (await isDirectory(path.join(directory, 's3-meta', '.staging')))
  if (!isOurs) refuse('nothing shows that a local stack made it')
}

/** Removes what the services keep in a directory that is locked. Killed halfway, `finishReset` does the rest. */
export const resetDataDirectory = async (directory: string, durability: Durability): Promise<void> => {
  await refuseForeignDirectory(directory)
  await writeFile(path.join(directory, resetFileName), '')
  durability.directoryChanged(directory)
  await durability.settled()
  await finishReset(directory, durability)
}

/** Goes on with a reset that a killed process began; without one does nothing. */
export const finishReset = async (directory: string, durability: Durability): Promise<void> => {
  const names = await readdir(directory)
  if (!names.includes(resetFileName)) return
  for (const name of names.filter((each) => serviceDirectories.has(each))) {
    await rm(path.join(directory, name), { recursive: true, force: true })
  }
  durability.directoryChanged(directory)
  await durability.settled()
  await rm(path.join(directory, resetFileName), { force: true })
  // It must not come back when there is something to lose.
  durability.directoryChanged(directory)
  await durability.settled()
}

const unusableReasons: Readonly<Record<string, string>> = {
  EACCES: 'this user may not write to it',
  EPERM: 'this user may not write to it',
  EROFS: 'its file system is read-only',
  ENOSPC: 'no space is left on its file system',
  EDQUOT: "the user's quota of its file system is used up",
  ENOTDIR: 'a part of its path is a file',
  EEXIST: 'it is a file',
  ENOENT: 'it cannot be made there (is that file system read-only?)',
}

/** The sentence for a failure of the file system; any other error as it is. */
export const dataDirectoryError = (error: unknown, dataDir: string | undefined): unknown => {
  const reason = StockpipeError.isInstance(error) ? undefined : unusableReasons[codeOf(error) ?? '']
  if (!reason) return error
  const directory = path.resolve(dataDir ?? tmpdir())
  return new ConfigurationError({
    code: 'DATA_DIRECTORY_UNUSABLE',
    message: `The data directory ${directory} cannot be used, because ${reason}: pass another dataDir (--data-dir).`,
    cause: error,
    facts: { directory },
  })
}

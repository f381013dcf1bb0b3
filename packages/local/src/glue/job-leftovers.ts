import { readdir, readFile, rm, writeFile } from 'node:fs/promises'
import path from 'node:path'
import { processFacts } from '../process-facts.ts'

/** What a run notes of its process in its directory, which is removed when it ends. */
interface ProcessNote {
  readonly pid: number
  /** When it was started, by which boot: a pid may be used again. */
  readonly started: string
}

const noteName = '.process'

/** Notes the process of a run, where the system tells when it was started, so that a stack killed meanwhile finds it again. */
export async function noteProcess(directory: string, pid: number): Promise<void> {
  const started = await startOf(pid)
  if (started === undefined) return
  const note: ProcessNote = { pid, started }
  await writeFile(path.join(directory, noteName), JSON.stringify(note))
}

/**
 * Ends what the runs of a stack that was killed have left running, and removes their directories. Only a process group whose
 * leader is surely the one noted is ended; where nothing tells (not on Linux, or the leader is gone), what runs goes on.
 */
export async function endLeftovers(directory: string): Promise<void> {
  const entries = await readdir(directory, { withFileTypes: true }).catch(() => [])
  for (const entry of entries.filter((one) => one.isDirectory())) {
    const run = path.join(directory, entry.name)
    const note = await readFile(path.join(run, noteName), 'utf8').then(parseNote, () => undefined)
    // While its leader lives, no other group can have the number.
    if (note !== undefined && (await startOf(note.pid)) === note.started) kill(note.pid)
    await rm(run, { recursive: true, force: true }).catch(() => undefined)
  }
}

async function startOf(pid: number): Promise<string | undefined> {
  const { startTicks } = await processFacts(pid)
  const boot = await readFile('/proc/sys/kernel/random/boot_id', 'utf8').catch(() => undefined)
  return startTicks === undefined || boot === undefined ? undefined : `${boot.trim()} ${startTicks}`
}

function parseNote(text: string): ProcessNote | undefined {
  try {
    const { pid, started } = JSON.parse(text) as Partial<ProcessNote>
    // 0 and 1 would be groups of others.
    return Number.isInteger(pid) && Number(pid) > 1 && typeof started === 'string'
      ? { pid: Number(pid), started }
      : undefined
  } catch {
    return undefined
  }
}

function kill(pid: number): void {
  try {
    process.kill(-pid, 'SIGKILL')
  } catch {
    // It has just ended, or is no leader of a group.
  }
}

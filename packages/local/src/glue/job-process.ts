import { type ChildProcess, spawn } from 'node:child_process'
import { closeSync, openSync } from 'node:fs'
import { open } from 'node:fs/promises'

/** How long a process group has between SIGTERM and SIGKILL, in milliseconds. */
const graceMillis = 2_000
/** How much of a log's end is searched for the reason of a failure. */
const logTailBytes = 64 * 1024

export interface JobProcessOptions {
  readonly command: string
  readonly arguments: readonly string[]
  readonly directory: string
  readonly environment: NodeJS.ProcessEnv
  /** Takes both output streams. */
  readonly logPath: string
}

/** How a process ended: its status, or the signal that ended it. */
export interface JobProcessEnd {
  readonly status: number | null
  readonly signalName: NodeJS.Signals | null
}

/** A process in a group of its own, so that all it starts ends with it. */
export class JobProcess {
  readonly #child: ChildProcess
  /** Resolves when the process has ended, and nothing of its group is left. Rejects when it cannot be started. */
  readonly ended: Promise<JobProcessEnd>
  #hasEnded = false

  constructor(options: JobProcessOptions) {
    const log = openSync(options.logPath, 'a')
    try {
      this.#child = spawn(options.command, [...options.arguments], {
        cwd: options.directory,
        env: options.environment,
        stdio: ['ignore', log, log],
        detached: process.platform !== 'win32',
        windowsHide: true,
      })
    } finally {
      closeSync(log)
    }
    this.ended = new Promise((resolve, reject) => {
      this.#child.once('error', reject)
      this.#child.once('exit', (status, signalName) => {
        this.#hasEnded = true
        // What the script has left running in the background.
        this.#kill('SIGKILL')
        resolve({ status, signalName })
      })
    })
  }

  /** Undefined where it could not be started. */
  get pid(): number | undefined {
    return this.#child.pid
  }

  /** Asks the group to end, and ends it where it does not within 2 seconds, or `now`. */
  end(now = false): void {
    if (this.#hasEnded) return
    if (now) {
      this.#kill('SIGKILL')
      return
    }
    this.#kill('SIGTERM')
    const timer = setTimeout(() => {
      if (!this.#hasEnded) this.#kill('SIGKILL')
    }, graceMillis)
    this.ended.then(
      () => clearTimeout(timer),
      () => clearTimeout(timer),
    )
  }

  #kill(signalName: NodeJS.Signals): void {
    const { pid } = this.#child
    if (pid === undefined) return
    if (process.platform === 'win32') {
      if (!this.#hasEnded) spawn('taskkill', ['/pid', String(pid), '/t', '/f'], { stdio: 'ignore' })
      return
    }
    try {
      process.kill(-pid, signalName)
    } catch {
      // Nothing of the group is left.
    }
  }
}

/** The last line of a log that says something, such as `ValueError: boom`; undefined for an empty log. */
export async function lastLogLine(logPath: string): Promise<string | undefined> {
  return lastLineOf(await endOf(logPath))
}

/**
 * The line of a Spark script's log that says why it failed, as Spark's own log goes on after it: what ends the last traceback
 * of Python, such as `ValueError: boom`, or else the last line that is the script's.
 */
export async function sparkFailureLine(logPath: string): Promise<string | undefined> {
  const text = await endOf(logPath)
  const traceback = /^[\s\S]*^Traceback \(most recent call last\):\n(?:[ \t].*\n)+(\S.*)$/m.exec(text)
  return traceback?.[1] ?? lastLineOf(text.replace(/^\d\d\/\d\d\/\d\d [\d:]+ (?:INFO|WARN|DEBUG) .*$/gm, ''))
}

const lastLineOf = (text: string): string | undefined =>
  text
    .split('\n')
    .map((line) => line.trim())
    .findLast((line) => line !== '')

async function endOf(logPath: string): Promise<string> {
  const file = await open(logPath, 'r')
  try {
    const { size } = await file.stat()
    const length = Math.min(size, logTailBytes)
    const { buffer } = await file.read(Buffer.alloc(length), 0, length, size - length)
    return buffer.toString('utf8')
  } finally {
    await file.close()
  }
}

import type { ParseArgsConfig } from 'node:util'

/** What a command reads and writes; a test brings its own. */
export interface CommandIO {
  readonly stdout: {
    /** Answers false where `drain` is to be waited for. */
    write(text: string): unknown
    readonly isTTY?: boolean
    once?(event: 'drain', listener: () => void): unknown
  }
  readonly stderr: { write(text: string): unknown; readonly isTTY?: boolean }
  /** Asks a person at the terminal; left out where nobody can answer. */
  readonly ask?: (question: string) => Promise<string>
  readonly env: Readonly<Record<string, string | undefined>>
  /** Aborted when the user wants the command to end (Ctrl-C, SIGTERM). */
  readonly signal: AbortSignal
  /** Says how long the command may take to end once it was told to; the process ends it then. Default 2,000. */
  readonly endWithin?: (millis: number) => void
}

export interface CommandArguments {
  /** Options as given: text, true for a flag, or a list for one that may be repeated. */
  readonly values: Readonly<Record<string, string | boolean | readonly string[] | undefined>>
  readonly positionals: readonly string[]
}

/** One word after `stockpipe`. */
export interface Command {
  readonly name: string
  /** A line for the list of commands. */
  readonly summary: string
  /** What `--help` prints. */
  readonly help: string
  readonly options: NonNullable<ParseArgsConfig['options']>
  /** Answers the exit status. Throws a `UsageError` for arguments it cannot use. */
  run(input: CommandArguments, io: CommandIO): Promise<number>
}

/** The command line is not one we can run: exit status 2. */
export class UsageError extends Error {
  override readonly name = 'UsageError'
}

/** Writes to stdout, and waits where its reader is slower. Throws the signal's reason. */
export const print = async ({ stdout, signal }: CommandIO, text: string): Promise<void> => {
  signal.throwIfAborted()
  if (text === '' || stdout.write(text) !== false || !stdout.once) return
  await new Promise<void>((resolve, reject) => {
    const abort = () => reject(signal.reason)
    signal.addEventListener('abort', abort)
    stdout.once?.('drain', () => {
      signal.removeEventListener('abort', abort)
      resolve()
    })
  })
}

import { closeSync, fsyncSync, mkdirSync, openSync, renameSync } from 'node:fs'
import { type FileHandle, open } from 'node:fs/promises'
import path from 'node:path'
import { setImmediate as nextTurn } from 'node:timers/promises'
import { StockpipeError } from '@stockpipe/core'

type Kind = 'file' | 'directory'

/** Files that are synced at a time. */
const concurrency = 16

/** Windows has no fsync of a directory: its file systems write names to their journal by themselves. */
const isSynced = (kind: Kind): boolean => kind === 'file' || process.platform !== 'win32'

/** A file is opened for writing, which Windows asks for. */
const flagsOf = (kind: Kind): string => (kind === 'file' ? 'r+' : 'r')

const isGone = (error: unknown): boolean => (error as NodeJS.ErrnoException).code === 'ENOENT'

/**
 * What must be on the disk before anything is acknowledged.
 *
 * Whoever changes a file, or the names in a directory, says so; whoever answers waits for `settled`, so that one round
 * of fsyncs serves all who wait (group commit). What must be on the disk before the next step is taken is put there
 * by `settleNow`, `settleFileNow` and `replace`.
 *
 * Without `fsync` nobody waits: the operating system has the bytes, which outlives the process and not the machine.
 */
export class Durability {
  readonly #fsync: boolean
  #changed = new Map<string, Kind>()
  /** What the round that runs has taken. */
  #syncing: ReadonlyMap<string, Kind> = new Map()
  #round: Promise<void> | undefined
  #nextRound: Promise<void> | undefined
  #failure: StockpipeError | undefined

  constructor(options: { readonly fsync: boolean }) {
    this.#fsync = options.fsync
  }

  /** The file has other bytes, another length or another modification time. */
  fileChanged(filePath: string): void {
    if (this.#fsync) this.#changed.set(filePath, 'file')
  }

  /** A name has come into the directory, has gone from it, or stands for another file. */
  directoryChanged(directory: string): void {
    if (this.#fsync && isSynced('directory')) this.#changed.set(directory, 'directory')
  }

  /** Puts a file that nobody knows of yet on the disk. Throws what the file system throws. */
  async settleFile(file: FileHandle): Promise<void> {
    if (this.#fsync) await file.sync()
  }

  /** Makes a directory and those above it, where they are missing. */
  makeDirectory(directory: string): void {
    const first = mkdirSync(directory, { recursive: true })
    // Also one that is there: a killed process may have made it, and its name never reached the disk.
    this.directoryChanged(path.dirname(directory))
    if (first === undefined) return
    for (let made = path.resolve(directory); ; made = path.dirname(made)) {
      const above = path.dirname(made)
      if (above === made) return
      this.directoryChanged(above)
      if (made === path.resolve(first)) return
    }
  }

  /**
   * Puts a written file in the place of another one, at once: after a power loss one of both is there, whole.
   * Throws what the file system throws; the file in place is then the old one.
   */
  replace(writtenPath: string, filePath: string): void {
    if (this.#fsync) syncNow(writtenPath, 'file')
    renameSync(writtenPath, filePath)
    if (this.#fsync) this.#orFail(() => syncNow(path.dirname(filePath), 'directory'))
  }

  /**
   * When everything that changed before the call is on the disk; undefined when it is. Rejects with `FSYNC_FAILED`,
   * then and ever after: what a failed fsync has left on the disk nobody can tell, and a second one may lie.
   */
  settled(): Promise<void> | undefined {
    if (this.#failure !== undefined) return Promise.reject(this.#failure)
    // The round that runs may have read a file before its last change: only what it took is its own.
    if (this.#changed.size === 0) return this.#round
    this.#nextRound ??= this.#startRound(this.#round)
    return this.#nextRound
  }

  /** Puts what has changed of one file on the disk before it returns. Throws `FSYNC_FAILED`. */
  settleFileNow(filePath: string): void {
    if (!this.#changed.has(filePath) && !this.#syncing.has(filePath)) return
    this.#orFail(() => syncNow(filePath, 'file'))
    this.#changed.delete(filePath)
  }

  /** Puts everything that has changed on the disk before it returns. Throws `FSYNC_FAILED`. */
  settleNow(): void {
    if (this.#failure !== undefined) throw this.#failure
    const pending = new Map([...this.#syncing, ...this.#changed])
    this.#changed = new Map()
    this.#orFail(() => {
      for (const [changedPath, kind] of pending) syncNow(changedPath, kind)
    })
  }

  async #startRound(previous: Promise<void> | undefined): Promise<void> {
    await previous
    // Whoever changes something in the same turn comes along.
    await nextTurn()
    this.#nextRound = undefined
    this.#round = this.#sync().finally(() => {
      this.#round = undefined
    })
    return this.#round
  }

  async #sync(): Promise<void> {
    this.#syncing = this.#changed
    this.#changed = new Map()
    const pending = this.#syncing.entries()
    const work = async () => {
      for (const [changedPath, kind] of pending) await sync(changedPath, kind)
    }
    try {
      await Promise.all(Array.from({ length: Math.min(concurrency, this.#syncing.size) }, work))
    } catch (cause) {
      throw this.#failed(cause)
    } finally {
      this.#syncing = new Map()
    }
  }

  #orFail(work: () => void): void {
    try {
      work()
    } catch (cause) {
      throw this.#failed(cause)
    }
  }

  #failed(cause: unknown): StockpipeError {
    const reason = cause instanceof Error ? cause.message : String(cause)
    this.#failure ??= new StockpipeError({
      code: 'FSYNC_FAILED',
      message: `The disk did not take what was written (${reason}): nothing more is acknowledged. Look after the disk, then start the stack again.`,
      cause,
    })
    return this.#failure
  }
}

/** What was acknowledged survives the process. */
export const withoutFsync = new Durability({ fsync: false })

// By path, not by the writer's descriptor: that one may be closed meanwhile. What is gone needs no fsync.

const sync = async (changedPath: string, kind: Kind): Promise<void> => {
  const file = await open(changedPath, flagsOf(kind)).catch((error: unknown) => {
    if (!isGone(error)) throw error
  })
  if (file === undefined) return
  try {
    await file.sync()
  } finally {
    await file.close()
  }
}

const syncNow = (changedPath: string, kind: Kind): void => {
  if (!isSynced(kind)) return
  let descriptor: number
  try {
    descriptor = openSync(changedPath, flagsOf(kind))
  } catch (error) {
    if (isGone(error)) return
    throw error
  }
  try {
    fsyncSync(descriptor)
  } finally {
    closeSync(descriptor)
  }
}

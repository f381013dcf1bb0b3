import { closeSync, fstatSync, ftruncateSync, openSync, readFileSync, rmSync, writeSync } from 'node:fs'
import { dirname } from 'node:path'
import { StockpipeError } from '@stockpipe/core'
import { type Durability, withoutFsync } from '../durability.ts'
import { wholeLinesBytes } from '../whole-lines.ts'

const smallestGrowthBytes = 8 * 1024 * 1024

/**
 * A log of JSON lines that holds a service's state.
 *
 * An entry is in the operating system's hands before `append` returns, so it outlives the process (kill -9), and on the
 * disk when `durability` has settled; a torn end is dropped when the log is opened again. Writes are synchronous on purpose:
 * state in memory and on disk change in one turn, and no two calls can interleave.
 */
export class AppendLog<Entry> {
  readonly #path: string
  readonly #durability: Durability
  #file: number
  #bytes: number
  #compactedBytes: number

  private constructor(path: string, file: number, bytes: number, durability: Durability) {
    this.#path = path
    this.#durability = durability
    this.#file = file
    this.#bytes = bytes
    this.#compactedBytes = bytes
  }

  /** Opens or creates the log and hands every whole entry to `apply`, oldest first. Throws `STATE_DAMAGED`. */
  static open<Entry>(
    path: string,
    apply: (entry: Entry) => void,
    durability: Durability = withoutFsync,
  ): AppendLog<Entry> {
    durability.makeDirectory(dirname(path))
    const file = openSync(path, 'a+')
    // Also what a killed process has left: it may never have reached the disk.
    durability.fileChanged(path)
    durability.directoryChanged(dirname(path))
    const content = readFileSync(path)
    const wholeBytes = wholeLinesBytes(content)
    let start = 0
    let lineNumber = 0
    while (start < wholeBytes) {
      const end = content.indexOf(10, start)
      lineNumber += 1
      apply(parseLine<Entry>(content.toString('utf8', start, end), path, lineNumber))
      start = end + 1
    }
    if (start < content.length) {
      ftruncateSync(file, start)
      // Gone for good before another line mixes with it.
      durability.settleFileNow(path)
    }
    return new AppendLog<Entry>(path, file, start, durability)
  }

  append(entry: Entry): void {
    const line = Buffer.from(`${JSON.stringify(entry)}\n`)
    this.#durability.fileChanged(this.#path)
    try {
      writeWhole(this.#file, line)
    } catch (error) {
      // A half-written line in the middle would make the log unreadable: take it back.
      ftruncateSync(this.#file, this.#bytes)
      throw error
    }
    this.#bytes += line.length
  }

  /** Rewrites the log as `snapshot()` once it has doubled since the last time, and grown by 8 MiB at least. */
  compactWhenGrown(snapshot: () => Iterable<Entry>): void {
    if (this.#bytes - this.#compactedBytes < Math.max(smallestGrowthBytes, this.#compactedBytes)) return
    this.compact(snapshot())
  }

  /** Replaces the whole log by `entries`, by one rename; where there is no room for a second file, it stays as it is. */
  compact(entries: Iterable<Entry>): void {
    const temporaryPath = `${this.#path}.new`
    // Not again with the next entry, whatever comes of it.
    this.#compactedBytes = this.#bytes
    try {
      const file = openSync(temporaryPath, 'w')
      try {
        for (const entry of entries) writeWhole(file, Buffer.from(`${JSON.stringify(entry)}\n`))
      } finally {
        closeSync(file)
      }
    } catch {
      rmSync(temporaryPath, { force: true })
      return
    }
    // Windows takes the place of no open file.
    closeSync(this.#file)
    try {
      this.#durability.replace(temporaryPath, this.#path)
    } catch {
      // Whichever file is in place stays in use; whether its name is on the disk, `settled` tells.
    }
    this.#file = openSync(this.#path, 'a+')
    this.#bytes = fstatSync(this.#file).size
    this.#compactedBytes = this.#bytes
  }

  close(): void {
    if (this.#file === -1) return
    closeSync(this.#file)
    this.#file = -1
  }
}

function writeWhole(file: number, bytes: Buffer): void {
  for (let written = 0; written < bytes.length; ) written += writeSync(file, bytes, written)
}

function parseLine<Entry>(line: string, path: string, lineNumber: number): Entry {
  try {
    return JSON.parse(line) as Entry
  } catch (cause) {
    throw new StockpipeError({
      code: 'STATE_DAMAGED',
      message: `${path} is damaged at line ${lineNumber}: it is not JSON. Restore the file, or remove it to start empty.`,
      cause,
      facts: { path, lineNumber },
    })
  }
}

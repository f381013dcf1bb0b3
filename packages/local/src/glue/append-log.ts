import {
  closeSync,
  fsyncSync,
  ftruncateSync,
  mkdirSync,
  openSync,
  readFileSync,
  renameSync,
  writeSync,
} from 'node:fs'
import { dirname } from 'node:path'
import { StockpipeError } from '@stockpipe/core'

const smallestGrowthBytes = 8 * 1024 * 1024

/**
 * A log of JSON lines that holds a service's state.
 *
 * An entry is in the operating system's hands before `append` returns, so it outlives the process (kill -9);
 * a last line cut short by the kill is dropped when the log is opened again. Writes are synchronous on purpose:
 * state in memory and on disk change in one turn, and no two calls can interleave.
 */
export class AppendLog<Entry> {
  readonly #path: string
  #file: number
  #bytes: number
  #compactedBytes: number

  private constructor(path: string, file: number, bytes: number) {
    this.#path = path
    this.#file = file
    this.#bytes = bytes
    this.#compactedBytes = bytes
  }

  /** Opens or creates the log and hands every whole entry to `apply`, oldest first. Throws `STATE_DAMAGED`. */
  static open<Entry>(path: string, apply: (entry: Entry) => void): AppendLog<Entry> {
    mkdirSync(dirname(path), { recursive: true })
    const file = openSync(path, 'a+')
    const content = readFileSync(path)
    let start = 0
    let lineNumber = 0
    for (let end = content.indexOf(10); end !== -1; end = content.indexOf(10, start)) {
      lineNumber += 1
      apply(parseLine<Entry>(content.toString('utf8', start, end), path, lineNumber))
      start = end + 1
    }
    if (start < content.length) ftruncateSync(file, start)
    return new AppendLog<Entry>(path, file, start)
  }

  append(entry: Entry): void {
    const line = Buffer.from(`${JSON.stringify(entry)}\n`)
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

  /** Replaces the whole log by `entries`, by one rename. */
  compact(entries: Iterable<Entry>): void {
    const temporaryPath = `${this.#path}.new`
    const file = openSync(temporaryPath, 'w')
    let bytes = 0
    try {
      for (const entry of entries) {
        const line = Buffer.from(`${JSON.stringify(entry)}\n`)
        writeWhole(file, line)
        bytes += line.length
      }
      fsyncSync(file)
    } finally {
      closeSync(file)
    }
    renameSync(temporaryPath, this.#path)
    closeSync(this.#file)
    this.#file = openSync(this.#path, 'a+')
    this.#bytes = bytes
    this.#compactedBytes = bytes
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

import {
  closeSync,
  existsSync,
  ftruncateSync,
  mkdirSync,
  openSync,
  readFileSync,
  renameSync,
  writeFileSync,
  writeSync,
} from 'node:fs'
import { dirname } from 'node:path'
import { StockpipeError } from '@stockpipe/core'
import { RefusedRequestError } from '../protocol/error-code.ts'

/** The file is written anew when it has more than this many lines for each living entry. */
const linesPerEntry = 4
const smallFileLines = 2000

/**
 * A map that survives the process: each change is a line `[key, value]` at the end of a file, written before
 * the call returns; a value of null is a deletion.
 */
export class DurableMap<Value> {
  readonly #path: string
  readonly #entries = new Map<string, Value>()
  #descriptor: number
  #lineCount = 0
  #sizeBytes = 0

  /** Reads the file, cutting a torn last line. Throws `DATA_DIRECTORY_DAMAGED` for any other bad line. */
  constructor(path: string) {
    this.#path = path
    mkdirSync(dirname(path), { recursive: true })
    const content = existsSync(path) ? readFileSync(path) : Buffer.alloc(0)
    this.#sizeBytes = content.lastIndexOf(10) + 1
    for (const line of content.toString('utf8', 0, this.#sizeBytes).split('\n')) {
      if (line !== '') this.#readLine(line)
    }
    this.#descriptor = openSync(path, existsSync(path) ? 'r+' : 'w+')
    ftruncateSync(this.#descriptor, this.#sizeBytes)
  }

  get(key: string): Value | undefined {
    return this.#entries.get(key)
  }

  entries(): IterableIterator<[string, Value]> {
    return this.#entries.entries()
  }

  set(key: string, value: Value): void {
    this.apply([[key, value]])
  }

  delete(key: string): void {
    this.apply([[key, null]])
  }

  /** Makes several changes with one write; throws a RefusedRequestError when the disk takes no more. */
  apply(changes: readonly (readonly [string, Value | null])[]): void {
    if (changes.length === 0) return
    const lines = Buffer.from(changes.map((change) => `${JSON.stringify(change)}\n`).join(''))
    try {
      for (let written = 0; written < lines.length; ) {
        written += writeSync(
          this.#descriptor,
          lines,
          written,
          lines.length - written,
          this.#sizeBytes + written,
        )
      }
    } catch (cause) {
      ftruncateSync(this.#descriptor, this.#sizeBytes)
      const message = `${this.#path} could not be written: ${(cause as Error).message}`
      throw new RefusedRequestError('KAFKA_STORAGE_ERROR', message, cause)
    }
    this.#sizeBytes += lines.length
    this.#lineCount += changes.length
    for (const [key, value] of changes) this.#change(key, value)
    if (this.#lineCount > smallFileLines + this.#entries.size * linesPerEntry) this.#compact()
  }

  close(): void {
    closeSync(this.#descriptor)
  }

  #change(key: string, value: Value | null): void {
    if (value === null) this.#entries.delete(key)
    else this.#entries.set(key, value)
  }

  #readLine(line: string): void {
    try {
      const [key, value] = JSON.parse(line) as [string, Value | null]
      this.#change(key, value)
      this.#lineCount++
    } catch (cause) {
      throw new StockpipeError({
        code: 'DATA_DIRECTORY_DAMAGED',
        message: `Line ${this.#lineCount + 1} of ${this.#path} cannot be read. Restore the file, or remove the data directory to begin anew.`,
        cause,
        facts: { path: this.#path },
      })
    }
  }

  #compact(): void {
    const lines = [...this.#entries].map((entry) => `${JSON.stringify(entry)}\n`).join('')
    this.#lineCount = this.#entries.size
    try {
      writeFileSync(`${this.#path}.tmp`, lines)
    } catch {
      // No room for a second file: the long one stays in use.
      return
    }
    closeSync(this.#descriptor)
    renameSync(`${this.#path}.tmp`, this.#path)
    this.#descriptor = openSync(this.#path, 'r+')
    this.#sizeBytes = Buffer.byteLength(lines)
  }
}

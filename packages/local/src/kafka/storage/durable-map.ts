import {
  closeSync,
  existsSync,
  fstatSync,
  ftruncateSync,
  openSync,
  readFileSync,
  writeFileSync,
  writeSync,
} from 'node:fs'
import { dirname } from 'node:path'
import { StockpipeError } from '@stockpipe/core'
import { type Durability, withoutFsync } from '../../durability.ts'
import { wholeLinesBytes } from '../../whole-lines.ts'
import { RefusedRequestError } from '../protocol/error-code.ts'

/** The file is written anew when it has more than this many changes for each living entry. */
const changesPerEntry = 4
const smallFileChanges = 2000

type Change<Value> = readonly [key: string, value: Value | null]

/**
 * A map that survives the process: each change is a line `[key, value]` at the end of a file, several made together a
 * list of them, written before the call returns and on the disk when `durability` has settled; a value of null is a
 * deletion.
 */
export class DurableMap<Value> {
  readonly #path: string
  readonly #durability: Durability
  readonly #entries = new Map<string, Value>()
  #descriptor: number
  #changeCount = 0
  #sizeBytes = 0

  /** Reads the file, cutting a torn end. Throws `DATA_DIRECTORY_DAMAGED` for any other bad line. */
  constructor(path: string, durability: Durability = withoutFsync) {
    this.#path = path
    this.#durability = durability
    durability.makeDirectory(dirname(path))
    const content = existsSync(path) ? readFileSync(path) : Buffer.alloc(0)
    this.#sizeBytes = wholeLinesBytes(content)
    const lines = content.toString('utf8', 0, this.#sizeBytes).split('\n')
    for (const [index, line] of lines.entries()) if (line !== '') this.#readLine(line, index + 1)
    this.#descriptor = openSync(path, existsSync(path) ? 'r+' : 'w+')
    ftruncateSync(this.#descriptor, this.#sizeBytes)
    // Also what a killed process has left: it may never have reached the disk.
    durability.fileChanged(path)
    // A torn end is gone for good before another line mixes with it.
    if (this.#sizeBytes < content.length) durability.settleFileNow(path)
    durability.directoryChanged(dirname(path))
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

  /** Makes several changes, all or none; throws a RefusedRequestError when the disk takes no more. */
  apply(changes: readonly Change<Value>[]): void {
    if (changes.length === 0) return
    const line = Buffer.from(`${JSON.stringify(changes.length === 1 ? changes[0] : changes)}\n`)
    this.#durability.fileChanged(this.#path)
    try {
      for (let written = 0; written < line.length; ) {
        const position = this.#sizeBytes + written
        written += writeSync(this.#descriptor, line, written, line.length - written, position)
      }
    } catch (cause) {
      ftruncateSync(this.#descriptor, this.#sizeBytes)
      const message = `${this.#path} could not be written: ${(cause as Error).message}`
      throw new RefusedRequestError('KAFKA_STORAGE_ERROR', message, cause)
    }
    this.#sizeBytes += line.length
    for (const change of changes) this.#change(change)
    if (this.#changeCount > smallFileChanges + this.#entries.size * changesPerEntry) this.#compact()
  }

  close(): void {
    closeSync(this.#descriptor)
  }

  #change([key, value]: Change<Value>): void {
    this.#changeCount++
    if (value === null) this.#entries.delete(key)
    else this.#entries.set(key, value)
  }

  #readLine(line: string, number: number): void {
    try {
      const read = JSON.parse(line) as Change<Value> | readonly Change<Value>[]
      if (isOne(read)) this.#change(read)
      else for (const change of read) this.#change(change)
    } catch (cause) {
      throw new StockpipeError({
        code: 'DATA_DIRECTORY_DAMAGED',
        message: `Line ${number} of ${this.#path} cannot be read. Restore the file, or remove the data directory to begin anew.`,
        cause,
        facts: { path: this.#path },
      })
    }
  }

  #compact(): void {
    const lines = [...this.#entries].map((entry) => `${JSON.stringify(entry)}\n`).join('')
    this.#changeCount = this.#entries.size
    try {
      writeFileSync(`${this.#path}.tmp`, lines)
    } catch {
      // No room for a second file: the long one stays in use.
      return
    }
    // Windows takes the place of no open file.
    closeSync(this.#descriptor)
    try {
      this.#durability.replace(`${this.#path}.tmp`, this.#path)
    } catch {
      // Whichever file is in place stays in use; whether its name is on the disk, `settled` tells.
    }
    this.#descriptor = openSync(this.#path, 'r+')
    this.#sizeBytes = fstatSync(this.#descriptor).size
  }
}

const isOne = <Value>(read: Change<Value> | readonly Change<Value>[]): read is Change<Value> =>
  typeof read[0] === 'string'

import { appendFileSync, existsSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { type Durability, withoutFsync } from '../durability.ts'
import { wholeLinesBytes } from '../whole-lines.ts'

/** The file is written anew when it has more than this many lines for each object. */
const linesPerObject = 4
const smallFileLines = 2_000
const newline = 10

/**
 * The metadata of one bucket's objects in one file: a line `<key> TAB <value>` for each change, both JSON, the
 * last of a key being the one that holds; a value of `null` is a deletion.
 *
 * A change is with the operating system when its call returns, and on the disk when `durability` has settled; a torn
 * end is cut on start.
 * Values stay text in memory, about 400 bytes an object. Every call is synchronous: one log has one order.
 */
export class ObjectMetadataLog {
  readonly #path: string
  readonly #stagedPath: string
  readonly #durability: Durability
  readonly #values = new Map<string, string>()
  #lineCount = 0
  #sizeBytes = 0

  /** Reads the file, if there is one, and writes it anew if little of it still holds. */
  constructor(filePath: string, durability: Durability = withoutFsync) {
    this.#path = filePath
    this.#durability = durability
    this.#stagedPath = `${filePath}.new`
    if (!existsSync(filePath)) return
    // What a killed process has left may never have reached the disk.
    durability.fileChanged(filePath)
    durability.directoryChanged(path.dirname(filePath))
    durability.directoryChanged(path.dirname(path.dirname(filePath)))
    const content = readFileSync(filePath)
    const wholeBytes = wholeLinesBytes(content)
    while (this.#sizeBytes < wholeBytes) {
      const end = content.indexOf(newline, this.#sizeBytes)
      this.#readLine(content.toString('utf8', this.#sizeBytes, end))
      this.#sizeBytes = end + 1
    }
    if (wholeBytes < content.length) {
      truncateSync(filePath, wholeBytes)
      // Gone for good before another line mixes with it.
      durability.settleFileNow(filePath)
    }
    this.#compactIfLong()
  }

  get(key: string): unknown {
    const value = this.#values.get(key)
    return value === undefined ? undefined : JSON.parse(value)
  }

  set(key: string, value: unknown): void {
    const text = JSON.stringify(value)
    this.#append(key, text)
    this.#values.set(key, text)
    this.#compactIfLong()
  }

  delete(key: string): void {
    if (!this.#values.has(key)) return
    this.#append(key, 'null')
    this.#values.delete(key)
    this.#compactIfLong()
  }

  #append(key: string, value: string): void {
    const line = Buffer.from(lineOf(key, value))
    if (this.#sizeBytes === 0) {
      this.#durability.makeDirectory(path.dirname(this.#path))
      this.#durability.directoryChanged(path.dirname(this.#path))
    }
    this.#durability.fileChanged(this.#path)
    try {
      appendFileSync(this.#path, line)
    } catch (error) {
      // What a full disk took of the line must not become the beginning of the next one.
      if (existsSync(this.#path)) truncateSync(this.#path, this.#sizeBytes)
      throw error
    }
    this.#sizeBytes += line.length
    this.#lineCount++
  }

  /** A line nobody could have written is passed over: its object's bytes are still there. */
  #readLine(line: string): void {
    this.#lineCount++
    const tab = line.indexOf('\t')
    const value = line.slice(tab + 1)
    if (tab < 0) return
    try {
      const key = JSON.parse(line.slice(0, tab)) as string
      if (value === 'null') {
        this.#values.delete(key)
        return
      }
      JSON.parse(value)
      this.#values.set(key, value)
    } catch (error) {
      if (!(error instanceof SyntaxError)) throw error
    }
  }

  #compactIfLong(): void {
    if (this.#lineCount <= smallFileLines + this.#values.size * linesPerObject) return
    const lines = [...this.#values].map(([key, value]) => lineOf(key, value)).join('')
    this.#lineCount = this.#values.size
    try {
      writeFileSync(this.#stagedPath, lines)
      this.#durability.replace(this.#stagedPath, this.#path)
    } catch {
      // No room for a second file: the long one stays in use.
      rmSync(this.#stagedPath, { force: true })
      return
    }
    this.#sizeBytes = Buffer.byteLength(lines)
  }
}

const lineOf = (key: string, value: string): string => `${JSON.stringify(key)}\t${value}\n`

import {
  appendFileSync,
  existsSync,
  mkdirSync,
  readFileSync,
  renameSync,
  rmSync,
  truncateSync,
  writeFileSync,
} from 'node:fs'
import path from 'node:path'

/** The file is written anew when it has more than this many lines for each object. */
const linesPerObject = 4
const smallFileLines = 2_000
const newline = 10

/**
 * The metadata of one bucket's objects in one file: a line `<key> TAB <value>` for each change, both JSON, the
 * last of a key being the one that holds; a value of `null` is a deletion.
 *
 * A change is with the operating system when its call returns, and a half-written last line is cut on start.
 * Values stay text in memory, about 400 bytes an object. Every call is synchronous: one log has one order.
 */
export class ObjectMetadataLog {
  readonly #path: string
  readonly #stagedPath: string
  readonly #values = new Map<string, string>()
  #lineCount = 0
  #sizeBytes = 0

  /** Reads the file, if there is one, and writes it anew if little of it still holds. */
  constructor(filePath: string) {
    this.#path = filePath
    this.#stagedPath = `${filePath}.new`
    if (!existsSync(filePath)) return
    const content = readFileSync(filePath)
    for (let end = content.indexOf(newline); end >= 0; end = content.indexOf(newline, this.#sizeBytes)) {
      this.#readLine(content.toString('utf8', this.#sizeBytes, end))
      this.#sizeBytes = end + 1
    }
    if (this.#sizeBytes < content.length) truncateSync(filePath, this.#sizeBytes)
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
    if (this.#sizeBytes === 0) mkdirSync(path.dirname(this.#path), { recursive: true })
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
      renameSync(this.#stagedPath, this.#path)
    } catch {
      // No room for a second file: the long one stays in use.
      rmSync(this.#stagedPath, { force: true })
      return
    }
    this.#sizeBytes = Buffer.byteLength(lines)
  }
}

const lineOf = (key: string, value: string): string => `${JSON.stringify(key)}\t${value}\n`

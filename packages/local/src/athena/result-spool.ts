import { createReadStream } from 'node:fs'
import { type FileHandle, open, rm } from 'node:fs/promises'
import type { ResultColumn, RowSink } from '../sql/query-engine.ts'
import { encodeCsvLines, type ResultRow } from './result-csv.ts'

/** Bytes of a result that are held in memory. */
const heldBytes = 1024 * 1024
/** Rows made into text at a time. */
const linesAtATime = 1000

/** The CSV of an answer on its way to its place: up to a mebibyte in memory, what is larger in a file, which goes with it. */
export class ResultSpool implements RowSink, AsyncDisposable {
  readonly #path: string
  readonly #held: Buffer[] = []
  #heldBytes = 0
  #file: FileHandle | undefined
  #hasBegun = false
  #rowCount = 0

  constructor(path: string) {
    this.#path = path
  }

  /** Rows added; the line of the names is none. */
  get rowCount(): number {
    return this.#rowCount
  }

  begin(columns: readonly ResultColumn[]): void {
    if (this.#hasBegun) return
    this.#hasBegun = true
    this.#hold(encodeCsvLines([columns.map((column) => column.name)]))
  }

  async add(rows: readonly ResultRow[]): Promise<void> {
    this.#rowCount += rows.length
    for (let start = 0; start < rows.length; start += linesAtATime) {
      this.#hold(encodeCsvLines(rows.slice(start, start + linesAtATime)))
      if (this.#heldBytes > heldBytes) await this.#flush()
    }
  }

  /** The whole CSV, once all rows are added. */
  async content(): Promise<Uint8Array | AsyncIterable<Uint8Array>> {
    if (this.#file === undefined) return Buffer.concat(this.#held)
    await this.#flush()
    return bytesOf(this.#path)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#file === undefined) return
    await this.#file.close()
    await rm(this.#path, { force: true })
  }

  #hold(lines: Buffer): void {
    this.#held.push(lines)
    this.#heldBytes += lines.length
  }

  async #flush(): Promise<void> {
    this.#file ??= await open(this.#path, 'w')
    await this.#file.appendFile(Buffer.concat(this.#held.splice(0)))
    this.#heldBytes = 0
  }
}

/** The bytes of a file, which is opened when they are asked for. */
export async function* bytesOf(filePath: string): AsyncIterable<Uint8Array> {
  yield* createReadStream(filePath)
}

import { freeMemory } from '@stockpipe/core'
import { parquetMagic } from './parquet-file.ts'
import { cutParts, type FilePart, takeBytes } from './part-cutter.ts'
import type { EncodedRows, RowGroupFacts } from './row-group-encoder.ts'

/** What the facts of a row group take as objects, for each byte they will take in the footer; measured. */
const factBytes = 6

/** One file of a path while it is made: the bytes that were not taken as parts yet, and what its footer will tell. */
export class PathFile {
  readonly #partBytes: number
  readonly #rowGroups: RowGroupFacts[] = []
  #pieces: Uint8Array[] = [parquetMagic]
  #waitingBytes = parquetMagic.length
  #partsTaken = 0
  #bytes = 0
  #footerBytes = 0
  /** Its number within the flush group, from the first part taken on. */
  number: number | undefined

  constructor(partBytes: number) {
    this.#partBytes = partBytes
  }

  get rowGroups(): readonly RowGroupFacts[] {
    return this.#rowGroups
  }

  /** What it comes to, about: taken parts, waiting bytes and the footer. */
  get bytes(): number {
    return this.#bytes
  }

  /** Memory held, estimated. */
  get heldBytes(): number {
    return this.#waitingBytes + this.#footerBytes * factBytes
  }

  get takenBytes(): number {
    return this.#partsTaken * this.#partBytes
  }

  add({ bytes, facts }: EncodedRows): void {
    this.#rowGroups.push(facts)
    this.#pieces.push(bytes)
    this.#waitingBytes += bytes.length
    this.#footerBytes += facts.footerBytes
    this.#bytes += bytes.length + facts.footerBytes
  }

  /** The next part, once its bytes are there. The footer comes after it, so it is never the last. */
  takePart(): FilePart | undefined {
    if (this.#waitingBytes < this.#partBytes) return undefined
    const held = this.#pieces
    this.#pieces = [...held]
    const bytes = takeBytes(this.#pieces, this.#partBytes)
    // What is left of a row group does not hold on to the rest of it.
    const [rest] = this.#pieces
    if (rest) this.#pieces[0] = rest.slice()
    free(held.slice(0, held.length - this.#pieces.length + (rest ? 1 : 0)))
    this.#waitingBytes -= bytes.length
    this.#partsTaken += 1
    return { partNumber: this.#partsTaken, bytes, last: false }
  }

  /** The parts that were not taken, to the end of the file. Takes none. */
  rest(footer: readonly Uint8Array[]): Iterable<FilePart> {
    return cutParts([...this.#pieces, ...footer], this.#partBytes, this.#partsTaken)
  }

  /** Frees the bytes that were not taken; the file and its copies are over. */
  release(): void {
    free(this.#pieces.splice(0))
  }

  /** The same file, to which row groups can be added without changing this one. */
  copy(): PathFile {
    const copy = new PathFile(this.#partBytes)
    copy.#rowGroups.push(...this.#rowGroups)
    copy.#pieces = [...this.#pieces]
    copy.#waitingBytes = this.#waitingBytes
    copy.#partsTaken = this.#partsTaken
    copy.#bytes = this.#bytes
    copy.#footerBytes = this.#footerBytes
    copy.number = this.number
    return copy
  }
}

const free = (pieces: readonly Uint8Array[]): void => {
  for (const piece of pieces) if (piece !== parquetMagic) freeMemory(piece)
}

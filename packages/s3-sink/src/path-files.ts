import { PathFile } from './path-file.ts'
import type { EncodedRows } from './row-group-encoder.ts'

/** A file is ended before a row group that would take it beyond this share of its target. */
const greatestShare = 1.1

/** The encoded rows of one path, as the files they will become. */
export class PathFiles {
  readonly #targetBytes: number
  readonly #partBytes: number
  readonly #files: PathFile[] = []
  #bytes = 0
  #endNext = false

  /**
   * @param targetBytes of a file. Every file but the last comes to 85 to 110 % of it as long as a row group takes
   * at most a quarter
   */
  constructor(targetBytes: number, partBytes: number) {
    this.#targetBytes = targetBytes
    this.#partBytes = partBytes
  }

  /** In the order of their rows. */
  get files(): readonly PathFile[] {
    return this.#files
  }

  get count(): number {
    return this.#files.length
  }

  /** Bytes of all files. */
  get bytes(): number {
    return this.#bytes
  }

  /** Memory held, estimated. */
  get heldBytes(): number {
    return this.#files.reduce((bytes, file) => bytes + file.heldBytes, 0)
  }

  /** The same files, to which row groups can be added without changing these. */
  copy(): PathFiles {
    const copy = new PathFiles(this.#targetBytes, this.#partBytes)
    copy.#files.push(...this.#files.map((file) => file.copy()))
    copy.#bytes = this.#bytes
    copy.#endNext = this.#endNext
    return copy
  }

  /** Frees their bytes; they and their copies are over. */
  release(): void {
    for (const file of this.#files) file.release()
  }

  /** The next row group begins a new file. */
  end(): void {
    this.#endNext = true
  }

  add(rows: EncodedRows): void {
    const length = rows.bytes.length + rows.facts.footerBytes
    let open = this.#files.at(-1)
    this.#bytes += length
    if (open === undefined || this.#endNext || open.bytes + length > this.#targetBytes * greatestShare) {
      open = new PathFile(this.#partBytes)
      this.#files.push(open)
      this.#endNext = false
    }
    open.add(rows)
  }
}

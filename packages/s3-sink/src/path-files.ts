import type { EncodedRows } from './row-group-encoder.ts'

/** A file is ended before a row group that would take it beyond this share of its target. */
const greatestShare = 1.1

/** The encoded rows of one path, as the files they will become. */
export class PathFiles {
  readonly #targetBytes: number
  readonly #files: { readonly rowGroups: EncodedRows[]; bytes: number }[] = []
  #bytes = 0
  #endNext = false

  /**
   * @param targetBytes of a file. Every file but the last comes to 85 to 110 % of it as long as a row group takes
   * at most a quarter
   */
  constructor(targetBytes: number) {
    this.#targetBytes = targetBytes
  }

  /** The row groups of each file, in the order of their rows. */
  get files(): readonly (readonly EncodedRows[])[] {
    return this.#files.map(({ rowGroups }) => rowGroups)
  }

  get count(): number {
    return this.#files.length
  }

  /** Bytes of all files. */
  get bytes(): number {
    return this.#bytes
  }

  /** The same files, to which row groups can be added without changing these. */
  copy(): PathFiles {
    const copy = new PathFiles(this.#targetBytes)
    for (const { rowGroups, bytes } of this.#files) copy.#files.push({ rowGroups: [...rowGroups], bytes })
    copy.#bytes = this.#bytes
    copy.#endNext = this.#endNext
    return copy
  }

  /** The next row group begins a new file. */
  end(): void {
    this.#endNext = true
  }

  add(rows: EncodedRows): void {
    const { fileBytes: length } = rows
    const open = this.#files.at(-1)
    this.#bytes += length
    if (open === undefined || this.#endNext || open.bytes + length > this.#targetBytes * greatestShare) {
      this.#files.push({ rowGroups: [rows], bytes: length })
      this.#endNext = false
    } else {
      open.rowGroups.push(rows)
      open.bytes += length
    }
  }
}

import {
  number,
  type ParquetChunk,
  type ParquetPart,
  type ParquetRoot,
  type ParquetRowGroup,
  structOf,
} from './parquet-footer.ts'
import { ThriftReader, type ThriftStruct } from './thrift-compact.ts'

/** Bytes of the file. */
export type ReadRange = (start: number, end: number) => Promise<Uint8Array>

/** The bytes of a column's chunks that some rows are in. */
export interface ColumnCut {
  readonly parts: readonly ParquetPart[]
  /** Rows in the parts. */
  readonly rows: number
  /** Rows of them that come before. */
  readonly offset: number
}

/** A column of a row group, rows of which are cut out one lot behind the other. */
export interface ColumnReader {
  /** A cut of fewer bytes before compression costs as much as one of so many: pages are decompressed as a whole. */
  leastBytes(): Promise<number>
  cut(start: number, end: number): Promise<ColumnCut>
}

/** @param readBytes what is read ahead of a column at once */
export const columnReader = (
  root: ParquetRoot,
  { rows, chunks }: ParquetRowGroup,
  read: ReadRange,
  readBytes: number,
): ColumnReader => {
  const own = root.chunks.map((place) => chunks[place]!)
  if (root.isFlat) return new FlatColumnReader(root.name, rows, own[0]!, read, readBytes)
  let parts: Promise<readonly ParquetPart[]> | undefined
  return {
    leastBytes: async () => own.reduce((sum, { uncompressedBytes }) => sum + uncompressedBytes, 0),
    async cut(start) {
      parts ??= Promise.all(
        own.map(async ({ start: from, end, metadata }) => ({
          metadata,
          values: number(metadata, 5),
          bytes: [await read(from, end)],
        })),
      )
      return { parts: await parts, rows, offset: start }
    },
  }
}

interface Page {
  readonly bytes: Uint8Array
  readonly uncompressedBytes: number
  readonly start: number
  readonly end: number
}

/** A cut of fewer pages decompresses too much that is of the cuts beside it. */
const pagesPerCut = 4
/** Headers of pages are smaller, unless their statistics hold long texts. */
const headerBytes = 16 * 1024

/** Reads page by page, each of which holds whole rows; only the pages of the last cut are held. */
class FlatColumnReader implements ColumnReader {
  readonly #name: string
  readonly #rows: number
  readonly #chunk: ParquetChunk
  readonly #read: ReadRange
  readonly #readBytes: number
  #dictionary: Uint8Array[] = []
  #pages: Page[] = []
  /** Rows of the pages so far. */
  #found = 0
  /** Where the next page begins. */
  #at: number
  /** What was read from there on. */
  #ahead: Uint8Array = new Uint8Array()

  constructor(name: string, rows: number, chunk: ParquetChunk, read: ReadRange, readBytes: number) {
    this.#name = name
    this.#rows = rows
    this.#chunk = chunk
    this.#read = read
    this.#readBytes = readBytes
    this.#at = chunk.start
    const values = number(chunk.metadata, 5)
    if (values !== rows) throw new Error(`column '${name}' has ${values} values for ${rows} rows`)
  }

  async leastBytes(): Promise<number> {
    if (this.#rows > 0) await this.#readTo(1)
    return (this.#pages[0]?.uncompressedBytes ?? 0) * pagesPerCut
  }

  async cut(start: number, end: number): Promise<ColumnCut> {
    await this.#readTo(end)
    this.#pages = this.#pages.filter((page) => page.end > start)
    const before = this.#pages[0]?.start ?? 0
    const pages = this.#pages.filter((page) => page.start < end)
    const rows = (pages.at(-1)?.end ?? 0) - before
    const bytes = [...this.#dictionary, ...pages.map((page) => page.bytes)]
    return { parts: [{ metadata: this.#chunk.metadata, values: rows, bytes }], rows, offset: start - before }
  }

  async #readTo(row: number): Promise<void> {
    while (this.#found < row) {
      if (this.#at >= this.#chunk.end) {
        throw new Error(`column '${this.#name}' has pages of ${this.#found} rows of ${this.#rows}`)
      }
      await this.#readPage()
    }
  }

  /** PageHeader: 1 type (0 data, 2 dictionary, 3 data of version 2), 2 and 3 sizes without it, 5 and 8 the header of data. */
  async #readPage(): Promise<void> {
    const { header, length } = await this.#header()
    const size = length + number(header, 3)
    if (!(size > length && this.#at + size <= this.#chunk.end)) throw new Error('it has a page that is cut')
    await this.#readAhead(size)
    const bytes = this.#ahead.subarray(0, size)
    this.#ahead = this.#ahead.subarray(size)
    this.#at += size
    const type = number(header, 1)
    if (type === 2) {
      this.#dictionary.push(bytes)
    } else if (type === 0 || type === 3) {
      const start = this.#found
      this.#found += number(structOf(header.get(type === 0 ? 5 : 8)), 1)
      this.#pages.push({ bytes, uncompressedBytes: number(header, 2), start, end: this.#found })
    }
  }

  async #header(): Promise<{ readonly header: ThriftStruct; readonly length: number }> {
    for (let wanted = headerBytes; ; wanted *= 8) {
      await this.#readAhead(wanted)
      try {
        const reader = new ThriftReader(this.#ahead)
        return { header: reader.struct(), length: reader.at }
      } catch (error) {
        if (this.#at + this.#ahead.length >= this.#chunk.end) throw error
      }
    }
  }

  /** Reads on until there are so many bytes, or all. */
  async #readAhead(wanted: number): Promise<void> {
    const there = this.#at + this.#ahead.length
    const end = Math.min(this.#chunk.end, this.#at + wanted)
    if (there >= end) return
    const read = await this.#read(there, Math.min(this.#chunk.end, Math.max(end, there + this.#readBytes)))
    this.#ahead = this.#ahead.length === 0 ? read : Buffer.concat([this.#ahead, read])
  }
}

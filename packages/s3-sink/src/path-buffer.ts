import type { ColumnBatch, ColumnVector } from '@stockpipe/core'
import { createColumnBuffer } from './column-buffer.ts'
import { PathFiles } from './path-files.ts'
import type { EncodedRows, RowGroupEncoder } from './row-group-encoder.ts'
import type { RowSelection } from './row-selection.ts'
import type { SharedDictionary } from './shared-dictionary.ts'

/** What the paths of a group share. */
export interface PathBufferOptions {
  readonly kinds: readonly ColumnVector['kind'][]
  readonly dictionaries: readonly (SharedDictionary | undefined)[]
  readonly rowGroups: RowGroupEncoder
  /** Offsets at which the files of a path begin, where that is not decided by their size. */
  readonly fileStarts?: (partitionValues: readonly (string | null)[]) => readonly bigint[]
}

/** The rows of one path of a flush group: as columns, and as row groups once there are enough for one. */
export class PathBuffer {
  readonly partitionValues: readonly (string | null)[]
  readonly #options: PathBufferOptions
  readonly #files: PathFiles
  #columns: ReturnType<typeof createColumnBuffer>[] = []
  #offsets = createColumnBuffer('int64', undefined)
  #rows = 0
  readonly #starts: bigint[]

  constructor(partitionValues: readonly (string | null)[], options: PathBufferOptions) {
    this.partitionValues = partitionValues
    this.#options = options
    this.#files = new PathFiles(options.rowGroups.fileBytes)
    this.#starts = [...(options.fileStarts?.(partitionValues) ?? [])]
    this.#empty()
  }

  /** Rows held as columns. */
  get openRows(): number {
    return this.#rows
  }

  /** Memory held, estimated. */
  get capacityBytes(): number {
    let bytes = this.#files.bytes + this.#offsets.capacityBytes + (this.#columns.length + 1) * 300
    for (const column of this.#columns) bytes += column.capacityBytes
    return bytes
  }

  /** Bytes of the values held as columns, without room to grow; strings as often as they stand in a row. */
  get payloadBytes(): number {
    let bytes = 0
    for (const column of this.#columns) bytes += column.payloadBytes(this.#rows)
    return bytes
  }

  /** Bytes of the row groups, measured. */
  get encodedBytes(): number {
    return this.#files.bytes
  }

  /** Files there would be if the path were cut now. */
  get fileCount(): number {
    return Math.max(1, this.#files.count)
  }

  /**
   * Bytes of the path's first file if it were cut now: what is encoded is measured, the rest estimated. The target
   * at least once there is a second file.
   */
  get largestFileBytes(): number {
    const { size, fileBytes } = this.#options.rowGroups
    if (this.#files.count > 1) return Math.max(fileBytes, this.#files.bytes / this.#files.count)
    return this.#files.bytes + (this.#rows > 0 ? size.estimate(this.payloadBytes, 1) : 0)
  }

  /** The dictionaries of the batch must have been begun. Answers true when rows became a row group. */
  append(batch: ColumnBatch, selection: RowSelection): boolean {
    const { rowGroups } = this.#options
    let encoded = false
    for (let start = selection.start; start < selection.end; ) {
      this.#endFileBefore(batch.offsets[selection.order[start]!]!)
      const end = Math.min(this.#fileEnd(batch, selection, start), start + rowGroups.rows - this.#rows)
      this.#take(batch, { order: selection.order, start, end })
      start = end
      if (!rowGroups.isDue(this.#rows, this.payloadBytes)) continue
      this.#encode()
      encoded = true
    }
    return encoded
  }

  /** The rows held as columns; it shares memory with the buffer and holds until the next `append`. */
  batch(): ColumnBatch {
    const offsets = this.#offsets.vector(this.#rows) as ColumnVector & { kind: 'int64' }
    return {
      rows: this.#rows,
      columns: this.#columns.map((column) => column.vector(this.#rows)),
      offsets: offsets.values,
    }
  }

  /**
   * Every row as row groups, by the file they belong to. What is encoded here is not kept: the rows stay columns, so
   * that a cut does not add to the memory held.
   */
  files(): readonly (readonly EncodedRows[])[] {
    if (this.#rows === 0) return this.#files.files
    const files = this.#files.copy()
    for (const rows of this.#encoded()) files.add(rows)
    return files.files
  }

  #endFileBefore(offset: bigint): void {
    if (this.#starts.length === 0 || offset < this.#starts[0]!) return
    this.#starts.shift()
    if (this.#rows > 0) this.#encode()
    this.#files.end()
  }

  /** Up to where the selected rows from `start` on belong to one file. */
  #fileEnd(batch: ColumnBatch, { order, end }: RowSelection, start: number): number {
    const [next] = this.#starts
    if (next === undefined) return end
    let at = start
    while (at < end && batch.offsets[order[at]!]! < next) at += 1
    return at
  }

  #take(batch: ColumnBatch, selection: RowSelection): void {
    for (let index = 0; index < this.#columns.length; index += 1) {
      this.#columns[index]!.append(batch.columns[index]!, selection, this.#rows)
    }
    this.#offsets.append({ kind: 'int64', values: batch.offsets, validity: null }, selection, this.#rows)
    this.#rows += selection.end - selection.start
  }

  #encode(): void {
    for (const rows of this.#encoded()) this.#files.add(rows)
    this.#empty()
  }

  #encoded(): EncodedRows[] {
    return this.#options.rowGroups.encode(this.batch(), this.payloadBytes)
  }

  #empty(): void {
    const { kinds, dictionaries } = this.#options
    this.#columns = kinds.map((kind, index) => createColumnBuffer(kind, dictionaries[index]))
    this.#offsets = createColumnBuffer('int64', undefined)
    this.#rows = 0
  }
}

import { type ColumnBatch, freeMemory } from '@stockpipe/core'
import type { FilePart } from './part-cutter.ts'
import type { PathFile } from './path-file.ts'
import { PathFiles } from './path-files.ts'
import type { EncodedRows, RowGroupEncoder } from './row-group-encoder.ts'
import type { RowRun, RowStore } from './row-store.ts'

/** What the paths of a group share. */
export interface PathBufferOptions {
  readonly rowGroups: RowGroupEncoder
  /** Offsets at which the files of a path begin, where that is not decided by their size. */
  readonly fileStarts?: (partitionValues: readonly (string | null)[]) => readonly bigint[]
}

/** Objects of a path and of a run, estimated. */
const pathBytes = 600
const runBytes = 56

/** The rows of one path of a flush group: as runs of a store, and as row groups once there are enough for one. */
export class PathBuffer {
  readonly partitionValues: readonly (string | null)[]
  readonly #options: PathBufferOptions
  readonly #files: PathFiles
  #store: RowStore
  #runs: RowRun[] = []
  #rows = 0
  #payloadBytes = 0
  readonly #starts: bigint[]

  constructor(partitionValues: readonly (string | null)[], store: RowStore, options: PathBufferOptions) {
    this.partitionValues = partitionValues
    this.#store = store
    this.#options = options
    this.#files = new PathFiles(options.rowGroups.fileBytes, options.rowGroups.partBytes)
    this.#starts = [...(options.fileStarts?.(partitionValues) ?? [])]
  }

  /** Rows held as columns. */
  get openRows(): number {
    return this.#rows
  }

  /** Memory held beside the store, estimated. */
  get capacityBytes(): number {
    return this.#files.heldBytes + pathBytes + this.#runs.length * runBytes
  }

  /** Bytes of the values held as columns, without room to grow; strings as often as they stand in a row. */
  get payloadBytes(): number {
    return this.#payloadBytes
  }

  /** Bytes of the row groups, measured; also of those that were taken as parts. */
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
    return this.#files.bytes + (this.#rows > 0 ? size.estimate(this.#payloadBytes, 1) : 0)
  }

  /**
   * Takes rows of the store over. Answers true when rows became a row group.
   *
   * @param offsetOf the offset of a row of the run
   */
  append({ chunk, start: first, end: last }: RowRun, offsetOf: (row: number) => bigint): boolean {
    const { rowGroups } = this.#options
    let encoded = false
    for (let start = first; start < last; ) {
      if (this.#starts.length > 0) this.#endFileBefore(offsetOf(start))
      const most = Math.min(last, start + rowGroups.rows - this.#rows)
      const end = this.#starts.length === 0 ? most : this.#fileEnd(start, most, offsetOf)
      const run = { chunk, start, end }
      this.#add(run)
      this.#rows += end - start
      this.#payloadBytes += this.#store.payloadBytes(run)
      start = end
      if (!rowGroups.isDue(this.#rows, this.#payloadBytes)) continue
      this.#encode()
      encoded = true
    }
    return encoded
  }

  /** The next part of a file whose bytes are there, taken out, and its file. */
  takePart(): { readonly file: PathFile; readonly part: FilePart } | undefined {
    for (const file of this.#files.files) {
      const part = file.takePart()
      if (part) return { file, part }
    }
    return undefined
  }

  /** The rows held as columns, put together; it holds until the next call for any path. */
  batch(): ColumnBatch {
    return this.#store.batch(this.#runs, this.#rows)
  }

  /** Has the rows held as columns copied to another store. */
  moveTo(store: RowStore): void {
    const runs = this.#runs
    this.#runs = []
    for (const run of runs) this.#add(store.move(run))
    this.#store = store
  }

  /**
   * The files with every row in them. What is encoded here is not kept: the rows stay columns, so that a cut does not
   * add to the memory held. After `release` nobody may look into the files any more.
   */
  files(): { readonly files: readonly PathFile[]; release(): void } {
    if (this.#rows === 0) return { files: this.#files.files, release() {} }
    const files = this.#files.copy()
    const encoded = this.#encoded()
    for (const rows of encoded) files.add(rows)
    return {
      files: files.files,
      release() {
        for (const { bytes } of encoded) freeMemory(bytes)
      },
    }
  }

  /** Frees what is encoded; the path is over. */
  release(): void {
    this.#files.release()
  }

  /** A run that goes on where the last one ends becomes one with it. */
  #add(run: RowRun): void {
    const last = this.#runs.at(-1)
    if (last === undefined || last.chunk !== run.chunk || last.end !== run.start) this.#runs.push(run)
    else this.#runs[this.#runs.length - 1] = { chunk: run.chunk, start: last.start, end: run.end }
  }

  #endFileBefore(offset: bigint): void {
    if (offset < this.#starts[0]!) return
    this.#starts.shift()
    if (this.#rows > 0) this.#encode()
    this.#files.end()
  }

  /** Up to where the rows from `start` on belong to one file. */
  #fileEnd(start: number, most: number, offsetOf: (row: number) => bigint): number {
    let end = start
    while (end < most && offsetOf(end) < this.#starts[0]!) end += 1
    return end
  }

  #encode(): void {
    for (const rows of this.#encoded()) this.#files.add(rows)
    for (const run of this.#runs) this.#store.release(run)
    this.#runs = []
    this.#rows = 0
    this.#payloadBytes = 0
  }

  #encoded(): EncodedRows[] {
    return this.#options.rowGroups.encode(this.batch(), this.#payloadBytes)
  }
}

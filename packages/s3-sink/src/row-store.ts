import type { ColumnBatch, ColumnVector } from '@stockpipe/core'
import { type ColumnBuffer, createColumnBuffer } from './column-buffer.ts'
import type { ColumnMemory } from './column-memory.ts'
import { rowMemory } from './row-memory.ts'
import { scratchMemory } from './scratch-memory.ts'
import type { SharedDictionary } from './shared-dictionary.ts'

/** The columns of a table, as they are buffered. */
export interface BufferedColumns {
  readonly kinds: readonly ColumnVector['kind'][]
  readonly dictionaries: readonly (SharedDictionary | undefined)[]
}

/** Rows of a chunk from which on further batches go to the next one. */
const chunkRows = 16_384
/** Rows that may be held though nobody wants them, beside as many as somebody does. */
const spareRows = 8_192

/** Empty buffers, one a column and one for the offsets. */
const columnBuffers = (
  { kinds, dictionaries }: BufferedColumns,
  memory: ColumnMemory,
  rows = 0,
): ColumnBuffer[] => [
  ...kinds.map((kind, index) => createColumnBuffer(kind, dictionaries[index], memory, rows)),
  createColumnBuffer('int64', undefined, memory, rows),
]

/** Rows of one or more batches as columns. */
class RowChunk {
  readonly columns: readonly ColumnBuffer[]
  rows = 0
  /** Rows that are not released. */
  heldRows = 0
  capacityBytes = 0

  constructor(columns: BufferedColumns) {
    this.columns = columnBuffers(columns, rowMemory)
  }

  /** Gives the memory back; the chunk is over. */
  release(): void {
    for (const buffer of this.columns) buffer.release?.()
  }

  /** Takes `rows` more rows, which `fill` appends to each column. */
  grow(rows: number, fill: (buffer: ColumnBuffer, column: number) => void): void {
    this.columns.forEach(fill)
    this.rows += rows
    this.heldRows += rows
    this.capacityBytes = this.columns.length * 300
    for (const { capacityBytes } of this.columns) this.capacityBytes += capacityBytes
  }
}

/** Rows of one path that lie one after the other in a chunk. */
export interface RowRun {
  readonly chunk: RowChunk
  readonly start: number
  readonly end: number
}

/**
 * The rows of a flush group as columns, each batch sorted by path: one copy a batch and column, whatever the number of
 * paths. A chunk is let go when none of its rows is wanted; whoever holds runs moves them when `isSparse` says so.
 */
export class RowStore {
  readonly #columns: BufferedColumns
  readonly #chunks = new Set<RowChunk>()
  #open: RowChunk | undefined
  #rows = 0
  #heldRows = 0
  #capacityBytes = 0

  constructor(columns: BufferedColumns) {
    this.#columns = columns
  }

  /** Memory held. */
  get capacityBytes(): number {
    return this.#capacityBytes
  }

  /** More than half of the rows in memory are released, and not few. */
  get isSparse(): boolean {
    return this.#rows > 2 * this.#heldRows + spareRows
  }

  /** Appends rows of a batch in the order given; the dictionaries must have been begun. */
  append(batch: ColumnBatch, order: Uint32Array): RowRun {
    const selection = { order, start: 0, end: order.length }
    const offsets: ColumnVector = { kind: 'int64', values: batch.offsets, validity: null }
    return this.#grow(order.length, (buffer, column, rows) =>
      buffer.append(batch.columns[column] ?? offsets, selection, rows),
    )
  }

  /** Appends rows that another store holds. */
  move({ chunk, start, end }: RowRun): RowRun {
    return this.#grow(end - start, (buffer, column, rows) =>
      buffer.appendFrom(chunk.columns[column]!, start, end, rows),
    )
  }

  /** Rows of a run that are wanted no more. */
  release({ chunk, start, end }: RowRun): void {
    chunk.heldRows -= end - start
    this.#heldRows -= end - start
    if (chunk.heldRows > 0) return
    this.#rows -= chunk.rows
    this.#capacityBytes -= chunk.capacityBytes
    if (chunk === this.#open) this.#open = undefined
    this.#chunks.delete(chunk)
    chunk.release()
  }

  /** Lets every row go; the store is over. */
  clear(): void {
    for (const chunk of this.#chunks) chunk.release()
    this.#chunks.clear()
    this.#open = undefined
    this.#rows = 0
    this.#heldRows = 0
    this.#capacityBytes = 0
  }

  /** Bytes the values of a run take. */
  payloadBytes({ chunk, start, end }: RowRun): number {
    let bytes = 0
    for (let column = 0; column < this.#columns.kinds.length; column += 1) {
      bytes += chunk.columns[column]!.payloadBytes(start, end)
    }
    return bytes
  }

  /** Runs put together, `rows` rows in all; it holds until the next call for any store. */
  batch(runs: readonly RowRun[], rows: number): ColumnBatch {
    scratchMemory.begin()
    const columns = columnBuffers(this.#columns, scratchMemory, rows)
    for (const [column, buffer] of columns.entries()) {
      let at = 0
      for (const { chunk, start, end } of runs) {
        buffer.appendFrom(chunk.columns[column]!, start, end, at)
        at += end - start
      }
    }
    const vectors = columns.map((buffer) => buffer.vector(rows))
    const offsets = vectors.pop() as ColumnVector & { kind: 'int64' }
    return { rows, columns: vectors, offsets: offsets.values }
  }

  #grow(count: number, fill: (buffer: ColumnBuffer, column: number, rows: number) => void): RowRun {
    if (this.#open !== undefined && this.#open.rows + count > chunkRows) this.#open = undefined
    const chunk = (this.#open ??= new RowChunk(this.#columns))
    this.#chunks.add(chunk)
    const before = chunk.capacityBytes
    const start = chunk.rows
    chunk.grow(count, (buffer, column) => fill(buffer, column, start))
    this.#rows += count
    this.#heldRows += count
    this.#capacityBytes += chunk.capacityBytes - before
    return { chunk, start, end: start + count }
  }
}
